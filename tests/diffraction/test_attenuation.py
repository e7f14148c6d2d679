"""Attenuation against published coefficients; Brindley's factor against quadrature and published fits."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.stats import qmc

from mixrd.crystal import Crystal, Site
from mixrd.diffraction import (
    brindley_factor,
    contrast_warning_limit,
    edges_near,
    linear_attenuation_per_mm,
    mass_attenuation_cm2_g,
    near_edge,
    powder_class,
    radiation,
)
from mixrd.diffraction.attenuation import absorption_cross_section
from mixrd.diffraction.radiation import EmissionLine, Radiation
from mixrd.errors import CrystalError, ParameterError, RadiationError
from mixrd.phases import load_phase

CU = 1.5418

#: Total and photoelectric mass attenuation at 1.5418 A in cm2/g: Elam, Ravel & Sieber (2002), Radiat. Phys.
#: Chem. 63, 121, as XrayDB 4.5 holds them.
PUBLISHED_CU = {
    "O": (11.45, 10.99),
    "F": (15.77, 15.25),
    "Na": (29.73, 29.04),
    "Mg": (39.98, 39.21),
    "Al": (49.57, 48.76),
    "Si": (63.73, 62.84),
    "P": (75.47, 74.55),
    "S": (93.29, 92.29),
    "Ca": (170.24, 169.03),
    "Ti": (199.69, 198.45),
    "Cr": (247.22, 245.80),
    "Fe": (301.66, 300.05),
    "Co": (320.71, 319.02),
    "Ni": (48.82, 46.95),
    "Cu": (51.81, 49.88),
    "Zn": (57.92, 55.88),
    "Zr": (133.77, 131.08),
    "Ba": (328.97, 325.38),
    "W": (168.29, 162.85),
    "Pb": (225.71, 219.70),
}


@pytest.mark.parametrize("element", PUBLISHED_CU)
def test_mass_attenuation_of_the_elements(element: str) -> None:
    total, photoelectric = PUBLISHED_CU[element]
    found = mass_attenuation_cm2_g(element, CU)
    assert found == pytest.approx(photoelectric, rel=0.04)
    assert found == pytest.approx(total, rel=0.08)


def test_mass_attenuation_of_the_elements_on_average() -> None:
    ratios = [mass_attenuation_cm2_g(e, CU) / photo for e, (_, photo) in PUBLISHED_CU.items()]
    assert 0.975 < float(np.mean(ratios)) < 1.0


@pytest.mark.parametrize(
    ("element", "photoelectric"), [("Al", 4.70), ("Ca", 18.64), ("Fe", 36.68), ("Pb", 118.38)]
)
def test_mass_attenuation_at_mo(element: str, photoelectric: float) -> None:
    """Photoelectric part at 0.70932 A, from the same tables."""
    assert mass_attenuation_cm2_g(element, 0.70931715) == pytest.approx(photoelectric, rel=0.03)


def test_crystals_mix_their_elements_by_mass() -> None:
    corundum = load_phase("corundum")
    aluminium, oxygen = 2 * 26.9815, 3 * 15.9994
    mixed = aluminium * mass_attenuation_cm2_g("Al", CU) + oxygen * mass_attenuation_cm2_g("O", CU)
    mixed /= aluminium + oxygen
    assert mass_attenuation_cm2_g(corundum, CU) == pytest.approx(mixed, rel=1e-4)


@pytest.mark.parametrize(("name", "per_cm"), [("corundum", 125.8), ("zincite", 278.9), ("fluorite", 297.0)])
def test_linear_attenuation_of_the_round_robin_phases(name: str, per_cm: float) -> None:
    """From the totals above, by hand: density times the mass fractions' mean.

    Corundum 3.99 (0.5293 x 49.57 + 0.4707 x 11.45), zincite 5.68 (0.8034 x 57.92 + 0.1966 x 11.45),
    fluorite 3.18 (0.5133 x 170.24 + 0.4867 x 15.77), within what scattering adds.
    """
    crystal = load_phase(name)
    assert linear_attenuation_per_mm(crystal, CU) * 10 == pytest.approx(per_cm, rel=0.07)
    linear = mass_attenuation_cm2_g(crystal, CU) * crystal.density_g_cm3 / 10
    assert linear_attenuation_per_mm(crystal, CU) == pytest.approx(linear, rel=1e-12)


def test_hydrogen_and_deuterium_absorb_nothing_photoelectrically() -> None:
    assert absorption_cross_section("H", CU) == absorption_cross_section("D", CU) == 0.0


def test_attenuation_of_an_unknown_element_or_wavelength() -> None:
    with pytest.raises(CrystalError, match="Qq"):
        mass_attenuation_cm2_g("Qq", CU)
    for wavelength in (0.0, -1.0, 11.0, math.nan):
        with pytest.raises(RadiationError, match=r"0\.05-10 A"):
            mass_attenuation_cm2_g("Fe", wavelength)
        with pytest.raises(RadiationError, match=r"0\.05-10 A"):
            near_edge("Fe", wavelength)


def _sphere_integral(contrast: float, two_theta: float) -> float:
    """Mean of exp(-contrast x) over a sphere of diameter 1, x the path in and out, by quasi-Monte Carlo."""
    u, v, w = qmc.Sobol(3, seed=1).random(2**14).T
    sine = np.sqrt(1 - (2 * v - 1) ** 2)
    direction = np.stack([sine * np.cos(2 * np.pi * w), sine * np.sin(2 * np.pi * w), 2 * v - 1], 1)
    points = 0.5 * u[:, None] ** (1 / 3) * direction
    path = np.zeros(len(points))
    for ray in ([0.0, 0.0, -1.0], [math.sin(two_theta), 0.0, math.cos(two_theta)]):
        along = points @ np.array(ray)
        path += -along + np.sqrt(along**2 - (points**2).sum(1) + 0.25)
    return float(np.exp(-contrast * path).mean())


@pytest.mark.parametrize("contrast", [-0.5, -0.1, 0.1, 1.0, 3.0])
def test_brindley_factor_is_the_integral_over_a_sphere(contrast: float) -> None:
    found = float(brindley_factor(contrast * 1e3, 1.0))
    assert found == pytest.approx(_sphere_integral(contrast, 0.0), rel=5e-4)


@pytest.mark.parametrize("contrast", [-0.2, 0.2])
def test_brindley_factor_hardly_depends_on_the_angle(contrast: float) -> None:
    found = float(brindley_factor(contrast * 1e3, 1.0))
    assert found == pytest.approx(_sphere_integral(contrast, math.pi / 2), rel=2.5e-3)


def test_brindley_factor_in_closed_form() -> None:
    u = torch.tensor([-20.0, -5.0, -0.5, 0.5, 5.0, 20.0], dtype=torch.float64)
    closed = 3 * (2 - torch.exp(-u) * (u * u + 2 * u + 2)) / u**3
    torch.testing.assert_close(brindley_factor(u * 100, 10.0), closed, rtol=1e-11, atol=0)


def test_brindley_factor_agrees_with_the_published_fit() -> None:
    """1 - 1.450 x + 1.426 x^2, x = (mu - mean mu) R, fitted to Brindley's table for |x| <= 0.1 (FullProf)."""
    x = torch.linspace(-0.1, 0.1, 21, dtype=torch.float64)
    torch.testing.assert_close(brindley_factor(2e3 * x, 1.0), 1 - 1.450 * x + 1.426 * x**2, rtol=0.01, atol=0)


