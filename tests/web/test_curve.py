from __future__ import annotations

from mixrd.web.curve import MOST_POINTS, extended


def test_a_long_training_keeps_its_ends_and_few_points() -> None:
    curve: list[list[float]] = []
    for step in range(1, 10_001):
        curve = extended(curve, step, 1 / step)
        assert len(curve) <= MOST_POINTS
    assert curve[0] == [1, 1.0]
    assert curve[-1] == [10_000, 1e-4]
    assert len(curve) > MOST_POINTS / 4
    assert [point[0] for point in curve] == sorted(point[0] for point in curve)


def test_a_training_that_goes_on_from_a_checkpoint_replaces_what_is_later() -> None:
    curve = [[1, 0.9], [10, 0.8], [20, 0.7]]
    assert extended(curve, 11, 0.75) == [[1, 0.9], [10, 0.8], [11, 0.75]]
    assert extended(curve, 1, 0.95) == [[1, 0.95]]
    assert curve == [[1, 0.9], [10, 0.8], [20, 0.7]]
