// Scales of the fit: square root or linear, ticks, ranges, zoom.

export function signedRoot(value) {
  return Math.sign(value) * Math.sqrt(Math.abs(value));
}

function signedSquare(value) {
  return value * Math.abs(value);
}

/** How intensities are drawn on a scale ("sqrt" or "linear"): forward, back, range, ticks. */
export function intensityScale(name) {
  if (name === "linear") {
    return {
      forward: (values) => values,
      back: (value) => value,
      range: (u, low, high) => (low === null ? [0, 1] : [Math.min(low, 0), high + 0.05 * (high - Math.min(low, 0)) || 1]),
      splits: undefined,
    };
  }
  return {
    forward: (values) => values.map(signedRoot),
    back: signedSquare,
    range: (u, low, high) => (low === null ? [0, 1] : [low, high + 0.05 * (high - low) || 1]),
    splits: (u, index, low, high) => rootTicks(low, high),
  };
}

/** Round numbers at about equal distances on a square-root scale, as drawn there. */
function rootTicks(low, high) {
  const ticks = new Set();
  for (let i = 0; i < 7; i += 1) {
    const value = signedSquare(low + ((high - low) * (i + 0.35)) / 6.6);
    if (value === 0) continue;
    const unit = 10 ** Math.floor(Math.log10(Math.abs(value)));
    const digit = [1, 2, 3, 4, 5, 6, 8, 10].reduce((a, b) => (Math.abs(b - Math.abs(value) / unit) < Math.abs(a - Math.abs(value) / unit) ? b : a));
    ticks.add(Math.sign(value) * digit * unit);
  }
  if (low <= 0) ticks.add(0);
  const places = [...ticks].map(signedRoot).filter((t) => t >= low && t <= high).sort((a, b) => a - b);
  const apart = (high - low) / 14;
  return places.filter((t, i) => i === 0 || t - places[i - 1] > apart);
}

/** The range of x after zooming by `factor` about `centre`, within `whole`. */
export function zoomed([low, high], factor, centre, whole) {
  const share = (centre - low) / (high - low);
  const width = Math.max((high - low) * factor, 0.2);
  return within([centre - share * width, centre + (1 - share) * width], whole);
}

/** The range moved by a share of its width, within `whole`. */
export function moved([low, high], share, whole) {
  const step = (high - low) * share;
  return within([low + step, high + step], whole);
}

function within([low, high], [first, last]) {
  const width = Math.min(high - low, last - first);
  const start = Math.max(first, Math.min(low, last - width));
  return [start, start + width];
}

/** Lattice spacing in angstrom of an angle. */
export function dSpacing(twoTheta, wavelength) {
  return wavelength / (2 * Math.sin((twoTheta * Math.PI) / 360));
}
