"""How a CIF's symmetry can be read: by its operations, Hall or Hermann-Mauguin symbol, or number."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import gemmi
import numpy as np

from mixrd.crystal.cif_document import number_value, text_value
from mixrd.crystal.space_group_name import (
    settings_named,
    settings_of_code,
    settings_of_number,
    standard_settings,
)
from mixrd.crystal.validity import METRIC_TOLERANCE, metric_change
from mixrd.errors import CrystalError

_HALL = ("_space_group_name_Hall", "_symmetry_space_group_name_Hall")
_SYMBOL = (
    "_space_group_name_H-M_alt",
    "_symmetry_space_group_name_H-M",
    "_space_group_name_H-M_full",
    "_space_group_name_H-M",
)
_NUMBER = ("_space_group_IT_number", "_symmetry_Int_Tables_number", "_symmetry_int_tables_number")
_CODE = ("_space_group_IT_coordinate_system_code",)


@dataclass(frozen=True)
class Setting:
    """One way to read the symmetry.

    Attributes
    ----------
    operations : tuple of str
        All operations as coordinate triplets.
    symbol : str
        Hermann-Mauguin symbol, with setting.
    words : str
        How it is called in messages.
    notes : tuple of str
        What had to be decided to get there.
    """

    operations: tuple[str, ...]
    symbol: str
    words: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class SymmetryReadings:
    """The ways to read the symmetry of a file.

    Attributes
    ----------
    first : tuple of Setting
        What the file says. Several where it leaves that open, or says two things.
    possible : callable
        Gives the settings that it may have meant, where what it says makes no sense.
    assured : bool
        False where the setting is not stated, only the number of the space group.
    listed : Setting or None
        That of the listed operations, where they are less than the symbol or number implies.
    by_name : bool
        Whether no operations are listed.
    bare : bool
        Whether x,y,z is all that is said.
    """

    first: tuple[Setting, ...]
    possible: Callable[[], list[Setting]]
    assured: bool = True
    listed: Setting | None = None
    by_name: bool = False
    bare: bool = False

    @cached_property
    def others(self) -> tuple[Setting, ...]:
        """The possible settings that are none of the first."""
        return _distinct(self.possible(), self.first)


def symmetry_readings(block: gemmi.cif.Block, structure: gemmi.SmallStructure) -> SymmetryReadings:
    """Every reading of the symmetry that the cell allows.

    A list of operations counts first, because symbols of odd settings are often wrong; beside a symbol or
    number of higher symmetry, a list of fewer operations (x,y,z alone, mostly) is one of several.

    Raises
    ------
    CrystalError
        If there is no symmetry that is known, or a listed operation makes no sense.
    """
    cell = structure.cell
    symbol, hall = text_value(block, *_SYMBOL), text_value(block, *_HALL)
    number = int(number_value(block, *_NUMBER) or 0)
    code = text_value(block, *_CODE)
    symbols = (text for tag in _SYMBOL if (text := text_value(block, tag)))
    by_symbol = [found for text in symbols if (found := settings_named(text, code, cell))]
    named = min(by_symbol, key=len, default=[])
    by_hall = _by_hall(hall)
    if by_hall and named and by_hall[0].number not in {one.number for one in named}:
        by_hall = [*by_hall, *named]
    numbered = settings_of_code(standard_settings(number), code, cell) if settings_of_number(number) else []
    declared = by_hall or named or numbered
    related = [s for n in dict.fromkeys([*(g.number for g in (*declared, *named)), number])
               for s in settings_of_number(n)]  # fmt: skip
    if structure.symops:
        listed = _listed(structure.symops, symbol or "", declared)
        readings = _beside_list(listed, declared, related, cell)
        return replace(readings, assured=bool(by_hall or named or not declared))
    if not declared:
        raise CrystalError(
            f"its space group {symbol or hall or '(none given)'} is unknown and it lists no symmetry "
            "operations",
            remedy="Add the _space_group_symop loop or a standard Hermann-Mauguin symbol",
        )
    assured = bool(by_hall or named)
    first = _allowed(declared if assured or not symbol else [*declared, *related], cell)
    if not assured:
        note = f"{symbol or 'no symbol'}: the setting of space group {number} is not stated"
        first = [replace(setting, notes=(note,)) for setting in first]
    if not first:  # the crystal says that its cell lacks the symmetry
        first = [_setting(declared[0])]
    possible = partial(_allowed, [*named, *numbered, *related], cell)
    return SymmetryReadings(_distinct(first), possible, assured=assured or bool(symbol), by_name=True)


def _beside_list(
    listed: _List,
    declared: Sequence[gemmi.SpaceGroup],
    related: Sequence[gemmi.SpaceGroup],
    cell: gemmi.UnitCell,
) -> SymmetryReadings:
    siblings = settings_of_number(listed.known.number) if listed.known and listed.known.number > 1 else ()
    possible = partial(_allowed, [*declared, *related, *siblings], cell)
    least = min((len(one.operations()) for one in declared), default=0)
    same = listed.known is not None and listed.known.number in {one.number for one in declared}
    if len(listed.setting.operations) >= least and (listed.whole or same or not declared):
        bare = not declared and len(listed.setting.operations) == 1
        return SymmetryReadings((listed.setting,), possible, bare=bare)
    named = _allowed(declared, cell)
    if listed.known is None and not listed.group and named:
        note = "the listed symmetry operations form no group: those of its space group are used"
        return SymmetryReadings(tuple(replace(one, notes=(note,)) for one in _distinct(named)), possible)
    return SymmetryReadings(_distinct([listed.setting, *named]), possible, listed=listed.setting)


@dataclass(frozen=True)
class _List:
    """The listed operations: their setting and space group, whether they are all of a group, or of one."""

    setting: Setting
    known: gemmi.SpaceGroup | None
    whole: bool
    group: bool


def _listed(symops: Iterable[str], symbol: str, declared: Sequence[gemmi.SpaceGroup]) -> _List:
    try:
        ops = [gemmi.Op(text) for text in symops]
        group = gemmi.GroupOps(ops)
        group.add_missing_elements()
    except (ValueError, RuntimeError):
        raise _no_group() from None
    given = {op.wrap().triplet() for op in ops}
    implied = {op.triplet() for op in group}
    known = gemmi.find_spacegroup_by_ops(group)
    if not given <= implied and known is None and not declared:
        raise _no_group()
    operations = tuple(op.triplet() for op in (ops if given == implied and len(given) == len(ops) else group))
    notes = []
    if not given <= implied:
        odd = ", ".join(sorted(given - implied)[:3])
        notes.append(f"the listed symmetry operations without {odd} form a group, which is used")
    elif len(operations) > len(ops):
        notes.append(f"{len(ops)} symmetry operations are listed, the {len(operations)} they imply are used")
    if known is None:
        notes.append(
            f"space group {symbol or 'not named'}: setting unknown, its symmetry operations are used"
        )
    elif declared and known.number not in {one.number for one in declared}:
        named = symbol or declared[0].xhm()
        notes.append(f"the symmetry operations are {known.xhm()}, not {named}: the operations are used")
    name = known.xhm() if known else symbol or "unknown"
    words = f"the listed operations ({name})" if len(ops) > 1 else "the one operation that it lists (P 1)"
    setting = Setting(operations, name, words, tuple(notes))
    return _List(setting, known, given == implied, given <= implied)


def _no_group() -> CrystalError:
    return CrystalError(
        "it has a symmetry operation that cannot be read, or the operations form no group",
        remedy="Mend the symmetry list",
    )


def _by_hall(hall: str | None) -> list[gemmi.SpaceGroup]:
    if hall is None:
        return []
    try:
        found = gemmi.find_spacegroup_by_ops(gemmi.symops_from_hall(hall))
    except (ValueError, RuntimeError):
        return []
    return [] if found is None else [found]


def _setting(group: gemmi.SpaceGroup) -> Setting:
    operations = tuple(op.triplet() for op in group.operations())
    origin = {"1": " (first origin)", "2": " (second origin)"}.get(group.ext, "")
    return Setting(operations, group.xhm(), f"{group.xhm()}{origin}")


def _allowed(groups: Iterable[gemmi.SpaceGroup], cell: gemmi.UnitCell) -> list[Setting]:
    """The settings whose symmetry the cell has."""
    lattice = np.asarray(cell.orth.mat.tolist(), dtype=np.float64).T
    found = []
    for group in groups:
        rotations = np.array([op.rot for op in group.operations().sym_ops], dtype=np.float64) / gemmi.Op.DEN
        if metric_change(rotations, lattice) <= METRIC_TOLERANCE:
            found.append(_setting(group))
    return found


def _distinct(settings: Iterable[Setting], known: Iterable[Setting] = ()) -> tuple[Setting, ...]:
    seen = {_key(one) for one in known}
    found = []
    for one in settings:
        key = _key(one)
        if key not in seen:
            seen.add(key)
            found.append(one)
    return tuple(found)


def _key(setting: Setting) -> frozenset[str]:
    return frozenset(gemmi.Op(text).wrap().triplet() for text in setting.operations)
