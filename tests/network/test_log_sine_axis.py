from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from mixrd.errors import ParameterError
from mixrd.network.log_sine_axis import LogSineAxis


@pytest.mark.parametrize("bins", [100, 1024])
def test_bins_are_means_of_the_pattern(bins: int) -> None:
    """Against the integral of the piecewise constant pattern, written out."""
    points, start, step = 700, 12.0, 0.05
    axis = LogSineAxis(points=points, bins=bins, start_deg=start, step_deg=step)
    pattern = torch.rand(points, generator=torch.Generator().manual_seed(0))
    found = axis(pattern.unsqueeze(0))[0]
    first, last = (math.log(math.sin(math.radians(d / 2))) for d in (start - step / 2, start + 699.5 * step))
    assert axis.width == pytest.approx((last - first) / bins)
    edges = np.degrees(2 * np.arcsin(np.exp(np.linspace(first, last, bins + 1))))
    for number in range(0, bins, 13):
        fine = (
            np.linspace(edges[number], edges[number + 1], 4001)[:-1]
            + (edges[number + 1] - edges[number]) / 8000
        )
        index = np.clip(np.rint((fine - start) / step).astype(int), 0, points - 1)
        # Edges lie between points; those within are interpolated linearly in the angle's place.
        assert float(found[number]) == pytest.approx(float(pattern[index].mean()), abs=0.03)


def test_an_isotropic_strain_is_a_shift() -> None:
    axis = LogSineAxis(points=2667, bins=1024, start_deg=10.0, step_deg=0.015)
    grid = 10.0 + 0.015 * torch.arange(2667, dtype=torch.float64)

    def bin_of(angle: float) -> float:
        peak = torch.exp(-0.5 * ((grid - angle) / 0.1) ** 2).float()
        seen = axis(peak.unsqueeze(0))[0].double()
        return float((seen * torch.arange(1024)).sum() / seen.sum())

    shifts = []
    for angle in (15.0, 25.0, 40.0):
        moved = math.degrees(2 * math.asin(math.sin(math.radians(angle / 2)) / 1.02))
        shifts.append(bin_of(moved) - bin_of(angle))
    assert shifts == pytest.approx([-math.log(1.02) / axis.width] * 3, abs=0.15)


def test_a_grid_beyond_the_angles_is_refused() -> None:
    with pytest.raises(ParameterError, match="between 0 and 180"):
        LogSineAxis(points=100, bins=10, start_deg=0.0, step_deg=0.1)
