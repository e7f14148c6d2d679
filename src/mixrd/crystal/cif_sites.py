"""The atom sites of a CIF under one reading of its symmetry and its labels."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import gemmi
import numpy as np

from mixrd.crystal.cell import Floats, Site
from mixrd.crystal.cif_document import COORDINATES
from mixrd.crystal.displacement import default_u_iso, stated_displacement
from mixrd.crystal.site_species import Species, species
from mixrd.crystal.validity import matrices, same_place, shared_occupancy
from mixrd.errors import CrystalError

#: A hydrogen within this distance (angstrom) of the oxygen of a water molecule, and nearer to it than to any
#: other atom, is its own: O-H is 0.7 to 1.1 A long as X-rays and neutrons find it.
OWN_HYDROGEN = 1.35
#: Larger fractional coordinates are a slip: a few cells away is the most that programs write.
_MOST_COORDINATE = 100.0


@dataclass(frozen=True)
class ListedSites:
    """The sites of a file with what each holds, before symmetry.

    Attributes
    ----------
    raws : tuple of gemmi.SmallStructure.Site
    held : tuple of Species
        What each of them holds.
    lattice : (3, 3) float array
        Rows are the lattice vectors in angstrom.
    cell : gemmi.UnitCell
    notes : tuple of str
        On sites that were left out.
    zeros : tuple of str
        Labels of the sites with "." for a coordinate, taken as 0.
    """

    raws: tuple[gemmi.SmallStructure.Site, ...]
    held: tuple[Species, ...]
    lattice: Floats
    cell: gemmi.UnitCell
    notes: tuple[str, ...] = ()
    zeros: tuple[str, ...] = ()

    def holding(self, others: Mapping[int, Species]) -> ListedSites:
        """The same sites, of which some (by their index) hold something else."""
        return replace(self, held=tuple(others.get(i, held) for i, held in enumerate(self.held)))


def listed_sites(
    block: gemmi.cif.Block, structure: gemmi.SmallStructure, formula: Mapping[str, float] | None
) -> ListedSites:
    """The sites of a file.

    Hydrogen and dummy atoms without coordinates are left out with a note. A "." for a coordinate, which the
    old files of ICSD write for 0, is taken so; whoever uses the sites has to see that they make sense.

    Raises
    ------
    CrystalError
        If another site lacks a coordinate, or a label names no element.
    """
    raws, held, left_out, zeros = [], [], [], []
    rows = [tuple(row) for row in block.find(list(COORDINATES))]
    flags = [str(flag).lower() for flag in block.find_loop("_atom_site_calc_flag")]
    for i, raw in enumerate(structure.sites):
        missing = [axis for axis in range(3) if not math.isfinite(raw.fract.tolist()[axis])]
        dummy = i < len(flags) and flags[i] == "dum"
        if missing and (dummy or raw.element.is_hydrogen):
            left_out.append(raw.label)
            continue
        if missing:
            if len(rows) != len(structure.sites) or any(rows[i][axis] != "." for axis in missing):
                raise CrystalError(
                    f"site {raw.label} has no coordinates", remedy="Complete or remove the site"
                )
            raw = raw.clone()
            raw.fract = gemmi.Fractional(*(0.0 if math.isnan(x) else x for x in raw.fract.tolist()))
            zeros.append(raw.label)
        if max(abs(x) for x in raw.fract.tolist()) > _MOST_COORDINATE:
            raise CrystalError(
                f"site {raw.label} has the coordinates {', '.join(f'{x:g}' for x in raw.fract.tolist())}",
                remedy="Give fractions of the cell's edges (_atom_site_fract_x, _y, _z)",
            )
        raws.append(raw)
        held.append(species(raw, formula))
    notes = [f"{', '.join(left_out)}: no coordinates, left out"] if left_out else []
    lattice = np.asarray(structure.cell.orth.mat.tolist(), dtype=np.float64).T
    return ListedSites(tuple(raws), tuple(held), lattice, structure.cell, tuple(notes), tuple(zeros))


def sites_of(listed: ListedSites, operations: tuple[str, ...]) -> tuple[tuple[Site, ...], list[str]]:
    """The asymmetric unit under these symmetry operations, and notes on what was decided for it."""
    elements = {element for held in listed.held for element, _ in held.parts}
    organic = {"C", "H"} <= elements
    sites: list[Site] = []
    notes = list(listed.notes)
    without_u: list[str] = []
    own = _own_hydrogen(listed, operations)
    for i in _listed_once(listed, operations, notes):
        raw, held = listed.raws[i], listed.held[i]
        if held.note and i not in own:
            notes.append(held.note)
        if raw.occ == 0.0:
            notes.append(f"{raw.label}: occupancy 0, left out")
            continue
        u_iso, u_aniso, said = stated_displacement(raw, listed.cell, listed.lattice)
        if said:
            notes.append(f"{raw.label}: {said}")
        for element, number in _parts(raw, held, own.get(i, 0.0), notes):
            if u_iso is None and not said:
                without_u.append(raw.label)
            u = default_u_iso(element, organic=organic) if u_iso is None else u_iso
            occupancy = raw.occ if number == int(number) else raw.occ * number
            place = (raw.fract.x, raw.fract.y, raw.fract.z)
            site = Site(raw.label, element, place, min(occupancy, 1.0) if occupancy < 1.001 else occupancy,
                        u, u_aniso, int(raw.charge))  # fmt: skip
            sites += [site] * (int(number) if number == int(number) else 1)
    if without_u:
        notes.append(
            f"no displacement parameter given for {', '.join(dict.fromkeys(without_u))}: "
            "room-temperature defaults per element class are used"
        )
    notes += _overfull(sites, operations, listed.lattice)
    return tuple(sites), notes


def _parts(
    raw: gemmi.SmallStructure.Site, held: Species, own: float, notes: list[str]
) -> list[tuple[str, float]]:
    """Elements and numbers of a site, less the hydrogen of a group that has sites of its own."""
    if not held.group or own == 0:
        return list(held.parts)
    (heavy, _), (light, number) = held.parts
    left = max(0.0, round(number - own))
    kind = "water" if (heavy, number) == ("O", 2.0) else f"{heavy}{light}{number:g}"
    notes.append(
        f"{raw.label}: {kind} whose hydrogen is listed too, taken as {heavy}"
        + (f" and {left:g} {light} at its place" if left else "")
    )
    return [(heavy, 1.0), *([(light, left)] if left else [])]


def _own_hydrogen(listed: ListedSites, operations: tuple[str, ...]) -> dict[int, float]:
    """Listed hydrogen atoms around each group that brings its own (water as one atom), by its index.

    A hydrogen counts for the atom that is nearest to it, so that those of OH groups stay apart.
    """
    groups = [i for i, held in enumerate(listed.held) if held.group]
    hydrogen = [i for i, held in enumerate(listed.held)
                if held.parts[0][0] in ("H", "D") and listed.raws[i].occ > 0]  # fmt: skip
    if not groups or not hydrogen:
        return {}
    places = np.array([raw.fract.tolist() for raw in listed.raws])
    rotations, shifts = matrices(operations)
    own: dict[int, float] = {}
    others = [i for i in range(len(places)) if i not in hydrogen]
    images = {i: _images(rotations @ places[i] + shifts, listed.lattice) for i in hydrogen}
    for group in groups:
        for i in hydrogen:
            offsets = images[i] - places[group]
            near = images[i][
                np.linalg.norm((offsets - np.round(offsets)) @ listed.lattice, axis=1) < OWN_HYDROGEN
            ]
            for place in near:
                if _nearest(place, others, places, rotations, shifts, listed.lattice, group):
                    own[group] = own.get(group, 0.0) + listed.raws[i].occ / max(listed.raws[group].occ, 1e-9)
    return own


def _images(places: Floats, lattice: Floats) -> Floats:
    """The distinct ones of these places (M, 3)."""
    kept: list[Floats] = []
    for place in places:
        if kept:
            offsets = np.array(kept) - place
            if (np.linalg.norm((offsets - np.round(offsets)) @ lattice, axis=1) < 0.15).any():
                continue
        kept.append(place)
    return np.array(kept)


def _nearest(
    place: Floats,
    others: Sequence[int],
    places: Floats,
    rotations: Floats,
    shifts: Floats,
    lattice: Floats,
    group: int,
) -> bool:
    """Whether of all atoms other than hydrogen an image of `group` is nearest to `place`."""
    images = rotations @ places[list(others)].T + shifts[:, :, None]
    offsets = images.transpose(2, 0, 1) - place
    distance = np.linalg.norm((offsets - np.round(offsets)) @ lattice, axis=2).min(axis=1)
    return bool(distance[list(others).index(group)] <= distance.min() + 1e-6)


def _listed_once(listed: ListedSites, operations: tuple[str, ...], notes: list[str]) -> list[int]:
    """The sites without those that only repeat another: fully occupied, same element, same place."""
    raws = listed.raws
    fract = np.array([raw.fract.tolist() for raw in raws]).reshape(-1, 3)
    same = same_place(fract, operations, listed.lattice)
    kept: list[int] = []
    for i, raw in enumerate(raws):
        full = raw.occ > 0.999
        twin = next((k for k in kept if same[i, k] and full and raws[k].occ > 0.999
                     and listed.held[k].parts == listed.held[i].parts), None)  # fmt: skip
        if twin is None:
            kept.append(i)
        else:
            notes.append(f"{raw.label}: the same atom as {raws[twin].label} by symmetry, counted once")
    return kept


def _overfull(sites: Sequence[Site], operations: tuple[str, ...], lattice: Floats) -> list[str]:
    totals = shared_occupancy(sites, operations, lattice)
    overfull = [f"{s.label} ({total:.3g})" for s, total in zip(sites, totals, strict=True) if total > 1.005]
    if not overfull:
        return []
    return [f"occupancies at one place add up to more than 1, used as stated: {', '.join(overfull)}"]
