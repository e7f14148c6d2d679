"""A crystal structure: cell, symmetry and sites, with what follows from them (formula, density)."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property
from typing import Any

import gemmi
import numpy as np
from numpy.typing import NDArray

from mixrd.crystal.cell import Cell, Floats, Site
from mixrd.crystal.objects import parts_from_ase, parts_from_pymatgen
from mixrd.crystal.validity import (
    SAME_ATOM_ANGSTROM,
    check_cell,
    check_sites,
    check_symmetry,
    fractional_displacement,
    matrices,
)

#: Unified atomic mass unit over cubic angstrom, in g/cm3 (CODATA 2018).
AMU_PER_A3_IN_G_CM3 = 1.66053906660
#: B = 8 pi^2 U, displacement factor over mean-square displacement.
B_OVER_U = 8 * math.pi**2


@dataclass(frozen=True)
class AtomsInCell:
    """All atoms of one unit cell.

    Attributes
    ----------
    site : (A,) int array
        Index of the site that each atom is an image of.
    fract : (A, 3) float array
        Fractional coordinates.
    u_star : (A, 3, 3) float array
        Displacement tensor in the fractional basis, so that the Debye-Waller factor of F is
        exp(-2 pi^2 h^T u_star h); zero for isotropic sites (`Site.u_iso` holds those).
    """

    site: NDArray[np.int64]
    fract: Floats
    u_star: Floats


@dataclass(frozen=True)
class Crystal:
    """A crystal structure.

    Attributes
    ----------
    name : str
        What the user calls it.
    cell : tuple of six float
        a, b, c in angstrom, alpha, beta, gamma in degrees.
    space_group : str
        Hermann-Mauguin symbol, with setting.
    symmetry_operations : tuple of str
        All operations as coordinate triplets ("x,y,z", centring included).
    sites : tuple of Site
        The asymmetric unit.
    source : str
        Reference and database number, or the file.
    notes : tuple of str
        What had to be decided when it was read (default displacement factors, ...).
    unlocated : tuple of (element, number)
        Atoms of the unit cell whose positions are not known (hydrogen, mostly): they count in mass,
        density and formula, and do not scatter.

    Raises
    ------
    CrystalError
        If the cell has no volume or not the symmetry of the operations; if a site has an unknown element,
        a coordinate that is no number, an occupancy or displacement out of range (see
        `mixrd.crystal.validity`); or if the occupancies at one place add up to much more than 1.
    """

    name: str
    cell: Cell
    space_group: str
    symmetry_operations: tuple[str, ...]
    sites: tuple[Site, ...]
    source: str = ""
    notes: tuple[str, ...] = ()
    unlocated: tuple[tuple[str, float], ...] = ()

    def __post_init__(self) -> None:
        check_cell(self.name, self.cell)
        check_symmetry(self.name, self.cell, self.space_group, self.symmetry_operations, self.lattice)
        check_sites(self.name, self.sites, self.symmetry_operations, self.lattice)

    @cached_property
    def lattice(self) -> Floats:
        """(3, 3) lattice vectors as rows, in angstrom."""
        return np.asarray(gemmi.UnitCell(*self.cell).orth.mat.tolist(), dtype=np.float64).T

    @cached_property
    def volume(self) -> float:
        """Volume of the unit cell in cubic angstrom."""
        return float(gemmi.UnitCell(*self.cell).volume)

    @cached_property
    def atoms(self) -> AtomsInCell:
        """All atoms of the unit cell, images on special positions merged."""
        return _expand(self)

    @cached_property
    def cell_content(self) -> dict[str, float]:
        """Atoms of each element in the unit cell, occupancies counted."""
        content: dict[str, float] = {}
        for index in self.atoms.site:
            site = self.sites[int(index)]
            content[site.element] = content.get(site.element, 0.0) + site.occupancy
        for element, number in self.unlocated:
            content[element] = content.get(element, 0.0) + number
        return content

    @cached_property
    def mass_per_cell(self) -> float:
        """Mass of the unit cell in unified atomic mass units."""
        return sum(n * gemmi.Element(element).weight for element, n in self.cell_content.items())

    @property
    def density_g_cm3(self) -> float:
        """Density that follows from cell and content, in g/cm3."""
        return self.mass_per_cell / self.volume * AMU_PER_A3_IN_G_CM3

    @property
    def formula(self) -> str:
        """Cell content over its largest common divisor."""
        return _formula(self.cell_content, self.formula_units)

    @property
    def formula_units(self) -> int:
        """Formula units in the unit cell (1 where the content has no common divisor)."""
        counts = np.array(list(self.cell_content.values()))
        rounded = np.round(counts).astype(int)
        whole = np.allclose(counts, rounded, atol=0.02) and rounded.min() > 0
        return int(np.gcd.reduce(rounded)) if whole else 1

    @cached_property
    def crystal_system(self) -> str:
        """Crystal system that the point group belongs to, in lower case."""
        group = gemmi.find_spacegroup_by_ops(
            gemmi.GroupOps([gemmi.Op(op) for op in self.symmetry_operations])
        ) or gemmi.find_spacegroup_by_name(self.space_group)
        return group.crystal_system_str() if group else "triclinic"

    @classmethod
    def from_pymatgen(cls, structure: Any, name: str | None = None) -> Crystal:
        """Crystal from a pymatgen Structure, see `mixrd.crystal.objects.parts_from_pymatgen`."""
        return cls._named(name, parts_from_pymatgen(structure))

    @classmethod
    def from_ase(cls, atoms: Any, name: str | None = None) -> Crystal:
        """Crystal from ASE Atoms, see `mixrd.crystal.objects.parts_from_ase`."""
        return cls._named(name, parts_from_ase(atoms))

    @classmethod
    def _named(cls, name: str | None, parts: dict[str, Any]) -> Crystal:
        """Crystal from all but its name, which is its formula unless given."""
        crystal = cls(name=name or "structure", **parts)
        return crystal if name is not None else replace(crystal, name=crystal.formula)

    def to_dict(self) -> dict[str, Any]:
        """Plain data that `from_dict` takes back."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Crystal:
        """Crystal from what `to_dict` gave (or its JSON)."""
        sites = tuple(Site(**_frozen_fields(Site, site)) for site in data["sites"])
        return cls(**{**_frozen_fields(cls, data), "sites": sites})


