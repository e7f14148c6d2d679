"""Lines of other wavelengths: those that a tube sends besides K alpha, and the wrong tube altogether."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.optimize import nnls
from scipy.signal import find_peaks

from mixrd.analysis.doubts.suggestion import stick_pattern
from mixrd.analysis.result.parts import AnalysisWarning
from mixrd.crystal import Crystal
from mixrd.diffraction import Radiation, radiation, tube_of
from mixrd.diffraction.bragg import sine_from_d_spacing
from mixrd.diffraction.radiation import K_LINES_ANGSTROM, W_L_LINES_ANGSTROM
from mixrd.pattern import Instrument

FloatArray = NDArray[np.float64]

#: Greatest intensity of a stray line over that of its K alpha1 line: K beta without filter 0.2, tungsten of
#: an old tube a tenth, and K alpha2 its half, each with room for noise.
_K_BETA, _TUNGSTEN, _K_ALPHA2 = 0.3, 0.15, 0.7
#: Parents whose stray lines say how much of a stray wavelength is in the beam.
_PARENTS = 5
#: A stray line may be this many times stronger than those of the strongest parents say.
_DISPERSION = 2.0
#: A line stands out by this many standard deviations: a scan has a few thousand places for one.
LEAST_SIGNIFICANCE = 5.0
#: The share that all parents together tell is exceeded by no more than so many of its standard deviations.
_SURE = 3.0
#: Widths from a peak at which a line is not taken for part of it.
_CLEAR = 4.0

#: Below this share of unexplained counts, the wavelength is not doubted.
DOUBTFUL_SHARE = 0.1
#: Another tube must explain this share of the net counts ...
LEAST_EXPLAINED = 0.5
#: ... and leave less than this part of what the present one leaves.
MOST_LEFT = 0.6
#: Fwhm in degrees of the blur of scan and lines: cells, zero and displacement are not refined here.
_BLUR_DEG = 0.5


def beam_peak(centre: FloatArray, x: FloatArray, fwhm: FloatArray, beam: Radiation) -> FloatArray:
    """A peak of all emission lines of nearly the strongest one's wavelength, weights summing to 1.

    Parameters
    ----------
    centre : (M,) array
        Where the strongest line is, degrees.
    x : (M, W) array
        Distance from there in widths.
    fwhm : (M,) array
        Width in degrees.
    beam : Radiation

    Returns
    -------
    (M, W) array
        Each line half Gaussian, half Lorentzian.
    """
    strongest = beam.wavelength_angstrom
    lines = [e for e in beam.lines if abs(e.wavelength_angstrom / strongest - 1) < 0.01]
    result = np.zeros_like(x)
    for line in lines:
        sine = np.sin(np.radians(centre / 2)) * line.wavelength_angstrom / strongest
        moved = (2 * np.degrees(np.arcsin(np.minimum(sine, 1.0))) - centre) / fwhm
        u2 = (x - moved[:, np.newaxis]) ** 2
        profile = 0.5 / (1 + 4 * u2) + 0.5 * np.exp(-4 * np.log(2) * u2)
        result += line.weight / sum(e.weight for e in lines) * profile
    return result


def stray_remarks(
    two_theta: FloatArray,
    net: FloatArray,
    height: FloatArray,
    limit: FloatArray,
    width: FloatArray,
    lines: Sequence[int],
    instrument: Instrument,
) -> list[str]:
    """What unexplained lines are if other wavelengths of the tube make them; "" where they do not.

    K beta, W L alpha1 and, where the beam has K alpha1 alone, K alpha2 of a line are at the angle that
    Bragg's law gives, their intensity is a share of it that is the same for all lines of a scan: the other
    strong lines of the scan say how much there is at most.

    Parameters
    ----------
    two_theta : (N,) array
        In degrees.
    net : (N,) array
        Observed intensity above background.
    height, limit : (N,) array
        Of a line in the residual at each point, and what it would have to be to stand out.
    width : (N,) array
        Fwhm of lines in degrees.
    lines : sequence of int
        Points of the unexplained lines.
    instrument : Instrument
    """
    remarks = [""] * len(lines)
    step = np.gradient(two_theta)
    apart = max(1, int(np.median(width / step)))
    tops = find_peaks(net, distance=apart, height=0.0)[0]
    tops = tops[np.argsort(-net[tops])]
    beam = [line.wavelength_angstrom for line in instrument.radiation.lines]

    def children(ratio: float) -> FloatArray:
        """Of the strongest peaks (T, 5): point, height; of their stray lines: height, limit, widths away."""
        rows = []
        for top in tops[: 4 * _PARENTS]:
            child = _bragg(two_theta[top], ratio)
            near = np.abs(two_theta - child) < max(0.4 * width[top], 1e-9)
            if two_theta[0] < child < two_theta[-1] and near.any():
                apart = abs(child - two_theta[top]) / width[top]
                rows.append((top, net[top], max(height[near].max(), 0.0), limit[near].max(), apart))
        return np.array(rows, dtype=np.float64).reshape(-1, 5)

    for label, wavelength, most in _stray_lines(beam[0]):
        if any(abs(wavelength / own - 1) < 1e-3 for own in beam):
            continue
        seen = children(wavelength / beam[0])
        for number, at in enumerate(lines):
            parent = _bragg(two_theta[at], beam[0] / wavelength)
            near = tops[np.abs(two_theta[tops] - parent) < 0.4 * np.interp(parent, two_theta, width)]
            share = min(most, _share_in_beam(seen, near))
            if near.size and height[at] <= share * net[near].max() and not remarks[number]:
                remarks[number] = f"{label} of the line at {two_theta[near[0]]:.2f} deg"
    return remarks


def _stray_lines(wavelength_angstrom: float) -> list[tuple[str, float, float]]:
    """Name, wavelength in angstrom and greatest share of what else the tube of this K alpha1 sends."""
    anode = tube_of(wavelength_angstrom)
    if anode is None:
        return []
    _, alpha2, beta = K_LINES_ANGSTROM[anode]
    found = [("K alpha2", alpha2, _K_ALPHA2), ("W L alpha", W_L_LINES_ANGSTROM[0], _TUNGSTEN)]
    return found + ([("K beta", beta, _K_BETA)] if beta else [])


def _bragg(two_theta: float, ratio: float) -> float:
    """Angle (degrees) of a line at `two_theta` in a wavelength `ratio` times as long."""
    return float(2 * np.degrees(np.arcsin(min(np.sin(np.radians(two_theta / 2)) * ratio, 1.0))))


def _share_in_beam(seen: FloatArray, parents: NDArray[np.int64]) -> float:
    """Most that the stray lines of the peaks besides `parents` allow, relative to them; 0 where none is seen.

    The strongest ones each set a limit; all together, by least squares, may set a lower one: those whose
    stray lines are clear of them.
    """
    if not len(seen):
        return 0.0
    _, strength, height, limit, _ = seen[:_PARENTS].T
    lowest = _DISPERSION * float(((height + limit) / strength).min())
    others = seen[~np.isin(seen[:, 0], parents) & (seen[:, 4] > _CLEAR)]
    if not len(others):
        return lowest
    _, strength, height, limit, _ = others.T
    sigma = limit / LEAST_SIGNIFICANCE
    information = float(((strength / sigma) ** 2).sum())
    share = float((strength * height / sigma**2).sum()) / information
    return float(min(lowest, _DISPERSION * share + _SURE * information**-0.5))


def other_radiation(
    two_theta: FloatArray, net: FloatArray, crystals: Sequence[Crystal], instrument: Instrument, share: float
) -> str | None:
    """Another tube whose K alpha explains the peaks much better than the instrument's radiation, or None.

    The lines of the candidates, blurred as the scan is, are fitted to it by non-negative least squares for
    each tube; intensities may be wrong, so what counts is the overlap of scan and fit.

    Parameters
    ----------
    two_theta : (N,) array
        In degrees; the whole scan, or the part that was fitted.
    net : (N,) array
        Observed intensity above background.
    crystals : sequence of Crystal
        The candidates.
    instrument : Instrument
    share : float
        Share of the net counts that is unexplained; below `DOUBTFUL_SHARE` nothing is tested.

    Returns
    -------
    str or None
        Such as "CoKa".
    """
    if share < DOUBTFUL_SHARE or not crystals:
        return None
    grid = np.arange(two_theta[0], two_theta[-1], _BLUR_DEG / 8)
    scan = _blurred(np.interp(grid, two_theta, np.maximum(net, 0.0)))
    present = _overlap(grid, scan, crystals, instrument)
    own = tube_of(instrument.radiation.wavelength_angstrom)
    found = {
        f"{anode}Ka": _overlap(
            grid, scan, crystals, dataclasses.replace(instrument, radiation=radiation(f"{anode}Ka"))
        )
        for anode in K_LINES_ANGSTROM
        if anode != own
    }
    best = max(found, key=lambda name: found[name])
    better = found[best] >= LEAST_EXPLAINED and 1 - found[best] < MOST_LEFT * (1 - present)
    return best if better else None


def wavelength_warnings(name: str | None, instrument: Instrument) -> list[AnalysisWarning]:
    """WRONG_WAVELENGTH for what `other_radiation` gave."""
    if name is None:
        return []
    used = instrument.radiation
    return [
        AnalysisWarning(
            "WRONG_WAVELENGTH",
            f"with {name} radiation the candidates' lines would be where the peaks are, with {used.name} "
            f"({used.wavelength_angstrom:.4f} A) they are not: was the scan measured with that tube?",
        )
    ]


def _blurred(values: FloatArray) -> FloatArray:
    """Values on the grid, blurred to `_BLUR_DEG`."""
    result: FloatArray = gaussian_filter1d(values, 8 / np.sqrt(8 * np.log(2)), axis=-1)
    return result


def _overlap(
    grid: FloatArray, scan: FloatArray, crystals: Sequence[Crystal], instrument: Instrument
) -> float:
    """Share of the scan that the best mixture of the candidates covers with this radiation, 0-1."""
    limits = (float(np.floor(grid[0])), float(np.ceil(grid[-1])))
    columns = np.zeros((len(crystals), len(grid)))
    for column, crystal in zip(columns, crystals, strict=True):
        spacing, intensity = stick_pattern(crystal, instrument, limits)
        sine = sine_from_d_spacing(
            d_spacing=spacing, wavelength_angstrom=instrument.radiation.wavelength_angstrom
        )
        at = np.searchsorted(grid, 2 * np.degrees(np.arcsin(np.minimum(sine, 1.0))))
        np.add.at(column, at[at < len(grid)], intensity[at < len(grid)])
    columns = _blurred(columns)
    mixture = nnls(columns.T, scan)[0] @ columns
    return float(np.minimum(mixture, scan).sum() / max(float(scan.sum()), 1e-300))
