"""Which elements a CIF's site stands for: by type symbol or label, as a group (water, NH4), as a mixture."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import gemmi

from mixrd.errors import CrystalError

#: Elements from here on (mendelevium, nobelium, nihonium) are in no crystal: "NH4" and "NO1" are labels.
_FIRST_UNHEARD_OF = 101
_WATER = ("wat", "h2o", "ow", "aq", "oh2")
#: Hydrogen groups that stand as one symbol, "NH4" and the like.
_GROUP = re.compile(r"(N|C|O)([HD])([1-4]?)(?![a-z])", re.IGNORECASE)
#: "0.75Si + 0.25Al", and "Si0.75Al0.25".
_SHARE_FIRST = re.compile(r"(\d*\.\d+)\s*\*?\s*([A-Z][a-z]?)")
_SHARE_LAST = re.compile(r"([A-Z][a-z]?)\s*(\d*\.\d+)")
#: What begins like an element and is none: dummies, halogens in general, vacancies.
_PLACEHOLDERS = ("du", "hal", "va")


@dataclass(frozen=True)
class Species:
    """What a site holds.

    Attributes
    ----------
    parts : tuple of (element, number)
        Atoms there, to be multiplied by the occupancy.
    note : str
        How it was understood, where that was not plain.
    group : bool
        Whether it has hydrogen at the place of another atom (water as one atom).
    """

    parts: tuple[tuple[str, float], ...]
    note: str = ""
    group: bool = False


def species(raw: gemmi.SmallStructure.Site, formula: Mapping[str, float] | None) -> Species:
    """What a site holds by its type symbol, or by its label where there is none.

    Parameters
    ----------
    raw : gemmi.SmallStructure.Site
    formula : mapping or None
        Atoms of the stated formula, which decides about labels that are no element.

    Raises
    ------
    CrystalError
        If it names no element.
    """
    text = raw.type_symbol or raw.label
    if shares := _mixture(text):
        return Species(shares, f"{raw.label}: {text} taken as a mixture of these elements")
    if 0 < raw.element.atomic_number < _FIRST_UNHEARD_OF:
        return Species(((str(raw.element.name), 1.0),))
    if text.lower().startswith(_WATER) and not (text.lower().startswith("oh2") and _is_label(raw)):
        water = (("O", 1.0), ("H", 2.0))
        return Species(
            water, f"{raw.label}: water given as one atom, taken as O and two H at its place", True
        )
    group = _GROUP.match(text)
    if group and not (group[1] in "oO" and _is_label(raw)) and _agrees((group[1].upper(), "H"), formula):
        number = float(group[3] or 1)
        words = f"{raw.label}: {group[0]} given as one atom, its hydrogen taken at its place"
        return Species(((group[1].upper(), 1.0), (group[2].upper(), number)), words, True)
    letter = text[:1].upper()
    if _is_element(letter) and _letter_counts(text, letter, formula):
        return Species(((letter, 1.0),), f"{raw.label}: no element has this name, taken as {letter}")
    raise CrystalError(
        f"site {raw.label} has the unknown element {text!r}", remedy="Correct _atom_site_type_symbol"
    )


def species_by_formula(
    raw: gemmi.SmallStructure.Site, plain: Species, formula: Mapping[str, float]
) -> Species | None:
    """What a site may hold instead, where the stated formula lacks its element; None where nothing is.

    HO1 is hydrogen, not holmium, where the formula has H and no Ho; CA1 carbon where it has C and no Ca.
    """
    element = plain.parts[0][0]
    if len(plain.parts) > 1 or element in formula or len(element) < 2:
        return None
    letter = element[0]
    if letter not in formula and not (letter == "H" and "D" in formula):
        return None
    return Species(((letter, 1.0),), f"{raw.label}: taken as {letter}, for the formula has no {element}")


def species_by_distance(raw: gemmi.SmallStructure.Site, plain: Species) -> Species | None:
    """What a label in capitals such as HO1 or HG2 may be: hydrogen; None for all others."""
    if (
        len(plain.parts) > 1
        or not re.match(r"H[OFGE]", raw.type_symbol or raw.label)
        or len(plain.parts[0][0]) < 2
    ):
        return None
    element = plain.parts[0][0]
    return Species((("H", 1.0),), f"{raw.label}: taken as H, for {element} has no room there")


def _is_label(raw: gemmi.SmallStructure.Site) -> bool:
    """Whether there is no type symbol but the label itself."""
    return raw.type_symbol in ("", raw.label)


def _mixture(text: str) -> tuple[tuple[str, float], ...]:
    """Elements and shares of a type symbol that is a sum; empty where it is none."""
    first = tuple((name, float(share)) for share, name in _SHARE_FIRST.findall(text))
    last = tuple((name, float(share)) for name, share in _SHARE_LAST.findall(text))
    for shares in (first if text[:1] in ".0123456789" else (), last):
        known = all(_is_element(name) for name, _ in shares)
        if len(shares) > 1 and known and 0.9 < sum(share for _, share in shares) < 1.1:
            return shares
    return ()


def _is_element(name: str) -> bool:
    return 0 < gemmi.Element(name).atomic_number < _FIRST_UNHEARD_OF


def _agrees(elements: Iterable[str], formula: Mapping[str, float] | None) -> bool:
    return formula is None or all(element in formula or element == "H" for element in elements)


def _letter_counts(text: str, letter: str, formula: Mapping[str, float] | None) -> bool:
    """Whether the first letter of "Oab", "KA" or "NM" may be taken for its element."""
    if text.lower().startswith(_PLACEHOLDERS) and not (letter == "V" and letter in (formula or {})):
        return False
    if formula is not None:
        return letter in formula
    return letter == "O" or text[1:2].isupper()
