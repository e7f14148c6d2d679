"""Running premises."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from mixrd.analysis import Analysis
from mixrd.errors import ScanError
from wrong_premises import battery, changes, premise, summary, table, tasks_of
from wrong_premises.battery import CONTROL, Outcome, Task, run_task

NOTHING = Path("no data needed for simulated scans")


def test_tasks_are_those_of_the_kinds_that_are_asked_for() -> None:
    tasks = tasks_of(weighed=2, simulated=3, controls=5, kinds=[CONTROL, "theta", "few grains"])
    counts = {(t.kind, t.base): 0 for t in tasks}
    for task in tasks:
        counts[task.kind, task.base] += 1
    assert counts == {
        (CONTROL, "weighed"): 5, (CONTROL, "simulated"): 5, ("theta", "weighed"): 2,
        ("theta", "simulated"): 3, ("few grains", "simulated"): 3,
    }  # fmt: skip


def test_an_error_is_a_refusal_and_anything_else_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> Analysis:
        raise ScanError("no such lines", remedy="look")

    def crash(*_: object) -> Analysis:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr(battery, "analyze", refuse)
    found = run_task(Task("few grains", "simulated", 0), NOTHING)
    assert found is not None
    assert (found.verdict, found.group) == ("refused", "state of the sample")
    assert "no such lines" in found.reason
    monkeypatch.setattr(battery, "analyze", crash)
    found = run_task(Task("few grains", "simulated", 0), NOTHING)
    assert found is not None
    assert (found.verdict, found.reason) == ("crashed", "ZeroDivisionError: oh")


def test_a_fault_of_the_file_is_met_within_the_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> Analysis:
        raise ScanError("no angles", remedy="look", file=path)

    monkeypatch.setattr(premise, "read_scan", refuse)
    found = run_task(Task("columns exchanged", "simulated", 0), NOTHING)
    assert found is not None
    assert (found.verdict, "no angles" in found.reason) == ("refused", True)


def test_what_it_adds_up_to() -> None:
    outcomes = [
        Outcome(CONTROL, "nothing wrong", "weighed", "a", "refused"),
        Outcome(CONTROL, "nothing wrong", "simulated", "b", "right", codes=("NO_HEADER",)),
        Outcome(
            "spikes", "intensities", "weighed", "c", "sure and wrong", half_widths=1e9, error_percent=12.3
        ),
        Outcome("gap of 8 deg", "range", "simulated", "d", "refused"),
        Outcome("noise", "nothing to weigh", "simulated", "f", "wrong with warnings", error_percent=100.0),
        Outcome("glass", "nothing to weigh", "simulated", "g", "refused"),
        Outcome("theta", "axis", "simulated", "e", "wrong with warnings", codes=("POOR_FIT",)),
    ]
    found = summary(outcomes)
    assert found["sure and wrong"] == 1
    assert found["sure and wrong by base"] == {"weighed": "1 of 2", "simulated": "0 of 5"}
    assert found["refused though fine"] == "1 of 2"
    assert found["refused though harmless"] == "1 of 1"
    assert found["stated where nothing could be right"] == "1 of 2"
    assert found["stated and off by more than 20 wt%"] == 1
    assert found["codes that count as doubts"] == ["POOR_FIT"]
    assert found["by_kind"]["spikes"]["worst sure and wrong"] == "12.3 wt%"
    assert "12.3 wt%" in table(outcomes)
    json.dumps([outcome.to_dict() for outcome in outcomes], allow_nan=False)


def test_what_became_of_each_case() -> None:
    before = Outcome("spikes", "intensities", "weighed", "c", "sure and wrong", index=1)
    now = replace(before, verdict="refused", reason="because")
    other = replace(before, index=2)
    assert changes([now, other], [before.to_dict(), other.to_dict()]) == [
        "spikes (weighed, c): sure and wrong -> refused because"
    ]
