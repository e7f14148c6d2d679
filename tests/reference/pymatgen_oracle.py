"""Powder lines beside those of pymatgen's calculator, with all switched off that it lacks: f', f'', B.

Its form factors are f0 = Z - 41.78214 s^2 sum a exp(-b s^2), of another source than ours; the comparison
is made with those and with ours, so that the table and everything else are told apart.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Any

import gemmi
import numpy as np
import torch
from numpy.typing import NDArray

from mixrd.crystal import Crystal
from mixrd.diffraction import lorentz_polarization, radiation, reflections, strained_sticks

Array = NDArray[np.float64]
WAVELENGTH = 1.5406
TWO_THETA_RANGE = (10.0, 90.0)
#: Lines nearer than this (degrees) are compared by their sum: pymatgen merges those within 1e-5.
SAME_LINE_DEG = 2e-4
#: pymatgen leaves out lines below 1e-5 of the strongest.
FAINTEST = 2e-5


@dataclass(frozen=True)
class StickDeviation:
    """What the comparison of one structure gave.

    Attributes
    ----------
    reflections : int
        Inequivalent reflections in the range.
    position : float
        Largest relative difference in d between a line of pymatgen and the nearest of ours, or one of
        ours (above `FAINTEST`) and the nearest of pymatgen's.
    intensity, intensity_it92 : float
        Largest difference of intensities relative to the strongest line, with pymatgen's form factors
        and with ours.
    """

    reflections: int
    position: float
    intensity: float
    intensity_it92: float


def pymatgen_pattern(crystal: Crystal, two_theta_range: tuple[float, float]) -> tuple[Array, Array, Array]:
    """d (angstrom), 2theta (degrees) and intensity of pymatgen's lines."""
    from pymatgen.analysis.diffraction.xrd import XRDCalculator
    from pymatgen.core import Lattice, Structure

    sites = [crystal.sites[int(index)] for index in crystal.atoms.site]
    # Atoms that share a place stand as two sites: its structure factor is a sum over sites anyway.
    species = [{("H" if s.element == "D" else s.element): min(s.occupancy, 1.0)} for s in sites]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        structure = Structure(Lattice(crystal.lattice), species, crystal.atoms.fract)
        pattern: Any = XRDCalculator(WAVELENGTH).get_pattern(
            structure, scaled=False, two_theta_range=two_theta_range
        )
    return np.asarray(pattern.d_hkls), np.asarray(pattern.x), np.asarray(pattern.y)


def pymatgen_form_factors(elements: list[str], s_squared: Array) -> Array:
    """(R, E) form factors from pymatgen's table."""
    from pymatgen.analysis.diffraction.xrd import ATOMIC_SCATTERING_PARAMS

    columns = []
    for element in ("H" if name == "D" else name for name in elements):
        a, b = np.array(ATOMIC_SCATTERING_PARAMS[element]).T
        bound = (a * np.exp(-b * s_squared[:, None])).sum(axis=1)
        columns.append(gemmi.Element(element).atomic_number - 41.78214 * s_squared * bound)
    return np.stack(columns, axis=1)


def stick_deviation(
    crystal: Crystal, *, two_theta_range: tuple[float, float] = TWO_THETA_RANGE
) -> StickDeviation:
    """Compare our sticks of a structure with pymatgen's."""
    plain = replace(crystal, sites=tuple(replace(s, u_iso=0.0, u_aniso=None) for s in crystal.sites))
    table = reflections(plain, radiation(WAVELENGTH), two_theta_range=two_theta_range, margin=0.0)
    table = replace(table, anomalous=torch.zeros_like(table.anomalous))
    sticks = strained_sticks(table, torch.zeros(1, len(table.strain_basis), dtype=torch.float64))
    g_squared = sticks.g_squared[0]
    two_theta = 2 * torch.arcsin(0.5 * WAVELENGTH * g_squared.sqrt())
    factor = lorentz_polarization(two_theta, monochromator_two_theta=0.0).numpy()
    ours = sticks.intensity[0].numpy() * factor
    # All displacement is zero, so a group of atoms is an element, in the order of the sites.
    elements = list(dict.fromkeys(site.element for site in plain.sites))
    f0 = pymatgen_form_factors(elements, g_squared.numpy() / 4)
    real, imaginary = (np.einsum("rg,rg->r", part.numpy(), f0) for part in table.phase_sums)
    same_f0 = table.multiplicity.numpy() * (real**2 + imaginary**2) * factor

    d_theirs, angle_theirs, theirs = pymatgen_pattern(crystal, two_theta_range)
    d_ours, angle_ours = g_squared.numpy() ** -0.5, np.degrees(two_theta.numpy())
    visible = d_ours[same_f0 > FAINTEST * same_f0.max()]
    position = max(_farthest(d_theirs, d_ours), _farthest(visible, d_theirs))
    merged = np.sort(np.concatenate([angle_ours, angle_theirs]))
    gaps = np.flatnonzero(np.diff(merged) > SAME_LINE_DEG)
    edges = np.concatenate([[0.0], (merged[gaps] + merged[gaps + 1]) / 2, [180.0]])
    reference = _sums(angle_theirs, theirs, edges)
    differences = [np.abs(_sums(angle_ours, i, edges) - reference).max() for i in (same_f0, ours)]
    return StickDeviation(len(table), position, float(differences[0]), float(differences[1]))


def _farthest(lines: Array, others: Array) -> float:
    """Largest relative distance of a line to the nearest of the others."""
    others = np.sort(others)
    place = np.searchsorted(others, lines).clip(1, max(len(others) - 1, 1))
    near = np.stack([others[place - 1], others[np.minimum(place, len(others) - 1)]])
    return float((np.abs(near / lines - 1).min(axis=0)).max())


def _sums(angle: Array, intensity: Array, edges: Array) -> Array:
    sums, _ = np.histogram(angle, bins=edges, weights=intensity)
    return sums / sums.max()
