"""What cannot be a crystal: cells without volume, occupancies, displacements and coordinates out of range."""

from __future__ import annotations

import math
from collections.abc import Sequence

import gemmi
import numpy as np
from numpy.typing import NDArray

from mixrd.crystal.cell import Cell, Floats, Site, UAniso
from mixrd.errors import CrystalError

#: Images of one site closer than this (angstrom) are the same atom on a special position.
SAME_ATOM_ANGSTROM = 0.15
#: A symmetry operation may change the metric by this much (relative to the squared lengths): cells are
#: published rounded, and some pseudo-symmetric ones with free parameters.
METRIC_TOLERANCE = 0.01
EDGE_RANGE_ANGSTROM = (1.0, 1000.0)
#: Largest sum of the occupancies of elements that share a place. Rounded or analysed compositions add up
#: to a little more than 1 (in 45 of 8500 structures of the AMCSD, up to 1.15); what is beyond (10 of
#: them, 1.5 and more) is a wrong position or occupancy.
MOST_SHARED_OCCUPANCY = 1.15
#: Mean-square displacements are known to about this much (angstrom^2): one that is negative by less is
#: zero. At Cu K alpha it changes no atom's amplitude by more than 3 %.
U_TOLERANCE = 1e-3
#: An atom with a larger displacement (angstrom^2) scatters nowhere: B was given for U, or a digit is wrong.
MOST_U = 5.0


def check_cell(name: str, cell: Cell) -> None:
    """Raise `CrystalError` unless edges and angles enclose a volume."""
    low, high = EDGE_RANGE_ANGSTROM
    for edge, value in zip("abc", cell[:3], strict=True):
        if not low <= value <= high:
            raise CrystalError(
                f"{name}: the unit cell's edge {edge} is {value:g} A",
                remedy=f"Check the cell. Allowed: {low:g} to {high:g} A",
            )
    for angle, value in zip(("alpha", "beta", "gamma"), cell[3:], strict=True):
        if not 0.0 < value < 180.0:
            raise CrystalError(
                f"{name}: the unit cell's angle {angle} is {value:g} deg",
                remedy="Check the cell. Allowed: above 0 and below 180 deg",
            )
    cosines = [math.cos(math.radians(x)) for x in cell[3:]]
    if 1 - sum(x * x for x in cosines) + 2 * math.prod(cosines) <= 1e-6:
        raise CrystalError(
            f"{name}: the unit cell's angles {', '.join(f'{x:g}' for x in cell[3:])} deg enclose no volume",
            remedy="Check the cell. Each angle must be less than the sum of the other two, and all three "
            "together less than 360 deg",
        )


def check_symmetry(
    name: str, cell: Cell, space_group: str, operations: Sequence[str], lattice: Floats
) -> None:
    """Raise `CrystalError` unless the cell has the symmetry of the operations."""
    rotations, _ = matrices(operations)
    if metric_change(rotations, lattice) > METRIC_TOLERANCE:
        raise CrystalError(
            f"{name}: the unit cell {cell} lacks the symmetry of {space_group}",
            remedy="Check cell angles, space group and its setting",
        )


def metric_change(rotations: Floats, lattice: Floats) -> float:
    """Largest change of the metric by a rotation of (M, 3, 3), relative to the squared lengths."""
    metric = lattice @ lattice.T
    scale = np.sqrt(np.outer(metric.diagonal(), metric.diagonal()))
    change: Floats = (rotations.transpose(0, 2, 1) @ metric @ rotations - metric) / scale
    return float(np.abs(change).max())


def check_sites(name: str, sites: Sequence[Site], operations: Sequence[str], lattice: Floats) -> None:
    """Raise `CrystalError` unless each site is an atom somewhere, and none is held more than once."""
    if not sites:
        raise CrystalError(
            f"{name}: the structure has no atom sites", remedy="Give a CIF with atom coordinates"
        )
    for site in sites:
        _check_site(name, site)
        _check_displacement(name, site, lattice)
    totals = shared_occupancy(sites, operations, lattice)
    worst = int(np.argmax(totals))
    if totals[worst] > MOST_SHARED_OCCUPANCY + 1e-6:
        raise CrystalError(
            f"{name}: the occupancies at the place of site {sites[worst].label} add up to "
            f"{totals[worst]:.4g}",
            remedy=f"Check the sites there. Allowed: 0 to {MOST_SHARED_OCCUPANCY:g} in all",
        )


