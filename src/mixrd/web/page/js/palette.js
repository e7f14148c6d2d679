// Colours of phases and curves. The phases' are those of the report's plots (mixrd.report.plot; a test compares).

/** Okabe & Ito's colours, distinguishable for the colour-blind. */
export const PHASE_COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"];

/** After the last colour the same come again, dashed, then dotted. */
const DASHES = [[], [7, 4], [2, 3], [7, 3, 2, 3]];

/** {colour, dash, fill} of the phase of this index. */
export function phaseStyle(index) {
  const colour = PHASE_COLOURS[index % PHASE_COLOURS.length];
  const dash = DASHES[Math.floor(index / PHASE_COLOURS.length) % DASHES.length];
  return { colour, dash, fill: `${colour}66` };
}

/** A colour of the present theme, by the name of its custom property. */
export function themed(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
