"""What is asked of the Crystallography Open Database, and what it says of a structure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gemmi

from mixrd.crystal.formula import atoms_of_formula, hill_formula
from mixrd.errors import CrystalError, UsageError

#: COD's interface takes this many elements that must be there, and that must not.
MOST_ELEMENTS, MOST_WITHOUT = 8, 4
FIRST_NUMBER, LAST_NUMBER = 1_000_000, 9_999_999


@dataclass(frozen=True)
class CodRecord:
    """What a database tells of one structure.

    Attributes
    ----------
    number : int
        COD number, seven digits.
    formula : str
        In the order of Hill, elements apart; empty where it is not stated.
    mineral, name, space_group, title : str
        Mineral name, chemical name, Hermann-Mauguin symbol, title of the publication; empty where not stated.
    """

    number: int
    formula: str = ""
    mineral: str = ""
    name: str = ""
    space_group: str = ""
    title: str = ""

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> CodRecord:
        """Record from an entry of COD's JSON, where formulae stand between dashes.

        Raises
        ------
        ValueError, KeyError, TypeError
            If the entry has no number.
        """
        text = {key: str(data.get(key) or "").strip() for key in ("formula", "mineral", "sg", "title")}
        name = str(data.get("commonname") or data.get("chemname") or "").strip()
        number = checked_number(int(data["file"]))
        return cls(number, text["formula"].strip("- "), text["mineral"], name, text["sg"], text["title"])


@dataclass(frozen=True)
class CodQuery:
    """What to look for; a structure must satisfy all of it.

    Attributes
    ----------
    formula : str or None
        The formula per formula unit, in any notation: CaCO3, Ca(OH)2.
    elements : tuple of str
        Elements that it contains.
    without : tuple of str
        Elements that it does not contain.
    only : bool
        No other elements than `elements`.
    mineral : str or None
        Mineral name, capital letters or not.
    """

    formula: str | None = None
    elements: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    only: bool = False
    mineral: str | None = None

    def __post_init__(self) -> None:
        if not (self.formula or self.elements or self.mineral):
            raise UsageError(
                "nothing is asked for", remedy="Give a formula, elements or a mineral name to search for"
            )
        for what, names, most in (
            ("elements", self.elements, MOST_ELEMENTS),
            ("elements to leave out", self.without, MOST_WITHOUT),
        ):
            if len(names) > most:
                raise UsageError(f"{len(names)} {what} are given", remedy=f"COD's search takes up to {most}")
            for name in names:
                if gemmi.Element(name).atomic_number == 0 or gemmi.Element(name).name != name:
                    raise CrystalError(
                        f"{name!r} is no element", remedy="Write element symbols like Ca, C, O"
                    )
        if self.only and not self.elements:
            raise UsageError("no elements are given to be the only ones", remedy="Name them")
        if self.formula:
            atoms_of_formula(self.formula)

    def parameters(self) -> dict[str, str]:
        """The same as parameters of COD's search address."""
        found = {f"el{i}": name for i, name in enumerate(self.elements, 1)}
        found |= {f"nel{i}": name for i, name in enumerate(self.without, 1)}
        if self.only:
            found |= {"strictmin": str(len(self.elements)), "strictmax": str(len(self.elements))}
        if self.formula:
            found["formula"] = hill_formula(atoms_of_formula(self.formula))
        if self.mineral:
            # The interface has no parameter for minerals: the text search covers their names among others.
            found["text"] = self.mineral
        return found

    def accepts(self, record: CodRecord) -> bool:
        """Whether a record satisfies the query; a formula that cannot be read satisfies none of elements."""
        if self.mineral and record.mineral.casefold() != self.mineral.casefold():
            return False
        if not (self.formula or self.elements or self.without):
            return True
        try:
            atoms = atoms_of_formula(record.formula)
        except CrystalError:
            return False
        present = set(atoms)
        return (
            set(self.elements) <= present
            and present.isdisjoint(self.without)
            and not (self.only and present != set(self.elements))
            and not (self.formula and hill_formula(atoms) != hill_formula(atoms_of_formula(self.formula)))
        )


def checked_number(number: int) -> int:
    """The number, if it can be one of COD.

    Raises
    ------
    UsageError
        If it has not seven digits.
    """
    if not FIRST_NUMBER <= number <= LAST_NUMBER:
        raise UsageError(f"{number} is no COD number", remedy="COD numbers have seven digits")
    return number


def number_path(number: int) -> str:
    """Where COD's own file tree keeps a structure: 9009668 is 9/00/96/9009668.cif."""
    digits = str(checked_number(number))
    return f"{digits[0]}/{digits[1:3]}/{digits[3:5]}/{digits}.cif"
