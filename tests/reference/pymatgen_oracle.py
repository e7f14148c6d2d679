"""Powder lines beside those of pymatgen's calculator, with all switched off that it lacks: f', f'', B.

Its form factors are f0 = Z - 41.78214 s^2 sum a exp(-b s^2), of another source than ours; the comparison
is made with those and with ours, so that the table and everything else are told apart.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import gemmi
import numpy as np
import torch
from numpy.typing import NDArray

from mixrd.crystal import Crystal
from mixrd.diffraction import Scattering, lorentz_polarization, radiation, reflections, strained_sticks

Array = NDArray[np.float64]
WAVELENGTH = 1.5406
TWO_THETA_RANGE = (10.0, 90.0)
#: Lines nearer than this (degrees) are compared by their sum: pymatgen merges those within 1e-5.
SAME_LINE_DEG = 2e-4
#: pymatgen leaves out lines below 1e-5 of the strongest.
FAINTEST = 2e-5


@dataclass(frozen=True)
class StickDeviation:
    """What the comparison of one structure with pymatgen, or a calculator that has its tables, gave.

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


@dataclass(frozen=True)
class PlainLines:
    """Our lines without f', f'' and displacement; intensities with pymatgen's form factors and with ours."""

    d_spacing: Array
    two_theta: Array
    intensity: Array
    intensity_it92: Array


def pymatgen_structure(crystal: Crystal) -> Any:
    """The same crystal for pymatgen."""
    from pymatgen.core import Lattice, Structure

    sites = [crystal.sites[int(index)] for index in crystal.atoms.site]
    # Atoms that share a place stand as two sites: its structure factor is a sum over sites anyway. As one
    # site they would have to add up to 1, which water given as one atom and analysed compositions do not.
    species = [{("H" if s.element == "D" else s.element): min(s.occupancy, 1.0)} for s in sites]
    return Structure(Lattice(crystal.lattice), species, crystal.atoms.fract)


def pattern_of(
    calculator: Any, structure: Any, two_theta_range: tuple[float, float]
) -> tuple[Array, Array, Array]:
    """d (angstrom), 2theta (degrees) and intensity of the lines of pymatgen's calculator, or one like it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pattern: Any = calculator.get_pattern(structure, scaled=False, two_theta_range=two_theta_range)
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


def plain_lines(crystal: Crystal, two_theta_range: tuple[float, float]) -> PlainLines:
    """Our lines of a structure, without what pymatgen lacks."""
    table = reflections(
        crystal,
        radiation(WAVELENGTH),
        two_theta_range=two_theta_range,
        margin=0.0,
        scattering=Scattering(anomalous=False, thermal=False),
    )
    sticks = strained_sticks(table, torch.zeros(1, len(table.strain_basis), dtype=torch.float64))
    g_squared = sticks.g_squared[0]
    two_theta = 2 * torch.arcsin(0.5 * WAVELENGTH * g_squared.sqrt())
    factor = lorentz_polarization(two_theta, monochromator_two_theta=0.0).numpy()
    # All displacement is left out, so a group of atoms is an element, in the order of the sites.
    elements = list(dict.fromkeys(site.element for site in crystal.sites))
    f0 = pymatgen_form_factors(elements, g_squared.numpy() / 4)
    real, imaginary = (np.einsum("rg,rg->r", part.numpy(), f0) for part in table.phase_sums)
    return PlainLines(
        d_spacing=g_squared.numpy() ** -0.5,
        two_theta=np.degrees(two_theta.numpy()),
        intensity=table.multiplicity.numpy() * (real**2 + imaginary**2) * factor,
        intensity_it92=sticks.intensity[0].numpy() * factor,
    )


def stick_deviation(
    crystal: Crystal, *, two_theta_range: tuple[float, float] = TWO_THETA_RANGE
) -> StickDeviation:
    """Compare our sticks of a structure with pymatgen's."""
    from pymatgen.analysis.diffraction.xrd import XRDCalculator

    theirs = pattern_of(XRDCalculator(WAVELENGTH), pymatgen_structure(crystal), two_theta_range)
    return deviation(plain_lines(crystal, two_theta_range), theirs)


def deviation(ours: PlainLines, theirs: tuple[Array, Array, Array]) -> StickDeviation:
    """Compare our lines with those of `pattern_of`."""
    d_theirs, angle_theirs, intensity_theirs = theirs
    visible = ours.d_spacing[ours.intensity > FAINTEST * ours.intensity.max()]
    position = max(_farthest(d_theirs, ours.d_spacing), _farthest(visible, d_theirs))
    merged = np.sort(np.concatenate([ours.two_theta, angle_theirs]))
    gaps = np.flatnonzero(np.diff(merged) > SAME_LINE_DEG)
    edges = np.concatenate([[0.0], (merged[gaps] + merged[gaps + 1]) / 2, [180.0]])
    reference = _sums(angle_theirs, intensity_theirs, edges)
    differences = [
        np.abs(_sums(ours.two_theta, i, edges) - reference).max()
        for i in (ours.intensity, ours.intensity_it92)
    ]
    return StickDeviation(len(ours.d_spacing), position, float(differences[0]), float(differences[1]))


def _farthest(lines: Array, others: Array) -> float:
    """Largest relative distance of a line to the nearest of the others."""
    others = np.sort(others)
    place = np.searchsorted(others, lines).clip(1, max(len(others) - 1, 1))
    near = np.stack([others[place - 1], others[np.minimum(place, len(others) - 1)]])
    return float((np.abs(near / lines - 1).min(axis=0)).max())


def _sums(angle: Array, intensity: Array, edges: Array) -> Array:
    sums, _ = np.histogram(angle, bins=edges, weights=intensity)
    return sums / sums.max()
