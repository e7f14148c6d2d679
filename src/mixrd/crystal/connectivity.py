"""Which atoms of a crystal are bonded, and in how many dimensions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import gemmi
import numpy as np
from numpy.typing import NDArray

from mixrd.crystal.cell import Floats
from mixrd.crystal.structure import Crystal
from mixrd.crystal.validity import SAME_ATOM_ANGSTROM

#: Two atoms are bonded up to this much (angstrom) beyond the sum of their covalent radii (Cordero et al.,
#: Dalton Trans. 2008, 2832, as gemmi holds them): the margin used for the Cambridge Structural Database.
BOND_TOLERANCE = 0.4
#: Nearer than this (angstrom) two positions are alternatives of one atom, not two atoms.
SAME_PLACE = 0.5
#: Partly occupied sites whose occupancies sum to no more than this are not filled at once.
ALTERNATIVES = 1.02


@dataclass(frozen=True)
class BondGraph:
    """Atoms of one unit cell and the bonds between them and their images.

    Attributes
    ----------
    elements : (A,) tuple of str
        Element of each atom of `Crystal.atoms`; deuterium is H.
    occupancy : (A,) float array
    pairs : (B, 2) int array
        The bonded atoms i and j of each bond, each bond once.
    shifts : (B, 3) int array
        Unit cell that j lies in, seen from that of i.
    """

    elements: tuple[str, ...]
    occupancy: Floats
    pairs: NDArray[np.int64]
    shifts: NDArray[np.int64]

    def without(self, atoms: NDArray[np.bool_]) -> BondGraph:
        """The graph less all bonds of these atoms ((A,) bool), which stay as lone atoms."""
        kept = ~atoms[self.pairs].any(axis=1)
        return replace(self, pairs=self.pairs[kept], shifts=self.shifts[kept])


@dataclass(frozen=True)
class Component:
    """Atoms that are connected by bonds.

    Attributes
    ----------
    atoms : (n,) int array
        Which atoms of the cell, sorted.
    dimension : int
        In how many directions it goes on for ever: 0 molecule or ion, 1 chain, 2 layer, 3 framework.
    """

    atoms: NDArray[np.int64]
    dimension: int


def bond_graph(crystal: Crystal, disorder: Mapping[str, int] | None = None) -> BondGraph:
    """Bonds of a crystal by the distances of its atoms.

    Hydrogen has one bond, to its nearest neighbour, so that no hydrogen bond counts. Two metal atoms are
    bonded only where neither is bonded to a nonmetal: in salts and complexes, large cations touch without a
    bond. Two sites that are not filled at once do not bond each other.

    Parameters
    ----------
    crystal : Crystal
    disorder : mapping of str to int, optional
        Disorder group of each site by its label (`_atom_site_disorder_group`; 0 is none): partly occupied
        atoms of one group are there together and do bond, those of different groups never.
    """
    elements, occupancy, radius = _atoms(crystal)
    i, j, shift, length = _neighbours(crystal, 2 * float(radius.max()) + BOND_TOLERANCE)
    bonded = (length < radius[i] + radius[j] + BOND_TOLERANCE) & (length > SAME_PLACE)

    labels = [crystal.sites[int(i)].label for i in crystal.atoms.site]
    group = np.array([(disorder or {}).get(label, 0) for label in labels])
    grouped = (group[i] != 0) & (group[j] != 0)
    one_group = grouped & (group[i] == group[j])
    together = one_group | ~_alternatives(occupancy[i], occupancy[j])
    bonded &= together & ~(grouped & ~one_group)

    metal = np.array([gemmi.Element(e).is_metal for e in elements])
    mixed = bonded & (metal[i] != metal[j])
    in_salt = np.zeros(len(elements), dtype=bool)
    in_salt[i[mixed]] = in_salt[j[mixed]] = True
    bonded &= ~(metal[i] & metal[j] & (in_salt[i] | in_salt[j]))

    i, j, shift, length = i[bonded], j[bonded], shift[bonded], length[bonded]
    kept = _one_bond_per_hydrogen(np.array(elements) == "H", i, j, length)
    return BondGraph(elements, occupancy, np.stack([i, j], axis=1)[kept], shift[kept])


def nearest_contact(crystal: Crystal) -> tuple[float, str, str] | None:
    """The two atoms that are nearest for their size, of those that are there at once.

    Several elements of one label at one place do not count: so water is kept that was given as one atom.

    Returns
    -------
    (float, str, str) or None
        Distance over the sum of the covalent radii, and the labels of both; None where all are far apart.
    """
    _, occupancy, radius = _atoms(crystal)
    i, j, _, length = _neighbours(crystal, 2 * float(radius.max()))
    label = np.array([crystal.sites[int(k)].label for k in crystal.atoms.site])
    one_place = (label[i] == label[j]) & (length < SAME_ATOM_ANGSTROM)
    together = ~_alternatives(occupancy[i], occupancy[j]) & ~one_place
    if not together.any():
        return None
    relative = np.where(together, length / (radius[i] + radius[j]), np.inf)
    near = int(relative.argmin())
    return float(relative[near]), str(label[i[near]]), str(label[j[near]])


def coordination(crystal: Crystal, reach: float) -> NDArray[np.int64]:
    """(A,) number of neighbours of each atom, up to `reach` times the sum of the covalent radii away."""
    elements, _, radius = _atoms(crystal)
    i, j, _, length = _neighbours(crystal, 2 * reach * float(radius.max()))
    near = (length < reach * (radius[i] + radius[j])) & (length > SAME_PLACE)
    ends = np.concatenate([i[near], j[near]])
    return np.bincount(ends, minlength=len(elements))


def _atoms(crystal: Crystal) -> tuple[tuple[str, ...], Floats, Floats]:
    """Element (deuterium as H), occupancy and covalent radius in angstrom of each atom of the cell."""
    sites = [crystal.sites[int(i)] for i in crystal.atoms.site]
    elements = tuple("H" if s.element == "D" else s.element for s in sites)
    radius = np.array([gemmi.Element(e).covalent_r for e in elements])
    return elements, np.array([s.occupancy for s in sites]), radius


def _alternatives(one: Floats, other: Floats) -> NDArray[np.bool_]:
    """Whether two sites of these occupancies need not be filled at once."""
    return (one < 1) & (other < 1) & (one + other <= ALTERNATIVES)


def _neighbours(
    crystal: Crystal, cutoff: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], Floats]:
    """All pairs of atoms within `cutoff` angstrom, each once: i, j, the cell of j, distance."""
    fract, lattice = crystal.atoms.fract, crystal.lattice
    spacing = 1 / np.linalg.norm(np.linalg.inv(lattice), axis=0)
    reach = np.ceil(cutoff / spacing).astype(int)
    cells = np.stack(np.meshgrid(*[np.arange(-n, n + 1) for n in reach], indexing="ij"), -1).reshape(-1, 3)
    near = [np.empty((0, 4))]
    for k, cell in enumerate(cells):
        offset = (fract[None] + cell - fract[:, None]) @ lattice
        square = np.einsum("ijx,ijx->ij", offset, offset)
        i, j = np.nonzero(square < cutoff**2)
        near.append(np.stack([i, j, np.full(len(i), k), np.sqrt(square[i, j])], axis=1))
    found = np.concatenate(near)
    i, j, image = found[:, :3].astype(np.int64).T
    shift, length = cells[image], found[:, 3]
    # Of the two ways to write a bond the one that goes to the later atom, or to the later cell.
    ahead = np.sign(shift @ np.array([1_000_000, 1_000, 1]))
    once = (i < j) | ((i == j) & (ahead > 0))
    return i[once], j[once], shift[once], length[once]


def _one_bond_per_hydrogen(
    hydrogen: NDArray[np.bool_], i: NDArray[np.int64], j: NDArray[np.int64], length: Floats
) -> NDArray[np.bool_]:
    """Which bonds are left when each hydrogen keeps its shortest."""
    kept = np.ones(len(i), dtype=bool)
    bonded: set[int] = set()
    for bond in np.argsort(length, kind="stable"):
        ends = {int(atom) for atom in (i[bond], j[bond]) if hydrogen[atom]}
        kept[bond] = bonded.isdisjoint(ends)
        if kept[bond]:
            bonded |= ends
    return kept


def components(graph: BondGraph) -> list[Component]:
    """Connected parts of a bond graph, with the dimension in which each is periodic.

    A part is walked along a spanning tree, which gives each atom a unit cell. Every bond that closes a cycle
    leads back to a copy of an atom some lattice translation away; the rank of these translations is
    the dimension.
    """
    neighbours: list[list[tuple[int, NDArray[np.int64]]]] = [[] for _ in graph.elements]
    for (i, j), shift in zip(graph.pairs, graph.shifts, strict=True):
        neighbours[i].append((int(j), shift))
        neighbours[j].append((int(i), -shift))
    cell: dict[int, NDArray[np.int64]] = {}
    found = []
    for start in range(len(graph.elements)):
        if start in cell:
            continue
        cell[start] = np.zeros(3, dtype=np.int64)
        part, translations, stack = [start], set(), [start]
        while stack:
            atom = stack.pop()
            for other, shift in neighbours[atom]:
                there = cell[atom] + shift
                if other not in cell:
                    cell[other] = there
                    part.append(other)
                    stack.append(other)
                elif (step := tuple((there - cell[other]).tolist())) != (0, 0, 0):
                    translations.add(step)
        rank = int(np.linalg.matrix_rank(np.array(sorted(translations)))) if translations else 0
        found.append(Component(np.array(sorted(part)), rank))
    return found
