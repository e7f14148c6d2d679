"""March-Dollase texture."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.integrate import quad

from mixrd.diffraction import axis_cosines, march_dollase, radiation, reflections
from mixrd.errors import CrystalError
from mixrd.phases import load_phase


@pytest.mark.parametrize("r", [0.3, 0.8, 1.0, 1.7])
def test_mean_over_all_directions_is_one(r: float) -> None:
    """The mean of a function of alpha over the sphere is its integral over cos alpha from 0 to 1."""

    def factor(cosine: float) -> float:
        squared = torch.tensor([[cosine**2]], dtype=torch.float64)
        return float(march_dollase(squared, torch.tensor([[r]], dtype=torch.float64)))

    assert quad(factor, 0, 1, epsabs=1e-10)[0] == pytest.approx(1.0, abs=1e-8)


def test_no_texture_changes_nothing() -> None:
    squared = torch.rand(5, 12, dtype=torch.float64)
    assert torch.allclose(
        march_dollase(squared, torch.ones(3, 1, dtype=torch.float64)), torch.ones(3, 5).double()
    )


def test_calcite_by_hand() -> None:
    """Platelets on (001): 006 has alpha = 0 and gains r^-3; hk0 have alpha = 90 deg and lose r^1.5."""
    crystal = load_phase("calcite")
    table = reflections(crystal, radiation("CuKa1"), two_theta_range=(20.0, 60.0))
    factor = march_dollase(
        torch.tensor(axis_cosines(crystal, table.hkl, (0, 0, 1))), torch.tensor([[0.8]], dtype=torch.float64)
    )[0]
    by_index = {tuple(map(abs, h)): float(f) for h, f in zip(table.hkl.tolist(), factor, strict=True)}
    assert by_index[(0, 0, 6)] == pytest.approx(0.8**-3)
    assert by_index[(2, 1, 0)] == pytest.approx(0.8**1.5)


def test_cubic_equivalents_are_averaged() -> None:
    """Axis 001 in a cubic crystal: of the six {100} two are at 0 and four at 90 degrees."""
    crystal = load_phase("fluorite")
    squared = torch.tensor(axis_cosines(crystal, np.array([[2, 0, 0]]), (0, 0, 1)))
    r = 0.6
    got = float(march_dollase(squared, torch.tensor([[r]], dtype=torch.float64)))
    assert got == pytest.approx((2 * r**-3 + 4 * r**1.5) / 6)


def test_gradcheck() -> None:
    squared = torch.rand(4, 6, dtype=torch.float64)
    r = torch.tensor([[0.7], [1.4]], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: march_dollase(squared, x), r)


def test_axis_zero_is_refused() -> None:
    with pytest.raises(CrystalError, match="axis"):
        axis_cosines(load_phase("fluorite"), np.array([[2, 0, 0]]), (0, 0, 0))