def _check_site(name: str, site: Site) -> None:
    if gemmi.Element(site.element).atomic_number == 0:
        raise CrystalError(
            f"{name}: site {site.label} has the unknown element {site.element!r}",
            remedy="Correct the element symbol in _atom_site_type_symbol",
        )
    if not all(math.isfinite(x) for x in (*site.fract, site.occupancy, site.u_iso, *(site.u_aniso or ()))):
        raise CrystalError(
            f"{name}: site {site.label} has a coordinate, occupancy or U that is no number",
            remedy="Complete the atom site",
        )
    if not 0.0 < site.occupancy <= 1.0 + 1e-3:
        raise CrystalError(
            f"{name}: site {site.label} has occupancy {site.occupancy:g}, outside 0-1",
            remedy="Give the chemical occupancy of the site, not one weighted by multiplicity",
        )
    if not -U_TOLERANCE <= site.u_iso <= MOST_U:
        raise CrystalError(
            f"{name}: site {site.label} has the displacement U = {site.u_iso:g} A^2",
            remedy=f"Check U and whether it is B = 8 pi^2 U. Allowed: 0 to {MOST_U:g} A^2",
        )


def _check_displacement(name: str, site: Site, lattice: Floats) -> None:
    if site.u_aniso is None:
        return
    tensor = lattice.T @ fractional_displacement(site.u_aniso, lattice) @ lattice
    values = np.linalg.eigvalsh(tensor)
    if values[0] < -U_TOLERANCE or values[-1] > MOST_U:
        raise CrystalError(
            f"{name}: site {site.label} has anisotropic U with the principal values "
            f"{', '.join(f'{x:.3g}' for x in values)} A^2: it is not positive definite, or far too large",
            remedy=f"Check U11 to U23 of the site, or leave them out. Allowed: 0 to {MOST_U:g} A^2",
        )


def fractional_displacement(u_aniso: UAniso, lattice: Floats) -> Floats:
    """(3, 3) tensor in the fractional basis, see `AtomsInCell.u_star`."""
    u11, u22, u33, u12, u13, u23 = u_aniso
    tensor = np.array([[u11, u12, u13], [u12, u22, u23], [u13, u23, u33]])
    reciprocal_lengths = np.linalg.norm(np.linalg.inv(lattice), axis=0)
    return tensor * np.outer(reciprocal_lengths, reciprocal_lengths)


def not_negative(u_aniso: UAniso, lattice: Floats) -> UAniso:
    """U_ij with principal values between -`U_TOLERANCE` and 0 set to 0."""
    principal, axes = np.linalg.eigh(lattice.T @ fractional_displacement(u_aniso, lattice) @ lattice)
    if principal[0] >= 0 or principal[0] < -U_TOLERANCE:
        return u_aniso
    inverse = np.linalg.inv(lattice)
    lengths = np.linalg.norm(inverse, axis=0)
    u = inverse.T @ (axes * principal.clip(0.0)) @ axes.T @ inverse / np.outer(lengths, lengths)
    u11, u22, u33, u12, u13, u23 = (float(x) for x in u[[0, 1, 2, 0, 0, 1], [0, 1, 2, 1, 2, 2]])
    return u11, u22, u33, u12, u13, u23


def shared_occupancy(sites: Sequence[Site], operations: Sequence[str], lattice: Floats) -> Floats:
    """(S,) sum of the occupancies at the place of each site, by symmetry or as stated.

    Hydrogen is not counted: in water that is given as one atom it has the place of its oxygen.
    """
    occupancy = np.array([0.0 if gemmi.Element(s.element).is_hydrogen else s.occupancy for s in sites])
    totals: Floats = same_place(np.array([s.fract for s in sites]), operations, lattice) @ occupancy
    return totals


def same_place(fract: Floats, operations: Sequence[str], lattice: Floats) -> NDArray[np.bool_]:
    """(S, S): whether two of the places `fract` (S, 3) are one, or images of each other."""
    rotations, shifts = matrices(operations)
    same = np.eye(len(fract), dtype=bool)
    for i in range(len(fract) - 1):
        offsets = (rotations @ fract[i] + shifts)[:, None] - fract[i + 1 :]
        offsets -= np.round(offsets)
        same[i, i + 1 :] = (((offsets @ lattice) ** 2).sum(axis=2) < SAME_ATOM_ANGSTROM**2).any(axis=0)
    return same | same.T


def matrices(operations: Sequence[str]) -> tuple[Floats, Floats]:
    """(M, 3, 3) rotations and (M, 3) shifts of coordinate triplets."""
    parsed = [gemmi.Op(text) for text in operations]
    rotations = np.array([op.rot for op in parsed], dtype=np.float64) / gemmi.Op.DEN
    return rotations, np.array([op.tran for op in parsed], dtype=np.float64) / gemmi.Op.DEN
