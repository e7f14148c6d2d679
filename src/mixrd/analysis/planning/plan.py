"""Planning a measurement: which counting time and range reach a wanted precision."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mixrd.analysis.planning.laboratory_bound import SECONDS, ExpectedScan, LaboratoryBound, Measurement
from mixrd.crystal import Crystal
from mixrd.errors import ParameterError
from mixrd.mixture import Composition
from mixrd.pattern import Instrument

#: Relative accuracy of the counting time found.
_ACCURACY = 0.01


@dataclass(frozen=True)
class Plan:
    """Scans to choose from.

    Attributes
    ----------
    scans : tuple of LaboratoryBound
        Each range with each counting time, in the order given.
    want_percent : float or None
        Largest standard deviation that is wanted of any phase, in wt%.
    reached : tuple of LaboratoryBound
        The shortest scan of each range that reaches it, quickest first; a range that does not reach it
        within the longest counting time has none.
    """

    scans: tuple[LaboratoryBound, ...]
    want_percent: float | None
    reached: tuple[LaboratoryBound, ...]

    def plain(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "scans": [scan.plain() for scan in self.scans],
            "want_percent": self.want_percent,
            "reached": [scan.plain() for scan in self.reached],
        }


def make_plan(
    crystals: Sequence[Crystal],
    composition: Composition,
    instrument: Instrument,
    measurement: Measurement | None = None,
    *,
    seconds_per_step: Sequence[float] = (1.0,),
    ranges: Sequence[tuple[float, float]] = (),
    want_percent: float | None = None,
    **known: Any,
) -> Plan:
    """Bounds of scans of several counting times and ranges.

    Parameters
    ----------
    crystals, composition, instrument, measurement, known
        As for `ExpectedScan`; `peak_counts` is that of the strongest point in any of the ranges.
    seconds_per_step : sequence of float
    ranges : sequence of (float, float)
        In degrees; default the instrument's.
    want_percent : float, optional
        In wt%.

    Raises
    ------
    ParameterError
        If no time is given, a range does not rise, or what is wanted is not above 0.
    RadiationError, CompositionError
        As `ExpectedScan`.
    """
    ranges = tuple(ranges) or (instrument.two_theta_range,)
    for low, high in ranges:
        if not low < high:
            raise ParameterError(
                f"range {low:g} to {high:g} deg does not rise", remedy="Give the lower first"
            )
    if not seconds_per_step:
        raise ParameterError("no counting time is given", remedy="Give at least one, in seconds")
    if want_percent is not None and not want_percent > 0:
        raise ParameterError(f"want = {want_percent:g} wt%", remedy="Allowed: above 0")
    hull = (min(low for low, _ in ranges), max(high for _, high in ranges))
    scan = ExpectedScan(
        crystals, composition, dataclasses.replace(instrument, two_theta_range=hull), measurement, **known
    )
    bounds = tuple(scan.bound(seconds, limits) for limits in ranges for seconds in seconds_per_step)
    if want_percent is None:
        return Plan(bounds, None, ())
    found = [(limits, _seconds_for(scan, limits, want_percent)) for limits in ranges]
    reached = [scan.bound(seconds, limits) for limits, seconds in found if seconds is not None]
    return Plan(bounds, want_percent, tuple(sorted(reached, key=lambda bound: bound.scan_seconds)))


def _seconds_for(scan: ExpectedScan, limits: tuple[float, float], want_percent: float) -> float | None:
    """Counting time of a point at which no phase is worse, None if none within the longest."""

    def reaches(seconds: float) -> bool:
        variance = scan.covariance(seconds, limits, scan.fractions.unsqueeze(0))[0].diagonal()
        return 100 * math.sqrt(float(variance.max())) <= want_percent

    low, high = SECONDS
    if not reaches(high):
        return None
    if reaches(low):
        return low
    # Not simply as 1/t: what is known beforehand, and points of hardly a count, do not scale with time.
    while high / low > 1 + _ACCURACY:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if reaches(middle) else (middle, high)
    return high
