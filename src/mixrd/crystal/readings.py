"""Readings of one CIF that differ in symmetry or elements: which of them is the structure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from mixrd.crystal.cif_symmetry import Setting, SymmetryReadings
from mixrd.crystal.plausibility import (
    CLOSE,
    MOST_UNBOUND,
    NEARER_BY,
    NEAREST,
    OVERLAP,
    contact,
    is_special,
    same_powder,
    unbound,
)
from mixrd.crystal.stated import Comparison, Grade, Stated, compare
from mixrd.crystal.structure import Crystal
from mixrd.errors import ContradictionError, CrystalError

#: Readings are as good as each other if formula and density are off by no more than this beyond the best.
_AS_NEAR = 0.004
#: Begins every note on a file that was read otherwise than it says.
CONTRADICTION = "the file contradicts itself: "
#: Noted of a file that states nothing to compare with.
UNCHECKED = "the file states neither formula, Z nor density: nothing in it checks what was read"
#: Begins every note that says a file does not agree with itself.
DOUBT = "the file does not quite agree with itself: "


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
    ContradictionError
        If none agrees, or several do and are not the same.
    """
    first = _readings(symmetry.first, stated, [("", build)], strict=True)
    best = max(reading.comparison.grade for reading in first)
    top = [reading for reading in first if reading.comparison.grade == best]
    if symmetry.bare and is_special(first[0].crystal.cell) and not (stated.weighs and best == Grade.AGREES):
        return _without_symmetry(first[0], stated)
    if best >= Grade.UNCHECKED:
        others = partial(_readings, symmetry.others, stated, [("", build)])
        if symmetry.listed is None and not symmetry.assured:
            return _of_settings(top, [r for r in others() if r.comparison.grade >= best], stated)
        if len(symmetry.first) == 1:
            sure = stated.weighs and not symmetry.by_name
            return top[0] if sure else _with_room(top[0], others, stated)
        return _of_several(top, symmetry, others, stated, first)
    for settings, builds in (
        (symmetry.first, variants),
        (symmetry.others, [("", build)]),
        (symmetry.others, variants),
    ):
        agreeing = [r for r in _readings(settings, stated, builds) if r.comparison.grade == Grade.AGREES]
        agreeing = _narrowed(_with_space(agreeing))
        if len(agreeing) == 1:
            return _corrected(agreeing[0], first[0], stated)
        if agreeing:
            raise _two_ways(agreeing, stated)
    if best == Grade.DOUBTFUL:
        others = partial(_readings, symmetry.others, stated, [("", build)])
        return _of_several(top, symmetry, others, stated, first)
    raise _contradiction(first, stated)


def doubts_of_file(crystal: Crystal) -> tuple[str, ...]:
    """Notes that say the file contradicts itself, or was read otherwise than it says."""
    return tuple(note for note in crystal.notes if note.startswith("the file "))


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
            found.append(
                Reading(crystal, setting, comparison, setting.words + (f", {words}" if words else ""))
            )
    if strict and not found and failed is not None:
        raise failed
    return found


def _of_several(
    readings: list[Reading],
    symmetry: SymmetryReadings,
    others: Callable[[], list[Reading]],
    stated: Stated,
    first: list[Reading],
) -> Reading:
    """The one of several readings, all as good by what the file states, that atoms allow."""
    if len(readings) == 1 == len(symmetry.first):
        return readings[0]
    nearest = min(reading.comparison.distance for reading in readings)
    left = [r for r in readings if r.comparison.distance <= nearest + _AS_NEAR]
    listed = next((r for r in left if r.setting is symmetry.listed), None)
    named = [r for r in left if r is not listed]
    if named and symmetry.listed is not None:
        # All atoms of the cell, and a symbol that was left standing or holds as well; or a list that was cut
        # off: it lacks atoms, for which there is room.
        grade = named[0].comparison.grade
        further = [] if symmetry.assured else [r for r in others() if r.comparison.grade >= grade]
        if listed is not None and any(same_powder(listed.crystal, r.crystal) for r in (*named, *further)):
            return listed
        if further:
            return _of_settings(named, further, stated, listed)
        left = _narrowed(_with_space(named)) or ([listed] if listed else _narrowed(named))
    else:
        left = _narrowed(left)
    if len(left) == 1:
        return _decided(left[0], first, stated)
    raise _two_ways(left, stated)


