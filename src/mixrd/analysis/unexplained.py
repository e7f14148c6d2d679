"""Something is missing: lines of a fitted scan that no candidate explains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.signal import find_peaks, peak_widths

from mixrd.analysis.result_parts import AnalysisWarning, Curves
from mixrd.analysis.suggestion import Evidence, Suggestion, suggest
from mixrd.analysis.wavelength_check import LEAST_SIGNIFICANCE, beam_peak, stray_remarks
from mixrd.crystal import Crystal
from mixrd.pattern import Instrument
from mixrd.pattern.profile import tch_pseudo_voigt

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
#: Half the window of the filter, in widths of the line.
_REACH = 2.5
#: Broader than the widest window, in widths of the instrument, something is a hump and not a line.
_BROADEST = 2 * _REACH * _WIDTHS[-1]
#: Share of a line's filtered counts that points other than the highest must hold; a spike is one point.
_BESIDE_HIGHEST = 0.25
#: Calculated lines lower than this, relative to the highest, do not tell the width.
_TELLING_HEIGHT = 0.02
_MOST_LINES = 60
#: Windows that are fitted at a time, to spare memory.
_ROWS = 1000


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
    """

    share_of_counts: float
    lines: tuple[UnexplainedLine, ...]
    suggestions: tuple[Suggestion, ...]

    @property
    def unknown(self) -> tuple[UnexplainedLine, ...]:
        """The lines without a remark."""
        return tuple(line for line in self.lines if not line.remark)


