"""Drawing on an even grid against the plain float64 sum over all peaks."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mixrd.pattern import ExactRenderer, Peaks, UniformRenderer

GRID = np.arange(10.0, 70.0, 0.02)
WIDEST = 0.8


def draw_peaks(batch: int, count: int, seed: int, *, grid: np.ndarray = GRID, eta: float = -1.0) -> Peaks:
    """Peaks over the grid and some degrees beyond its ends, widths 0.02-0.8 deg."""
    generator = torch.Generator().manual_seed(seed)

    def uniform(low: float, high: float) -> torch.Tensor:
        return low + (high - low) * torch.rand(batch, count, generator=generator)

    return Peaks(
        position=uniform(float(grid[0]) - 5, float(grid[-1]) + 5),
        area=10 ** uniform(-3.0, 1.0),
        fwhm=0.02 * 40 ** uniform(0.0, 1.0),
        eta=uniform(0.0, 1.0) if eta < 0 else uniform(eta, eta),
    )


def direct_sum(peaks: Peaks, grid: np.ndarray = GRID) -> torch.Tensor:
    exact = Peaks(*(x.double() for x in vars(peaks).values()))
    return ExactRenderer(grid).render(exact)[:, 0]


def one_peak(position: float, *, area: float = 1.0, fwhm: float = 0.1, eta: float = 0.5) -> Peaks:
    return Peaks(*(torch.tensor([[x]]) for x in (position, area, fwhm, eta)))


def worst(found: torch.Tensor, expected: torch.Tensor) -> float:
    """Relative to each pattern's maximum."""
    return float(((found - expected).abs() / expected.amax(-1, keepdim=True)).max())


@pytest.mark.parametrize("step", [0.01, 0.02, 0.05])
@pytest.mark.parametrize("eta", [-1.0, 0.0, 1.0])
def test_sum_of_full_profiles(step: float, eta: float) -> None:
    grid = np.arange(10.0, 70.0, step)
    renderer = UniformRenderer(grid, widest_fwhm=WIDEST)
    # Few peaks and many: alone, one peak's error is the pattern's.
    for count in (4, 60):
        peaks = draw_peaks(64, count, count, grid=grid, eta=eta)
        peaks.position[:, 0] = peaks.position[:, 0].clamp(20.0, 60.0)
        found = renderer.render(peaks)
        assert found.dtype == torch.float32
        assert found.is_contiguous()
        assert worst(found[:, 0], direct_sum(peaks, grid)) < 1e-3


@given(
    position=st.floats(10.0, 70.0),
    fwhm=st.floats(0.02, WIDEST),
    eta=st.floats(0.0, 1.0),
    step=st.sampled_from([0.01, 0.013, 0.02, 0.05]),
    widest=st.sampled_from([WIDEST, 2.0]),
)
@settings(max_examples=60, deadline=None)
def test_one_peak_anywhere(position: float, fwhm: float, eta: float, step: float, widest: float) -> None:
    grid = 10.0 + step * np.arange(round(60 / step) + 1)
    peaks = one_peak(position, fwhm=fwhm, eta=eta)
    found = UniformRenderer(grid, widest_fwhm=widest).render(peaks)[:, 0]
    assert worst(found, direct_sum(peaks, grid)) < 1e-3


@given(position=st.floats(20.0, 60.0), fwhm=st.floats(0.06, WIDEST), eta=st.floats(0.0, 1.0))
@settings(max_examples=25, deadline=None)
def test_area_under_a_peak_is_its_area(position: float, fwhm: float, eta: float) -> None:
    renderer = UniformRenderer(GRID, widest_fwhm=WIDEST)
    pattern = renderer.render(one_peak(position, area=3.0, fwhm=fwhm, eta=eta))[0, 0]
    area = float(torch.trapezoid(pattern.double(), torch.tensor(GRID)))
    # What lies beyond the ends is the Lorentzian's share there.
    ends = np.array([GRID[-1] - position, position - GRID[0]])
    missing = eta * sum(0.5 - np.arctan(2 * ends / fwhm) / math.pi)
    assert area == pytest.approx(3.0 * (1 - missing), rel=3e-4)


@pytest.mark.parametrize("away", [0.5, 1.5, 2.5, 5.0, 40.0, 300.0])
@pytest.mark.parametrize("end", [0, -1])
def test_a_peak_outside_gives_its_tail(away: float, end: int) -> None:
    peaks = one_peak(float(GRID[end]) + (away if end else -away), eta=1.0)
    found = UniformRenderer(GRID, widest_fwhm=WIDEST).render(peaks)[:, 0]
    # To 5e-3 of what is left of it, which is a small part of the peak.
    assert worst(found, direct_sum(peaks)) < 5e-3
    assert (found > 0).all()


