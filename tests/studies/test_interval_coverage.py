"""Intervals at other levels than theirs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import stdtrit

from interval_coverage import IntervalCase, cases_of, coverage, stated_ratio
from mixrd.analysis import Analysis, PhaseResult, Statement
from mixrd.analysis.result.intervals import DEGREES_OF_FREEDOM


def case(true: float, stated: float, low: float, high: float, codes: tuple[str, ...] = ()) -> IntervalCase:
    return IntervalCase("s", "p", true, stated, low, high, True, codes)


def test_errors_of_the_stated_shape_hold_at_every_level() -> None:
    errors = np.random.default_rng(1).standard_t(DEGREES_OF_FREEDOM, 20_000)
    half, median = stdtrit(DEGREES_OF_FREEDOM, np.array([0.95, 0.75]))
    found = coverage([case(50 + e, 50, 50 - half, 50 + half) for e in errors])
    for level, share in found["hold"].items():
        assert share == pytest.approx(float(level), abs=0.01)
    assert found["median_half_width_wt"] == pytest.approx(half)
    assert found["median_error_wt"] == pytest.approx(median, abs=0.02)


def test_narrower_intervals_hold_less() -> None:
    cases = [case(51, 50, 48, 52)] * 3
    assert coverage(cases)["hold"]["0.5"] == 0
    assert stated_ratio(0.9) == pytest.approx(1)


def test_the_side_of_the_truth_counts_unless_an_end_is_cut() -> None:
    assert case(55, 50, 48, 60).off == pytest.approx(0.5)
    assert case(49, 50, 48, 60).off == pytest.approx(0.5)
    assert case(0.5, 1, 0, 5).off == pytest.approx(0.125)
    assert case(40, 50, 50, 50).off == np.inf


def test_silent_misses_are_counted() -> None:
    found = coverage([case(60, 50, 48, 52), case(60, 50, 48, 52, ("TEXTURE",)), case(50.5, 50, 48, 52)])
    assert (found["off_by_two_half_widths"], found["off_by_two_and_no_doubt"]) == (2, 1)
    assert coverage([])["hold"]["0.9"] is None


def test_only_amounts_that_are_stated_have_intervals() -> None:
    phase = PhaseResult("a", "X", 60.0, 1.0, None, 60.0, None, None, None, 1.0, (58.0, 62.0), detected=True)
    result = Analysis("ok", "s", (phase,), None, None, None, None, {}, (), None, {})
    (found,) = cases_of("s", result, {"a": 61.0})
    assert (found.off, found.detected) == (pytest.approx(0.5), True)
    assert cases_of("s", replace(result, statement=Statement("none", "why")), {"a": 61.0}) == []