def find_unexplained(
    curves: Curves,
    sigma: FloatArray,
    instrument: Instrument,
    *,
    zero_deg: float = 0.0,
    displacement_mm: float = 0.0,
    candidates: Sequence[Crystal] = (),
    further: Sequence[Crystal] = (),
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
    further : sequence of Crystal
        Phases besides the catalog's to suggest.

    Returns
    -------
    Unexplained
    """
    two_theta, net = curves.two_theta, curves.observed - curves.background
    base = _instrument_fwhm(instrument, two_theta)
    # A fit bends a phase into a hump to replace what it lacks: that explains no line.
    broadening = [_broadening(p[np.newaxis], two_theta, base) for p in curves.contributions]
    patterns = curves.contributions[np.array(broadening) <= _BROADEST]
    width = base * _broadening(patterns, two_theta, base)
    found = _respond(replace(curves, contributions=patterns), sigma, instrument, base, width)
    picked = _pick(two_theta, found, width)
    displaced = np.degrees(-2 * displacement_mm / instrument.goniometer_radius_mm)
    shift = zero_deg + displaced * np.cos(np.radians(two_theta / 2))
    # A fit that is bent by what it lacks says nothing of the sample's position.
    angle = two_theta - (shift if np.abs(shift).max() <= LARGEST_SHIFT_DEG else 0.0)
    remarks = stray_remarks(two_theta, net, found.height, found.limit, width, picked, instrument)
    spacing = instrument.radiation.wavelength_angstrom / 2 / np.sin(np.radians(angle / 2))
    share = found.area / max(float(net.sum()), 1e-300)
    columns = np.stack([two_theta, spacing, share, found.significance, found.fwhm])[:, picked].tolist()
    lines = [UnexplainedLine(*row) for row in zip(*columns, remarks, strict=True)]
    unknown = np.array([i for i, remark in zip(picked, remarks, strict=True) if not remark], dtype=np.int64)
    total = min(float(share[unknown].sum()), 1.0)
    lines.sort(key=lambda line: -line.area_share)
    evidence = Evidence(angle, found.area, found.area_limit, width, unknown)
    suggestions = suggest(evidence, instrument, candidates, further) if total >= LEAST_SHARE else ()
    return Unexplained(total, tuple(lines), suggestions)


def unexplained_warnings(found: Unexplained) -> list[AnalysisWarning]:
    """UNEXPLAINED_LINES where the lines without a remark hold at least `LEAST_SHARE` of the net counts."""
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


def _instrument_fwhm(instrument: Instrument, two_theta: FloatArray) -> FloatArray:
    """Width of the instrument's peaks in degrees, (N,)."""
    p, theta = instrument.profile, np.radians(two_theta / 2)
    gaussian = np.sqrt(np.maximum(p.u * np.tan(theta) ** 2 + p.v * np.tan(theta) + p.w, 1e-6))
    lorentzian = np.maximum(p.x / np.cos(theta) + p.y * np.tan(theta), 1e-6)
    fwhm, _ = tch_pseudo_voigt(torch.from_numpy(gaussian), torch.from_numpy(lorentzian))
    # A line narrower than two steps cannot be told from a spike.
    return np.asarray(np.maximum(fwhm.numpy(), 2 * np.gradient(two_theta)))


def _broadening(patterns: FloatArray, two_theta: FloatArray, base: FloatArray) -> float:
    """Width of the lines of patterns (P, N) over the instrument's: median by height, at least 1."""
    points = base / np.gradient(two_theta)
    least = _TELLING_HEIGHT * patterns.sum(axis=0).max(initial=0.0)
    ratios, heights = [1.0], [1e-300]
    for pattern in patterns:
        tops, found = find_peaks(pattern, height=max(least, 1e-300), prominence=least)
        ratios += list(peak_widths(pattern, tops)[0] / points[tops])
        heights += list(found["peak_heights"])
    order = np.argsort(ratios)
    weight = np.cumsum(np.array(heights)[order])
    return max(1.0, float(np.array(ratios)[order][np.searchsorted(weight, weight[-1] / 2)]))


def _respond(
    curves: Curves, sigma: FloatArray, instrument: Instrument, base: FloatArray, width: FloatArray
) -> _Response:
    """The filters of all widths, and at each point the most significant of them."""
    two_theta, peaks = curves.two_theta, curves.contributions.sum(axis=0)
    first = np.searchsorted(two_theta, two_theta - width)
    last = np.searchsorted(two_theta, two_theta + width, side="right")
    calculated = np.array([peaks[a:b].max() for a, b in zip(first, last, strict=True)])
    fwhm = np.multiply.outer(_WIDTHS, base)
    residual = curves.observed - curves.calculated
    filtered = [_filtered(two_theta, residual, sigma, f, instrument) for f in fwhm]
    height, spread, points = (np.array(x) for x in zip(*filtered, strict=True))
    excess = _excess_noise(height[0] / spread[0], calculated / spread[0])
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


def _excess_noise(significance: FloatArray, calculated: FloatArray) -> float:
    """Real noise over the stated, at least 1: from dips between the peaks, which no line causes."""
    dips = -significance[(calculated < 2) & (significance < 0)]
    return max(1.0, float(np.median(dips)) / 0.6745) if dips.size > 50 else 1.0


def _filtered(
    two_theta: FloatArray, residual: FloatArray, sigma: FloatArray, fwhm: FloatArray, instrument: Instrument
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Height of the best line at each point, its standard deviation, and its area over its height (points).

    The height is the lower of those with and without a straight line below: a dip beside it makes no line.
    """
    half = int(_REACH * float((fwhm / np.gradient(two_theta)).max())) + 1
    filled = ((two_theta, 1e9), (residual, 0), (1 / sigma, 0))
    views = [sliding_window_view(np.pad(x, half, constant_values=fill), 2 * half + 1) for x, fill in filled]
    parts = []
    for first in range(0, len(two_theta), _ROWS):
        at = slice(first, first + _ROWS)
        angle, data, inverse_sigma = (view[at] for view in views)
        parts.append(_fitted(two_theta[at], fwhm[at], angle, data, inverse_sigma, instrument))
    height, spread, points = (np.concatenate(x) for x in zip(*parts, strict=True))
    return height, spread, points


def _fitted(
    centre: FloatArray,
    fwhm: FloatArray,
    angle: FloatArray,
    residual: FloatArray,
    inverse_sigma: FloatArray,
    instrument: Instrument,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """`_filtered` for some centres (M,), from the windows around them (M, W)."""
    x = (angle - centre[:, np.newaxis]) / fwhm[:, np.newaxis]
    inside = np.abs(x) <= _REACH
    x = np.where(inside, x, 0.0)
    peak = beam_peak(centre, x, fwhm, instrument.radiation) * inside
    weight = inverse_sigma**2 * inside
    s0, s1, s2 = (np.einsum("ij,ij->i", weight, x**n) for n in range(3))
    p0, p1 = (np.einsum("ij,ij,ij->i", weight, peak, x**n) for n in range(2))
    determinant = np.maximum(s0 * s2 - s1 * s1, 1e-300)
    level, slope = (s2 * p0 - s1 * p1) / determinant, (s0 * p1 - s1 * p0) / determinant
    bare = peak - level[:, np.newaxis] - slope[:, np.newaxis] * x
    information = np.maximum(np.einsum("ij,ij,ij->i", weight, bare, bare), 1e-300)
    parts = weight * bare * residual
    total = parts.sum(axis=1)
    alone = np.einsum("ij,ij,ij->i", weight, peak, residual) / np.einsum("ij,ij,ij->i", weight, peak, peak)
    spike = total - parts.max(axis=1) < _BESIDE_HIGHEST * total
    height = np.where(spike, 0.0, np.minimum(total / information, alone))
    return height, information**-0.5, peak.sum(axis=1)


def _pick(two_theta: FloatArray, response: _Response, width: FloatArray) -> list[int]:
    """Indices of the lines, most significant first, none within one and a half widths of another."""
    left, picked = response.significance.copy(), list[int]()
    while len(picked) < _MOST_LINES and left.max() >= LEAST_SIGNIFICANCE:
        at = int(left.argmax())
        picked.append(at)
        left[np.abs(two_theta - two_theta[at]) < 1.5 * max(response.fwhm[at], width[at])] = 0.0
    return picked
