"""Impurity lines, dead time and saturation against their formulas."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mixrd.pattern import (
    Detector,
    Impurities,
    ImpurityRanges,
    apply_dead_time,
    apply_detector,
    apply_impurities,
    apply_saturation,
    draw_detector,
    draw_impurities,
)

GRID = torch.arange(10.0, 90.0, 0.004, dtype=torch.float64)


def column(value: float) -> torch.Tensor:
    return torch.tensor([[value]], dtype=torch.float64)


@settings(max_examples=25, deadline=None)
@given(
    intensity=st.floats(0.001, 1.0),
    position=st.floats(40.0, 60.0),
    fwhm=st.floats(0.03, 0.5),
    eta=st.floats(0.0, 1.0),
)
def test_impurity_line_has_its_height_width_and_area(
    intensity: float, position: float, fwhm: float, eta: float
) -> None:
    maximum = 50.0
    flat = torch.full((1, len(GRID)), maximum, dtype=torch.float64)
    drawn = Impurities(column(intensity), column(position), column(fwhm), column(eta))
    line = (apply_impurities(flat, GRID, drawn) - flat)[0]
    # Areas of unit height and width: pi/2 (Lorentzian) and sqrt(pi / (4 ln 2)) (Gaussian).
    area = 1 / (eta * 2 / math.pi + (1 - eta) * math.sqrt(4 * math.log(2) / math.pi))
    # A Lorentzian's tails reach beyond the scan.
    tails = eta * fwhm / (2 * math.pi) * (1 / (position - 10) + 1 / (90 - position))
    expected = intensity * maximum * fwhm * area * (1 - tails)
    assert float(torch.trapezoid(line, GRID)) == pytest.approx(expected, rel=2e-3)
    assert float(line.max()) == pytest.approx(intensity * maximum, rel=0.02)
    near = GRID[line > line.max() / 2]
    assert float(near[-1] - near[0]) == pytest.approx(fwhm, abs=0.012)


def test_impurities_are_as_many_and_as_strong_as_asked() -> None:
    ranges = ImpurityRanges(count=(1, 3), relative_intensity=(0.01, 0.04))
    drawn = draw_impurities(GRID, 3000, ranges, generator=torch.Generator().manual_seed(0))
    number = (drawn.height > 0).sum(dim=1)
    assert torch.bincount(number, minlength=4)[0] == 0
    for n in (1, 2, 3):
        assert float((number == n).double().mean()) == pytest.approx(1 / 3, abs=0.04)
    there = drawn.height[drawn.height > 0]
    assert 0.01 <= float(there.min()) < 0.0105 and 0.038 < float(there.max()) <= 0.04
    assert 10 <= float(drawn.centre.min()) < 11 and 89 < float(drawn.centre.max()) <= 90


def test_no_impurities_change_nothing() -> None:
    drawn = draw_impurities(GRID, 2, ImpurityRanges(count=(0, 0)), generator=torch.Generator())
    pattern = torch.rand(2, len(GRID))
    assert torch.equal(apply_impurities(pattern, GRID, drawn), pattern)


@settings(max_examples=50, deadline=None)
@given(dead_time=st.floats(0.0, 1e-2), seconds=st.floats(1e-3, 1e3))
def test_dead_time_is_monotonic_and_bounded(dead_time: float, seconds: float) -> None:
    detector = Detector(column(dead_time), column(seconds), column(math.inf))
    counts = torch.logspace(-2, 8, 200, dtype=torch.float64)[None]
    recorded = apply_dead_time(counts, detector)
    assert bool((recorded.diff() >= 0).all())
    assert bool((recorded.diff()[counts[:, 1:] * dead_time < 1e6 * seconds] > 0).all())
    assert bool((recorded <= counts).all()) and bool((recorded > 0).all())
    if dead_time > 0:
        assert float(recorded.max()) <= seconds / dead_time


def test_dead_time_against_a_simulated_counter() -> None:
    """Arrivals one by one: those within the dead time of the last one recorded are lost."""
    rate, dead_time, seconds, scans = 2e5, 2e-6, 0.01, 300
    waits = torch.distributions.Exponential(torch.tensor(rate, dtype=torch.float64))
    torch.manual_seed(0)
    gaps = waits.sample((scans, 3000)) + dead_time
    recorded = (gaps.cumsum(dim=1) - dead_time < seconds).sum(dim=1).double()
    expected = apply_dead_time(
        column(rate * seconds), Detector(column(dead_time), column(seconds), column(math.inf))
    )
    assert float(recorded.mean()) == pytest.approx(float(expected), abs=4 * float(recorded.std()) / 300**0.5)
    assert float(expected) == pytest.approx(2000 / 1.4)


def test_saturation_cuts_at_the_highest_rate() -> None:
    detector = Detector(column(0.0), column(2.0), column(500.0))
    counts = torch.tensor([[0.0, 999.0, 1000.0, 1001.0, 1e9]], dtype=torch.float64)
    assert apply_saturation(counts, detector).tolist() == [[0.0, 999.0, 1000.0, 1000.0, 1000.0]]
    assert apply_detector(counts, detector).tolist() == [[0.0, 999.0, 1000.0, 1000.0, 1000.0]]


def test_detectors_lie_within_their_ranges() -> None:
    drawn = draw_detector(2000, generator=torch.Generator().manual_seed(0))
    assert 0 <= float(drawn.dead_time_s.min()) < 5e-9 and 2.99e-6 < float(drawn.dead_time_s.max()) <= 3e-6
    assert float(drawn.seconds_per_point.min()) >= 0.2 and float(drawn.seconds_per_point.max()) <= 20
    # log-uniform: as many below the geometric mean as above
    assert float((drawn.highest_rate_cps < 1e6).double().mean()) == pytest.approx(0.5, abs=0.05)
