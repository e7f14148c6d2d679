"""What a scan can say at best, as numbers for people."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class PhaseBound:
    """What a scan can say of one phase at best, in wt%.

    Attributes
    ----------
    name : str
    weight_percent : float
        The composition that was asked about.
    sigma_percent : float
        Smallest standard deviation of an unbiased estimate; inf where it cannot be determined.
    counting_sigma_percent : float
        The same if positions, widths and profile were known and only amounts and background were not:
        what counting statistics and overlap alone cost.
    detection_limit_percent : float
        Smallest amount found in 95 % of scans by a test with 1 % false alarms, its lines where they are
        expected; nan where the phase is all there is.
    """

    name: str
    weight_percent: float
    sigma_percent: float
    counting_sigma_percent: float
    detection_limit_percent: float


@dataclass(frozen=True)
class LaboratoryBound:
    """What a scan can say at best.

    Attributes
    ----------
    phases : tuple of PhaseBound
    tvd : float
        Mean total variation distance (0-1) of an efficient estimate from the truth.
    two_theta_range : (float, float)
        In degrees.
    seconds_per_step, scan_seconds : float
        Counting time of a point, and of all of them.
    """

    phases: tuple[PhaseBound, ...]
    tvd: float
    two_theta_range: tuple[float, float]
    seconds_per_step: float
    scan_seconds: float

    @property
    def sigma_percent(self) -> float:
        """The largest of all phases."""
        return max(phase.sigma_percent for phase in self.phases)

    def plain(self) -> dict[str, Any]:
        """Plain data for JSON; None for what cannot be determined."""
        data = dataclasses.asdict(self)
        data["two_theta_range"] = list(self.two_theta_range)
        data["phases"] = [{k: _finite(v) for k, v in phase.items()} for phase in data["phases"]]
        return {k: _finite(v) for k, v in data.items()}


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
