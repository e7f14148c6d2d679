"""Readings of one CIF that differ in symmetry or elements: which of them is the structure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import gemmi
import numpy as np
from numpy.typing import NDArray

from mixrd.crystal.cif_symmetry import Setting, SymmetryReadings, fewer_operations
from mixrd.crystal.connectivity import nearest_contact
from mixrd.crystal.stated import Comparison, Grade, Stated, compare
from mixrd.crystal.structure import Crystal
from mixrd.errors import CrystalError

#: Nearest distance of two atoms other than hydrogen over the sum of their covalent radii. Of 5200 structures
#: 1 % are below 0.6, most of them by mistake, and 7 % below 0.8.
NEAREST = 0.60
#: Of two readings that differ by this much in it, one below `CLOSE`, the other is taken.
NEARER_BY = 0.15
CLOSE = 0.75
#: Readings are as good as each other if formula and density are off by no more than this beyond the best.
_AS_NEAR = 0.004
#: Cells with more atoms are not searched for contacts.
_MOST_ATOMS = 1500
#: Volume of the atoms (by covalent radii) over that of the cell: 98 % of the structures are above, the
#: others are zeolites, molecules and noble gases.
LEAST_PACKING = 0.10


@dataclass(frozen=True)
class Reading:
    """One reading and how it stands.

    Attributes
    ----------
    crystal : Crystal
    setting : Setting
        Its symmetry.
    comparison : Comparison
        With what the file states.
    words : str
        What it takes otherwise than as written, for messages.
    """

    crystal: Crystal
    setting: Setting
    comparison: Comparison
    words: str

    @property
    def summary(self) -> str:
        """Symmetry, content and density, in a few words."""
        units = self.comparison.units
        number = f", Z = {units:.3g}" if units else f", {len(self.crystal.atoms.site)} atoms a cell"
        return f"{self.words}: {self.crystal.formula}{number}, {self.crystal.density_g_cm3:.3f} g/cm3"


def choose(
    symmetry: SymmetryReadings,
    stated: Stated,
    build: Callable[[Setting], Crystal],
    variants: Sequence[tuple[str, Callable[[Setting], Crystal]]] = (),
) -> Reading:
    """The one reading that agrees with what the file states, and that atoms allow.

    What the file says first is taken where it agrees, or where nothing is stated and it says but one thing.
    Else the one other reading that agrees in all.

    Parameters
    ----------
    symmetry : SymmetryReadings
    stated : Stated
    build : callable
        Crystal of a setting, by the elements as written.
    variants : sequence of (words, callable)
        Crystals of a setting by other elements.

    Raises
    ------
    CrystalError
        If none agrees, or several do and are not the same.
    """
    first = _readings(symmetry.first, stated, [("", build)], strict=True)
    best = max(reading.comparison.grade for reading in first)
    if len(symmetry.first) == 1 and best >= Grade.UNCHECKED:
        return first[0]
    if len(symmetry.first) > 1 and best >= Grade.UNCHECKED:
        return _of_several([r for r in first if r.comparison.grade == best], symmetry, stated, first)
    for settings, builds in (
        (symmetry.first, variants),
        (symmetry.others, [("", build)]),
        (symmetry.others, variants),
    ):
        agreeing = [r for r in _readings(settings, stated, builds) if r.comparison.grade == Grade.AGREES]
        agreeing = _narrowed([r for r in agreeing if contact(r.crystal) >= NEAREST])
        if len(agreeing) == 1:
            return _corrected(agreeing[0], first[0], stated)
        if agreeing:
            raise _two_ways(agreeing, stated)
    if best == Grade.DOUBTFUL:
        doubtful = [r for r in first if r.comparison.grade == best]
        return _of_several(doubtful, symmetry, stated, first)
    raise _contradiction(first, stated)


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


def _readings(
    settings: Iterable[Setting],
    stated: Stated,
    builds: Sequence[tuple[str, Callable[[Setting], Crystal]]],
    *,
    strict: bool = False,
) -> list[Reading]:
    """Those that make a crystal at all; the first error where none does and that is called for."""
    found: list[Reading] = []
    failed: CrystalError | None = None
    for setting in settings:
        for words, build in builds:
            try:
                crystal = build(setting)
            except CrystalError as error:
                failed = failed or error
                continue
            comparison = compare(crystal, stated)
            found.append(Reading(crystal, setting, comparison, setting.words + (f", {words}" if words else "")))
    if strict and not found and failed is not None:
        raise failed
    return found


def _of_several(
    readings: list[Reading], symmetry: SymmetryReadings, stated: Stated, first: list[Reading]
) -> Reading:
    """The one of several readings, all as good by what the file states, that atoms allow."""
    nearest = min(reading.comparison.distance for reading in readings)
    left = _narrowed([r for r in readings if r.comparison.distance <= nearest + _AS_NEAR])
    if len(left) == 1:
        chosen = left[0]
        alone = len(first) == 1 and len(symmetry.first) == 1
        return chosen if alone or chosen.setting.notes else _decided(chosen, first, stated)
    listed = symmetry.first[0]
    named = [r for r in left if r.setting is not listed]
    if left[0].setting is listed and named and fewer_operations(listed, named[0].setting):
        # A list that was cut off, or a cell with all its atoms whose symbol was left standing: the atoms of
        # the latter overlap in the higher symmetry, and those were taken out above.
        sound = _narrowed(named)
        if len(sound) == 1 and contact(sound[0].crystal) >= NEAREST:
            return _decided(sound[0], first, stated)
    raise _two_ways(left, stated)


def _narrowed(readings: list[Reading]) -> list[Reading]:
    """Readings that differ, less those whose atoms are too near to each other beside one where they are not."""
    distinct: list[Reading] = []
    for reading in readings:
        if not any(same_powder(reading.crystal, known.crystal) for known in distinct):
            distinct.append(reading)
    if len(distinct) < 2:
        return distinct
    contacts = [contact(reading.crystal) for reading in distinct]
    widest = max(contacts)
    if widest < NEAREST:
        return distinct
    return [
        reading
        for reading, contact in zip(distinct, contacts, strict=True)
        if contact >= CLOSE or contact > widest - NEARER_BY
    ]


def contact(crystal: Crystal) -> float:
    """`nearest_contact` of the atoms other than hydrogen; 1 where there is none, or too many atoms."""
    heavy = tuple(s for s in crystal.sites if not gemmi.Element(s.element).is_hydrogen)
    if not heavy or len(crystal.atoms.site) > _MOST_ATOMS:
        return 1.0
    near = nearest_contact(replace(crystal, sites=heavy))
    return 1.0 if near is None else min(1.0, near[0])


def packing(crystal: Crystal) -> float:
    """Volume of the atoms, as spheres of their covalent radii, over that of the cell."""
    content = crystal.cell_content.items()
    return sum(n * 4 / 3 * np.pi * float(gemmi.Element(e).covalent_r) ** 3 for e, n in content) / crystal.volume


def _same_content(one: Crystal, other: Crystal) -> bool:
    contents = one.cell_content, other.cell_content
    return contents[0].keys() == contents[1].keys() and all(
        abs(number - contents[1][element]) < 1e-3 * max(1.0, number) for element, number in contents[0].items()
    )


def _intensities(crystal: Crystal, numbers: NDArray[np.int64]) -> NDArray[np.float64]:
    sites = [crystal.sites[int(i)] for i in crystal.atoms.site]
    electrons = np.array([gemmi.Element(s.element).atomic_number * s.occupancy for s in sites])
    amplitude = np.exp(2j * np.pi * (numbers @ crystal.atoms.fract.T)) @ electrons
    intensity: NDArray[np.float64] = np.abs(amplitude) ** 2
    return intensity


def _corrected(reading: Reading, first: Reading, stated: Stated) -> Reading:
    note = (
        f"the file contradicts itself: {first.summary}, but it states {stated.words}. "
        f"Read by {reading.words}, which alone agrees"
    )
    return replace(reading, crystal=_with_note(reading.crystal, note))


def _decided(reading: Reading, first: list[Reading], stated: Stated) -> Reading:
    others = [r for r in first if r.setting is not reading.setting]
    if not others or all(same_powder(reading.crystal, other.crystal) for other in others):
        return reading
    why = "which alone agrees with what it states" if stated.words else "which its distances allow"
    note = f"the file leaves its symmetry open: read by {reading.words}, {why}; not by {others[0].summary}"
    return replace(reading, crystal=_with_note(reading.crystal, note))


def _with_note(crystal: Crystal, note: str) -> Crystal:
    return replace(crystal, notes=(note, *crystal.notes))


def _two_ways(readings: list[Reading], stated: Stated) -> CrystalError:
    decides = f"what it states ({stated.words}) does not decide" if stated.words else "nothing it states decides"
    return CrystalError(
        f"it can be read in {len(readings)} ways, and {decides}: "
        + "; or ".join(reading.summary for reading in readings[:3]),
        remedy=_REMEDY,
    )


def _contradiction(first: list[Reading], stated: Stated) -> CrystalError:
    reading = first[0]
    read = "; or ".join(r.summary for r in first[:3])
    said = f", and it states {stated.words}" if stated.words else ""
    return CrystalError(
        f"it contradicts itself: {reading.comparison.cause}. Read by {read}{said}. No other reading agrees",
        remedy=f"Mend what is wrong: sites, occupancies, formula, Z or density. {_REMEDY}",
    )


_REMEDY = (
    "List the symmetry operations, or name the setting: _space_group_IT_coordinate_system_code 1 or 2 for the "
    "first or second origin, or a symbol with :1, :2, :H or :R"
)
