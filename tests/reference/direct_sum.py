"""I/Ic by a direct sum written apart from mixrd.diffraction: every hkl of the sphere, every atom.

From mixrd it takes what a CIF would hold (cell, symmetry triplets, sites); scattering factors are the
published tables as gemmi holds them. No Laue symmetry, no multiplicities, no groups of atoms.
"""

from __future__ import annotations

import re
from fractions import Fraction

import gemmi
import numpy as np
from numpy.typing import NDArray

from mixrd.crystal import Crystal

Array = NDArray[np.float64]
#: Cu K alpha1, Hölzer et al. 1997, Phys. Rev. A 56, 4554, as International Tables C quote it.
CU_KA1 = 1.5405929
HC_EV_ANGSTROM = 12398.41984
#: Lines within the resolution of the catalog's check are one line: a Gaussian of this width (degrees).
RESOLUTION_DEG = 0.15
RANGE_DEG = (2.5, 91.5)
#: Images nearer than this (angstrom) are one atom on a special position.
SAME_ATOM = 0.15


def basis(cell: tuple[float, ...]) -> Array:
    """Lattice vectors as rows, a along x, b in the xy plane."""
    a, b, c = cell[:3]
    ca, cb, cg = (np.cos(np.radians(angle)) for angle in cell[3:])
    sg = np.sqrt(1 - cg * cg)
    x = (ca - cb * cg) / sg
    return np.array([[a, 0, 0], [b * cg, b * sg, 0], [c * cb, c * x, c * np.sqrt(1 - cb * cb - x * x)]])


def operation(triplet: str) -> tuple[Array, Array]:
    """Matrix and shift of a triplet such as `-x+y,y,z+1/2`."""
    matrix, shift = np.zeros((3, 3)), np.zeros(3)
    for i, part in enumerate(triplet.lower().replace(" ", "").split(",")):
        for sign, number, letter in re.findall(r"([+-]?)(?:(\d+(?:/\d+)?)|([xyz]))", part):
            factor = -1.0 if sign == "-" else 1.0
            if letter:
                matrix[i, "xyz".index(letter)] += factor
            else:
                shift[i] += factor * float(Fraction(number))
    return matrix, shift


def sphere(lattice: Array, g_most: float) -> NDArray[np.int64]:
    limits = [int(np.linalg.norm(row) * g_most) + 1 for row in lattice]
    grids = np.meshgrid(*(np.arange(-n, n + 1) for n in limits), indexing="ij")
    return np.stack([grid.ravel() for grid in grids], axis=1)


def powder(crystal: Crystal) -> tuple[Array, Array]:
    """2theta (degrees) and |F|^2 LP / (V M) of every hkl between `RANGE_DEG`, Friedel mates apart."""
    lattice = basis(crystal.cell)
    reciprocal = np.linalg.inv(lattice).T
    low, high = (2 * np.sin(np.radians(angle / 2)) / CU_KA1 for angle in RANGE_DEG)
    hkl = sphere(lattice, high)
    length = np.linalg.norm(hkl @ reciprocal, axis=1)
    inside = (length > low) & (length < high)
    hkl, length = hkl[inside], length[inside]
    s_squared = (length / 2) ** 2
    amplitude = np.zeros(len(hkl), dtype=complex)
    mass = sum(number * gemmi.Element(element).weight for element, number in crystal.unlocated)
    operations = [operation(text) for text in crystal.symmetry_operations]
    stars = np.linalg.norm(reciprocal, axis=1)
    for site in crystal.sites:
        element = gemmi.Element("H" if site.element == "D" else site.element)
        table = element.it92
        factor = table.c + sum(a * np.exp(-b * s_squared) for a, b in zip(table.a, table.b, strict=True))
        factor = factor.astype(complex)
        if element.atomic_number > 2:
            factor += complex(*gemmi.cromer_liberman(element.atomic_number, HC_EV_ANGSTROM / CU_KA1))
        images = [matrix @ np.array(site.fract) + shift for matrix, shift in operations]
        wave = np.zeros(len(hkl), dtype=complex)
        for (matrix, _), place in zip(operations, images, strict=True):
            offset = np.array(images) - place
            offset -= offset.round()
            # Images are never merged: each counts by how often it comes back.
            times = int((np.linalg.norm(offset @ lattice, axis=1) < SAME_ATOM).sum())
            damping = np.exp(-8 * np.pi**2 * site.u_iso * s_squared)
            if site.u_aniso is not None:
                u11, u22, u33, u12, u13, u23 = site.u_aniso
                tensor = np.array([[u11, u12, u13], [u12, u22, u23], [u13, u23, u33]])
                turned = (hkl @ matrix) * stars
                damping = np.exp(-2 * np.pi**2 * np.einsum("ri,ij,rj->r", turned, tensor, turned))
            wave += damping * np.exp(2j * np.pi * (hkl @ place)) / times
            mass += site.occupancy * gemmi.Element(site.element).weight / times
        amplitude += site.occupancy * factor * wave
    theta = np.arcsin(length * CU_KA1 / 2)
    polarized = (1 + np.cos(2 * theta) ** 2) / (2 * np.sin(theta) ** 2 * np.cos(theta))
    volume = float(np.linalg.det(lattice))
    return np.degrees(2 * theta), np.abs(amplitude) ** 2 * polarized / (volume * mass)


def height(angle: Array, intensity: Array, at: float) -> float:
    """Intensity of all lines that a resolution of `RESOLUTION_DEG` gathers at this angle."""
    near = np.abs(angle - at) < 3 * RESOLUTION_DEG
    weight = np.exp(-4 * np.log(2) * ((angle[near] - at) / RESOLUTION_DEG) ** 2)
    return float((intensity[near] * weight).sum())


def strongest(crystal: Crystal) -> float:
    """Height of the strongest maximum; between lines that overlap it lies between them."""
    angle, intensity = powder(crystal)
    places = np.unique(angle.round(3))
    heights = [height(angle, intensity, at) for at in places]
    best = float(places[int(np.argmax(heights))])
    return max(height(angle, intensity, at) for at in np.arange(best - 0.15, best + 0.15, 0.005))


def corundum_113(corundum: Crystal) -> float:
    angle, intensity = powder(corundum)
    spacing = 1 / np.linalg.norm(np.array([1, 1, 3]) @ np.linalg.inv(basis(corundum.cell)).T)
    return height(angle, intensity, float(np.degrees(2 * np.arcsin(CU_KA1 / 2 / spacing))))