def _with_space(readings: Iterable[Reading]) -> list[Reading]:
    return [reading for reading in readings if contact(reading.crystal) >= NEAREST]


def _of_settings(
    standard: list[Reading], others: list[Reading], stated: Stated, listed: Reading | None = None
) -> Reading:
    """Of the settings of a space group of which only the number is known: the standard one, if it has room.

    `listed` is the reading by a list of fewer operations beside the number, taken where no setting has room.
    """
    left = _narrowed(_with_space([*standard, *others]))
    usual = [reading for reading in left if reading in standard]
    if not left and listed is not None:
        return listed
    if len(usual or left) != 1:
        raise _two_ways(usual or left or standard, stated)
    chosen = _decided((usual or left)[0], [listed] if listed else standard, stated)
    if len(left) == 1:
        return chosen
    note = f"{DOUBT}it states no setting of its space group, the standard one {chosen.words} is used"
    return replace(chosen, crystal=_with_note(chosen.crystal, note))


def _with_room(reading: Reading, others: Callable[[], list[Reading]], stated: Stated) -> Reading:
    """The reading, which little confirms, or another in which the atoms have room where they have none."""
    near = contact(reading.crystal)
    if near < NEAREST:
        sound = [r for r in others() if r.comparison.grade >= reading.comparison.grade]
        sound = _narrowed([r for r in sound if contact(r.crystal) >= max(NEAREST, near + NEARER_BY)])
        if len(sound) == 1:
            return _decided(sound[0], [reading], stated)
        if near >= OVERLAP:
            return reading
        note = f"{DOUBT}it has atoms at {near:.2f} of a bond from each other"
        return replace(reading, crystal=_with_note(reading.crystal, note))
    return reading


def _without_symmetry(reading: Reading, stated: Stated) -> Reading:
    """A reading by x,y,z alone, which is all that the file lists, in a cell with symmetry."""
    if stated.weighs or unbound(reading.crystal) > MOST_UNBOUND:
        why = (
            f"its atoms are not those that it states ({stated.words})"
            if stated.weighs
            else "its atoms lack neighbours"
        )
        raise ContradictionError(
            f"it lists no symmetry but x,y,z, though its cell has some, and {why}: {reading.summary}",
            remedy="Add the symmetry operations, or the space group's symbol and its setting",
        )
    note = f"{DOUBT}x,y,z is all the symmetry it lists, though its cell has more"
    return replace(reading, crystal=_with_note(reading.crystal, note))


def _narrowed(readings: list[Reading]) -> list[Reading]:
    """Readings that differ, less those whose atoms overlap beside one where they do not."""
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


def _corrected(reading: Reading, first: Reading, stated: Stated) -> Reading:
    note = (
        f"{CONTRADICTION}{first.summary}, but it states {stated.words}. "
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


def _two_ways(readings: list[Reading], stated: Stated) -> ContradictionError:
    decides = (
        f"what it states ({stated.words}) does not decide" if stated.words else "nothing it states decides"
    )
    return ContradictionError(
        f"it can be read in {len(readings)} ways, and {decides}: "
        + "; or ".join(reading.summary for reading in readings[:3]),
        remedy=_REMEDY,
    )


def _contradiction(first: list[Reading], stated: Stated) -> ContradictionError:
    reading = first[0]
    read = "; or ".join(r.summary for r in first[:3])
    said = f", and it states {stated.words}" if stated.words else ""
    return ContradictionError(
        f"it contradicts itself: {reading.comparison.cause}. Read by {read}{said}. No other reading agrees",
        remedy=f"Mend what is wrong: sites, occupancies, formula, Z or density. {_REMEDY}",
    )


_REMEDY = (
    "List the symmetry operations, or name the setting: _space_group_IT_coordinate_system_code 1 or 2 for "
    "the first or second origin, or a symbol with :1, :2, :H or :R"
)
