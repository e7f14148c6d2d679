"""How counts scatter: the noise of a scan, from the scan itself."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from mixrd.scan.headers import Floats

_MEDIAN_OF_SQUARE = 0.4549
"""Median of the square of a standard normal variate (chi-squared of one degree of freedom)."""


def second_differences(y: Floats) -> Floats:
    """(N-2,) y[i-1] - 2 y[i] + y[i+1] over the root of 6: the noise, where the signal is straight."""
    return np.asarray((y[:-2] - 2.0 * y[1:-1] + y[2:]) / np.sqrt(6.0))


def noise_levels(y: Floats, blocks: int = 40) -> tuple[NDArray[np.intp], Floats]:
    """Limits of stretches of the scan, and the standard deviation of the noise in each.

    The median makes it that of the flat parts, where most points are; lines hardly count.
    """
    scatter = second_differences(y)
    limits = np.linspace(0, scatter.size, max(1, min(blocks, scatter.size // 12)) + 1).astype(np.intp)
    levels = [
        float(np.sqrt(np.median(scatter[a:b] ** 2) / _MEDIAN_OF_SQUARE))
        for a, b in itertools.pairwise(limits)
    ]
    return limits, np.array(levels)


def dispersion(y: Floats) -> float | None:
    """Variance over mean of neighbouring points: 1 for counts, k for counts times k.

    None where there are too few positive ones. Smoothed counts have less. The median over the points
    keeps lines out.
    """
    mean = (y[:-2] + y[1:-1] + y[2:]) / 3.0
    good = mean > 0.0
    if good.sum() < 20:
        return None
    ratio = np.median(second_differences(y)[good] ** 2 / mean[good])
    return float(ratio / _MEDIAN_OF_SQUARE)


def are_whole(y: Floats) -> bool:
    """True where every intensity is a whole number, to 0.001."""
    return bool(np.all(np.abs(y - np.round(y)) < 1e-3))
