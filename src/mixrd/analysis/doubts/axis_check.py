"""An axis that is not 2theta of the believed tube: seen from where the candidates' lines are."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, minimum_filter1d, uniform_filter1d
from scipy.optimize import nnls

from mixrd.analysis.doubts.suggestion import stick_pattern
from mixrd.analysis.result.parts import AnalysisWarning
from mixrd.crystal import Crystal
from mixrd.diffraction import tube_of
from mixrd.diffraction.bragg import sine_from_d_spacing
from mixrd.diffraction.radiation import K_LINES_ANGSTROM
from mixrd.errors import ScanError
from mixrd.pattern import Instrument

FloatArray = NDArray[np.float64]

#: Where the candidates explain this share of the scan as it is, nothing else is tried.
WELL_EXPLAINED = 0.7
#: Another reading must explain this share ...
LEAST_EXPLAINED = 0.55
#: ... leave less than this part of what the scan as given leaves ...
MOST_LEFT = 0.6
#: ... and less than this part of what the best of readings that mean nothing leaves.
BEYOND_CHANCE = 0.75
#: ... or this, where there are many of one kind to try.
BEYOND_CHANCE_MOVED = 0.6
_MOVED = ("shift", "stretch")
#: Phases that hold at least this part of the fitted lines count as seen.
LEAST_PART = 0.1
#: Lines of smaller d-spacing (angstrom) are too dense to tell one reading from another.
_SMALLEST_D = 1.2
#: Fwhm in degrees of the blur of scan and lines: cells, zero and displacement are not refined here.
_BLUR_DEG = 0.5
_STEP_DEG = _BLUR_DEG / 4
#: Part of the scan's peaks that must lie where a reading can be judged.
_LEAST_INSIDE = 0.5
#: Shifts in degrees and stretches that are tried. Smaller ones the fit takes itself.
_SHIFTS = tuple(s * 0.35 for s in range(-10, 11) if abs(s) > 1)
_STRETCHES = tuple(1 + s * 0.006 for s in range(-9, 10) if abs(s) > 1)
#: Wavelengths, relative, that no tube has: what they explain is chance.
_CHANCE = (0.76, 0.81, 0.855, 0.88, 0.93, 1.07, 1.13, 1.21, 1.28, 1.34)


@dataclass(frozen=True)
class AxisReading:
    """What the axis is, if it is not what it says.

    Attributes
    ----------
    kind : str
        "theta", "radians", "d", "q", "q_per_nm", "tube", "shift" or "stretch".
    text : str
        In words, for a sentence that begins "the candidates' lines would be where the peaks are if".
    explained : float
        Share of the peaks that the candidates then explain, 0-1.
    as_given : float
        Share that they explain as it is.
    """

    kind: str
    text: str
    explained: float
    as_given: float


@dataclass(frozen=True)
class _Try:
    kind: str
    text: str
    two_theta: Callable[[FloatArray], FloatArray]
    wavelength_angstrom: float


def axis_reading(
    axis: FloatArray, counts: FloatArray, crystals: Sequence[Crystal], instrument: Instrument
) -> AxisReading | None:
    """Another meaning of the axis under which the candidates explain the peaks much better, or None.

    The lines of the candidates, blurred as the scan is, are fitted to it by non-negative least squares:
    with the axis as it is, as theta, in radians, as d or Q, with other tubes, shifted and stretched; and
    with wavelengths that mean nothing, which tell what chance explains. Intensities may be wrong, so what
    counts is the overlap of scan and fit. No refinement is needed.

    Parameters
    ----------
    axis, counts : (N,) array
        The whole scan as read, its axis taken for 2theta in degrees.
    crystals : sequence of Crystal
        The candidates.
    instrument : Instrument
    """
    net = _net(counts)
    if net.sum() <= 0 or not crystals:
        return None
    lines = _lines(crystals, instrument)
    own = instrument.radiation.wavelength_angstrom

    def score(one: _Try) -> float:
        return _explained(one.two_theta(axis), net, lines, one.wavelength_angstrom)[0]

    as_given = score(_Try("given", "", _same, own))
    if as_given >= WELL_EXPLAINED:
        return None
    found = [(score(one), one) for one in _readings(axis, own)]
    best, reading = max(found, key=lambda row: row[0])
    if best < LEAST_EXPLAINED or 1 - best > MOST_LEFT * (1 - as_given):
        return None
    chance = max(
        score(dataclasses.replace(reading, wavelength_angstrom=f * reading.wavelength_angstrom))
        for f in _CHANCE
    )
    if 1 - best > (BEYOND_CHANCE_MOVED if reading.kind in _MOVED else BEYOND_CHANCE) * (1 - chance):
        return None
    if reading.kind == "stretch":
        # One phase alone may have another cell than its file says; several that are off alike have not.
        shares = _explained(reading.two_theta(axis), net, lines, own)[1]
        if (shares >= LEAST_PART).sum() < 2:
            return None
    return AxisReading(reading.kind, reading.text, best, max(as_given, 0.0))


def axis_warnings(found: AxisReading | None, instrument: Instrument) -> list[AnalysisWarning]:
    """WRONG_AXIS, or WRONG_WAVELENGTH for another tube, for what `axis_reading` gave."""
    if found is None:
        return []
    used = instrument.radiation
    said = (
        f"the candidates' lines would be where the peaks are if {found.text}: that explains "
        f"{100 * found.explained:.0f} % of the peaks; 2theta and {used.name} "
        f"({used.wavelength_angstrom:.4f} A) explain {100 * found.as_given:.0f} %"
    )
    if found.kind == "tube":
        return [AnalysisWarning("WRONG_WAVELENGTH", said)]
    return [AnalysisWarning("WRONG_AXIS", said)]


def axis_error(error: ScanError, found: AxisReading | None) -> ScanError:
    """The error of a scan that holds nothing to fit, with the reason where `axis_reading` knows it."""
    if found is None:
        return error
    return ScanError(
        f"its axis is not 2theta of this radiation: the candidates' lines would be where the peaks are if "
        f"{found.text} ({error.cause})",
        remedy="Export the scan over 2theta in degrees, and check the radiation",
        file=error.file,
    )


def _same(axis: FloatArray) -> FloatArray:
    return axis


def _bragg(sine: FloatArray) -> FloatArray:
    """2theta in degrees of sin theta, nan where there is none."""
    result: FloatArray = np.full_like(sine, np.nan)
    inside = (sine > 0) & (sine < 1)
    result[inside] = 2 * np.degrees(np.arcsin(sine[inside]))
    return result


def _readings(axis: FloatArray, own: float) -> list[_Try]:
    """What the axis may be, besides 2theta in degrees of the instrument's radiation."""
    highest = float(axis[-1])
    found = [
        _Try("theta", "the axis were theta, not 2theta", lambda x: 2 * x, own),
        _Try("q", "the axis were Q in 1/angstrom", lambda x: _bragg(x * own / (4 * np.pi)), own),
        _Try("q_per_nm", "the axis were Q in 1/nm", lambda x: _bragg(0.1 * x * own / (4 * np.pi)), own),
        _Try("d", "the axis were d in angstrom", lambda x: _bragg(own / 2 / np.maximum(x, 1e-9)), own),
    ]
    if highest <= np.pi:
        found.append(_Try("radians", "the axis were 2theta in radians", np.degrees, own))
    if highest <= np.pi / 2:
        found.append(_Try("radians", "the axis were theta in radians", lambda x: 2 * np.degrees(x), own))
    present = tube_of(own)
    for anode, (alpha1, _, beta) in K_LINES_ANGSTROM.items():
        if anode != present:
            found.append(_Try("tube", f"it were {anode}Ka radiation", _same, alpha1))
        elif beta:
            found.append(_Try("tube", f"it were {anode} K beta radiation", _same, beta))
    for shift in _SHIFTS:
        text = f"the axis were {abs(shift):.2g} deg too {'high' if shift < 0 else 'low'} everywhere"
        found.append(_Try("shift", text, partial(np.add, shift), own))
    for factor in _STRETCHES:
        text = f"all angles were {100 * abs(1 / factor - 1):.1f} % too {'low' if factor > 1 else 'high'}"
        found.append(_Try("stretch", text, partial(np.multiply, factor), own))
    return found


