"""The matched filter that looks for lines in what a fit leaves, and the widths that lines have."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.signal import find_peaks, peak_widths

from mixrd.analysis.doubts.wavelength_check import beam_peak
from mixrd.diffraction import Radiation
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
#: A grid is even where its steps differ by no more than this part of a step.
_UNEVEN = 0.05
#: Peaks are alike while their widths differ by this part and their angles by this (degrees).
_ALIKE, _BLOCK_DEG = 0.05, 5.0
#: Standard deviations from which on a height is fitted by a peak of its own, and asked whether it is a spike.
_WORTH_A_LOOK = 3.0


def instrument_fwhm(instrument: Instrument, two_theta: FloatArray) -> FloatArray:
    """Width of the instrument's peaks in degrees, (N,)."""
    p = instrument.profile
    fwhm = profile_fwhm((p.u, p.v, p.w, p.x, p.y), np.radians(two_theta / 2))
    # A line narrower than two steps cannot be told from a spike.
    return np.asarray(np.maximum(fwhm, 2 * np.gradient(two_theta)))


def profile_fwhm(profile: Iterable[float], theta: FloatArray) -> FloatArray:
    """Fwhm in degrees at `theta` (radians) of an instrument with these u, v, w, x, y."""
    u, v, w, x, y = profile
    gaussian = np.sqrt(np.maximum(u * np.tan(theta) ** 2 + v * np.tan(theta) + w, 1e-6))
    lorentzian = np.maximum(x / np.cos(theta) + y * np.tan(theta), 1e-6)
    fwhm, _ = tch_pseudo_voigt(torch.from_numpy(gaussian), torch.from_numpy(lorentzian))
    return np.asarray(fwhm.numpy())


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


def excess_noise(residual: FloatArray, sigma: FloatArray, calculated: FloatArray) -> float:
    """Real noise over the stated, at least 1: by how far neighbours differ where no line is calculated."""
    even = calculated < sigma
    jumps = np.abs(np.diff(residual / sigma))[even[1:] & even[:-1]]
    return max(1.0, float(np.median(jumps)) / (0.6745 * 2**0.5)) if jumps.size > 50 else 1.0


def line_heights(
    two_theta: FloatArray, residual: FloatArray, sigma: FloatArray, fwhm: FloatArray, instrument: Instrument
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Height of the best line at each point, its standard deviation, and its area over its height (points).

    The height is the lower of those with and without a straight line below: a dip beside it makes no line,
    and is none. On an even grid neighbours share their peak; what may be a line is then fitted with its own.
    """
    steps = np.diff(two_theta)
    if np.ptp(steps) > _UNEVEN * np.median(steps):
        return _each(two_theta, residual, sigma, fwhm, instrument, np.arange(len(two_theta)))
    height, spread, points = _by_neighbours(two_theta, residual, sigma, fwhm, instrument)
    high = np.flatnonzero(height > _WORTH_A_LOOK * spread)
    if len(high):
        height[high], spread[high], points[high] = _each(two_theta, residual, sigma, fwhm, instrument, high)
    return height, spread, points


def _edges(two_theta: FloatArray, fwhm: FloatArray) -> list[int]:
    """Where blocks of points begin whose peaks are alike, and the end."""
    width, angle = np.log(fwhm) / _ALIKE, (two_theta - two_theta[0]) / _BLOCK_DEG
    number = np.floor(width) + 1e6 * np.floor(angle)
    return [0, *(np.flatnonzero(np.diff(number)) + 1).tolist(), len(two_theta)]


def _by_neighbours(
    two_theta: FloatArray, residual: FloatArray, sigma: FloatArray, fwhm: FloatArray, instrument: Instrument
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """`line_heights` by the peak in the middle of each block of points; spikes are not told from lines."""
    step = float(two_theta[-1] - two_theta[0]) / (len(two_theta) - 1)
    blocks = list(pairwise(_edges(two_theta, fwhm)))
    middles = [(a + b) // 2 for a, b in blocks]
    kernels = [_kernels(float(two_theta[m]), float(fwhm[m]), step, instrument.radiation) for m in middles]
    reach = max(len(kernel) for kernel in kernels) // 2
    # Weights, and weighted residuals, as far as any window reaches.
    weight = np.pad(sigma**-2, reach)
    weighted = weight * np.pad(residual, reach)
    sums, told = np.empty((len(two_theta), 6)), np.empty((len(two_theta), 3))
    points = np.empty(len(two_theta))
    for (a, b), kernel in zip(blocks, kernels, strict=True):
        half = len(kernel) // 2
        place = slice(a + reach - half, b + reach + half)
        sums[a:b] = _windows(weight[place], len(kernel)) @ kernel
        told[a:b] = _windows(weighted[place], len(kernel)) @ kernel[:, [0, 1, 3]]
        points[a:b] = kernel[:, 3].sum()
    (s0, s1, s2, p0, p1, pp), (r0, r1, rp) = sums.T, told.T
    determinant = np.maximum(s0 * s2 - s1 * s1, 1e-300)
    level, slope = (s2 * p0 - s1 * p1) / determinant, (s0 * p1 - s1 * p0) / determinant
    information = np.maximum(pp - level * p0 - slope * p1, 1e-300)
    height = np.minimum((rp - level * r0 - slope * r1) / information, rp / np.maximum(pp, 1e-300))
    return np.maximum(height, 0.0), information**-0.5, points


def _windows(values: FloatArray, width: int) -> FloatArray:
    """(N - width + 1, width) windows of N contiguous values, as a view."""
    return np.lib.stride_tricks.as_strided(values, (len(values) - width + 1, width), 2 * values.strides)


@lru_cache(maxsize=512)
def _kernels(centre: float, fwhm: float, step: float, beam: Radiation) -> FloatArray:
    """(W, 6): what a window's points count for in the sums of a peak on a straight line.

    Scans of a series ask for the same again.
    """
    half = int(REACH * fwhm / step) + 1
    x = np.arange(-half, half + 1) * step / fwhm
    inside = (np.abs(x) <= REACH).astype(np.float64)
    x = x * inside
    peak = beam_peak(np.array([centre]), x[np.newaxis], np.array([fwhm]), beam)[0] * inside
    return np.stack([inside, x, x * x, peak, peak * x, peak * peak], axis=1)


def _each(
    two_theta: FloatArray,
    residual: FloatArray,
    sigma: FloatArray,
    fwhm: FloatArray,
    instrument: Instrument,
    rows: NDArray[np.int64],
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """`line_heights` at some points, each by its own peak."""
    half = int(REACH * float((fwhm / np.gradient(two_theta)).max())) + 1
    filled = ((two_theta, 1e9), (residual, 0), (1 / sigma, 0))
    views = [sliding_window_view(np.pad(x, half, constant_values=fill), 2 * half + 1) for x, fill in filled]
    parts = []
    for first in range(0, len(rows), _ROWS):
        at = rows[first : first + _ROWS]
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
    height = np.where(spike, 0.0, np.maximum(np.minimum(total / information, alone), 0.0))
    return height, information**-0.5, peak.sum(axis=1)
