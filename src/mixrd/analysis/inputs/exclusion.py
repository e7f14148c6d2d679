"""Parts of a scan that a refinement leaves out: a line of the holder, a spike, a damaged detector."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mixrd.errors import ScanError, UsageError
from mixrd.scan import Scan

FloatArray = NDArray[np.float64]
Region = tuple[float, float]


def parse_regions(texts: Sequence[str]) -> tuple[Region, ...]:
    """Regions from texts such as "26.2-27.1", in degrees 2theta.

    Raises
    ------
    UsageError
        If a text names no region.
    """
    regions = []
    for text in texts:
        low, _, high = text.partition("-")
        try:
            region = float(low), float(high)
        except ValueError:
            region = 0.0, 0.0
        regions.append(checked_region(region, text))
    return tuple(regions)


def checked_region(region: Region, said: str | None = None) -> Region:
    """The region, `said` by the user in these words.

    Raises
    ------
    UsageError
        If it is none.
    """
    if not 0 <= region[0] < region[1] <= 180:
        raise UsageError(
            f"{region_text(region) if said is None else said!r} is no region of a scan",
            remedy="Give two angles in degrees, such as 26.2-27.1",
        )
    return region


def joined_regions(regions: Sequence[Region]) -> tuple[Region, ...]:
    """The same regions in order, one for those that overlap or touch.

    Raises
    ------
    UsageError
        If one is none.
    """
    joined: list[Region] = []
    for low, high in sorted(checked_region((float(low), float(high))) for low, high in regions):
        if joined and low <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(high, joined[-1][1])
        else:
            joined.append((low, high))
    return tuple(joined)


def region_text(region: Region) -> str:
    """The region as `parse_regions` reads it."""
    return f"{region[0]:.12g}-{region[1]:.12g}"


def within_regions(two_theta: FloatArray, regions: Sequence[Region]) -> NDArray[np.bool_]:
    """Which angles (N,) in degrees lie in one of the regions, ends included."""
    inside = np.zeros(two_theta.shape, dtype=bool)
    for low, high in regions:
        inside |= (two_theta >= low) & (two_theta <= high)
    return inside


def without_regions(scan: Scan, regions: Sequence[Region]) -> Scan:
    """The scan without its points in these regions (ends included), itself where there are none.

    Raises
    ------
    ScanError
        If nothing is left.
    """
    if not regions:
        return scan
    kept = ~within_regions(scan.two_theta, regions)
    if not kept.any():
        raise ScanError(
            "the regions to leave out are the whole scan", remedy="Leave out less", file=scan.path or None
        )
    sigma = None if scan.sigma is None else scan.sigma[kept]
    return dataclasses.replace(scan, two_theta=scan.two_theta[kept], counts=scan.counts[kept], sigma=sigma)