def _frozen_fields(kind: type[Site] | type[Crystal], data: dict[str, Any]) -> dict[str, Any]:
    return {field.name: _frozen(data[field.name]) for field in fields(kind)}


def _frozen(value: Any) -> Any:
    """Lists of JSON as tuples."""
    return tuple(map(_frozen, value)) if isinstance(value, list | tuple) else value


def _expand(crystal: Crystal) -> AtomsInCell:
    """Apply every symmetry operation to every site and merge images on special positions."""
    rotations, shifts = matrices(crystal.symmetry_operations)
    index: list[int] = []
    positions: list[Floats] = []
    tensors: list[Floats] = []
    for i, site in enumerate(crystal.sites):
        u_star = np.zeros((3, 3))
        if site.u_aniso is not None:
            u_star = fractional_displacement(site.u_aniso, crystal.lattice)
        images = rotations @ np.asarray(site.fract) + shifts
        offsets = images - images[:, None]
        offsets -= np.round(offsets)
        same = np.linalg.norm(offsets @ crystal.lattice, axis=2) < SAME_ATOM_ANGSTROM
        first: list[int] = []
        for k in range(len(images)):
            if not same[k, first].any():
                first.append(k)
        for k in first:
            # The mean of coinciding images puts a rounded coordinate (0.3333) on its special position.
            positions.append(images[k] + offsets[k, same[k]].mean(axis=0))
            tensors.append((rotations[same[k]] @ u_star @ rotations[same[k]].transpose(0, 2, 1)).mean(axis=0))
            index.append(i)
    return AtomsInCell(np.array(index), np.array(positions) % 1.0, np.array(tensors))


def _formula(content: dict[str, float], units: int) -> str:
    """Formula per unit: metals first, then nonmetals, O and halogens last."""
    pairs = dict(zip(content, np.array(list(content.values())) / units, strict=True))

    def rank(element: str) -> tuple[int, str]:
        if gemmi.Element(element).is_metal:
            return 0, element
        return (2 if element in ("O", "F", "Cl", "Br", "I") else 1), element

    return "".join(f"{e}{'' if abs(pairs[e] - 1) < 5e-3 else format(round(pairs[e], 2), 'g')}"
                   for e in sorted(pairs, key=rank))  # fmt: skip
