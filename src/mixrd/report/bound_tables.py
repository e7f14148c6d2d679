"""What scans can say at best, as tables for the terminal; nothing is calculated here."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.text import Text

from mixrd.report.numbers import duration_text
from mixrd.report.tables import new_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from mixrd.analysis import LaboratoryBound, Plan

#: A fraction lies between 0 and 100 %: less precise than this (wt%) is not known at all.
UNDETERMINED_PERCENT = 50.0


def bound_table(bounds: Sequence[LaboratoryBound]) -> Table:
    """Precision and detection limit of each phase in each scan."""
    numbers = ("wt%", "sigma", "sigma, peaks known", "detection limit")
    table = new_table("range", "per step", "scan", "phase", *numbers, right=("per step", "scan", *numbers))
    for bound in bounds:
        for phase in bound.phases:
            table.add_row(
                *_scan(bound),
                phase.name,
                f"{phase.weight_percent:.4g}",
                _wt(phase.sigma_percent),
                _wt(phase.counting_sigma_percent),
                _wt(phase.detection_limit_percent),
            )
    return table


def bound_line(bound: LaboratoryBound) -> Text:
    """What stands below the table of one scan."""
    tvd = f"{bound.tvd:.2g}" if bound.tvd < 1 else "not determined"
    return Text(f"mean total variation distance at best: {tvd}. All in wt%, one standard deviation.")


def plan_lines(plan: Plan) -> list[Text]:
    """Which scans reach what is wanted, quickest first."""
    if plan.want_percent is None:
        return []
    want = f"±{plan.want_percent:g} wt% for every phase"
    lines = []
    for bound in plan.reached:
        limits, step, scan = _scan(bound)
        lines.append(Text(f"{want}: {limits} with {step} per step, {scan} in all"))
    reached = {bound.two_theta_range for bound in plan.reached}
    for limits in dict.fromkeys(_scan(b)[0] for b in plan.scans if b.two_theta_range not in reached):
        lines.append(Text(f"{want}: no counting time reaches it over {limits}", style="yellow"))
    return lines


def _scan(bound: LaboratoryBound) -> tuple[str, str, str]:
    low, high = bound.two_theta_range
    return f"{low:g}-{high:g}°", f"{bound.seconds_per_step:.3g} s", duration_text(bound.scan_seconds)


def _wt(percent: float) -> str:
    if math.isnan(percent):
        return ""
    if percent > UNDETERMINED_PERCENT:
        return "not determined"
    return "0" if percent < 5e-9 else f"{percent:.2g}"
