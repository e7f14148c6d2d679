"""The precision of a search against the plain float64 sum over all peaks, and what it refuses."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from mixrd.errors import ParameterError
from mixrd.pattern import (
    TOLERANCES,
    ExactRenderer,
    ForwardModel,
    Instrument,
    Parameters,
    Peaks,
    Precision,
    SearchRenderer,
    load_instrument,
)
from mixrd.phases import load_phase

GRIDS = [np.arange(10.0, 50.0, 0.015), np.arange(5.0, 120.0, 0.02), np.arange(20.0, 150.0, 0.05)]
GRID = np.arange(15.0, 80.0, 0.02)


def draw_peaks(grid: np.ndarray, batch: int, count: int, fwhm: float, eta: float, seed: int = 0) -> Peaks:
    """Over the grid and a degree beyond its ends; the first well within."""
    generator = torch.Generator().manual_seed(seed)
    low, high = float(grid[0]), float(grid[-1])
    position = low - 1 + (high - low + 2) * torch.rand(batch, count, generator=generator)
    position[:, 0] = position[:, 0].clamp(low + 0.2, high - 0.2)
    width = fwhm / torch.deg2rad(position / 2).cos()
    area = 10 ** (-2 * torch.rand(batch, count, generator=generator))
    return Peaks(position, area, width, torch.full_like(width, eta))


def worst(found: torch.Tensor, peaks: Peaks, grid: np.ndarray) -> float:
    """Largest error relative to each pattern's maximum."""
    exact = ExactRenderer(grid).render(Peaks(*(x.double() for x in vars(peaks).values())))
    return float(((found - exact).abs() / exact.amax(-1, keepdim=True)).max())


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
def test_keeps_its_tolerance(grid: np.ndarray, eta: float) -> None:
    """Measured: up to 4.4e-3, of Lorentzians four steps wide; about 2e-3 of peaks from eight on."""
    step = grid[1] - grid[0]
    renderer = SearchRenderer(grid, widest_fwhm=1.0)
    # Alone, one peak's error is the pattern's.
    for count in (1, 8, 40):
        for fwhm in (4.01 * step, 8 * step, max(0.25, 5 * step)):
            peaks = draw_peaks(grid, 12, count, fwhm, eta, seed=count)
            found = renderer.render(peaks)
            assert found.dtype == torch.float32 and found.shape == (12, 1, len(grid))
            assert worst(found, peaks, grid) < TOLERANCES["search"]


def test_columns_each_of_its_own_law() -> None:
    first, second = draw_peaks(GRID, 2, 7, 0.1, 0.2), draw_peaks(GRID, 2, 5, 0.3, 0.9, seed=1)
    peaks = Peaks(
        *(torch.cat([a, b], 1) for a, b in zip(vars(first).values(), vars(second).values(), strict=True))
    )
    column = torch.tensor([0] * 7 + [2] * 5)
    renderer = SearchRenderer(GRID, widest_fwhm=0.8)
    found = renderer.render(peaks, column, 3)
    torch.testing.assert_close(found[:, :1], renderer.render(first))
    torch.testing.assert_close(found[:, 2:], renderer.render(second))
    assert not found[:, 1].any(), "a phase without peaks"


@pytest.mark.parametrize("place", [float("nan"), -1e6, 300.0])
def test_what_has_no_area_or_is_far_has_no_part(place: float) -> None:
    peaks = draw_peaks(GRID, 2, 6, 0.1, 0.5)
    renderer = SearchRenderer(GRID, widest_fwhm=0.8)
    expected = renderer.render(dataclasses.replace(peaks, area=peaks.area * (torch.arange(6) != 3)))
    peaks.position[:, 3] = place
    if place != place:
        peaks.area[:, 3] = 0
    torch.testing.assert_close(renderer.render(peaks), expected)


@pytest.mark.parametrize("change", ["fwhm", "eta"])
def test_other_laws_are_refused(change: str) -> None:
    peaks = draw_peaks(GRID, 2, 6, 0.1, 0.5)
    getattr(peaks, change)[1, 2] *= 1.02
    with pytest.raises(ParameterError, match="cos theta") as raised:
        SearchRenderer(GRID, widest_fwhm=0.8).render(peaks)
    assert "training" in raised.value.remedy


def test_peaks_too_narrow_for_the_grid_are_refused() -> None:
    with pytest.raises(ParameterError, match="too narrow"):
        SearchRenderer(GRID, widest_fwhm=0.8).render(draw_peaks(GRID, 1, 3, 0.05, 0.5))


def only_sizes() -> Instrument:
    """An instrument that broadens as crystallites do."""
    machine = load_instrument("lab-cu")
    return dataclasses.replace(
        machine, profile=dataclasses.replace(machine.profile, u=0.0, v=0.0, w=0.0, x=0.05, y=0.0, sh_l=0.0)
    )


def columns_of(precision: Precision, instrument: Instrument) -> torch.Tensor:
    crystals = [load_phase(name) for name in ("corundum", "zincite")]
    model = ForwardModel(crystals, instrument, GRID, precision=precision)
    start: Parameters = model.reference(2)
    size = torch.tensor([[0.02, 0.04], [0.05, 0.01]]).to(start.inverse_size)
    return model.columns(dataclasses.replace(start, inverse_size=size, displacement=start.zero + 0.05))


def test_forward_model_of_crystallites() -> None:
    exact, found = columns_of("exact", only_sizes()), columns_of("search", only_sizes())
    assert float(((found - exact).abs().amax(-1) / exact.amax(-1)).max()) < TOLERANCES["search"]


def test_forward_model_whose_instrument_has_another_law() -> None:
    with pytest.raises(ParameterError, match="cos theta"):
        columns_of("search", load_instrument("lab-cu"))
