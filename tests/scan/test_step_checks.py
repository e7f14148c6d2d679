"""Angles that do not follow one another evenly."""

from __future__ import annotations

import numpy as np
import pytest

from mixrd.errors import ScanError
from mixrd.scan.step_checks import judge_steps

_X = np.round(np.arange(10.0, 40.001, 0.02), 3)


def _codes(x: np.ndarray, declared: float | None = None) -> list[str]:
    return [code for code, _ in judge_steps(x, declared)]


def _moved(by: float) -> np.ndarray:
    x = _X.copy()
    x[700] += by
    return x


@pytest.mark.parametrize(
    ("x", "codes"),
    [
        (_X, []),
        (np.delete(_X, 700), ["POINTS_MISSING"]),
        (np.delete(_X, [700, 701, 702]), ["POINTS_MISSING"]),
        (np.delete(_X, np.arange(700, 750)), ["GAP"]),
        (_moved(0.012), ["ANGLE_OFF"]),
        (np.concatenate([_X[:800], _X[799] + 0.05 * np.arange(1, 300)]), ["STEP_CHANGES"]),
        (np.round(_X + 0.004 * np.sin(np.arange(_X.size)), 3), []),
        (2 * np.degrees(np.arcsin(np.linspace(0.09, 0.5, 2500))), []),
        (np.round(3 + 0.015592 * np.arange(2374), 2), []),
    ],
    ids=["even", "one", "three", "fifty", "moved", "two steps", "jitter", "even in Q", "rounded"],
)
def test_doubts(x: np.ndarray, codes: list[str]) -> None:
    assert _codes(x) == codes


@pytest.mark.parametrize("places", [[700], [700, 701, 702], list(range(700, 750))])
def test_points_that_the_header_declares(places: list[int]) -> None:
    with pytest.raises(ScanError, match=r"header declares steps of 0\.02"):
        judge_steps(np.delete(_X, places), 0.02)
    assert _codes(_X, 0.02) == []


@pytest.mark.parametrize("place", [0, 700, _X.size - 1])
def test_a_point_far_from_all_others(place: int) -> None:
    x = _X + 10
    x[place:] += 10.0
    x[place + 1 :] += 10.0
    with pytest.raises(ScanError, match=f"point {place + 1} at"):
        judge_steps(x, None)
