"""Samples of known composition."""

from __future__ import annotations

import random

import numpy as np
import pytest

from wrong_premises.sample import Draw, renormalised


def test_a_draw_is_the_same_each_time_and_adds_up() -> None:
    draw = Draw(phases=("corundum", "fluorite", "zincite", "halite"), count=(3,))
    one, same, other = (draw(random.Random(seed)) for seed in (4, 4, 5))
    assert one.name == same.name != other.name
    assert (one.scan.counts == same.scan.counts).all()
    assert sum(one.truth.values()) == pytest.approx(100)
    assert min(one.truth.values()) >= 3
    assert [c.name for c in one.crystals] == list(one.truth)
    assert (one.scan.two_theta[0], one.scan.two_theta[-1]) == pytest.approx((10, 80))


def test_the_first_phase_is_what_is_asked_for() -> None:
    draw = Draw(phases=("corundum", "fluorite"), first=("gypsum",), count=(3,), little=(2, 8))
    sample = draw(random.Random(1))
    first = sample.crystals[0].name
    assert first == "gypsum"
    assert 2 <= sample.truth[first] <= 8
    assert sum(sample.truth.values()) == pytest.approx(100)


def test_settings_reach_the_simulation() -> None:
    draw = Draw(phases=("corundum", "fluorite"), count=(2,), settings=lambda c, r: {"peak_counts": 100.0})
    assert np.max(draw(random.Random(1)).scan.counts) < 1000


def test_fractions_among_the_named_alone() -> None:
    truth = {"a": 20.0, "b": 30.0, "c": 50.0}
    assert renormalised(truth, ["a", "b"]) == pytest.approx({"a": 40.0, "b": 60.0})
    assert renormalised(truth, ["a", "stranger"]) == {"a": 100.0, "stranger": 0.0}
    assert renormalised(truth, ["stranger"]) == {}
