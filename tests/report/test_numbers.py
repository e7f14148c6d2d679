from __future__ import annotations

import pytest

from mixrd.report.numbers import cell_text, duration_text, percent, value_with_sigma, with_su


@pytest.mark.parametrize(
    ("value", "sigma", "text"),
    [
        (31.3712, 0.1234, "31.37 ± 0.12"),
        (31.3712, 0.0951, "31.37 ± 0.10"),
        (31.3712, 0.0949, "31.37 ± 0.09"),
        (31.3712, 1.06, "31.4 ± 1.1"),
        (31.3712, 12.3, "31.4 ± 12.3"),
        (100.0, 0.0, "100.00 ± 0.00"),
        (31.3712, None, "31.37"),
    ],
)
def test_uncertainty_decides_the_decimals(value: float, sigma: float | None, text: str) -> None:
    assert value_with_sigma(value, sigma) == text


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ((5.43, 5.43, 5.43, 90, 90, 90), "a 5.4300 Å"),
        ((4.7592, 4.7592, 12.9925, 90, 90, 120), "a 4.7592 c 12.9925 Å"),
        ((4.76, 4.76, 12.99, 90, 90, 119.99999999999999), "a 4.7600 c 12.9900 Å"),
        ((7.15, 8.88, 5.45, 90, 90, 90), "a 7.1500 b 8.8800 c 5.4500 Å"),
        ((6.29, 14.58, 10.12, 90, 109.456, 90), "a 6.2900 b 14.5800 c 10.1200 Å β 109.46°"),
    ],
)
def test_cell_says_only_what_is_free(cell: tuple[float, ...], text: str) -> None:
    assert cell_text(cell) == text


@pytest.mark.parametrize(("fraction", "text"), [(0.0912, "9.12 %"), (0.1034, "10.3 %"), (1.0, "100.0 %")])
def test_percent(fraction: float, text: str) -> None:
    assert percent(fraction) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "1 s"), (40, "40 s"), (170, "3 min"), (4800, "80 min"), (6000, "1 h 40 min")]
)
def test_duration(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


@pytest.mark.parametrize(
    ("value", "su", "text"),
    [
        (4.7592, 0.0012, "4.7592(12)"),
        (4.7592, 0.00019, "4.75920(19)"),
        (4.7592, 0.0002, "4.7592(2)"),
        (4.7592, 0.00095, "4.7592(10)"),
        (151.6, 12.0, "152(12)"),
        (151.6, 196.0, "200(200)"),
        (120.0, 0.0, "120"),
        (90.0, None, "90"),
    ],
)
def test_uncertainty_of_the_last_digits(value: float, su: float | None, text: str) -> None:
    assert with_su(value, su) == text
