"""A square-root scale, on which counting noise has one height everywhere."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


def root_ticks(low: float, high: float) -> list[float]:
    """Round numbers that stand at about equal distances on a square-root scale."""
    first, last = (float(x) for x in signed_root(np.array([low, high])))
    ticks = {_rounded(float(v)) for v in signed_square(np.linspace(first, last, 8))}
    return sorted(tick for tick in ticks | {0.0} if low <= tick <= high)


def _rounded(value: float) -> float:
    if value == 0:
        return 0.0
    unit = 10.0 ** math.floor(math.log10(abs(value)))
    return round(value / unit * 2) / 2 * unit


def signed_root(value: NDArray[np.float64]) -> NDArray[np.float64]:
    """The root, with the sign of the value."""
    return np.sign(value) * np.sqrt(np.abs(value))


def signed_square(value: NDArray[np.float64]) -> NDArray[np.float64]:
    """The inverse of `signed_root`."""
    return np.sign(value) * value**2
