"""How the symmetry of a crystal is spelled for other programs."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import replace

import gemmi
import numpy as np
from numpy.typing import NDArray

from mixrd.crystal import Crystal, Site
from mixrd.crystal.cell import UAniso

#: Cell lengths and angles that the system ties to an earlier one (index), or fixes (degrees).
_TIES: dict[str, dict[int, int]] = {
    "cubic": {1: 0, 2: 0},
    "tetragonal": {1: 0},
    "hexagonal": {1: 0},
    "trigonal": {1: 0},
}
_FREE_ANGLES: dict[str, tuple[int, ...]] = {"triclinic": (3, 4, 5), "monoclinic": (3, 4, 5)}


def space_group(crystal: Crystal) -> gemmi.SpaceGroup | None:
    """The tabulated setting with exactly these operations, None where there is none."""
    operations = gemmi.GroupOps([gemmi.Op(op) for op in crystal.symmetry_operations])
    return gemmi.find_spacegroup_by_ops(operations)


def spellable(crystal: Crystal, *, suffixes: bool = True) -> tuple[Crystal, gemmi.SpaceGroup]:
    """The crystal and its space group, in P 1 where the program could not be told the group.

    Parameters
    ----------
    crystal : Crystal
    suffixes : bool
        Whether the program can be told origin choice 1 and rhombohedral axes; without, it takes choice 2
        and hexagonal axes.
    """
    group = space_group(crystal)
    if group is not None and group.ext == "1" and not suffixes:
        moved = at_origin_choice_2(crystal, group)
        if moved is not None:
            return moved
    if group is None or (group.ext in ("1", "R") and not suffixes):
        return in_p1(crystal), gemmi.find_spacegroup_by_name("P 1")
    return crystal, group


def at_origin_choice_2(crystal: Crystal, group: gemmi.SpaceGroup) -> tuple[Crystal, gemmi.SpaceGroup] | None:
    """The same structure with its origin on a centre of inversion; None where no eighths lead there."""
    other = gemmi.find_spacegroup_by_name(f"{group.hm}:2")
    if other is None:
        return None
    wanted = set(other.operations())
    for shift in itertools.product(range(8), repeat=3):
        move = gemmi.Op(",".join(f"{axis}+{eighths}/8" for axis, eighths in zip("xyz", shift, strict=True)))
        back = move.inverse()
        if {(move * op * back).wrap() for op in group.operations()} == wanted:
            sites = tuple(_shifted(site, shift) for site in crystal.sites)
            operations = tuple(op.triplet() for op in other.operations())
            moved = replace(crystal, space_group=other.xhm(), symmetry_operations=operations, sites=sites)
            return moved, other
    return None


def _shifted(site: Site, eighths: tuple[int, ...]) -> Site:
    x, y, z = (value + n / 8 for value, n in zip(site.fract, eighths, strict=True))
    return replace(site, fract=(x, y, z))


def in_p1(crystal: Crystal) -> Crystal:
    """The same structure as all atoms of its cell, displacement tensors as their equivalent spheres."""
    numbers = Counter[int]()
    sites: list[Site] = []
    for index, position in zip(crystal.atoms.site.tolist(), crystal.atoms.fract.tolist(), strict=True):
        site = crystal.sites[index]
        numbers[index] += 1
        label = f"{site.label}_{numbers[index]}"
        sites.append(replace(site, label=label, fract=tuple(position), u_aniso=None))
    return replace(crystal, space_group="P 1", symmetry_operations=("x,y,z",), sites=tuple(sites))


def special_positions(crystal: Crystal) -> tuple[Site, ...]:
    """Sites moved onto the special positions that rounded coordinates (0.3333) mean, tensors with them."""
    snapped = []
    for index, site in enumerate(crystal.sites):
        chosen = np.flatnonzero(crystal.atoms.site == index)
        given = np.array(site.fract)
        offsets = crystal.atoms.fract[chosen] - given
        offsets -= np.round(offsets)
        nearest = int(np.argmin(np.linalg.norm(offsets @ crystal.lattice, axis=1)))
        x, y, z = (float(value) for value in given + offsets[nearest])
        tensor = None
        if site.u_aniso is not None:
            tensor = _displacement(crystal, crystal.atoms.u_star[chosen[nearest]])
        snapped.append(replace(site, fract=(x, y, z), u_aniso=tensor))
    return tuple(snapped)


def _displacement(crystal: Crystal, u_star: NDArray[np.float64]) -> UAniso:
    """U11, U22, U33, U12, U13, U23 in angstrom^2 of a tensor in the fractional basis."""
    reciprocal = np.linalg.norm(np.linalg.inv(crystal.lattice), axis=0)
    u = u_star / np.outer(reciprocal, reciprocal)
    rows = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))
    u11, u22, u33, u12, u13, u23 = (float(u[i, j]) for i, j in rows)
    return u11, u22, u33, u12, u13, u23


def multiplicities(crystal: Crystal) -> list[int]:
    """Atoms of each site in the cell."""
    return [int((crystal.atoms.site == index).sum()) for index in range(len(crystal.sites))]


def cell_parameters(crystal: Crystal) -> list[int | None]:
    """For each of a, b, c, alpha, beta, gamma the index of the one that it equals, None where fixed.

    A free one equals itself. A rhombohedral cell has three equal edges and three equal angles.
    """
    system = crystal.crystal_system
    rhombohedral = system == "trigonal" and abs(crystal.cell[5] - 120) > 1e-6
    ties = {1: 0, 2: 0, 4: 3, 5: 3} if rhombohedral else _TIES.get(system, {})
    free_angles = (3,) if rhombohedral else _FREE_ANGLES.get(system, ())
    if crystal.symmetry_operations == ("x,y,z",):
        # P 1 stands for a group that could not be spelled: its metric still holds.
        ties, free_angles = _metric_ties(crystal)
    right = [system == "monoclinic" and abs(angle - 90) < 1e-9 for angle in crystal.cell]
    free = [index < 3 or (index in free_angles and not right[index]) for index in range(6)]
    return [ties.get(index, index if free[index] else None) for index in range(6)]


def _metric_ties(crystal: Crystal) -> tuple[dict[int, int], tuple[int, ...]]:
    cell = crystal.cell
    ties = {j: 0 for j in (1, 2) if abs(cell[j] / cell[0] - 1) < 1e-9}
    if 2 not in ties and abs(cell[2] / cell[1] - 1) < 1e-9:
        ties[2] = 1
    free = tuple(i for i in (3, 4, 5) if min(abs(cell[i] - 90), abs(cell[i] - 120)) > 1e-9)
    return ties, free


def labelled_sites(crystal: Crystal, *, longest: int = 99) -> list[tuple[str, Site]]:
    """Sites on their special positions, each with a label of its own."""
    return list(zip(unique_labels(crystal, longest=longest), special_positions(crystal), strict=True))


def scatterer(site: Site) -> str:
    """Element of a site, deuterium as hydrogen."""
    return "H" if site.element == "D" else site.element


def unique_labels(crystal: Crystal, *, longest: int = 99) -> list[str]:
    """A label for each site: its own without white space and quotes where that is unique, else numbered."""
    plain = ["".join(ch for ch in site.label if ch.isalnum() or ch == "_") for site in crystal.sites]
    if len(set(plain)) == len(plain) and all(0 < len(label) <= longest for label in plain):
        return plain
    return [f"{site.element}{number}"[:longest] for number, site in enumerate(crystal.sites, start=1)]
