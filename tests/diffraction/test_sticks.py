"""Sticks: intensities per mass, what strain does to them, and the Lorentz-polarization factor."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mixrd.crystal import strained_cell
from mixrd.diffraction import (
    Reflections,
    lorentz_polarization,
    radiation,
    reflections,
    strained_sticks,
)
from mixrd.diffraction.form_factor import dispersion, f0_coefficients
from mixrd.errors import CrystalError
from mixrd.phases import load_phase

CU = radiation("CuKa1")
PHASES = ["aluminium", "corundum", "rutile", "aragonite", "gypsum", "zincite", "microcline"]


def table(name: str) -> Reflections:
    return reflections(load_phase(name), CU, two_theta_range=(10.0, 80.0), margin=0.0)


def unstrained(found: Reflections) -> torch.Tensor:
    return torch.zeros(1, len(found.strain_basis), dtype=torch.float64)


def test_structure_factor_of_iron_by_hand() -> None:
    """|F(110)|^2 = 4 |f0 + f' + i f''|^2 exp(-2B s^2), twelve reflections, two atoms of 55.845 u in a^3."""
    iron = load_phase("iron")
    found = table("iron")
    sticks = strained_sticks(found, unstrained(found))
    a = iron.cell[0]
    s_squared = 2 / a**2 / 4
    coefficients = f0_coefficients(["Fe"])[0]
    f0 = coefficients[8] + sum(coefficients[i] * math.exp(-coefficients[4 + i] * s_squared) for i in range(4))
    f = f0 + dispersion("Fe", CU.wavelength_angstrom)
    squared = 4 * abs(f) ** 2 * math.exp(-2 * 8 * math.pi**2 * iron.sites[0].u_iso * s_squared)
    row = [tuple(sorted(map(abs, h))) for h in found.hkl.tolist()].index((0, 1, 1))
    assert float(sticks.g_squared[0, row]) == pytest.approx(2 / a**2)
    assert float(sticks.intensity[0, row]) == pytest.approx(12 * squared / (a**3 * 2 * 55.845), rel=1e-5)


@pytest.mark.parametrize("name", PHASES)
def test_strained_sticks_are_those_of_a_crystal_with_the_strained_cell(name: str) -> None:
    crystal = load_phase(name)
    # Anisotropic displacement belongs to the fractional basis: it is kept, not turned with the strain.
    crystal = replace(crystal, sites=tuple(replace(s, u_aniso=None) for s in crystal.sites))
    found = reflections(crystal, CU, two_theta_range=(10.0, 80.0), margin=0.05)
    amplitudes = np.linspace(-0.01, 0.008, len(found.strain_basis))
    sticks = strained_sticks(found, torch.tensor(amplitudes).unsqueeze(0))
    changed = replace(crystal, cell=strained_cell(crystal, amplitudes))
    direct = reflections(changed, CU, two_theta_range=(10.0, 80.0), margin=0.0)
    expected = strained_sticks(direct, unstrained(direct))
    row = {tuple(h): i for i, h in enumerate(found.hkl.tolist())}
    row |= {tuple(-x for x in h): i for h, i in row.items()}
    rows = [row[tuple(h)] for h in direct.hkl.tolist()]
    assert len(rows) >= 4
    torch.testing.assert_close(sticks.g_squared[:, rows], expected.g_squared, rtol=1e-10, atol=0)
    scale = float(expected.intensity.max())
    torch.testing.assert_close(sticks.intensity[:, rows], expected.intensity, rtol=1e-9, atol=1e-10 * scale)


def test_batch_is_each_one_alone() -> None:
    found = table("corundum")
    strains = torch.tensor([[0.0, 0.0], [0.01, -0.01], [-0.02, 0.0]], dtype=torch.float64)
    together = strained_sticks(found, strains)
    for i in range(3):
        alone = strained_sticks(found, strains[i : i + 1])
        torch.testing.assert_close(together.g_squared[i], alone.g_squared[0])
        torch.testing.assert_close(together.intensity[i], alone.intensity[0])


