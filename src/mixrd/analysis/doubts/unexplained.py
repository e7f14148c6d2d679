"""Something is missing: lines of a fitted scan that no candidate explains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mixrd.analysis.doubts.faint_phase import CALCULATED_SCATTER, FaintEvidence, FaintPhase, faint_phase
from mixrd.analysis.doubts.line_filter import (
    REACH,
    broadening_of,
    excess_noise,
    instrument_fwhm,
    line_heights,
)
from mixrd.analysis.doubts.suggestion import Evidence, Suggestion, suggest
from mixrd.analysis.doubts.wavelength_check import (
    LEAST_SIGNIFICANCE,
    other_radiation,
    stray_remarks,
    wavelength_warnings,
)
from mixrd.analysis.result.parts import AnalysisWarning, Curves, UnexplainedResult
from mixrd.crystal import Crystal
from mixrd.diffraction.bragg import d_spacing_from_two_theta
from mixrd.fit.refinement import Refinement
from mixrd.pattern import Instrument

FloatArray = NDArray[np.float64]

#: A line on a calculated peak must be this many times as high: texture and coarse grains raise single
#: reflections two- or threefold, and a wrong tail is wrong by its own height at most.
OVER_CALCULATED = 2.0
#: Least share of the net counts that is worth a warning: a trace of less changes no fraction.
LEAST_SHARE = 0.001
#: Zero and displacement together shift no sample's lines by more than this (degrees).
LARGEST_SHIFT_DEG = 0.4
#: Widths of lines that are looked for, in those of the instrument.
_WIDTHS = (1.0, 2.0, 4.0)
#: Broader than the widest window, in widths of the instrument, something is a hump and not a line.
_BROADEST = 2 * REACH * _WIDTHS[-1]
_MOST_LINES = 60


@dataclass(frozen=True)
class UnexplainedLine:
    """A line of the scan that no candidate explains.

    Attributes
    ----------
    two_theta_deg : float
        As measured, of the strongest emission line.
    d_spacing_angstrom : float
        Corrected for the refined zero and displacement.
    area_share : float
        Its counts over all net (above background) counts of the scan.
    significance : float
        Its height over the standard deviation of noise and model errors together.
    fwhm_deg : float
        Width of the filter that it answers to best.
    remark : str
        What it probably is instead of a phase, such as "K beta of the line at 36.25 deg"; else empty.
    """

    two_theta_deg: float
    d_spacing_angstrom: float
    area_share: float
    significance: float
    fwhm_deg: float
    remark: str


@dataclass(frozen=True)
class Unexplained:
    """What the candidates leave unexplained.

    Attributes
    ----------
    share_of_counts : float
        Of the lines without a remark, over all net counts; 0-1.
    lines : tuple of UnexplainedLine
        Strongest (by counts) first.
    suggestions : tuple of Suggestion
        Phases that would explain them, best first.
    faint : FaintPhase or None
        Where the lines hold too little for a warning: a phase that lines show which are none by themselves.
    """

    share_of_counts: float
    lines: tuple[UnexplainedLine, ...]
    suggestions: tuple[Suggestion, ...]
    faint: FaintPhase | None = None

    @property
    def told(self) -> tuple[str, ...]:
        """What would explain it, in words, best first."""
        return tuple(map(str, self.suggestions if self.faint is None else (self.faint,)))

    @property
    def unknown(self) -> tuple[UnexplainedLine, ...]:
        """The lines without a remark."""
        return tuple(line for line in self.lines if not line.remark)


def what_is_missing(
    curves: Curves,
    sigma: NDArray[np.float64],
    crystals: Sequence[Crystal],
    instrument: Instrument,
    refined: Refinement,
) -> tuple[UnexplainedResult, list[AnalysisWarning]]:
    """Unexplained lines, and a wrong wavelength where that explains them.

    Parameters
    ----------
    curves : Curves
        Of the fitted scan, N points.
    sigma : (N,) array
        Standard uncertainties of the scan.
    crystals : sequence of Crystal
    instrument : Instrument
    refined : Refinement
    """
    found = find_unexplained(
        curves,
        sigma,
        instrument,
        zero_deg=refined.zero_deg,
        displacement_mm=refined.displacement_mm,
        candidates=crystals,
    )
    net = curves.observed - curves.background
    other = other_radiation(curves.two_theta, net, crystals, instrument, found.share_of_counts)
    if other is not None:
        # Lines that stand elsewhere look like those of any phase.
        found = replace(found, suggestions=(), faint=None)
    result = UnexplainedResult(found.share_of_counts, tuple(asdict(line) for line in found.lines), found.told)
    return result, unexplained_warnings(found) + wavelength_warnings(other, instrument)


def find_unexplained(
    curves: Curves,
    sigma: FloatArray,
    instrument: Instrument,
    *,
    zero_deg: float = 0.0,
    displacement_mm: float = 0.0,
    candidates: Sequence[Crystal] = (),
) -> Unexplained:
    """Lines of a fitted scan that no candidate explains.

    A matched filter: around every point a peak on a straight line is fitted to the residual by weighted
    least squares, in the widths `_WIDTHS`. Its variance is that of the noise plus what the model may get
    wrong there (`OVER_CALCULATED`): texture, profile misfit and wrong tails are no lines.

    Parameters
    ----------
    curves : Curves
        Of a refinement.
    sigma : (N,) array
        Standard uncertainties of the observed intensities, in their unit.
    instrument : Instrument
    zero_deg, displacement_mm : float
        Refined; they correct the d-spacings.
    candidates : sequence of Crystal
        Phases of the fit, which are not suggested.
    """
    two_theta, net = curves.two_theta, curves.observed - curves.background
    base = instrument_fwhm(instrument, two_theta)
    # A fit bends a phase into a hump to replace what it lacks: that explains no line.
    broadening = [broadening_of(p[np.newaxis], two_theta, base) for p in curves.contributions]
    patterns = curves.contributions[np.array(broadening) <= _BROADEST]
    width = base * broadening_of(patterns, two_theta, base)
    found = _respond(replace(curves, contributions=patterns), sigma, instrument, base, width)
    picked = _pick(two_theta, found, width)
    displaced = np.degrees(-2 * displacement_mm / instrument.goniometer_radius_mm)
    shift = zero_deg + displaced * np.cos(np.radians(two_theta / 2))
    # A fit that is bent by what it lacks says nothing of the sample's position.
    angle = two_theta - (shift if np.abs(shift).max() <= LARGEST_SHIFT_DEG else 0.0)
    remarks = stray_remarks(two_theta, net, found.height, found.limit, width, picked, instrument)
    spacing = d_spacing_from_two_theta(
        two_theta=angle, wavelength_angstrom=instrument.radiation.wavelength_angstrom
    )
    share = found.area / max(float(net.sum()), 1e-300)
    columns = np.stack([two_theta, spacing, share, found.significance, found.fwhm])[:, picked].tolist()
    lines = [UnexplainedLine(*row) for row in zip(*columns, remarks, strict=True)]
    unknown = np.array([i for i, remark in zip(picked, remarks, strict=True) if not remark], dtype=np.int64)
    total = min(float(share[unknown].sum()), 1.0)
    lines.sort(key=lambda line: -line.area_share)
    if total >= LEAST_SHARE:
        evidence = Evidence(angle, found.area, found.area_limit, width, unknown)
        return Unexplained(total, tuple(lines), suggest(evidence, instrument, candidates))
    named = [i for i, remark in zip(picked, remarks, strict=True) if remark]
    left = _left(replace(curves, contributions=patterns), sigma, instrument, width, angle, named)
    return Unexplained(total, tuple(lines), (), faint_phase(left, instrument, candidates))


def unexplained_warnings(found: Unexplained) -> list[AnalysisWarning]:
    """UNEXPLAINED_LINES where the lines without a remark hold at least `LEAST_SHARE` of the net counts.

    Or where faint ones together show a phase.
    """
    if found.faint is not None:
        message = f"no line stands out by itself, but {found.faint}: add it to the candidates"
        return [AnalysisWarning("UNEXPLAINED_LINES", message)]
    if found.share_of_counts < LEAST_SHARE:
        return []
    spacings = ", ".join(f"{line.d_spacing_angstrom:.3f}" for line in found.unknown[:3])
    share = f"{float(f'{100 * found.share_of_counts:.2g}'):g} % of the counts above background"
    if len(found.unknown) > 1:
        message = f"{len(found.unknown)} lines with {share} belong to no candidate, the strongest at"
    else:
        message = f"one line with {share} belongs to no candidate, at"
    message += f" d = {spacings} A"
    if found.suggestions:
        message += "; " + " or ".join(str(suggestion) for suggestion in found.suggestions[:2])
    return [AnalysisWarning("UNEXPLAINED_LINES", message)]


@dataclass(frozen=True, eq=False)
class _Response:
    """Of the most significant filter at each point, (N,) arrays.

    `limit` is the height, `area_limit` the area (intensity times points) that would just be a line.
    """

    significance: FloatArray
    height: FloatArray
    area: FloatArray
    fwhm: FloatArray
    limit: FloatArray
    area_limit: FloatArray


def _respond(
    curves: Curves, sigma: FloatArray, instrument: Instrument, base: FloatArray, width: FloatArray
) -> _Response:
    """The filters of all widths, and at each point the most significant of them."""
    two_theta, calculated = curves.two_theta, _calculated_near(curves, width)
    fwhm = np.multiply.outer(_WIDTHS, base)
    residual = curves.observed - curves.calculated
    filtered = [line_heights(two_theta, residual, sigma, f, instrument) for f in fwhm]
    height, spread, points = (np.array(x) for x in zip(*filtered, strict=True))
    excess = excess_noise(residual, sigma, calculated)
    deviation = np.hypot(excess * spread, OVER_CALCULATED / LEAST_SIGNIFICANCE * np.maximum(calculated, 0.0))
    significance = height / deviation
    best = significance.argmax(axis=0), np.arange(len(two_theta))
    limit = LEAST_SIGNIFICANCE * deviation
    inside = (two_theta >= two_theta[0] + base[0]) & (two_theta <= two_theta[-1] - base[-1])
    return _Response(
        significance=significance[best] * inside,
        height=height[best],
        area=(height * points)[best],
        fwhm=fwhm[best],
        limit=limit[best],
        area_limit=(limit * points).min(axis=0),
    )


def _left(
    curves: Curves,
    sigma: FloatArray,
    instrument: Instrument,
    width: FloatArray,
    angle: FloatArray,
    named: Sequence[int],
) -> FaintEvidence:
    """What is left for a phase of faint lines; nothing near the points `named`, whose lines are known."""
    two_theta, residual = curves.two_theta, curves.observed - curves.calculated
    height, spread, points = line_heights(two_theta, residual, sigma, width, instrument)
    calculated = _calculated_near(curves, width)
    excess = excess_noise(residual, sigma, calculated)
    deviation = np.hypot(excess * spread, CALCULATED_SCATTER * np.maximum(calculated, 0.0))
    for at in named:
        deviation[np.abs(two_theta - two_theta[at]) < 1.5 * width[at]] = np.inf
    net = float((curves.observed - curves.background).sum())
    return FaintEvidence(angle, height * points, deviation * points, width, net)


def _calculated_near(curves: Curves, width: FloatArray) -> FloatArray:
    """Highest calculated peak within a width of each point, (N,)."""
    two_theta, peaks = curves.two_theta, curves.contributions.sum(axis=0)
    first = np.searchsorted(two_theta, two_theta - width)
    last = np.searchsorted(two_theta, two_theta + width, side="right")
    # Every second edge is the end of a window.
    edges = np.minimum(np.stack([first, last], axis=1).ravel(), len(peaks) - 1)
    return np.asarray(np.maximum(np.maximum.reduceat(peaks, edges)[::2], peaks))


def _pick(two_theta: FloatArray, response: _Response, width: FloatArray) -> list[int]:
    """Indices of the lines, most significant first, none within one and a half widths of another."""
    left, picked = response.significance.copy(), list[int]()
    while len(picked) < _MOST_LINES and left.max() >= LEAST_SIGNIFICANCE:
        at = int(left.argmax())
        picked.append(at)
        left[np.abs(two_theta - two_theta[at]) < 1.5 * max(response.fwhm[at], width[at])] = 0.0
    return picked
