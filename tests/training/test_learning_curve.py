from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixrd.training import learning_curve
from mixrd.training.learning_curve import Stopwatch, curve_steps


def test_steps_of_a_curve_by_hand() -> None:
    assert sorted(curve_steps(100)) == [8, 11, 16, 23, 32, 45, 64, 91, 100]
    assert curve_steps(1) == {1}


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_a_longer_training_has_the_points_of_a_shorter_one(one: int, other: int) -> None:
    short, long = sorted((one, other))
    assert curve_steps(short) - {short} <= curve_steps(long)
    assert max(curve_steps(long)) == long and len(curve_steps(long)) < 45


def test_pauses_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [7.0]
    monkeypatch.setattr(learning_curve.time, "monotonic", lambda: now[0])
    watch = Stopwatch(100.0)
    now[0] += 2
    with watch.paused() as before:
        now[0] += 20
    now[0] += 1
    assert (before, watch.seconds) == (102.0, 103.0)


def test_a_pause_that_fails_ends() -> None:
    watch = Stopwatch()
    with pytest.raises(KeyError), watch.paused():
        raise KeyError
    before = watch.seconds
    time.sleep(0.01)
    assert watch.seconds > before
