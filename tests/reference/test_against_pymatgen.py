"""Powder lines against pymatgen's calculator, with all switched off that it lacks: f', f'', displacement.

Its form factors come from another table (Doyle-Turner-like fits to s^2), so intensities agree to some
parts in a hundred of the strongest line, not better.
"""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch

from mixrd.crystal import Crystal
from mixrd.diffraction import lorentz_polarization, radiation, reflections, strained_sticks
from mixrd.phases import load_phase

WAVELENGTH = 1.5406
#: Intensity, relative to the strongest line of the pattern.
TOLERANCE = 0.02
#: One of every crystal system at least, chosen before comparing.
PHASES = (
    "silicon", "fluorite", "pyrite", "rutile", "zircon", "corundum", "quartz", "calcite", "zincite",
    "aragonite", "anhydrite", "baddeleyite", "gypsum", "kaolinite",
)  # fmt: skip


def pymatgen_lines(crystal: Crystal) -> tuple[np.ndarray, np.ndarray]:
    from pymatgen.analysis.diffraction.xrd import XRDCalculator
    from pymatgen.core import Lattice, Structure

    species: list[dict[str, float]] = []
    places: list[np.ndarray] = []
    for index, fract in zip(crystal.atoms.site, crystal.atoms.fract, strict=True):
        site = crystal.sites[index]
        for place, content in zip(places, species, strict=True):
            if np.allclose((place - fract + 0.5) % 1.0, 0.5, atol=1e-3):
                content[site.element] = content.get(site.element, 0.0) + site.occupancy
                break
        else:
            places.append(fract)
            species.append({site.element: site.occupancy})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        structure = Structure(Lattice(crystal.lattice), species, places)
        pattern = XRDCalculator(WAVELENGTH).get_pattern(structure, scaled=False, two_theta_range=(10, 90))
    return np.asarray(pattern.x), np.asarray(pattern.y)


def our_lines(crystal: Crystal) -> tuple[np.ndarray, np.ndarray]:
    plain = replace(crystal, sites=tuple(replace(s, u_iso=0.0, u_aniso=None) for s in crystal.sites))
    table = reflections(plain, radiation(WAVELENGTH), two_theta_range=(10.0, 90.0), margin=0.0)
    table = replace(table, anomalous=torch.zeros_like(table.anomalous))
    sticks = strained_sticks(table, torch.zeros(1, len(table.strain_basis), dtype=torch.float64))
    two_theta = 2 * torch.arcsin(0.5 * WAVELENGTH * sticks.g_squared[0].sqrt())
    intensity = sticks.intensity[0] * lorentz_polarization(two_theta, monochromator_two_theta=0.0)
    return np.degrees(two_theta.numpy()), intensity.numpy()


def summed(angle: np.ndarray, intensity: np.ndarray, edges: np.ndarray) -> np.ndarray:
    sums, _ = np.histogram(angle, bins=edges, weights=intensity)
    return sums / sums.max()


@pytest.mark.parametrize("name", PHASES)
def test_lines_agree(name: str) -> None:
    crystal = load_phase(name)
    angle, intensity = our_lines(crystal)
    other_angle, other_intensity = pymatgen_lines(crystal)
    strong = other_angle[other_intensity > 0.02 * other_intensity.max()]
    assert all(np.abs(angle - x).min() < 2e-3 for x in strong)
    # Bins whose edges fall between lines, so that rounding moves none from one to the next.
    merged = np.sort(np.concatenate([angle, other_angle]))
    gaps = np.flatnonzero(np.diff(merged) > 0.02)
    edges = np.concatenate([[5.0], (merged[gaps] + merged[gaps + 1]) / 2, [95.0]])
    ours, theirs = summed(angle, intensity, edges), summed(other_angle, other_intensity, edges)
    assert np.abs(ours - theirs).max() < TOLERANCE


def test_intensity_per_mass_between_phases() -> None:
    """Ratio of unscaled intensities per mass of two phases: what weight fractions rest on."""
    ratios = []
    for lines in (our_lines, pymatgen_lines):
        strongest = []
        for name in ("corundum", "fluorite"):
            crystal = load_phase(name)
            value = float(np.max(lines(crystal)[1]))
            if lines is pymatgen_lines:
                # It gives m |F|^2 LP of one cell.
                value /= crystal.volume * crystal.mass_per_cell
            strongest.append(value)
        ratios.append(strongest[0] / strongest[1])
    assert ratios[0] == pytest.approx(ratios[1], rel=0.03)