def test_brindley_factor_without_contrast_and_its_trend() -> None:
    assert float(brindley_factor(0.0, 10.0)) == pytest.approx(1.0, abs=1e-14)
    tau = brindley_factor(torch.linspace(-500, 500, 101, dtype=torch.float64), 10.0)
    assert (tau.diff() < 0).all() and (tau > 0).all()
    assert float(brindley_factor(20.0, 5.0)) < 1 < float(brindley_factor(-20.0, 5.0))


def test_brindley_factor_derivatives_and_precision() -> None:
    mu = torch.tensor([-30.0, 0.0, 12.0], dtype=torch.float64, requires_grad=True)
    size = torch.tensor([[2.0], [15.0]], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(brindley_factor, (mu, size))
    single = brindley_factor(mu.detach().float(), size.detach().float())
    assert single.dtype == torch.float32
    torch.testing.assert_close(single.double(), brindley_factor(mu, size).detach(), rtol=1e-6, atol=0)


def test_brindley_classes() -> None:
    sizes = (0.5, 5.0, 50.0, 500.0)
    assert [powder_class(12.0, d) for d in sizes] == ["fine", "medium", "coarse", "very coarse"]
    limit = contrast_warning_limit(12.0)
    assert powder_class(12.0, 0.99 * limit) == "fine"
    assert powder_class(12.0, 1.01 * limit) == "medium"


@pytest.mark.parametrize(
    ("call", "parameter"),
    [
        (lambda: brindley_factor(10.0, 0.0), "particle_size_um"),
        (lambda: brindley_factor(10.0, math.inf), "particle_size_um"),
        (lambda: brindley_factor(math.nan, 1.0), "mu_difference_per_mm"),
        (lambda: brindley_factor(100.0, 1000.0), "mu_difference_per_mm"),
        (lambda: powder_class(-1.0, 1.0), "mu_per_mm"),
        (lambda: contrast_warning_limit(0.0), "mu_per_mm"),
        (lambda: near_edge("Fe", CU, tolerance=0.5), "tolerance"),
    ],
)
def test_values_out_of_range_are_named(call: Callable[[], object], parameter: str) -> None:
    with pytest.raises(ParameterError, match=parameter):
        call()


#: K edges, and L3 and L1 edges of W and Ba in angstrom: Sasaki's tables (absorption coefficients, KEK).
EDGES = [
    ("Ca", 3.0703),
    ("Fe", 1.74346),
    ("Co", 1.60815),
    ("Ni", 1.48807),
    ("Cu", 1.38059),
    ("Zn", 1.28340),
    ("Zr", 0.68883),
    ("W", 1.2155),
    ("W", 1.02467),
    ("Ba", 2.0678),
]


@pytest.mark.parametrize(("element", "edge"), EDGES)
def test_edges_are_found(element: str, edge: float) -> None:
    assert near_edge(element, edge * 0.993) and near_edge(element, edge) and near_edge(element, edge * 1.007)
    # 1.3 %: outside the window, and inside a wider one.
    assert not near_edge(element, edge * 1.013) and not near_edge(element, edge * 0.987)
    assert near_edge(element, edge * 1.013, tolerance=0.02)


def test_usual_radiation_lies_away_from_the_edges_of_usual_elements() -> None:
    assert not any(
        near_edge(e, 1.5406) for e in ("H", "O", "Al", "Si", "Ca", "Ti", "Fe", "Co", "Ni", "Zn", "Zr")
    )
    assert near_edge("Cu", 1.39223)  # Cu K beta: 0.8 % from the K edge of copper
    assert near_edge("Co", 1.62083)  # Co K beta


def oxide(*metals: str) -> Crystal:
    cell = (4.2, 4.2, 4.2, 90.0, 90.0, 90.0)
    sites = [Site(m, m, (0.1 * i, 0.0, 0.0), 1.0, 0.005) for i, m in enumerate((*metals, "O"))]
    return Crystal("oxide", cell, "P 1", ("x,y,z",), tuple(sites))


@pytest.mark.parametrize(
    ("beam", "near"),
    # K edges of V and Ru, the L2 edge of Pr, L1 and L3 of Eu, L3 of Ho.
    [("CrKa", ("V",)), ("FeKa", ("Pr",)), ("CoKa", ("Eu",)), ("CuKa", ("Eu", "Ho")), ("AgKa", ("Ru",)),
     ("MoKa", ())],
)  # fmt: skip
def test_elements_near_an_edge_of_the_usual_tubes(beam: str, near: tuple[str, ...]) -> None:
    metals = ("V", "Ru", "Pr", "Eu", "Ho", "Ti", "Mn", "Fe", "Co", "Ni", "Cu", "Zn", "Zr", "Mo")
    assert edges_near(oxide(*metals[:9]), radiation(beam)) == tuple(m for m in metals[:9] if m in near)
    assert edges_near(oxide(*metals[9:]), radiation(beam)) == ()


def test_edge_beside_the_weaker_line_counts_and_that_of_a_trace_does_not() -> None:
    def beam(share: float) -> Radiation:
        # Cu K beta lies 0.8 % from the K edge of copper.
        return Radiation("Cu", (EmissionLine(1.5406, 1 - share), EmissionLine(1.39223, share)))

    assert edges_near(oxide("Cu"), beam(0.2)) == ("Cu",)
    assert edges_near(oxide("Cu"), beam(0.01)) == ()
