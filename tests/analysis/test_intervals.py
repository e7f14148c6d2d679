"""Amounts, their intervals and limits from a refinement."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from mixrd.analysis.intervals import STRUCTURE_SIGMA, WIDENING, quantities, structure_covariance
from mixrd.analysis.refinement import Refinement


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


def test_fractions_and_their_spread() -> None:
    found = quantities(refinement((3.0, 7.0), (0.1, 0.1)))
    assert found.fractions == pytest.approx([0.3, 0.7])
    # dw = (0.7 dm1 - 0.3 dm2) / 10, and the structures' own.
    fit = np.hypot(0.7, 0.3) * 0.1 / 10
    structure = 0.21 * np.sqrt(2) * STRUCTURE_SIGMA
    assert found.sigma == pytest.approx(2 * [np.hypot(fit, structure)])
    assert found.high - found.low == pytest.approx(2 * 1.6449 * WIDENING * found.sigma, rel=1e-4)
    assert quantities(refinement((3.0, 7.0), (0.1, 0.1)), widening=2.0).low[0] == pytest.approx(
        0.3 - 2 * 1.6449 * found.sigma[0], rel=1e-4
    )


def test_structures_do_not_move_a_pure_phase() -> None:
    assert structure_covariance(np.array([1.0, 0.0])) == pytest.approx(np.zeros((2, 2)))


def test_a_trace_within_its_noise_is_not_detected() -> None:
    found = quantities(refinement((9.98, 0.02), (0.05, 0.01)))
    assert found.detected.tolist() == [True, False]
    assert found.fractions.tolist() == [1.0, 0.0]
    assert found.low[1] == 0.0
    assert found.high[1] >= found.detection_limit[1]
    # 2.33 and 1.64 standard deviations of a mass of 0.01 in 10.
    assert found.detection_limit[1] == pytest.approx(0.00397, rel=0.01)
    assert found.quantification_limit[1] == pytest.approx(0.01, rel=1e-3)


def test_a_trace_beyond_it_is() -> None:
    assert quantities(refinement((9.97, 0.03), (0.05, 0.01))).detected.all()


def test_the_strongest_stands_where_nothing_is_detected() -> None:
    found = quantities(refinement((0.01, 0.02), (1.0, 1.0)))
    assert found.fractions.tolist() == [0.0, 1.0]


def test_factors_correct_masses_and_limits() -> None:
    plain = quantities(refinement((3.0, 7.0), (0.1, 0.1)))
    moved = quantities(refinement((3.0, 7.0), (0.1, 0.1)), factors=np.array([2.0, 1.0]))
    assert moved.fractions == pytest.approx([6 / 13, 7 / 13])
    assert moved.detection_limit[0] == pytest.approx(plain.detection_limit[0] * 2 * 10 / 13)


def test_what_the_fit_cannot_see_is_added() -> None:
    further = np.array([[1.0, -1.0], [-1.0, 1.0]]) * 0.02**2
    plain = quantities(refinement((3.0, 7.0), (0.1, 0.1)))
    wider = quantities(refinement((3.0, 7.0), (0.1, 0.1)), further=further)
    assert wider.sigma**2 == pytest.approx(plain.sigma**2 + 0.02**2)


def test_an_uncertainty_that_all_masses_share_hides_nothing() -> None:
    common = refinement((99.0, 1.0), (0.0, 0.0))
    masses = np.array([99.0, 1.0])
    spread = np.outer(masses, masses) * 0.5**2
    found = quantities(dataclasses.replace(common, mass_covariance=spread, covariance=np.eye(2) * 1e-6))
    assert found.detected.all()
    assert found.fractions == pytest.approx([0.99, 0.01])


def test_nothing_found_says_nothing() -> None:
    empty = dataclasses.replace(refinement((1.0, 1.0), (0.1, 0.1)), masses=np.zeros(2))
    found = quantities(empty)
    assert not found.detected.any()
    assert (found.low.tolist(), found.high.tolist()) == ([0.0, 0.0], [1.0, 1.0])
    assert found.detection_limit.tolist() == [1.0, 1.0]
