"""Candidates that are not there."""

from __future__ import annotations

import json
import random
from dataclasses import asdict, replace

import pytest

import absent
from absent import (
    absent_candidates,
    absent_summary,
    analyze_with_absent,
    judged_absent,
)
from mixrd.analysis import Analysis, AnalysisWarning, PhaseResult, Statement
from mixrd.errors import ScanError
from mixrd.phases import load_phase
from wrong_premises.sample import Draw, Sample


@pytest.fixture(scope="module")
def sample() -> Sample:
    made = Draw(phases=("corundum", "fluorite"), count=(2,))(random.Random(1))
    return replace(made, truth={"corundum": 40.0, "fluorite": 60.0})


def phase(name: str, percent: float, limit: float, *, detected: bool) -> PhaseResult:
    stated = percent if detected else 0.0
    low = max(0.0, stated - 1)
    return PhaseResult(
        name, "X", stated, 0.6, None, percent, None, None, None, 1.0, (low, stated + 1), detected, limit
    )


def answer(*phases: PhaseResult) -> Analysis:
    warnings = (AnalysisWarning("TEXTURE", "?"),)
    return Analysis("ok", "s", phases, None, None, None, None, {}, warnings, None, {})


def test_candidates_are_not_in_the_sample_whatever_their_name(sample: Sample) -> None:
    renamed = replace(load_phase("quartz"), name="my quartz")
    drawn = {c.name for seed in range(30) for c in absent_candidates([renamed], 3, random.Random(seed))}
    assert len(drawn) > 40
    assert "quartz" not in drawn
    one, same = (absent_candidates(sample.crystals, 3, random.Random(7)) for _ in range(2))
    assert [c.name for c in one] == [c.name for c in same]


def test_what_is_said_of_them_is_counted(sample: Sample) -> None:
    present = (phase("corundum", 37.0, 0.3, detected=True), phase("fluorite", 50.0, 0.3, detected=False))
    strangers = (phase("quartz", 10.0, 0.4, detected=True), phase("rutile", 0.2, 0.4, detected=False),
                 phase("anatase", 0.6, 0.4, detected=False))  # fmt: skip
    found = judged_absent(sample, answer(*present, *strangers), {"quartz", "rutile", "anatase"})
    assert found.present_lost == ("fluorite",)
    assert found.error_percent == pytest.approx(60)
    total = absent_summary([found])
    assert (total["absent"], total["detected"], total["detected_without_doubt"]) == (3, 1, 0)
    assert total["largest_detected_percent"] == pytest.approx(10)
    # Refined at 10 and 0.6 wt% with a stated limit of 0.4.
    assert total["limits_hold_share"] == pytest.approx(1 / 3)
    assert total["intervals_hold_share"] == pytest.approx(2 / 3)
    json.dumps(asdict(found), allow_nan=False)


def test_a_refusal_counts_for_itself(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    none = replace(answer(phase("quartz", 10.0, 0.4, detected=True)), statement=Statement("none", "why"))
    judged = judged_absent(sample, none, {"quartz"})
    assert judged.refused == "none: why"

    def refuse(*_: object) -> Analysis:
        raise ScanError("no", remedy="look")

    monkeypatch.setattr(absent, "analyze", refuse)
    failed = analyze_with_absent(sample, 3, random.Random(1))
    total = absent_summary([judged, failed])
    assert (total["analyses"], total["refused"], total["detected"]) == (2, 2, 0)
    assert total["limits_hold_share"] is None
