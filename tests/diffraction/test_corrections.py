"""Corrections of intensity and position: limits, published forms, derivatives, bad input."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from torch import Tensor

from mixrd.diffraction import (
    beam_overspill,
    divergence_slit,
    lorentz,
    lorentz_polarization,
    polarization,
    surface_roughness,
    thermal_factor,
    thin_sample_absorption,
    transparency_shift,
)
from mixrd.errors import ParameterError

TWO_THETA = torch.deg2rad(torch.linspace(5.0, 170.0, 34, dtype=torch.float64))
THETA = TWO_THETA / 2
RIGHT_ANGLE = torch.tensor([math.pi / 2], dtype=torch.float64)


@pytest.mark.parametrize("monochromator", [0.0, 26.6, 45.0])
@pytest.mark.parametrize("position", ["diffracted", "incident"])
def test_a_tube_has_the_lorentz_polarization_factor_of_the_sticks(
    monochromator: float, position: Any
) -> None:
    factor = lorentz(TWO_THETA) * polarization(
        TWO_THETA, monochromator_two_theta=monochromator, position=position
    )
    expected = lorentz_polarization(TWO_THETA, monochromator_two_theta=monochromator)
    torch.testing.assert_close(factor, expected, rtol=1e-13, atol=0)


def test_synchrotron_polarization() -> None:
    vertical = polarization(TWO_THETA, position="incident", polarized_fraction=1.0)
    torch.testing.assert_close(vertical, torch.ones_like(TWO_THETA))
    horizontal = polarization(TWO_THETA, position="incident", polarized_fraction=0.0)
    torch.testing.assert_close(horizontal, torch.cos(TWO_THETA) ** 2)
    unpolarized = polarization(TWO_THETA, position="incident", polarized_fraction=0.5)
    torch.testing.assert_close(unpolarized, (1 + torch.cos(TWO_THETA) ** 2) / 2)


def test_a_monochromator_acts_on_a_polarized_beam_only_behind_the_sample() -> None:
    given = {"monochromator_two_theta": 30.0, "polarized_fraction": 0.9}
    before = polarization(TWO_THETA, position="incident", **given)
    torch.testing.assert_close(before, 0.9 + 0.1 * torch.cos(TWO_THETA) ** 2)
    behind = polarization(TWO_THETA, position="diffracted", **given)
    passed = 0.1 * math.cos(math.radians(30)) ** 2
    torch.testing.assert_close(behind, (0.9 + passed * torch.cos(TWO_THETA) ** 2) / (0.9 + passed))


def test_automatic_slits_keep_the_irradiated_length() -> None:
    """Length on the sample: divergence R / sin(theta); the automatic slit's divergence makes it constant."""
    assert torch.equal(divergence_slit(THETA, "fixed"), torch.ones_like(THETA))
    length_fixed = 1 / torch.sin(THETA)
    opening = divergence_slit(THETA, "automatic")
    torch.testing.assert_close(opening * length_fixed, torch.ones_like(THETA))
    assert float(divergence_slit(RIGHT_ANGLE, "automatic")) == pytest.approx(1.0)


def test_thin_sample_is_the_integral_over_depth() -> None:
    for theta in (0.1, 0.5, 1.2):
        absorbed, _ = quad(lambda z, t=theta: math.exp(-2 * 0.7 * z / math.sin(t)), 0, 1)
        whole = math.sin(theta) / (2 * 0.7)
        found = thin_sample_absorption(torch.tensor(theta, dtype=torch.float64), 0.7)
        assert float(found) == pytest.approx(absorbed / whole, rel=1e-12)


def test_thin_sample_limits() -> None:
    torch.testing.assert_close(thin_sample_absorption(THETA, 100.0), torch.ones_like(THETA))
    torch.testing.assert_close(
        thin_sample_absorption(THETA, 1e-6) * torch.sin(THETA) / 2e-6,
        torch.ones_like(THETA),
        rtol=1e-4,
        atol=0,
    )
    assert (thin_sample_absorption(THETA, 0.5).diff() < 0).all()


def test_transparency_shifts_the_centroid_of_the_exponential_aberration() -> None:
    """A ray diffracted at depth z is seen 2 z cos(theta) / R lower, with weight exp(-2 mu z / sin)."""
    mu, radius, theta = 1.3, 185.0, math.radians(17.0)

    def weight(z: float) -> float:
        return math.exp(-2 * mu * z / math.sin(theta))

    moment, _ = quad(lambda z: weight(z) * 2 * z * math.cos(theta) / radius, 0, 10)
    total, _ = quad(weight, 0, 10)
    shift = transparency_shift(torch.tensor(2 * theta, dtype=torch.float64), 1 / mu, radius)
    assert float(shift) == pytest.approx(-math.degrees(moment / total), rel=1e-6)


def test_surface_roughness_lowers_low_angles_only() -> None:
    factor = surface_roughness(THETA, 0.6, 0.1)
    assert (factor.diff() > 0).all()
    assert (factor > 0).all() and (factor < 1).all()
    assert float(surface_roughness(RIGHT_ANGLE, 0.6, 0.1)) == pytest.approx(1.0)