def test_single_precision_is_good_to_training() -> None:
    found = table("gypsum")
    exact = strained_sticks(found, unstrained(found)).intensity
    single = strained_sticks(found.to(dtype=torch.float32), unstrained(found).float()).intensity
    assert float((single - exact).abs().max() / exact.max()) < 1e-5


def test_supercell_has_the_same_intensity_per_mass() -> None:
    """Doubling a cell doubles F, V and M: m |F|^2 / (V M) is a property of the substance."""
    crystal = load_phase("silicon")
    a = crystal.cell[0]
    shifts = [(x, y, z) for x in (0, 0.5) for y in (0, 0.5) for z in (0, 0.5)]
    atoms = [((f + np.array(s) * 2) / 2) % 1 for f in crystal.atoms.fract for s in shifts]
    site = replace(crystal.sites[0], u_aniso=None)
    doubled = replace(
        crystal,
        cell=(2 * a, 2 * a, 2 * a, 90.0, 90.0, 90.0),
        space_group="P 1",
        symmetry_operations=("x,y,z",),
        sites=tuple(replace(site, fract=tuple(f)) for f in atoms),
    )
    assert doubled.density_g_cm3 == pytest.approx(crystal.density_g_cm3)
    one, two = (reflections(c, CU, two_theta_range=(20.0, 60.0), margin=0.0) for c in (crystal, doubled))
    sums = [float(strained_sticks(t, unstrained(t)).intensity.sum()) for t in (one, two)]
    assert sums[0] == pytest.approx(sums[1], rel=1e-6)


def test_lorentz_polarization_without_monochromator() -> None:
    theta = torch.deg2rad(torch.tensor([10.0, 22.5, 45.0, 60.0], dtype=torch.float64))
    expected = (1 + torch.cos(2 * theta) ** 2) / (2 * torch.sin(theta) ** 2 * torch.cos(theta))
    torch.testing.assert_close(lorentz_polarization(2 * theta, monochromator_two_theta=0.0), expected)


@given(angle=st.floats(1.0, 170.0), monochromator=st.floats(0.0, 89.0))
@settings(max_examples=50, deadline=None)
def test_monochromator_changes_polarization_alone(angle: float, monochromator: float) -> None:
    two_theta = torch.deg2rad(torch.tensor(angle, dtype=torch.float64))
    a = math.cos(math.radians(monochromator)) ** 2
    theta = math.radians(angle / 2)
    expected = (1 + a * math.cos(2 * theta) ** 2) / (1 + a) / math.sin(theta) ** 2 / math.cos(theta)
    found = float(lorentz_polarization(two_theta, monochromator_two_theta=monochromator))
    assert found == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("element", "real", "imaginary"),
    # f', f'' at Cu K alpha, International Tables C (1992), table 4.2.6.8 (Cromer-Liberman).
    [("Si", 0.2541, 0.3302), ("Zn", -1.5491, 0.6778), ("Fe", -1.1336, 3.1974), ("O", 0.0492, 0.0322)],
)
def test_dispersion_is_that_of_the_tables(element: str, real: float, imaginary: float) -> None:
    value = dispersion(element, 1.54184)
    # Another relativistic correction in the tables: some hundredths of an electron in f'.
    assert value.real == pytest.approx(real, abs=0.06)
    assert value.imag == pytest.approx(imaginary, abs=0.02)


def test_form_factor_begins_at_the_number_of_electrons() -> None:
    for element, electrons in (("O", 8), ("Fe", 26), ("La", 57), ("D", 1)):
        row = f0_coefficients([element])[0]
        assert row[:4].sum() + row[8] == pytest.approx(electrons, abs=0.02)


def test_hydrogen_has_no_dispersion_and_deuterium_none_either() -> None:
    assert dispersion("H", 1.54) == dispersion("D", 1.54) == 0


def test_element_without_form_factor() -> None:
    with pytest.raises(CrystalError, match="no form factor is known"):
        f0_coefficients(["Og"])
