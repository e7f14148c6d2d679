"""Numbers with units on the command line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixrd.cli.quantities import DEAD_TIME, PARTICLE_SIZE, SIZE, TIME, axis_and_number, two_numbers
from mixrd.errors import PhaseNotFoundError, UsageError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1s", 1), ("500ms", 0.5), ("2min", 120), ("0.5h", 1800), ("3", 3), (" 1.5 s ", 1.5), ("1e-2s", 0.01)],
)
def test_times(text: str, seconds: float) -> None:
    assert TIME.parse(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "s", "1 2", "1x", "1:2", "nan", "inf", "1e", "--1"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(UsageError, match="--time cannot be") as raised:
        TIME.parse(text)
    assert "500ms" in raised.value.remedy


def test_micro_by_any_sign() -> None:
    assert [DEAD_TIME.parse(text) for text in ("2us", "2µs", "2μs", "2000ns", "2")] == pytest.approx(
        [2.0] * 5
    )


@given(st.floats(-1e12, 1e12))
def test_a_plain_number_is_in_the_usual_unit(value: float) -> None:
    assert PARTICLE_SIZE.parse(repr(value)) == value
    assert PARTICLE_SIZE.parse(f"{value!r}mm") == pytest.approx(1e3 * value)


def test_of_all_phases_and_of_one() -> None:
    assert SIZE.by_phase(None) == (None, {})
    assert SIZE.by_phase(["fluorite:20nm", "0.04um"]) == (pytest.approx(40.0), {"fluorite": 20.0})
    with pytest.raises(UsageError, match="twice for all"):
        SIZE.by_phase(["1", "2"])
    with pytest.raises(PhaseNotFoundError):
        SIZE.by_phase(["unobtainium:2"])


def test_axes_by_digits_or_commas() -> None:
    found = axis_and_number("--texture", ["calcite:104:0.8", "quartz:1,0,-11:2"], "it so")
    assert found == {"calcite": ((1, 0, 4), 0.8), "quartz": ((1, 0, -11), 2.0)}


def test_pairs() -> None:
    assert two_numbers("--roughness", "0.3:0.05", "it so") == (0.3, 0.05)
    for wrong in ("0.3", "a:b", "1:2:3"):
        with pytest.raises(UsageError, match="it so"):
            two_numbers("--roughness", wrong, "it so")
