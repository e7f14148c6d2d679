"""Intensities against published, certified or measured values (Int. Tables C, table 5.2.11.1, and others)."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from mixrd.crystal import Crystal
from mixrd.diffraction import lorentz_polarization, radiation, reflections, strained_sticks
from mixrd.experiments.catalog_check import powder_lines
from mixrd.phases import load_phase


def line_intensity(crystal: Crystal, line: tuple[int, int, int], wavelength: float | str = "CuKa1") -> float:
    """Intensity per unit mass of all reflections that have the spacing of `line`."""
    beam = radiation(wavelength)
    table = reflections(crystal, beam, two_theta_range=(15.0, 90.0), margin=0.0)
    sticks = strained_sticks(table, torch.zeros(1, len(table.strain_basis), dtype=torch.float64))
    two_theta = 2 * torch.arcsin(0.5 * beam.wavelength_angstrom * sticks.g_squared[0].sqrt())
    values = sticks.intensity[0] * lorentz_polarization(two_theta, monochromator_two_theta=0.0)
    wanted = np.sum((np.array(line) @ np.linalg.inv(crystal.lattice).T) ** 2)
    same = np.isclose(sticks.g_squared[0].numpy(), wanted, rtol=1e-6)
    assert same.any()
    return float(values.numpy()[same].sum())


@pytest.mark.parametrize(
    ("name", "calculated"),
    # Values calculated elsewhere from modern structures with the same physics.
    [("zincite", 5.4), ("rutile", 3.65)],
)
def test_reference_intensity_ratio_is_that_calculated_elsewhere(name: str, calculated: float) -> None:
    _, ratio = powder_lines(load_phase(name))
    assert ratio == pytest.approx(calculated, rel=0.02)


@pytest.mark.parametrize(
    ("name", "measured"),
    [("zincite", 5.17), ("rutile", 3.39)],  # SRM 674, +-0.13 and +-0.12
)
def test_reference_intensity_ratio_is_near_the_measured(name: str, measured: float) -> None:
    """Real standards hold some amorphous material and texture: 5-10 % off is usual."""
    _, ratio = powder_lines(load_phase(name))
    assert ratio == pytest.approx(measured, rel=0.10)


@pytest.mark.parametrize(
    ("name", "line", "reference", "percent", "uncertainty"),
    [  # SRM 674, relative intensities with one standard uncertainty
        ("corundum", (1, 1, 6), (1, 1, 3), 92.5, 2.6),
        ("corundum", (1, 0, 4), (1, 1, 3), 87.4, 1.9),
        ("zincite", (1, 0, 0), (1, 0, 1), 57.6, 1.1),
        ("zincite", (0, 0, 2), (1, 0, 1), 40.2, 1.4),
        ("rutile", (2, 1, 1), (1, 1, 0), 56.9, 2.8),
        ("rutile", (1, 0, 1), (1, 1, 0), 44.0, 1.7),
    ],
)
def test_relative_intensities_of_standards(
    name: str, line: tuple[int, int, int], reference: tuple[int, int, int], percent: float, uncertainty: float
) -> None:
    crystal = load_phase(name)
    found = 100 * line_intensity(crystal, line) / line_intensity(crystal, reference)
    # What a perfect powder gives and what a standard shows differ by more than the scatter between
    # laboratories: texture and extinction, up to 12 % for the lines of corundum.
    assert found == pytest.approx(percent, abs=max(3 * uncertainty, 0.14 * percent))


def test_diamond_against_another_program() -> None:
    """(220)/(111) of AMCSD 0011242 (a = 3.5668) as the program XPOW gives it at 1.541838 A: 36.52 %."""
    crystal = load_phase("diamond")
    crystal = replace(crystal, cell=(3.5668, 3.5668, 3.5668, 90.0, 90.0, 90.0))
    ratio = line_intensity(crystal, (2, 2, 0), 1.541838) / line_intensity(crystal, (1, 1, 1), 1.541838)
    # The displacement of that entry is not known here: B up to 0.5 A^2 changes the ratio by some percent.
    assert 100 * ratio == pytest.approx(36.52, rel=0.05)
    _, i_over_ic = powder_lines(crystal)
    assert i_over_ic == pytest.approx(1.190, rel=0.03)


def test_values_tested_here_are_those_of_the_reference_table(data_dir: Path) -> None:
    with (data_dir / "reference" / "reference_values.csv").open(encoding="utf-8") as file:
        rows = {(row["quantity"], row["material"]): float(row["value"]) for row in csv.DictReader(file)}
    assert rows["I/Ic(113) measured", "SRM 674 ZnO (101)"] == 5.17
    assert rows["I/Ic(113) measured", "SRM 674 rutile (110)"] == 3.39
    assert rows["Irel 116/113", "SRM 674 corundum"] == 92.5


@pytest.mark.parametrize(
    ("name", "material", "tolerance"),
    [
        ("corundum", "SRM 674 alpha-Al2O3", 1e-3),
        ("zincite", "SRM 674 ZnO", 1e-3),
        ("rutile", "SRM 674 TiO2 rutile", 1e-3),
    ],
)
def test_cells_are_those_of_certified_standards(
    data_dir: Path, name: str, material: str, tolerance: float
) -> None:
    with (data_dir / "reference" / "reference_values.csv").open(encoding="utf-8") as file:
        rows = {(row["quantity"], row["material"]): float(row["value"]) for row in csv.DictReader(file)}
    cell = load_phase(name).cell
    certified = np.array([rows["lattice_a", material], rows["lattice_c", material]])
    assert np.array([cell[0], cell[2]]) == pytest.approx(certified, rel=tolerance)
