"""Axial divergence against the integral of Finger, Cox & Jephcoat, done another way."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.integrate import quad

from mixrd.diffraction import radiation
from mixrd.pattern import TOLERANCES, ForwardModel, Precision, load_instrument
from mixrd.pattern.asymmetry import axial_nodes, axial_share, axial_shift, nodes_needed
from mixrd.phases import load_phase

FWHM_DEG = 0.1


def gaussian(offset_deg: float) -> float:
    return math.exp(-4 * math.log(2) * (offset_deg / FWHM_DEG) ** 2)


def by_quadrature(two_theta: float, sh_l: float, offset_deg: float) -> float:
    """Equation 7 of the paper with S = H = L sh_l / 2, in the angle 2phi as there, singular end included."""

    lowest = math.acos(math.cos(two_theta) * math.sqrt(1 + sh_l**2))
    width = two_theta - lowest

    # 2phi = 2theta - width u^2 takes the square-root singularity away.
    def weight(u: float) -> float:
        below = width * u * u
        # h^2 = (cos 2phi / cos 2theta)^2 - 1, without the loss of digits.
        h = math.sqrt(math.sin(2 * two_theta - below) * math.sin(below)) / abs(math.cos(two_theta))
        return 2 * u * (sh_l - h) / (h * abs(math.cos(two_theta - below)))

    def top(u: float) -> float:
        return weight(u) * gaussian(offset_deg + math.degrees(width * u * u))

    edge = 1e-9
    return (
        quad(top, edge, 1, epsabs=1e-13, epsrel=1e-10, limit=200)[0]
        / quad(weight, edge, 1, epsabs=1e-13, epsrel=1e-10, limit=200)[0]
    )


def by_nodes(two_theta: float, sh_l: float, offset_deg: float, tolerance: float) -> float:
    count = nodes_needed(two_theta, sh_l, FWHM_DEG, tolerance=tolerance)
    angle = torch.tensor(two_theta, dtype=torch.float64)
    heights, weights = (torch.tensor(x, dtype=torch.float64) for x in axial_nodes(count))
    angles, axial = angle.expand(count), torch.full((count,), sh_l, dtype=torch.float64)
    rules = heights.expand(count, -1), weights.expand(count, -1)
    share = axial_share(angles, axial, *rules, torch.arange(count))
    shift = torch.rad2deg(axial_shift(angles, axial, heights))
    assert float(share.sum()) == pytest.approx(1.0, abs=1e-12)
    return sum(float(w) * gaussian(offset_deg - float(s)) for w, s in zip(share, shift, strict=True))


@pytest.mark.parametrize("tolerance", [1e-3, 1e-4, 1e-6])
@pytest.mark.parametrize("two_theta_deg", [8.0, 12.0, 28.0, 60.0, 85.0, 130.0])
@pytest.mark.parametrize("sh_l", [0.005, 0.02, 0.06])
def test_sum_over_nodes_is_the_integral(two_theta_deg: float, sh_l: float, tolerance: float) -> None:
    two_theta = math.radians(two_theta_deg)
    offsets = np.linspace(-0.3, 0.15, 13)
    expected = [by_quadrature(two_theta, sh_l, x) for x in offsets]
    found = [by_nodes(two_theta, sh_l, x, tolerance) for x in offsets]
    assert np.abs(np.subtract(found, expected)).max() < tolerance * max(expected)


def test_rule_is_exact_for_polynomials_in_the_squared_height() -> None:
    for count in (1, 2, 5, 12, 40):
        heights, weights = (np.array(x) for x in axial_nodes(count))
        for power in range(2 * count):
            # Integral of 2 (1 - t) t^(2 k).
            expected = 1 / ((2 * power + 1) * (power + 1))
            assert (weights * heights ** (2 * power)).sum() == pytest.approx(expected, rel=1e-10)


def pattern(sh_l: float, grid: np.ndarray, precision: Precision = "refinement") -> torch.Tensor:
    machine = replace(load_instrument("lab-cu"), radiation=radiation("CuKa1"))
    machine = replace(machine, profile=replace(machine.profile, sh_l=sh_l, w=0.01))
    model = ForwardModel([load_phase("fluorite")], machine, grid, precision=precision)
    return model.columns(model.reference())[0, 0]


def test_tail_points_to_low_angles_below_90_degrees_and_the_area_stays() -> None:
    grid = np.arange(24.0, 32.0, 0.005)
    symmetric, skewed = pattern(0.0, grid), pattern(0.06, grid)
    assert float(skewed.sum()) == pytest.approx(float(symmetric.sum()), rel=2e-3)
    x = torch.tensor(grid)
    centre = [float((p * x).sum() / p.sum()) for p in (symmetric, skewed)]
    assert centre[0] - 0.2 < centre[1] < centre[0] - 0.02


@pytest.mark.parametrize("precision", ["training", "refinement"])
def test_each_precision_keeps_its_tolerance(precision: Precision) -> None:
    grid = np.arange(24.0, 60.0, 0.02)
    fine, coarse = pattern(0.05, grid, "exact"), pattern(0.05, grid, precision).double()
    assert float((fine - coarse).abs().max() / fine.max()) < TOLERANCES[precision]