@pytest.mark.parametrize("position", [-1e6, 1e6, -math.inf, math.inf])
def test_a_peak_at_no_angle_leaves_nothing(position: float) -> None:
    found = UniformRenderer(GRID, widest_fwhm=WIDEST).render(one_peak(position))
    assert float(found.abs().max()) < 1e-6


def test_what_has_no_area_has_no_part() -> None:
    renderer = UniformRenderer(GRID, widest_fwhm=WIDEST)
    peaks = draw_peaks(2, 9, 1)
    expected = renderer.render(peaks)
    none = torch.full((2, 3), math.nan)
    masked = Peaks(*(torch.cat([x, none], dim=1) for x in vars(peaks).values()))
    masked.area[:, 9:] = 0
    torch.testing.assert_close(renderer.render(masked), expected)
    empty = dataclasses.replace(peaks, area=torch.zeros_like(peaks.area))
    assert bool((renderer.render(empty) == 0).all())


def test_numbers_that_are_none_are_not_hidden() -> None:
    assert bool(UniformRenderer(GRID, widest_fwhm=WIDEST).render(one_peak(math.nan)).isnan().all())


def test_area_counts_in_proportion_even_below_zero() -> None:
    renderer = UniformRenderer(GRID, widest_fwhm=WIDEST)
    peaks = draw_peaks(2, 5, 3)
    turned = dataclasses.replace(peaks, area=-1e6 * peaks.area)
    torch.testing.assert_close(renderer.render(turned), -1e6 * renderer.render(peaks))


def test_peaks_broader_than_expected_are_right_too() -> None:
    renderer = UniformRenderer(GRID, widest_fwhm=0.1)
    peaks = draw_peaks(8, 20, 5)
    assert 0.3 < float((peaks.fwhm > 0.1).float().mean()) < 0.8
    assert worst(renderer.render(peaks)[:, 0], direct_sum(peaks)) < 1e-3


def test_columns_are_the_sums_of_their_peaks() -> None:
    renderer = UniformRenderer(GRID, widest_fwhm=0.5)
    peaks = draw_peaks(3, 90, 3)
    column = torch.arange(90) % 3
    found = renderer.render(peaks, column, 4)
    assert found.shape == (3, 4, len(GRID))
    for k in range(3):
        own = Peaks(*(x[:, column == k] for x in vars(peaks).values()))
        torch.testing.assert_close(found[:, k], renderer.render(own)[:, 0])
    assert bool((found[:, 3] == 0).all()), "a phase without peaks"


def test_blocks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    renderer, peaks = UniformRenderer(GRID, widest_fwhm=WIDEST), draw_peaks(5, 8, 5)
    whole = renderer.render(peaks)
    # Products of other shapes round differently on some processors.
    rounding = 3e-5 * float(whole.max())
    for rows, windows in ((1, 1), (2 * len(GRID), 3 * renderer.window)):
        monkeypatch.setattr("mixrd.pattern.uniform._PATTERN_POINTS", (rows, rows))
        monkeypatch.setattr("mixrd.pattern.uniform._WINDOW_POINTS", (windows, windows))
        torch.testing.assert_close(renderer.render(peaks), whole, rtol=0, atol=rounding)


@pytest.mark.parametrize("points", [2, 3, 30, 301])
def test_short_grids(points: int) -> None:
    grid = 30.0 + 0.02 * np.arange(points)
    peaks = dataclasses.replace(draw_peaks(1, 5, 2), position=torch.tensor([[27.0, 29.9, 30.0, 30.01, 38.0]]))
    found = UniformRenderer(grid, widest_fwhm=WIDEST).render(peaks)[:, 0]
    assert worst(found, direct_sum(peaks, grid)) < 1e-3


def test_double_precision_has_the_same_peaks() -> None:
    peaks = draw_peaks(2, 30, 8)
    double = UniformRenderer(GRID, widest_fwhm=WIDEST, dtype=torch.float64)
    found = double.render(Peaks(*(x.double() for x in vars(peaks).values())))[:, 0]
    assert found.dtype == torch.float64
    assert worst(found, direct_sum(peaks)) < 5e-4


def test_no_peaks_no_pattern() -> None:
    found = UniformRenderer(GRID, widest_fwhm=WIDEST).render(draw_peaks(2, 0, 0), columns=2)
    assert found.shape == (2, 2, len(GRID)) and bool((found == 0).all())
