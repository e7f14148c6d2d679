"""Few widths in place of many: what they reproduce exactly, and how many are needed."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from mixrd.errors import ParameterError
from mixrd.pattern.width_interpolation import FewWidths, interpolation_between_widths


@pytest.mark.parametrize(("tolerance", "count"), [(5e-5, 3), (3e-3, 2)])
def test_few_widths_serve_a_short_range(tolerance: float, count: int) -> None:
    relative = 1 / np.cos(np.radians(np.arange(10, 50, 0.015) / 2))
    nodes, weights = interpolation_between_widths(relative, tolerance)
    assert len(nodes) == count
    # Polynomials of first degree are reproduced, so the weights of each point sum to 1.
    np.testing.assert_allclose(weights.sum(axis=0), 1.0, atol=1e-12)
    np.testing.assert_allclose(nodes @ weights, relative, atol=1e-12)


def few_widths(step: float = 0.02, points: int = 1000) -> FewWidths:
    grid = 20.0 + step * np.arange(points)
    return FewWidths(grid, step, margin=200, tolerance=5e-5, dtype=torch.float64, device="cpu")


def test_spectra_hold_every_stick_once() -> None:
    widths = few_widths()
    sticks = torch.rand(3, 2, 1000, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    spectra = widths.spectra(sticks)
    assert spectra.shape == (3, 2, len(widths), widths.length // 2 + 1) and widths.length >= 1200
    # The weights of each stick add up to 1 over the step.
    back = torch.fft.irfft(spectra.sum(2), n=widths.length)
    torch.testing.assert_close(back[..., :1000], sticks / 0.02)
    torch.testing.assert_close(back[..., 1000:], torch.zeros_like(back[..., 1000:]), atol=1e-9, rtol=0)


def test_turn_spans_the_widths_of_the_grid() -> None:
    widths = few_widths()
    turn = widths.turn(torch.tensor([5.0], dtype=torch.float64))[0, :, 0] / math.pi
    assert 5.0 * widths.relative.min() <= float(turn.min()) < float(turn.max()) <= 5.0 * widths.relative.max()
    assert widths.relative[500] == pytest.approx(1 / math.cos(math.radians(15.0)))


def test_range_with_ever_wider_peaks_is_refused() -> None:
    with pytest.raises(ParameterError, match="lower angle"):
        few_widths(0.155, 1020)
