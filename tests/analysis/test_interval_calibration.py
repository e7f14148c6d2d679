from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from mixrd.analysis import interval_calibration
from mixrd.analysis.interval_calibration import (
    calibrate_network,
    conformal_quantile,
    simulated,
)
from mixrd.analysis.result.model_intervals import ModelIntervals, NetworkIntervals
from mixrd.errors import UsageError
from mixrd.mixture import MixtureSampler, SampleRanges
from mixrd.network import Model

RANGES = SampleRanges()


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def learnt(model: Model, seed: int = 1) -> NetworkIntervals:
    return calibrate_network(model, RANGES, patterns=1600, generator=seeded(seed))


@pytest.fixture(scope="module")
def intervals(model: Model) -> NetworkIntervals:
    return learnt(model)


@pytest.fixture(scope="module")
def fresh(model: Model) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Estimated and true fractions of patterns that neither training nor calibration have seen."""
    problem = model.problem
    sampler = MixtureSampler(
        problem.crystals, problem.instrument, problem.two_theta, RANGES, mixtures_per_condition=1
    )
    patterns, truth = simulated(sampler, 800, generator=seeded(2))
    return model.estimate(patterns).fractions.double().numpy(), truth


def coverage_is_right(
    intervals: NetworkIntervals, fresh: tuple[NDArray[np.float64], NDArray[np.float64]]
) -> bool:
    """Within three standard deviations of 90 %, for all estimates and for the lowest, middle and highest."""
    estimated, truth = fresh
    low, high = intervals.of(estimated)
    # The errors of two phases are one and the same.
    held = ((truth >= low) & (truth <= high))[:, 0]
    order = np.argsort(estimated[:, 0])
    for group in (order, *np.array_split(order, 3)):
        # Of the fresh patterns, and of the twice as many that it was learnt from.
        sigma = np.sqrt(0.09 / len(group) + 0.09 / (2 * len(group)))
        if abs(held[group].mean() - 0.9) > 3 * sigma:
            return False
    return True


def test_nine_of_ten_intervals_hold(
    intervals: NetworkIntervals, fresh: tuple[NDArray[np.float64], NDArray[np.float64]]
) -> None:
    assert coverage_is_right(intervals, fresh)


def test_a_quantile_taken_too_low_is_seen(
    model: Model,
    fresh: tuple[NDArray[np.float64], NDArray[np.float64]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    right = conformal_quantile
    monkeypatch.setattr(interval_calibration, "conformal_quantile", lambda s, level: right(s, level - 0.12))
    assert not coverage_is_right(learnt(model), fresh)


def test_same_seed_same_intervals(model: Model, intervals: NetworkIntervals) -> None:
    assert learnt(model) == intervals
    assert learnt(model, seed=5) != intervals


def test_there_and_back_again(intervals: NetworkIntervals, model: Model) -> None:
    for given in (ModelIntervals(intervals), ModelIntervals(intervals, widening=1.25)):
        plain = json.loads(json.dumps(given.to_dict(), allow_nan=False))
        assert ModelIntervals.of(dataclasses.replace(model, intervals=plain)) == given


def test_what_cannot_be_used_counts_as_none(intervals: NetworkIntervals, model: Model) -> None:
    whole = ModelIntervals(intervals).to_dict()
    network = whole["network"]
    wrong = [
        None,
        {},
        {**whole, "version": 0},
        {**whole, "network": None},
        {**whole, "network": {**network, "limits": [[0.1, 0.2]]}},
        {**whole, "network": {**network, "limits": network["limits"][:1]}},
        {
            **whole,
            "network": {
                **network,
                "limits": network["limits"][:1],
                "half_widths": network["half_widths"][:1],
            },
        },
        {**whole, "network": {**network, "level": 1.5}},
        {**whole, "network": {**network, "more": 1}},
        {**whole, "refinement": {"widening": 0.5, "scans": 1, "intervals": 1, "covered": 1.0}},
        {**whole, "refinement": [1.2]},
    ]
    for data in wrong:
        assert ModelIntervals.of(dataclasses.replace(model, intervals=data)) is None


def test_ends_and_sigma_by_hand() -> None:
    intervals = NetworkIntervals(0.9, ((0.05,), (0.6,)), ((0.02, 0.03), (0.15, 0.2)), 100)
    low, high = intervals.of(np.array([[0.1, 0.9], [0.0, 0.5]]))
    assert low == pytest.approx(np.array([[0.07, 0.7], [0.0, 0.35]]))
    assert high == pytest.approx(np.array([[0.13, 1.0], [0.02, 0.65]]))
    # 90 % of a normal distribution lie within 1.6449 standard deviations.
    assert intervals.sigma(np.array([0.1, 0.9])) == pytest.approx(np.array([0.03, 0.2]) / 1.644854)


@pytest.mark.parametrize(("count", "rank"), [(1, 1), (5, 5), (9, 9), (10, 10), (19, 18), (99, 90)])
def test_quantile_of_few(count: int, rank: int) -> None:
    scores = np.random.default_rng(0).permutation(np.arange(1.0, count + 1))
    assert conformal_quantile(scores, 0.9) == rank


def test_too_few_patterns(model: Model) -> None:
    with pytest.raises(UsageError, match="too few"):
        calibrate_network(model, RANGES, patterns=3, generator=seeded(0))
