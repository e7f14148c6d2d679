"""Conservative resampling of a scan to other bins."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mixrd.errors import ScanError

_SLACK_STEPS = 1e-6


class Rebinned(NamedTuple):
    """Counts in new bins.

    Attributes
    ----------
    counts : (M,) array
        Counts that fall into each bin.
    variance : (M,) array
        Variance of `counts`; its sum over bins that cover the scan is that of the scan.
    """

    counts: NDArray[np.float64]
    variance: NDArray[np.float64]


def cell_edges(two_theta: ArrayLike) -> NDArray[np.float64]:
    """(N+1,) limits in degrees of the stretch that each of N points stands for.

    Midpoints between neighbours; the outer cells are as wide outwards as inwards.
    """
    x = np.asarray(two_theta, dtype=np.float64)
    if x.ndim != 1 or x.size < 2 or not np.all(np.diff(x) > 0):
        raise ScanError(
            "angles must be at least two and strictly increasing", remedy="Sort them and drop repeats."
        )
    middle = 0.5 * (x[1:] + x[:-1])
    return np.concatenate(([2.0 * x[0] - middle[0]], middle, [2.0 * x[-1] - middle[-1]]))


def rebin(
    two_theta: ArrayLike, counts: ArrayLike, edges: ArrayLike, *, sigma: ArrayLike | None = None
) -> Rebinned:
    """Counts per new bin, taking the scan as a density of counts per degree.

    The counts of each point are spread evenly over its cell (`cell_edges`) and summed over the new bins,
    so that total counts are conserved and scans of different step differ by a factor only. A cell that is
    cut gives each part its share of the variance too, as counts do that are divided at random: later
    weighting then never claims more information than the scan has.

    Parameters
    ----------
    two_theta : (N,) array
        Angles in degrees, strictly increasing.
    counts : (N,) array
        Counts at each.
    edges : (M+1,) array
        Limits of the new bins in degrees, strictly increasing, within the cells of the scan.
    sigma : (N,) array, optional
        Standard uncertainty of `counts`; without it counting statistics, variance ``max(counts, 1)``.

    Raises
    ------
    ScanError
        If arrays do not fit, or the bins reach beyond the scan: nothing is extrapolated.
    """
    limits = cell_edges(two_theta)
    y = np.asarray(counts, dtype=np.float64)
    bins = np.asarray(edges, dtype=np.float64)
    if y.shape != (limits.size - 1,):
        raise ScanError("angles and counts differ in length", remedy="Give one count per angle.")
    if bins.ndim != 1 or bins.size < 2 or not np.all(np.diff(bins) > 0):
        raise ScanError("bin edges must be strictly increasing", remedy="Sort them.")
    slack = _SLACK_STEPS * float(np.min(np.diff(limits)))
    if bins[0] < limits[0] - slack or bins[-1] > limits[-1] + slack:
        raise ScanError(
            f"bins {bins[0]:g} to {bins[-1]:g} deg reach beyond the scan ({limits[0]:g} to {limits[-1]:g})",
            remedy="Narrow the range: a scan is never extrapolated.",
        )
    if sigma is None:
        variance = np.maximum(y, 1.0)
    else:
        variance = np.square(np.asarray(sigma, dtype=np.float64))
        if variance.shape != y.shape:
            raise ScanError("counts and sigma differ in length", remedy="Give one sigma per angle.")
    return Rebinned(_shared_out(limits, y, bins), _shared_out(limits, variance, bins))


def _shared_out(
    limits: NDArray[np.float64], amounts: NDArray[np.float64], bins: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(M,) amounts in new bins from (N,) amounts in cells: differences of the cumulative sum."""
    cumulative = np.concatenate(([0.0], np.cumsum(amounts)))
    return np.diff(np.interp(bins, limits, cumulative))
