"""Axial divergence against the integral of Finger, Cox & Jephcoat, done another way."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.integrate import quad

from mixrd.crystal import load_phase
from mixrd.diffraction import radiation
from mixrd.pattern import ForwardModel, load_instrument
from mixrd.pattern.asymmetry import axial_nodes, axial_share, axial_shift

FWHM_DEG = 0.1


def gaussian(offset_deg: float) -> float:
    return math.exp(-4 * math.log(2) * (offset_deg / FWHM_DEG) ** 2)


def by_quadrature(two_theta: float, sh_l: float, offset_deg: float) -> float:
    """Equation 7 of the paper with S = H = L sh_l / 2, in the angle 2phi as there, singular end included."""

    def weight(two_phi: float) -> float:
        h = math.sqrt(max((math.cos(two_phi) / math.cos(two_theta)) ** 2 - 1, 0.0))
        return (sh_l - h) / (h * math.cos(two_phi))

    lowest = math.acos(math.cos(two_theta) * math.sqrt(1 + sh_l**2))
    width = two_theta - lowest

    # 2phi = 2theta - width u^2 takes the square-root singularity away.
    def at(u: float) -> float:
        return two_theta - width * u * u

    def top(u: float) -> float:
        shift = math.degrees(at(u) - two_theta)
        return 2 * u * width * weight(at(u)) * gaussian(offset_deg - shift)

    edge = 1e-9
    return (
        quad(top, edge, 1, epsabs=1e-13, epsrel=1e-10)[0]
        / quad(lambda u: 2 * u * width * weight(at(u)), edge, 1, epsabs=1e-13, epsrel=1e-10)[0]
    )


@pytest.mark.parametrize("two_theta_deg", [12.0, 28.0, 60.0])
@pytest.mark.parametrize("sh_l", [0.02, 0.06])
def test_sum_over_nodes_is_the_integral(two_theta_deg: float, sh_l: float) -> None:
    count = 16
    two_theta = torch.tensor(math.radians(two_theta_deg), dtype=torch.float64)
    heights, weights = (torch.tensor(x, dtype=torch.float64) for x in axial_nodes(count))
    angles, axial = two_theta.expand(count), torch.full((count,), sh_l, dtype=torch.float64)
    rules = heights.expand(count, -1), weights.expand(count, -1)
    share = axial_share(angles, axial, *rules, torch.arange(count))
    shift = torch.rad2deg(axial_shift(angles, axial, heights))
    assert float(share.sum()) == pytest.approx(1.0, abs=1e-12)
    for offset in np.linspace(-0.6, 0.2, 9):
        mine = sum(float(w) * gaussian(offset - float(s)) for w, s in zip(share, shift, strict=True))
        assert mine == pytest.approx(by_quadrature(float(two_theta), sh_l, offset), abs=1e-4)


def pattern(sh_l: float, grid: np.ndarray, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    machine = replace(load_instrument("lab-cu"), radiation=radiation("CuKa1"))
    machine = replace(machine, profile=replace(machine.profile, sh_l=sh_l, w=0.01))
    model = ForwardModel([load_phase("fluorite")], machine, grid, dtype=dtype)
    return model.columns(model.reference())[0, 0]


def test_tail_points_to_low_angles_below_90_degrees_and_the_area_stays() -> None:
    grid = np.arange(24.0, 32.0, 0.005)
    symmetric, skewed = pattern(0.0, grid), pattern(0.06, grid)
    assert float(skewed.sum()) == pytest.approx(float(symmetric.sum()), rel=2e-3)
    x = torch.tensor(grid)
    centre = [float((p * x).sum() / p.sum()) for p in (symmetric, skewed)]
    assert centre[0] - 0.2 < centre[1] < centre[0] - 0.02


def test_few_nodes_are_good_to_training() -> None:
    grid = np.arange(24.0, 60.0, 0.02)
    fine, coarse = pattern(0.05, grid), pattern(0.05, grid, torch.float32).double()
    assert float((fine - coarse).abs().max() / fine.max()) < 2e-2
