"""Ragged line lists."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixrd.errors import UsageError
from mixrd.mixture import LineLists, line_lists

LISTS = [([20.0, 30.0], [1.0, 2.0]), ([21.0], [3.0]), ([22.0, 23.0, 24.0], [4.0, 5.0, 6.0]), ([25.0], [7.0])]


def some_lines() -> LineLists:
    pairs = [(np.array(p), np.array(a, dtype=np.float32)) for p, a in LISTS]
    return line_lists(["a", "b"], pairs, [0, 1, 1, 0])


def test_lists_come_back_as_given() -> None:
    lines = some_lines()
    assert len(lines) == 4
    for index, (positions, areas) in enumerate(LISTS):
        ours = lines.lines(index)
        assert ours[0].tolist() == positions
        assert ours[1].tolist() == areas


@given(st.lists(st.integers(0, 3), max_size=6))
def test_take_gives_the_lists_in_that_order(rows: list[int]) -> None:
    taken = some_lines().take(np.array(rows, dtype=np.int64))
    assert [taken.lines(i)[0].tolist() for i in range(len(taken))] == [LISTS[r][0] for r in rows]
    assert taken.material.tolist() == [[0, 1, 1, 0][r] for r in rows]


def test_take_by_mask() -> None:
    taken = some_lines().take(np.array([False, True, False, True]))
    assert taken.positions.tolist() == [21.0, 25.0]


def test_of_first_forgets_the_other_materials() -> None:
    first = some_lines().of_first(1)
    assert first.materials == ("a",)
    assert first.positions.tolist() == [20.0, 30.0, 25.0]


@pytest.mark.parametrize("number", [0, 3])
def test_of_first_needs_that_many(number: int) -> None:
    with pytest.raises(UsageError, match="1 to 2"):
        some_lines().of_first(number)


@pytest.mark.parametrize(
    ("positions", "areas", "material", "message"),
    [
        ([], [], [0], "have no line"),
        ([20.0], [0.0], [0], "no area"),
        ([float("nan")], [1.0], [0], "no number"),
        ([20.0], [1.0], [2], "without a name"),
        ([20.0], [1.0, 2.0], [0], "do not fit"),
        ([20.0], [1.0], [0, 1], "do not fit"),
    ],
)
def test_bad_lists_are_refused(
    positions: list[float], areas: list[float], material: list[int], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        line_lists(["a", "b"], [(np.array(positions), np.array(areas, dtype=np.float32))], material)
