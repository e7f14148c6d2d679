"""Peaks placed by convolution, against the float64 sum of all full profiles and the Scherrer equation."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mixrd.errors import ParameterError
from mixrd.pattern.profile import pseudo_voigt
from mixrd.pattern.scherrer import ScherrerPeaks, narrowest_fwhm_points

WAVELENGTH = 1.54184
PAPER = (10.0, 0.015, 2667)
DOUBLE = torch.float64


def fwhm_deg(size_nm: float, two_theta: torch.Tensor) -> torch.Tensor:
    """Written out here on purpose: 0.9 lambda / (L cos theta)."""
    return torch.rad2deg(0.9 * WAVELENGTH / (10 * size_nm) / torch.cos(torch.deg2rad(two_theta / 2)))


def direct_sum(
    grid: tuple[float, float, int], points: torch.Tensor, areas: torch.Tensor, size_nm: float, eta: float
) -> torch.Tensor:
    two_theta = grid[0] + grid[1] * torch.arange(grid[2], dtype=DOUBLE)
    centre = two_theta[points].unsqueeze(-1)
    shape = pseudo_voigt(two_theta - centre, fwhm_deg(size_nm, centre), torch.tensor(eta, dtype=DOUBLE))
    return (areas.unsqueeze(-1) * shape).sum(0)


def placed(
    peaks: ScherrerPeaks, points: torch.Tensor, areas: torch.Tensor, size_nm: float, eta: float
) -> torch.Tensor:
    row = torch.zeros(1, 1, peaks.points)
    row[0, 0].index_add_(0, points, areas.float())
    result = peaks.place(row, torch.tensor([[1 / size_nm]]), torch.tensor([[eta]]))
    assert result.shape == (1, peaks.points)
    return result[0].double()


@pytest.mark.parametrize("grid", [PAPER, (5.0, 0.02, 5001), (30.0, 0.02, 500)])
@settings(max_examples=15, deadline=None)
@given(
    count=st.integers(1, 60),
    seed=st.integers(0, 2**20),
    size_nm=st.floats(10.0, 100.0),
    eta=st.floats(0.0, 1.0),
)
def test_agrees_with_the_direct_sum(
    grid: tuple[float, float, int], count: int, seed: int, size_nm: float, eta: float
) -> None:
    generator = torch.Generator().manual_seed(seed)
    points = torch.randint(grid[2], (count,), generator=generator)
    areas = torch.rand(count, generator=generator, dtype=DOUBLE) + 1e-3
    exact = direct_sum(grid, points, areas, size_nm, eta)
    ours = placed(ScherrerPeaks(*grid, wavelength_angstrom=WAVELENGTH), points, areas, size_nm, eta)
    assert float((ours - exact).abs().max() / exact.max()) < 1e-4


@pytest.mark.parametrize("point", [0, 1300, 2666])
def test_tail_reaches_over_the_whole_pattern_once(point: int) -> None:
    """A convolution is periodic; its images, left in, would double the tail at the far end."""
    one = torch.ones(1, dtype=DOUBLE)
    exact = direct_sum(PAPER, torch.tensor([point]), one, 10.0, 0.9)
    peaks = ScherrerPeaks(*PAPER, wavelength_angstrom=WAVELENGTH, dtype=DOUBLE)
    row = torch.zeros(1, 1, 2667, dtype=DOUBLE)
    row[0, 0, point] = 1.0
    ours = peaks.place(row, torch.full((1, 1), 0.1, dtype=DOUBLE), torch.full((1, 1), 0.9, dtype=DOUBLE))[0]
    # Relative to the tail itself, far from the peak.
    far = (torch.arange(2667) - point).abs() > 400
    assert float((ours / exact - 1)[far].abs().max()) < 2e-3


def test_half_maximum_is_where_scherrer_says() -> None:
    grid = (20.0, 0.002, 5001)
    peaks = ScherrerPeaks(*grid, wavelength_angstrom=WAVELENGTH)
    pattern = placed(peaks, torch.tensor([2500]), torch.ones(1), 20.0, 0.5)
    above = int((pattern >= pattern.max() / 2).sum())
    cosine = math.cos(math.radians(25.0 / 2))
    assert above * 0.002 == pytest.approx(math.degrees(0.9 * 0.154184 / (20.0 * cosine)), abs=0.003)


def test_groups_add_up() -> None:
    generator = torch.Generator().manual_seed(1)
    rows = torch.rand(3, 2, 400, generator=generator) * (torch.rand(3, 2, 400, generator=generator) > 0.9)
    size, eta = torch.tensor([[0.1, 0.02]] * 3), torch.tensor([[0.2, 0.8]] * 3)
    peaks = ScherrerPeaks(20.0, 0.02, 400, wavelength_angstrom=WAVELENGTH)
    parts = [peaks.place(rows[:, [g]], size[:, [g]], eta[:, [g]]) for g in range(2)]
    torch.testing.assert_close(peaks.place(rows, size, eta), parts[0] + parts[1], rtol=1e-5, atol=1e-4)


def test_narrowest_width() -> None:
    assert narrowest_fwhm_points(0.015, 100.0, WAVELENGTH) == pytest.approx(
        math.degrees(0.9 * 0.154184 / 100.0) / 0.015, rel=1e-5
    )


@pytest.mark.parametrize("grid", [(10.0, 0.015, 1), (10.0, -0.1, 100), (100.0, 1.0, 100), (-1.0, 0.1, 100)])
def test_impossible_grids_are_refused(grid: tuple[float, float, int]) -> None:
    with pytest.raises(ParameterError, match="Allowed"):
        ScherrerPeaks(*grid, wavelength_angstrom=WAVELENGTH)
