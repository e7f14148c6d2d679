"""How often intervals hold at other levels than theirs, and how wide they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import stdtrit

from mixrd.analysis import LEVEL, Analysis
from mixrd.analysis.result.intervals import DEGREES_OF_FREEDOM

LEVELS = (0.5, 0.68, 0.8, 0.9, 0.95)


@dataclass(frozen=True)
class IntervalCase:
    """One interval beside the truth.

    Attributes
    ----------
    scan, phase : str
    true_percent, stated_percent, low_percent, high_percent : float
    detected : bool
    codes : tuple of str
        Warnings of the analysis.
    """

    scan: str
    phase: str
    true_percent: float
    stated_percent: float
    low_percent: float
    high_percent: float
    detected: bool
    codes: tuple[str, ...] = ()

    @property
    def half_width_percent(self) -> float:
        """Of the side on which the truth lies; of the longer side where 0 or 100 cuts one."""
        below = self.stated_percent - self.low_percent
        above = self.high_percent - self.stated_percent
        if self.low_percent <= 0 or self.high_percent >= 100:
            return max(below, above)
        return above if self.true_percent > self.stated_percent else below

    @property
    def off(self) -> float:
        """Distance of the truth in half widths of the interval at its own level; 1 is its end."""
        distance = abs(self.true_percent - self.stated_percent)
        half = self.half_width_percent
        return distance / half if half > 0 else (0.0 if distance < 1e-9 else np.inf)


def cases_of(scan: str, result: Analysis, truth: Mapping[str, float]) -> list[IntervalCase]:
    """The intervals of one analysis; none where no amounts are stated."""
    if result.statement.kind != "amounts":
        return []
    codes = tuple(sorted({w.code for w in result.warnings}))
    return [
        IntervalCase(
            scan, p.name, truth[p.name], p.weight_percent, *p.interval_percent, bool(p.detected), codes
        )
        for p in result.phases
        if p.weight_percent is not None and p.interval_percent is not None
    ]


def stated_ratio(level: float) -> float:
    """Half width at `level` over that at `mixrd.analysis.LEVEL`, for errors of the shape that is stated."""
    ends = stdtrit(DEGREES_OF_FREEDOM, np.array([0.5 + level / 2, 0.5 + LEVEL / 2]))
    return float(ends[0] / ends[1])


def coverage(cases: Sequence[IntervalCase]) -> dict[str, Any]:
    """Share of the intervals that hold at each of `LEVELS`, and their widths in wt%."""
    off = np.array([case.off for case in cases])
    half = np.array([case.half_width_percent for case in cases])
    error = np.array([abs(case.true_percent - case.stated_percent) for case in cases])
    return {
        "intervals": len(cases),
        "hold": {
            f"{level:g}": float((off <= stated_ratio(level)).mean()) if off.size else None for level in LEVELS
        },
        "median_half_width_wt": float(np.median(half)) if half.size else None,
        "median_error_wt": float(np.median(error)) if error.size else None,
        "mean_error_wt": float(error.mean()) if error.size else None,
        "off_by_two_half_widths": int((off > 2).sum()),
        "off_by_two_and_no_doubt": int(sum(case.off > 2 and not case.codes for case in cases)),
    }
