"""What decides between readings where a file states nothing else: room and neighbours of atoms, equality."""

from __future__ import annotations

from dataclasses import replace

import gemmi
import numpy as np
from numpy.typing import NDArray

from mixrd.crystal.cell import Cell, Floats
from mixrd.crystal.connectivity import coordination, nearest_contact
from mixrd.crystal.structure import Crystal

#: Nearest distance of two atoms other than hydrogen over the sum of their covalent radii. Of 5200 structures
#: of the AMCSD 1 % are below 0.6, most of them by mistake, and 7 % below 0.8.
NEAREST = 0.60
#: Of two readings that differ by this much in it, one below `CLOSE`, the other is taken.
NEARER_BY = 0.15
CLOSE = 0.75
#: Atoms nearer than this overlap, whatever they are.
OVERLAP = 0.50
#: Cells with more atoms are not searched for contacts.
_MOST_ATOMS = 1500
#: Neighbours are atoms up to this many times the sum of the covalent radii away.
_NEIGHBOUR = 1.3
#: Elements that may have fewer than three neighbours: end atoms, molecules, noble gases.
_FEW_NEIGHBOURS = frozenset(["C", "N", "O", "F", "Cl", "Br", "I", "S", "Se"])
_ALONE = frozenset(["H", "D", "He", "Ne", "Ar", "Kr", "Xe"])
#: In 98 % of 740 structures less than this share of the cations (or of all atoms) lacks neighbours; it is
#: reached in 60 % where all symmetry but x,y,z was taken away.
MOST_UNBOUND = 0.25


def contact(crystal: Crystal) -> float:
    """`nearest_contact` of the atoms other than hydrogen; 1 where there is none, or too many atoms."""
    heavy = tuple(s for s in crystal.sites if not gemmi.Element(s.element).is_hydrogen)
    if not heavy or len(crystal.atoms.site) > _MOST_ATOMS:
        return 1.0
    near = nearest_contact(crystal if len(heavy) == len(crystal.sites) else replace(crystal, sites=heavy))
    return 1.0 if near is None else min(1.0, near[0])


def unbound(crystal: Crystal) -> float:
    """Share of the cations with less than three neighbours, or of all atoms without one if that is more."""
    heavy = tuple(s for s in crystal.sites if s.element not in _ALONE)
    if not heavy or len(crystal.atoms.site) > _MOST_ATOMS:
        return 0.0
    kept = replace(crystal, sites=heavy)
    number = coordination(kept, _NEIGHBOUR)
    elements = [kept.sites[int(i)].element for i in kept.atoms.site]
    cation = np.array([element not in _FEW_NEIGHBOURS for element in elements])
    few = float((number[cation] < 3).mean()) if cation.any() else 0.0
    return max(few, float((number == 0).mean()))


def is_special(cell: Cell) -> bool:
    """Whether a cell has right angles, or equal edges and angles, as no triclinic crystal has by chance."""
    a, b, c, *angles = cell
    right = sum(abs(angle - 90.0) < 0.01 for angle in angles)
    equal = abs(a - b) < 1e-4 * a and (abs(b - c) < 1e-4 * a or abs(angles[2] - 120.0) < 0.01)
    return right == 3 or (equal and (right == 2 or max(angles) - min(angles) < 0.01))


def same_powder(one: Crystal, other: Crystal) -> bool:
    """Whether two readings in one cell have the same powder pattern (to 1e-3, by electrons at rest)."""
    if one.cell != other.cell or not _same_content(one, other):
        return False
    numbers = np.stack(np.meshgrid(*[np.arange(-3, 4)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    reciprocal = np.linalg.inv(one.lattice)
    shell = np.round(np.linalg.norm(numbers @ reciprocal.T, axis=1), 5)
    _, group = np.unique(shell, return_inverse=True)
    powders = [np.bincount(group, _intensities(crystal, numbers)) for crystal in (one, other)]
    return bool(np.abs(powders[0] - powders[1]).max() <= 1e-3 * powders[0][1:].max(initial=1.0))


def _same_content(one: Crystal, other: Crystal) -> bool:
    contents = one.cell_content, other.cell_content
    return contents[0].keys() == contents[1].keys() and all(
        abs(number - contents[1][element]) < 1e-3 * max(1.0, number)
        for element, number in contents[0].items()
    )


def _intensities(crystal: Crystal, numbers: NDArray[np.int64]) -> Floats:
    sites = [crystal.sites[int(i)] for i in crystal.atoms.site]
    electrons = np.array([gemmi.Element(s.element).atomic_number * s.occupancy for s in sites])
    amplitude = np.exp(2j * np.pi * (numbers @ crystal.atoms.fract.T)) @ electrons
    intensity: Floats = np.abs(amplitude) ** 2
    return intensity
