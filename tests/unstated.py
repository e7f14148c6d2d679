"""Results that state no amounts."""

from __future__ import annotations

import dataclasses
from typing import Literal

from mixrd.analysis import Analysis, Statement

REASON = "the fit misses 83 % of the counts"
#: What no output of such a result may hold: an amount in wt%, in words or as a number.
AMOUNTS = ("wt%", "±", "100.0", "100.00", "33.3", "interval")


def without_amounts(
    analysis: Analysis,
    kind: Literal["presence", "none"],
    *,
    reason: str = REASON,
    detected: bool | None = True,
) -> Analysis:
    """The same result as one that states only a presence, or nothing."""
    phases = tuple(
        dataclasses.replace(
            phase,
            weight_percent=None,
            sigma_percent=None,
            network_percent=None,
            refined_percent=None,
            interval_percent=None,
            detected=detected,
            detection_limit_percent=0.31,
            quantification_limit_percent=1.2,
        )
        for phase in analysis.phases
    )
    return dataclasses.replace(
        analysis, phases=phases, statement=Statement(kind, reason), covariance_percent2=None
    )
