"""What renderers on an even grid share."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mixrd.errors import ParameterError
from mixrd.pattern import Peaks, Renderer, SearchRenderer, UniformRenderer
from mixrd.pattern.even_grid import is_even

GRID = np.arange(10.0, 70.0, 0.02)
EVEN = pytest.mark.parametrize("kind", [UniformRenderer, SearchRenderer])


def three_peaks() -> Peaks:
    position = torch.tensor([[20.0, 33.3, 60.0]])
    fwhm = 0.1 / torch.deg2rad(position / 2).cos()
    return Peaks(position, torch.tensor([[1.0, 2.0, 0.5]]), fwhm, torch.full((1, 3), 0.5))


@EVEN
def test_uneven_grids_are_refused(kind: type[UniformRenderer | SearchRenderer]) -> None:
    uneven = np.cumsum(np.r_[10.0, np.tile([0.010, 0.012, 0.015], 500)])
    assert is_even(GRID) and is_even(np.linspace(3, 140, 777)) and not is_even(uneven)
    with pytest.raises(ParameterError, match="steps") as raised:
        kind(uneven, widest_fwhm=0.8)
    assert "Renderer" in raised.value.remedy


@EVEN
def test_a_gradient_is_refused(kind: type[UniformRenderer | SearchRenderer]) -> None:
    renderer, peaks = kind(GRID, widest_fwhm=0.8), three_peaks()
    peaks.area.requires_grad_()
    with pytest.raises(ParameterError, match="gradient"):
        renderer.render(peaks)
    with torch.no_grad():
        assert float(renderer.render(peaks).max()) > 0


@EVEN
def test_derivatives_are_those_of_the_general_renderer(kind: type[UniformRenderer | SearchRenderer]) -> None:
    peaks, even = three_peaks(), kind(GRID, widest_fwhm=0.8)
    general = Renderer(GRID, widest_fwhm=0.8, dtype=torch.float32)
    rates = torch.randn(1, 4, 3, 2, generator=torch.Generator().manual_seed(4))
    torch.testing.assert_close(even.tangents(peaks, rates), general.tangents(peaks, rates))
    torch.testing.assert_close(even.combine(peaks, rates[:, 0]), general.combine(peaks, rates[:, 0]))
    torch.testing.assert_close(
        even.expanded(peaks).tangents(peaks.area, rates), general.tangents(peaks, rates)
    )