def test_surface_roughness_is_the_published_form() -> None:
    p, q, sine = 0.4, 0.3, math.sin(0.2)
    expected = (p + (1 - p) * math.exp(-q / sine)) / (p + (1 - p) * math.exp(-q))
    assert float(surface_roughness(torch.tensor(0.2, dtype=torch.float64), p, q)) == pytest.approx(expected)


def test_a_small_sample_catches_what_meets_it() -> None:
    # Far below the angle of overspill the lit length is the sample's own: the share goes with sin theta.
    low = torch.tensor([0.05, 0.1], dtype=torch.float64)
    shares = beam_overspill(low, 0.9)
    assert float(shares[1] / shares[0]) == pytest.approx(math.sin(0.1) / math.sin(0.05))
    # Against the area of a disk under an even beam 0.7 diameters wide, L = o / sin theta diameters long.
    length = 0.5 / math.sin(0.3)
    across = (np.arange(20_000) + 0.5) / 20_000 * 0.35
    caught = np.minimum(np.sqrt(1 - (2 * across) ** 2), length).mean() / length
    found = beam_overspill(torch.tensor(0.3, dtype=torch.float64), 0.5)
    assert float(found) == pytest.approx(caught, abs=1e-6)
    assert (beam_overspill(THETA, 0.4).diff() >= 0).all()
    torch.testing.assert_close(beam_overspill(THETA, 0.0), torch.ones_like(THETA))


def test_displacement_takes_high_angles() -> None:
    factor = thermal_factor(THETA, 1.5, 0.4)
    assert torch.allclose(factor, torch.exp(-0.8 * (THETA.sin() / 1.5) ** 2))
    assert (thermal_factor(THETA, 1.5, -0.2) > 1).all()


def test_a_smooth_surface_changes_nothing() -> None:
    one = torch.ones_like(THETA)
    for factor in (
        surface_roughness(THETA, 1.0, 0.5),
        surface_roughness(THETA, 0.3, 0.0),
    ):
        torch.testing.assert_close(factor, one)


def _polarized(angle: Tensor, monochromator: Tensor, share: Tensor) -> Tensor:
    return polarization(angle, monochromator_two_theta=monochromator, polarized_fraction=share)


FUNCTIONS: dict[str, tuple[Callable[..., Tensor], tuple[float, ...]]] = {
    "lorentz": (lorentz, ()),
    "polarization": (_polarized, (26.6, 0.8)),
    "automatic slit": (lambda angle: divergence_slit(angle, "automatic"), ()),
    "thin sample": (thin_sample_absorption, (0.4,)),
    "transparency": (transparency_shift, (0.5, 200.0)),
    "suortti": (surface_roughness, (0.5, 0.2)),
    "overspill": (beam_overspill, (0.5,)),
    "displacement": (lambda angle, b: thermal_factor(angle, 1.5, b), (0.3,)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_derivatives_by_angle_and_parameters(name: str) -> None:
    function, parameters = FUNCTIONS[name]
    angles = torch.tensor([[0.3, 0.7, 1.2], [0.4, 0.9, 1.4]], dtype=torch.float64, requires_grad=True)
    values = [torch.tensor([[x], [x * 1.1]], dtype=torch.float64, requires_grad=True) for x in parameters]
    assert torch.autograd.gradcheck(function, (angles, *values))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_single_precision_follows_double(name: str) -> None:
    function, parameters = FUNCTIONS[name]
    single = function(THETA.float(), *[torch.tensor(x, dtype=torch.float32) for x in parameters])
    assert single.dtype == torch.float32
    assert function(THETA.float(), *parameters).dtype == torch.float32
    torch.testing.assert_close(single.double(), function(THETA, *parameters), rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("call", "parameter"),
    [
        (lambda: polarization(THETA, monochromator_two_theta=-1.0), "monochromator_two_theta"),
        (lambda: polarization(THETA, polarized_fraction=1.2), "polarized_fraction"),
        (lambda: polarization(THETA, position="sideways"), "position"),  # type: ignore[arg-type]
        (lambda: divergence_slit(THETA, "wide"), "divergence slit"),  # type: ignore[arg-type]
        (lambda: thin_sample_absorption(THETA, 0.0), "mu_t"),
        (lambda: thin_sample_absorption(THETA, torch.tensor([[1.0], [math.nan]])), "mu_t"),
        (lambda: transparency_shift(THETA, -0.1, 200.0), "penetration_mm"),
        (lambda: transparency_shift(THETA, 1.0, math.inf), "radius_mm"),
        (lambda: beam_overspill(THETA, 1.5), "overspill is"),
        (lambda: surface_roughness(THETA, 1.1, 0.1), "p is"),
        (lambda: surface_roughness(THETA, 0.5, -0.1), "q is"),
    ],
)
def test_values_out_of_range_are_named(call: Callable[[], Tensor], parameter: str) -> None:
    with pytest.raises(ParameterError, match=parameter) as caught:
        call()
    assert "Allowed" in caught.value.remedy
