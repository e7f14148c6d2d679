"""Answers beside the truth."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from mixrd.analysis import Analysis, AnalysisWarning, PhaseResult, Statement
from mixrd.warning_texts import warning_texts
from wrong_premises.verdict import INFORMATIVE, half_width, judge

EMPTY = Analysis("ok", "scan.xy", (), None, None, None, None, {}, (), None, {})


def phase(
    name: str, percent: float | None, interval: tuple[float, float] | None, *, detected: bool | None = True
) -> PhaseResult:
    return PhaseResult(
        name, "X", percent, None, None, percent, None, None, None, 1.0, interval, detected=detected
    )


def answer(*phases: PhaseResult, codes: tuple[str, ...] = (), statement: Statement | None = None) -> Analysis:
    warnings = tuple(AnalysisWarning(code, "?") for code in codes)
    return replace(EMPTY, phases=phases, warnings=warnings, statement=statement or Statement())


STATED = (phase("a", 60.0, (58.0, 62.0)), phase("b", 40.0, (38.0, 42.0)))


@pytest.mark.parametrize(
    ("truth", "codes", "verdict"),
    [
        (59.0, (), "right"),
        # An interval and a half: intervals of 90 % miss so far now and then.
        (57.0, (), "right"),
        (55.9, (), "sure and wrong"),
        (55.9, ("NO_HEADER", "RATE_TO_COUNTS"), "sure and wrong"),
        (55.9, ("POOR_FIT",), "wrong with warnings"),
        (59.0, ("TEXTURE",), "right with warnings"),
        (59.0, ("NO_HEADER",), "right"),
    ],
)
def test_an_interval_off_by_two_half_widths_is_wrong(
    truth: float, codes: tuple[str, ...], verdict: str
) -> None:
    found = judge(answer(*STATED, codes=codes), [{"a": truth, "b": 100 - truth}])
    assert found.verdict == verdict
    assert found.half_widths == pytest.approx(abs(60 - truth) / 2)
    assert found.error_percent == pytest.approx(abs(60 - truth))


def test_what_follows_from_the_phases_alone_is_counted_apart() -> None:
    truths = [{"a": 20.0, "b": 80.0}]
    standing = judge(answer(*STATED, codes=("MICROABSORPTION", "NO_HEADER")), truths)
    assert (standing.verdict, standing.standing_only) == ("wrong with warnings", True)
    assert not judge(answer(*STATED, codes=("MICROABSORPTION", "POOR_FIT")), truths).standing_only


def test_the_nearest_of_several_truths_counts_and_not_their_mixture() -> None:
    both = [{"a": 80.0, "b": 20.0}, {"a": 40.0, "b": 60.0}]
    assert judge(answer(*STATED), both).verdict == "sure and wrong"
    assert judge(answer(*STATED), [*both, {"a": 61.0, "b": 39.0}]).verdict == "right"


def test_no_amounts_can_be_right_where_nothing_is_there() -> None:
    found = judge(answer(*STATED), [])
    assert (found.verdict, found.half_widths) == ("sure and wrong", math.inf)
    assert judge(answer(*STATED, codes=("NO_PHASE_FOUND",)), []).verdict == "wrong with warnings"


def test_a_refusal_in_each_of_its_forms() -> None:
    truths = [{"a": 20.0, "b": 80.0}]
    none = Statement("none", "the fit is worth nothing")
    assert judge(answer(phase("a", None, None), statement=none), truths).verdict == "refused"
    assert judge(answer(phase("a", None, None)), truths).verdict == "refused"
    assert judge(answer(phase("a", float("nan"), None)), truths).verdict == "refused"
    assert judge(replace(EMPTY, status="failed"), truths).verdict == "refused"


def test_presence_is_wrong_where_a_stranger_is_detected() -> None:
    alone = Statement("presence", "one candidate")
    seen, unseen = (answer(phase("a", None, None, detected=d), statement=alone) for d in (True, False))
    assert judge(seen, [], present=frozenset({"b"})).verdict == "sure and wrong"
    assert judge(seen, [{"a": 100.0}]).verdict == "refused"
    assert judge(unseen, [], present=frozenset({"b"})).verdict == "refused"


def test_an_end_at_0_or_100_does_not_make_an_interval_short() -> None:
    assert half_width(phase("a", 1.0, (0.0, 4.0))) == 3.0
    assert half_width(phase("a", 98.0, (95.0, 100.0))) == 3.0
    assert half_width(phase("a", 50.0, (47.0, 55.0))) == 4.0


def test_an_answer_without_uncertainty_is_wrong_unless_it_is_the_truth() -> None:
    certain = answer(phase("a", 100.0, (100.0, 100.0)), phase("b", 0.0, (0.0, 0.0)))
    assert judge(certain, [{"a": 100.0, "b": 0.0}]).verdict == "right"
    assert judge(certain, [{"a": 99.0, "b": 1.0}]).verdict == "sure and wrong"


def test_the_codes_that_are_no_doubts_exist() -> None:
    assert set(warning_texts()) >= INFORMATIVE
