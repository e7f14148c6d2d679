"""Rendering: windowed cores and interpolated tails against the plain sum over all peaks."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mixrd.pattern import Peaks, Renderer
from mixrd.pattern.profile import pseudo_voigt

GRID = np.arange(10.0, 70.0, 0.02)


def draw_peaks(batch: int, count: int, seed: int, *, grid: np.ndarray = GRID) -> Peaks:
    """Peaks over the grid and some degrees beyond its ends, widths 0.04-0.5 deg."""
    generator = torch.Generator().manual_seed(seed)

    def uniform(low: float, high: float) -> torch.Tensor:
        return low + (high - low) * torch.rand(batch, count, generator=generator, dtype=torch.float64)

    return Peaks(
        position=uniform(float(grid[0]) - 3, float(grid[-1]) + 3),
        area=10 ** uniform(-3.0, 1.0),
        fwhm=0.04 * 12.5 ** uniform(0.0, 1.0),
        eta=uniform(0.0, 1.0),
    )


def direct_sum(peaks: Peaks, grid: torch.Tensor) -> torch.Tensor:
    offset = grid - peaks.position.unsqueeze(-1)
    values = pseudo_voigt(offset, peaks.fwhm.unsqueeze(-1), peaks.eta.unsqueeze(-1))
    return (peaks.area.unsqueeze(-1) * values).sum(1)


@pytest.mark.parametrize("seed", range(3))
def test_sum_of_full_profiles(seed: int) -> None:
    renderer = Renderer(GRID, widest_fwhm=0.5, dtype=torch.float64)
    peaks = draw_peaks(1, 200, seed)
    found = renderer.render(peaks)[:, 0]
    expected = direct_sum(peaks, renderer.grid)
    assert float((found - expected).abs().max() / expected.max()) < 2e-5


def test_uneven_and_coarse_grids() -> None:
    uneven = np.cumsum(np.r_[10.0, np.tile([0.010, 0.012, 0.015], 1500)])
    coarse = np.arange(10.0, 60.0, 0.05)
    for grid in (uneven, coarse):
        renderer = Renderer(grid, widest_fwhm=0.5, dtype=torch.float64)
        peaks = draw_peaks(1, 100, 7, grid=grid)
        expected = direct_sum(peaks, renderer.grid)
        found = renderer.render(peaks)[:, 0]
        assert float((found - expected).abs().max() / expected.max()) < 1e-4


def test_columns_are_the_sums_of_their_peaks() -> None:
    renderer = Renderer(GRID, widest_fwhm=0.5, dtype=torch.float64)
    peaks = draw_peaks(2, 90, 3)
    column = torch.arange(90) % 3
    found = renderer.render(peaks, column, 3)
    assert found.shape == (2, 3, len(GRID))
    for k in range(3):
        own = Peaks(*(x[:, column == k] for x in vars(peaks).values()))
        torch.testing.assert_close(found[:, k], renderer.render(own)[:, 0])


def test_chunks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    renderer = Renderer(GRID, widest_fwhm=0.5, dtype=torch.float64)
    peaks = draw_peaks(1, 8, 5)
    rates = torch.randn(1, 4, 8, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    whole, slope = renderer.render(peaks), renderer.tangents(peaks, rates)
    monkeypatch.setattr("mixrd.pattern.render._CHUNK", 1)
    torch.testing.assert_close(renderer.render(peaks), whole)
    torch.testing.assert_close(renderer.tangents(peaks, rates), slope)


@given(position=st.floats(20.0, 60.0), fwhm=st.floats(0.06, 0.5), eta=st.floats(0.0, 1.0))
@settings(max_examples=25, deadline=None)
def test_area_under_a_peak_is_its_area(position: float, fwhm: float, eta: float) -> None:
    renderer = Renderer(GRID, widest_fwhm=0.5, dtype=torch.float64)
    one = torch.ones(1, 1, dtype=torch.float64)
    pattern = renderer.render(Peaks(position * one, 3.0 * one, fwhm * one, eta * one))[0, 0]
    area = float(torch.trapezoid(pattern, renderer.grid))
    # What lies beyond the ends is the Lorentzian's share there.
    ends = np.array([GRID[-1] - position, position - GRID[0]])
    missing = eta * sum(0.5 - np.arctan(2 * ends / fwhm) / np.pi)
    assert area == pytest.approx(3.0 * (1 - missing), rel=2e-4)


@pytest.mark.parametrize("far", [-500.0, -5.0, 300.0])
def test_peak_far_outside_gives_its_tail_or_nothing(far: float) -> None:
    renderer = Renderer(GRID, widest_fwhm=0.5, dtype=torch.float64)
    one = torch.ones(1, 1, dtype=torch.float64)
    peaks = Peaks(far * one, one, 0.1 * one, one)
    found = renderer.render(peaks)[0, 0]
    torch.testing.assert_close(found, direct_sum(peaks, renderer.grid)[0], rtol=1e-3, atol=1e-9)


def test_tangents_are_derivatives_of_the_sum() -> None:
    renderer = Renderer(GRID, widest_fwhm=0.5, dtype=torch.float64)
    peaks = draw_peaks(2, 30, 11)
    generator = torch.Generator().manual_seed(4)
    rates = torch.randn(2, 4, 30, 2, generator=generator, dtype=torch.float64) * 0.01
    found = renderer.tangents(peaks, rates)
    step = 1e-4
    for t in range(2):
        moved = [
            Peaks(*(x + sign * step * rates[:, i, :, t] for i, x in enumerate(vars(peaks).values())))
            for sign in (1, -1)
        ]
        expected = (direct_sum(moved[0], renderer.grid) - direct_sum(moved[1], renderer.grid)) / (2 * step)
        assert float((found[..., t] - expected).abs().max() / expected.abs().max()) < 1e-4


def test_no_direction_and_no_peak() -> None:
    renderer = Renderer(GRID, widest_fwhm=0.5, dtype=torch.float64)
    peaks = draw_peaks(2, 10, 1)
    assert renderer.tangents(peaks, torch.empty(2, 4, 10, 0, dtype=torch.float64)).shape == (2, len(GRID), 0)
    none = Peaks(*(x[:, :0] for x in vars(peaks).values()))
    assert float(renderer.render(none).abs().max()) == 0.0


def test_broad_peaks_beside_narrow_ones() -> None:
    renderer = Renderer(GRID, widest_fwhm=0.5, dtype=torch.float64)
    one = torch.ones(1, 1, dtype=torch.float64)
    peaks = Peaks(
        *(torch.cat([a * one, b * one], 1) for a, b in ((40.0, 43.0), (1.0, 20.0), (0.05, 4.0), (0.5, 0.8)))
    )
    expected = direct_sum(peaks, renderer.grid)
    assert float((renderer.render(peaks)[:, 0] - expected).abs().max() / expected.max()) < 2e-5


def test_other_areas_of_the_same_peaks() -> None:
    renderer = Renderer(GRID, widest_fwhm=0.5, dtype=torch.float64)
    peaks = draw_peaks(1, 40, 9)
    areas = torch.stack([peaks.area, 2 * peaks.area, torch.zeros_like(peaks.area)], dim=-1)
    found = renderer.combine(peaks, areas)
    torch.testing.assert_close(found[..., 0], renderer.render(peaks)[:, 0])
    torch.testing.assert_close(found[..., 1], 2 * found[..., 0])
    assert float(found[..., 2].abs().max()) == 0.0


def test_autograd_goes_through() -> None:
    renderer = Renderer(GRID, widest_fwhm=0.5, dtype=torch.float64)
    peaks = draw_peaks(1, 20, 2)
    leaves = {k: v.clone().requires_grad_() for k, v in vars(peaks).items()}
    (renderer.render(Peaks(**leaves)) ** 2).sum().backward()
    for name, leaf in leaves.items():
        assert leaf.grad is not None, name
        assert bool(torch.isfinite(leaf.grad).all())
        assert float(leaf.grad.abs().max()) > 0
