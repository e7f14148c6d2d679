"""Which settings a space-group symbol or number can mean: short, full and old spellings, origins, axes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

import gemmi

#: Suffixes of symbols in databases: origins by S (site symmetry) and Z (centre), as in ICSD, or by number.
_ORIGIN_OF_SUFFIX = {"s": "1", "z": "2", "o1": "1", "o2": "2", "1": "1", "2": "2", "h": "H", "r": "R"}
_SUFFIX = re.compile(
    r"\s*:\s*(?P<code>[\w-]+)$|\s+(?P<letter>[SZHR]|O[12])$|[\s,]*\(?\s*origin\s*(?:choice)?\s*(?P<origin>[12])\s*\)?$",
    re.IGNORECASE,
)
#: Parts of a full symbol that is written without spaces.
_PART = re.compile(r"\d{1,2}/[a-z]|-\d|\d{1,2}|[a-z]")


def settings_named(symbol: str, code: str | None, cell: gemmi.UnitCell) -> list[gemmi.SpaceGroup]:
    """Settings of the space group that a Hermann-Mauguin symbol can mean, the more likely first.

    Parameters
    ----------
    symbol : str
        Short or full, spaced or not, with the suffix of a setting or without.
    code : str or None
        What the file says of the setting besides (`_space_group_IT_coordinate_system_code`).
    cell : gemmi.UnitCell
        Decides the unique axis, and between hexagonal and rhombohedral axes.

    Returns
    -------
    list of gemmi.SpaceGroup
        Two where the symbol leaves the origin open, none where it is unknown.
    """
    text = _plain(symbol)
    suffix = _SUFFIX.search(text)
    if suffix:
        code = suffix["code"] or suffix["letter"] or suffix["origin"]
        text = text[: suffix.start()]
    group = _known(text, cell)
    if group is None and text[-1:] in "SZHRszhr" and (shorter := _known(text[:-1], cell)) is not None:
        group, code = shorter, text[-1]  # "Fd-3mZ"
    if group is None:
        return []
    alike = [g for g in settings_of_number(group.number) if g.hm == group.hm]
    return settings_of_code(alike, code, cell)


def settings_of_code(
    settings: Sequence[gemmi.SpaceGroup], code: str | None, cell: gemmi.UnitCell
) -> list[gemmi.SpaceGroup]:
    """Those settings that a coordinate-system code ("1", "h", "b1", "cab", "2cab") and the cell leave."""
    left = list(settings)
    if code:
        wanted = _ORIGIN_OF_SUFFIX.get(code.lower(), code.lower())
        left = [g for g in settings if wanted in _codes(g)] or left
    hexagonal = abs(cell.gamma - 120.0) < 0.5
    return [g for g in left if g.ext not in ("H", "R") or (g.ext == "H") == hexagonal] or left


def settings_of_number(number: int) -> tuple[gemmi.SpaceGroup, ...]:
    """All settings of a space group that are in the tables, the standard one (of both origins) first."""
    return tuple(g for g in _table() if g.number == number)


def standard_settings(number: int) -> list[gemmi.SpaceGroup]:
    """The standard setting of a space group, with both its origins, or with both kinds of axes."""
    found = settings_of_number(number)
    return [g for g in found if g.hm == found[0].hm]


@cache
def _table() -> tuple[gemmi.SpaceGroup, ...]:
    return tuple(gemmi.spacegroup_table())


def _codes(group: gemmi.SpaceGroup) -> set[str]:
    extension, axes = group.ext.strip("\0"), group.qualifier
    return {extension, axes or "abc", extension + (axes or "abc")}


def _plain(symbol: str) -> str:
    r"""Without the marks of typesetting: P 2_1/c, P 2(1)/c, F d \bar{3} m."""
    text = re.sub(r"\\?(?:bar|overline)\s*\{?\s*(\d)\s*\}?", r"-\1", symbol)
    text = re.sub(r"\((\d)\)", r"\1", text.replace("~", " ").replace("_", "").replace("\\", ""))
    return " ".join(text.replace("{", "").replace("}", "").replace("$", "").split())


def _known(symbol: str, cell: gemmi.UnitCell) -> gemmi.SpaceGroup | None:
    for spelling in _spellings(symbol):
        found = gemmi.find_spacegroup_by_name(spelling, cell.alpha, cell.gamma)
        if found is not None:
            return found
    return None


def _spellings(symbol: str) -> list[str]:
    """The symbol, and what a full symbol shortens to.

    Full symbols name the axis as well as the plane: 2/m is shortened to m, except for the first axis where
    that is the main one (F 4/m -3 2/m is F m -3 m, but P 4/m 2/m 2/m is P 4/m m m).
    """
    if not symbol:
        return []
    parts = symbol.split(" ")
    if len(parts) == 1:
        parts = [symbol[0].upper(), *_PART.findall(symbol[1:].lower())]
    lattice, axes = parts[0], parts[1:]
    short = [axis.partition("/")[2] or axis for axis in axes]
    return [symbol, " ".join([lattice, *axes[:1], *short[1:]]), " ".join([lattice, *short])]
