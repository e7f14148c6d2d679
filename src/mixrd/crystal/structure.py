"""A crystal structure: cell, symmetry and sites, with what follows from them (formula, density)."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import gemmi
import numpy as np
from numpy.typing import NDArray

from mixrd.errors import CrystalError

Cell = tuple[float, float, float, float, float, float]
UAniso = tuple[float, float, float, float, float, float]

#: Unified atomic mass unit over cubic angstrom, in g/cm3 (CODATA 2018).
AMU_PER_A3_IN_G_CM3 = 1.66053906660
#: Images of one site closer than this (angstrom) are the same atom on a special position.
SAME_ATOM_ANGSTROM = 0.15
#: A symmetry operation may change the metric by this much (relative to the squared lengths): cells are
#: published rounded, and some pseudo-symmetric ones with free parameters.
METRIC_TOLERANCE = 0.01


@dataclass(frozen=True)
class Site:
    """One site of the asymmetric unit.

    Attributes
    ----------
    label : str
        Label of the site in its source.
    element : str
        Element symbol ("D" is deuterium).
    fract : tuple of three float
        Fractional coordinates.
    occupancy : float
        Chemical occupancy, 0-1: share of the site that holds this element.
    u_iso : float
        Isotropic (or equivalent) mean-square displacement in angstrom^2.
    u_aniso : tuple of six float or None
        U11, U22, U33, U12, U13, U23 in angstrom^2, referred to a*, b*, c*.
    charge : int
        Formal charge where the source states one.
    """

    label: str
    element: str
    fract: tuple[float, float, float]
    occupancy: float
    u_iso: float
    u_aniso: UAniso | None = None
    charge: int = 0


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
    fract: NDArray[np.float64]
    u_star: NDArray[np.float64]


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
        _check_cell(self)
        _check_sites(self)

    @cached_property
    def lattice(self) -> NDArray[np.float64]:
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

    def to_dict(self) -> dict[str, Any]:
        """Plain data that `from_dict` takes back."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Crystal:
        """Crystal from what `to_dict` gave (or its JSON)."""
        sites = tuple(
            Site(
                label=s["label"],
                element=s["element"],
                fract=tuple(s["fract"]),
                occupancy=s["occupancy"],
                u_iso=s["u_iso"],
                u_aniso=None if s["u_aniso"] is None else tuple(s["u_aniso"]),
                charge=s["charge"],
            )
            for s in data["sites"]
        )
        return cls(
            name=data["name"],
            cell=tuple(data["cell"]),
            space_group=data["space_group"],
            symmetry_operations=tuple(data["symmetry_operations"]),
            sites=sites,
            source=data["source"],
            notes=tuple(data["notes"]),
            unlocated=tuple((element, number) for element, number in data["unlocated"]),
        )


def _check_cell(crystal: Crystal) -> None:
    a, b, c, alpha, beta, gamma = crystal.cell
    cosines = [math.cos(math.radians(x)) for x in (alpha, beta, gamma)]
    gram = 1 - sum(x * x for x in cosines) + 2 * cosines[0] * cosines[1] * cosines[2]
    finite = all(math.isfinite(x) for x in crystal.cell)
    if not finite or min(a, b, c) < 1.0 or max(a, b, c) > 1000.0 or gram <= 1e-6:
        raise CrystalError(
            f"{crystal.name}: the unit cell {crystal.cell} has no volume or an edge outside 1-1000 A",
            remedy="Check cell lengths (angstrom) and angles (degrees)",
        )
    metric = crystal.lattice @ crystal.lattice.T
    scale = np.sqrt(np.outer(metric.diagonal(), metric.diagonal()))
    rotations = np.array([gemmi.Op(op).rot for op in crystal.symmetry_operations]) / gemmi.Op.DEN
    change = (rotations.transpose(0, 2, 1) @ metric @ rotations - metric) / scale
    if np.abs(change).max() > METRIC_TOLERANCE:
        raise CrystalError(
            f"{crystal.name}: the unit cell {crystal.cell} lacks the symmetry of {crystal.space_group}",
            remedy="Check cell angles, space group and its setting",
        )


def _check_sites(crystal: Crystal) -> None:
    if not crystal.sites:
        raise CrystalError(
            f"{crystal.name}: the structure has no atom sites", remedy="Give a CIF with atom coordinates"
        )
    for site in crystal.sites:
        if gemmi.Element(site.element).atomic_number == 0:
            raise CrystalError(
                f"{crystal.name}: site {site.label} has the unknown element {site.element!r}",
                remedy="Correct the element symbol in _atom_site_type_symbol",
            )
        if not all(math.isfinite(x) for x in (*site.fract, site.occupancy, site.u_iso)):
            raise CrystalError(
                f"{crystal.name}: site {site.label} has a coordinate, occupancy or U that is no number",
                remedy="Complete the atom site",
            )
        if not 0.0 < site.occupancy <= 1.0 + 1e-3:
            raise CrystalError(
                f"{crystal.name}: site {site.label} has occupancy {site.occupancy:g}, outside 0-1",
                remedy="Give the chemical occupancy of the site, not one weighted by multiplicity",
            )


def _expand(crystal: Crystal) -> AtomsInCell:
    """Apply every symmetry operation to every site and merge images on special positions."""
    operations = [gemmi.Op(op) for op in crystal.symmetry_operations]
    rotations = np.array([op.rot for op in operations], dtype=np.float64) / gemmi.Op.DEN
    shifts = np.array([op.tran for op in operations], dtype=np.float64) / gemmi.Op.DEN
    index: list[int] = []
    positions: list[NDArray[np.float64]] = []
    tensors: list[NDArray[np.float64]] = []
    for i, site in enumerate(crystal.sites):
        u_star = _u_star(site, crystal)
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


def _u_star(site: Site, crystal: Crystal) -> NDArray[np.float64]:
    if site.u_aniso is None:
        return np.zeros((3, 3))
    u11, u22, u33, u12, u13, u23 = site.u_aniso
    tensor = np.array([[u11, u12, u13], [u12, u22, u23], [u13, u23, u33]])
    reciprocal_lengths = np.linalg.norm(np.linalg.inv(crystal.lattice), axis=0)
    return tensor * np.outer(reciprocal_lengths, reciprocal_lengths)


def _formula(content: dict[str, float], units: int) -> str:
    """Formula per unit: metals first, then nonmetals, O and halogens last."""
    counts = np.array(list(content.values()))
    numbers = counts / units
    pairs = dict(zip(content, numbers, strict=True))

    def rank(element: str) -> tuple[int, str]:
        if gemmi.Element(element).is_metal:
            return 0, element
        return (2 if element in ("O", "F", "Cl", "Br", "I") else 1), element

    return "".join(f"{e}{'' if abs(pairs[e] - 1) < 5e-3 else format(round(pairs[e], 2), 'g')}"
                   for e in sorted(pairs, key=rank))  # fmt: skip