def _net(counts: FloatArray) -> FloatArray:
    """Intensity above background and noise."""
    values = np.nan_to_num(counts.astype(np.float64))
    smooth = gaussian_filter1d(values, 1.5)
    window = max(len(values) // 30, 31)
    below = uniform_filter1d(minimum_filter1d(smooth, window), window)
    noise = np.median(np.abs(np.diff(smooth))) if len(smooth) > 1 else 0.0
    net: FloatArray = np.maximum(smooth - below - 4 * noise, 0.0)
    return net


def _lines(crystals: Sequence[Crystal], instrument: Instrument) -> list[tuple[FloatArray, FloatArray]]:
    """d-spacings (angstrom) and intensities of each candidate, down to `_SMALLEST_D`."""
    wavelength = instrument.radiation.wavelength_angstrom
    sine = min(sine_from_d_spacing(d_spacing=_SMALLEST_D, wavelength_angstrom=wavelength), 0.99)
    limits = (1.0, float(np.ceil(2 * np.degrees(np.arcsin(sine)))))
    return [stick_pattern(crystal, instrument, limits) for crystal in crystals]


def _explained(
    two_theta: FloatArray, net: FloatArray, lines: Sequence[tuple[FloatArray, FloatArray]], wavelength: float
) -> tuple[float, FloatArray]:
    """Share of the scan that the best mixture of the candidates covers, and the part of each in it.

    0 where it cannot be judged.
    """
    nothing = 0.0, np.zeros(len(lines))
    sine = sine_from_d_spacing(d_spacing=_SMALLEST_D, wavelength_angstrom=wavelength)
    highest = 2 * np.degrees(np.arcsin(min(sine, 0.98)))
    known = np.isfinite(two_theta) & (two_theta > 2.0) & (two_theta < highest)
    if net[known].sum() < _LEAST_INSIDE * net.sum():
        return nothing
    order = np.argsort(two_theta[known])
    place, height = two_theta[known][order], net[known][order]
    if len(place) < 2 or place[-1] - place[0] < 10 * _BLUR_DEG:
        return nothing
    grid = np.arange(place[0], place[-1], _STEP_DEG)
    # Bins, not points: what is finer than the grid would be lost between its points.
    area = np.concatenate([[0.0], np.cumsum(0.5 * (height[1:] + height[:-1]) * np.diff(place))])
    edges = np.append(grid, grid[-1] + _STEP_DEG) - _STEP_DEG / 2
    scan = _blurred(np.diff(np.interp(edges, place, area)))
    columns = np.zeros((len(lines), len(grid)))
    for column, (spacing, intensity) in zip(columns, lines, strict=True):
        sines = sine_from_d_spacing(d_spacing=spacing, wavelength_angstrom=wavelength)
        at = np.round((2 * np.degrees(np.arcsin(np.minimum(sines, 1.0))) - grid[0]) / _STEP_DEG).astype(int)
        inside = (at >= 0) & (at < len(grid)) & (sines < 1)
        np.add.at(column, at[inside], intensity[inside])
    columns = _blurred(columns)
    amounts = nnls(columns.T, scan)[0]
    parts = amounts * columns.sum(axis=1)
    share = np.minimum(amounts @ columns, scan).sum() / max(float(scan.sum()), 1e-300)
    return float(share), parts / max(float(parts.sum()), 1e-300)


def _blurred(values: FloatArray) -> FloatArray:
    result: FloatArray = gaussian_filter1d(values, 4 / np.sqrt(8 * np.log(2)), axis=-1)
    return result
