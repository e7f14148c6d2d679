"""The matched filter that looks for lines in what a fit leaves, and the widths that lines have."""

from __future__ import annotations

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.signal import find_peaks, peak_widths

from mixrd.analysis.doubts.wavelength_check import beam_peak
from mixrd.pattern import Instrument
from mixrd.pattern.profile import tch_pseudo_voigt

FloatArray = NDArray[np.float64]

#: Half the window of the filter, in widths of the line.
REACH = 2.5
#: Share of a line's filtered counts that points other than the highest must hold; a spike is one point.
_BESIDE_HIGHEST = 0.25
#: Calculated lines lower than this, relative to the highest, do not tell the width.
_TELLING_HEIGHT = 0.02
#: Windows that are fitted at a time, to spare memory.
_ROWS = 1000


def instrument_fwhm(instrument: Instrument, two_theta: FloatArray) -> FloatArray:
    """Width of the instrument's peaks in degrees, (N,)."""
    p, theta = instrument.profile, np.radians(two_theta / 2)
    gaussian = np.sqrt(np.maximum(p.u * np.tan(theta) ** 2 + p.v * np.tan(theta) + p.w, 1e-6))
    lorentzian = np.maximum(p.x / np.cos(theta) + p.y * np.tan(theta), 1e-6)
    fwhm, _ = tch_pseudo_voigt(torch.from_numpy(gaussian), torch.from_numpy(lorentzian))
    # A line narrower than two steps cannot be told from a spike.
    return np.asarray(np.maximum(fwhm.numpy(), 2 * np.gradient(two_theta)))


def broadening_of(patterns: FloatArray, two_theta: FloatArray, base: FloatArray) -> float:
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


def excess_noise(significance: FloatArray, calculated: FloatArray) -> float:
    """Real noise over the stated, at least 1: from dips between the peaks, which no line causes."""
    dips = -significance[(calculated < 2) & (significance < 0)]
    return max(1.0, float(np.median(dips)) / 0.6745) if dips.size > 50 else 1.0


def line_heights(
    two_theta: FloatArray, residual: FloatArray, sigma: FloatArray, fwhm: FloatArray, instrument: Instrument
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Height of the best line at each point, its standard deviation, and its area over its height (points).

    The height is the lower of those with and without a straight line below: a dip beside it makes no line.
    """
    half = int(REACH * float((fwhm / np.gradient(two_theta)).max())) + 1
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
    """`line_heights` for some centres (M,), from the windows around them (M, W)."""
    x = (angle - centre[:, np.newaxis]) / fwhm[:, np.newaxis]
    inside = np.abs(x) <= REACH
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
