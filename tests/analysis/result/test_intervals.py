"""Amounts, their intervals and limits from a refinement."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from mixrd.analysis.result.intervals import (
    DEGREES_OF_FREEDOM,
    SCATTER_SIGMA,
    STRUCTURE_SIGMA,
    WIDENING,
    Quantities,
    quantities,
    structure_covariance,
)
from mixrd.fit.presence import LEAST_LOG_ODDS, LineAmounts, Presence
from mixrd.fit.refinement import Refinement

#: Half the width of an interval at 90 %, and one end of it alone, in standard deviations.
TWO_SIDED, ONE_SIDED = stats.t(DEGREES_OF_FREEDOM).ppf([0.95, 0.9])


def refinement(masses: tuple[float, ...], sigma: tuple[float, ...]) -> Refinement:
    count = len(masses)
    empty = {field.name: np.zeros(count) for field in dataclasses.fields(Refinement)}
    m = np.array(masses)
    return Refinement(
        **{
            **empty,
            "weight_fractions": m / m.sum(),
            "masses": m,
            "mass_covariance": np.diag(np.array(sigma) ** 2),
            "noise_sigma": np.array(sigma),
            "covariance": np.eye(count),
        }
    )


def there(log_odds: tuple[float, ...], least_seen: float = 0.01, scatter: float = 0.0) -> Presence:
    """Phases with these odds, whose lines show this mass; ten lines of the first are off by `scatter`."""
    none = np.empty(0)
    clean = LineAmounts(
        1 + scatter * np.ones(10), np.full(10, 1e-4), np.arange(10, dtype=np.int64), np.ones(10)
    )
    others = [LineAmounts(none, none, none.astype(np.int64), none) for _ in log_odds[1:]]
    return Presence(np.array(log_odds), np.full(len(log_odds), least_seen), (clean, *others))


SEEN = there((30.0, 30.0))


def amounts(masses: tuple[float, ...], sigma: tuple[float, ...], **more: Any) -> Quantities:
    return quantities(refinement(masses, sigma), SEEN, **more)


def test_fractions_and_their_spread() -> None:
    found = amounts((3.0, 7.0), (0.1, 0.1))
    assert found.fractions == pytest.approx([0.3, 0.7])
    # dw = (0.7 dm1 - 0.3 dm2) / 10, and the structures' own.
    fit = np.hypot(0.7, 0.3) * 0.1 / 10
    structure = 0.21 * np.sqrt(2) * STRUCTURE_SIGMA
    assert found.sigma == pytest.approx(2 * [np.hypot(fit, structure)])
    assert found.high - found.low == pytest.approx(2 * TWO_SIDED * WIDENING * found.sigma, rel=1e-4)
    assert amounts((3.0, 7.0), (0.1, 0.1), widening=2.0).low[0] == pytest.approx(
        0.3 - 2 * TWO_SIDED * found.sigma[0], rel=1e-4
    )


def test_structures_do_not_move_a_pure_phase() -> None:
    assert structure_covariance(np.array([1.0, 0.0])) == pytest.approx(np.zeros((2, 2)))


def test_lines_that_scatter_make_amounts_unsure() -> None:
    found = [
        quantities(refinement((3.0, 7.0), (0.1, 0.1)), there((30.0, 30.0), scatter=scatter))
        for scatter in (0.0, 0.1, 0.3)
    ]
    fit = np.hypot(0.7, 0.3) * 0.1 / 10
    for one, relative in zip(found, (0.0, SCATTER_SIGMA, 27 * SCATTER_SIGMA), strict=True):
        assert one.sigma[0] ** 2 == pytest.approx(
            fit**2 + 2 * 0.21**2 * (STRUCTURE_SIGMA**2 + relative**2), rel=1e-6
        )
        assert one.fractions == pytest.approx([0.3, 0.7])


def test_scatter_without_bound_is_no_more_than_all() -> None:
    whole = structure_covariance(np.array([0.5, 0.5]), 50.0)
    assert whole[0, 0] == pytest.approx(2 * 0.25**2)


def test_a_trace_within_its_noise_is_not_detected() -> None:
    found = amounts((9.98, 0.02), (0.05, 0.01))
    assert found.detected.tolist() == [True, False]
    assert found.fractions == pytest.approx([0.998, 0.002]), "the amount stays, it is only not sure"
    assert found.low[1] == 0.0
    assert found.high[1] >= found.detection_limit[1]
    # 2.33 and 1.64 standard deviations of a mass of 0.01 in 10.
    assert found.detection_limit[1] == pytest.approx(0.00397, rel=0.01)
    assert found.quantification_limit[1] == pytest.approx(0.01, rel=1e-3)


def test_a_trace_beyond_it_is() -> None:
    assert amounts((9.97, 0.03), (0.05, 0.01)).detected.all()


@pytest.mark.parametrize(("odds", "detected"), [(LEAST_LOG_ODDS - 0.01, False), (LEAST_LOG_ODDS, True)])
def test_lines_decide_whatever_the_noise(odds: float, detected: bool) -> None:
    """A third of the sample, 30 times its noise: without lines that show it its interval begins at 0."""
    found = quantities(refinement((6.6, 3.4), (0.1, 0.1)), there((30.0, odds)))
    assert found.detected.tolist() == [True, detected]
    assert found.fractions == pytest.approx([0.66, 0.34])
    reach = TWO_SIDED if detected else ONE_SIDED
    assert found.high[1] == pytest.approx(0.34 + reach * found.sigma[1])
    assert found.low[1] == pytest.approx(0.34 - reach * found.sigma[1] if detected else 0.0)


def test_noise_forces_no_phase_to_be_there() -> None:
    found = amounts((0.01, 0.02), (1.0, 1.0))
    assert not found.detected.any()
    assert found.fractions == pytest.approx([1 / 3, 2 / 3])
    assert (found.low.tolist(), found.high.tolist()) == ([0.0, 0.0], [1.0, 1.0])


def test_a_phase_that_was_left_out_has_the_limit_of_its_lines() -> None:
    left_out = dataclasses.replace(
        refinement((10.0, 1.0), (0.05, 0.01)),
        masses=np.array([10.0, 0.0]),
        mass_covariance=np.diag([0.05**2, 0.0]),
    )
    found = quantities(left_out, there((30.0, -math.inf), least_seen=0.4))
    assert found.fractions.tolist() == [1.0, 0.0]
    assert found.detection_limit[1] == pytest.approx(0.04)
    assert (found.low[1], found.high[1]) == (0.0, pytest.approx(0.04))
    # What it may amount to is missing from the other.
    assert 0.9 < found.low[0] < 0.99
    never = quantities(left_out, there((30.0, -math.inf), least_seen=math.inf))
    assert never.detection_limit[1] == never.high[1] == 1.0


def test_limits_are_those_of_the_lines_where_these_are_higher() -> None:
    found = quantities(refinement((9.0, 1.0), (0.05, 0.01)), there((30.0, 30.0), least_seen=0.5))
    assert found.detection_limit == pytest.approx([0.05, 0.05])


def test_factors_correct_masses_and_limits() -> None:
    plain = amounts((3.0, 7.0), (0.1, 0.1))
    moved = amounts((3.0, 7.0), (0.1, 0.1), factors=np.array([2.0, 1.0]))
    assert moved.fractions == pytest.approx([6 / 13, 7 / 13])
    assert moved.detection_limit[0] == pytest.approx(plain.detection_limit[0] * 2 * 10 / 13)


def test_what_the_fit_cannot_see_is_added() -> None:
    further = np.array([[1.0, -1.0], [-1.0, 1.0]]) * 0.02**2
    plain = amounts((3.0, 7.0), (0.1, 0.1))
    wider = amounts((3.0, 7.0), (0.1, 0.1), further=further)
    assert wider.sigma**2 == pytest.approx(plain.sigma**2 + 0.02**2)


def test_an_uncertainty_that_all_masses_share_hides_nothing() -> None:
    common = refinement((99.0, 1.0), (0.0, 0.0))
    masses = np.array([99.0, 1.0])
    spread = np.outer(masses, masses) * 0.5**2
    shared = dataclasses.replace(common, mass_covariance=spread, covariance=np.eye(2) * 1e-6)
    found = quantities(shared, SEEN)
    assert found.detected.all()
    assert found.fractions == pytest.approx([0.99, 0.01])
    assert found.sigma == pytest.approx(2 * [0.0099 * np.sqrt(2) * STRUCTURE_SIGMA])


def test_nothing_found_says_nothing() -> None:
    empty = dataclasses.replace(refinement((1.0, 1.0), (0.1, 0.1)), masses=np.zeros(2))
    found = quantities(empty, SEEN)
    assert not found.detected.any()
    assert (found.low.tolist(), found.high.tolist()) == ([0.0, 0.0], [1.0, 1.0])
    assert found.detection_limit.tolist() == [1.0, 1.0]
