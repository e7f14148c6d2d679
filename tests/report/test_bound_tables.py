"""What the tables of bounds say."""

from __future__ import annotations

import math

from rich.console import Console

from mixrd.analysis import LaboratoryBound, PhaseBound, Plan
from mixrd.report.bound_tables import bound_line, bound_table, plan_lines


def made(*, tvd: float = 0.0123, time: float = 2.0) -> LaboratoryBound:
    phases = (
        PhaseBound("quartz", 98.0, 0.1234, 0.09, math.nan),
        PhaseBound("calcite", 2.0, math.inf, 0.0, 0.251),
    )
    return LaboratoryBound(phases, tvd, (20.0, 60.0), time, 2001 * time)


def text(*parts: object) -> str:
    console = Console(width=200, markup=False, color_system=None)
    with console.capture() as captured:
        for part in parts:
            console.print(part)
    return captured.get()


def test_a_row_for_each_phase() -> None:
    _, _, first, second = text(bound_table([made()])).splitlines()
    assert first.split() == ["20-60°", "2", "s", "67", "min", "quartz", "98", "0.12", "0.09"]
    assert second.split()[5:] == ["calcite", "2", "not", "determined", "0", "0.25"]


def test_distance() -> None:
    assert "best: 0.012." in text(bound_line(made()))
    assert "not determined" in text(bound_line(made(tvd=math.inf)))


def test_what_reaches_the_wanted_precision() -> None:
    assert plan_lines(Plan((made(),), None, ())) == []
    assert "no counting time reaches it over 20-60°" in text(*plan_lines(Plan((made(),), 0.1, ())))
    shown = text(*plan_lines(Plan((made(),), 0.1, (made(time=3.0), made(time=9.0)))))
    assert shown.splitlines()[0] == "±0.1 wt% for every phase: 20-60° with 3 s per step, 1 h 40 min in all"
    assert len(shown.splitlines()) == 2
