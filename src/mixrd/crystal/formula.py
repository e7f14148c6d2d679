"""Chemical formulae and the content of a cell: read, written in the order of Hill, compared."""

from __future__ import annotations

import re
from collections.abc import Mapping

import gemmi
import numpy as np

from mixrd.crystal.structure import Crystal
from mixrd.crystal.validity import SAME_ATOM_ANGSTROM, matrices
from mixrd.errors import CrystalError

#: Contents and densities that differ by no more than this (relatively) are the same: occupancies, analyses
#: and cells are published rounded. Of 9500 structures of the AMCSD and of COD all but 150 agree so well.
AGREES = 0.03


def atoms_of_formula(formula: str) -> dict[str, float]:
    """Atoms of each element in a formula such as "Ca10(PO4)6(OH)2", "CaSO4·0.5H2O" or "C Ca O3".

    Raises
    ------
    CrystalError
        If the text is no formula.
    """
    content: dict[str, float] = {}
    for part in re.split(r"[·*]", formula.replace(" ", "")):
        factor = re.match(r"\d+\.?\d*|\.\d+", part)
        group = part[factor.end() :] if factor else part
        for element, count in _atoms_of_group(group, formula).items():
            content[element] = content.get(element, 0.0) + count * (float(factor[0]) if factor else 1.0)
    return content


def hill_formula(atoms: Mapping[str, float]) -> str:
    """Formula in the order of Hill (1900), elements apart: C, then H, then the others by the alphabet.

    Without carbon all go by the alphabet, hydrogen too. The count 1 is not written.
    """
    first = [e for e in ("C", "H") if e in atoms] if "C" in atoms else []
    order = [*first, *sorted(e for e in atoms if e not in first)]
    return " ".join(f"{e}{'' if atoms[e] == 1 else format(atoms[e], 'g')}" for e in order)


def composition_faults(
    stated: Mapping[str, float], found: Mapping[str, float], *, tolerance: float
) -> list[str]:
    """Elements other than H whose share of the atoms other than H is not the same in both.

    Parameters
    ----------
    stated, found : mapping
        Atoms of each element, to any number of formula units. D counts as H, which X-ray work
        often cannot locate.
    tolerance : float
        Relative difference allowed (of shares under 0.05, that of 0.05).
    """
    shares = []
    for atoms in (stated, found):
        heavy = {e: n for e, n in atoms.items() if e not in ("H", "D")}
        total = sum(heavy.values()) or 1.0
        shares.append({e: n / total for e, n in heavy.items()})
    return [
        e
        for e in sorted({*shares[0], *shares[1]})
        if abs(shares[0].get(e, 0.0) - shares[1].get(e, 0.0)) > tolerance * max(shares[0].get(e, 0.0), 0.05)
    ]


def _atoms_of_group(text: str, formula: str) -> dict[str, float]:
    stack: list[dict[str, float]] = [{}]
    tokens = re.findall(r"([A-Z][a-z]?)(\d+\.?\d*|\.\d+)?|([(\[])|([)\]])(\d+\.?\d*|\.\d+)?|(.)", text)
    for element, count, opening, closing, times, other in tokens:
        known = not element or gemmi.Element(element).atomic_number > 0
        if other or not known or (closing and len(stack) == 1):
            raise CrystalError(f"{formula!r} is no chemical formula", remedy="Write it like CaMg(CO3)2")
        if opening:
            stack.append({})
            continue
        inner = stack.pop() if closing else {element: 1.0}
        for key, number in inner.items():
            stack[-1][key] = stack[-1].get(key, 0.0) + number * float((times if closing else count) or 1)
    if len(stack) != 1:
        raise CrystalError(f"{formula!r} is no chemical formula", remedy="Close its brackets")
    return stack[0]


def content_by_multiplicity(crystal: Crystal) -> dict[str, float]:
    """Atoms of each element in the cell, by the site symmetry of each site: the atoms need not be made."""
    rotations, shifts = matrices(crystal.symmetry_operations)
    content: dict[str, float] = {}
    for site in crystal.sites:
        offsets = rotations @ np.asarray(site.fract) + shifts - np.asarray(site.fract)
        offsets -= np.round(offsets)
        kept = np.count_nonzero(np.linalg.norm(offsets @ crystal.lattice, axis=1) < SAME_ATOM_ANGSTROM)
        number = len(offsets) / max(1, int(kept)) * site.occupancy
        content[site.element] = content.get(site.element, 0.0) + number
    return content


def hydrogen_as_one(content: Mapping[str, float]) -> dict[str, float]:
    """D counted as H."""
    found: dict[str, float] = {}
    for element, number in content.items():
        key = "H" if element == "D" else element
        found[key] = found.get(key, 0.0) + number
    return found


def without_hydrogen(content: Mapping[str, float]) -> dict[str, float]:
    """The content without hydrogen; all of it where that is all."""
    return {e: n for e, n in content.items() if e != "H"} or dict(content)


def mass_of(content: Mapping[str, float]) -> float:
    """Mass in unified atomic mass units."""
    return sum(number * float(gemmi.Element(element).weight) for element, number in content.items())


def exchanged_mass(found: Mapping[str, float], formula: Mapping[str, float]) -> tuple[float, float]:
    """Part of the mass (without H) that is in other elements than the formula says, and formula units."""
    sites, stated = without_hydrogen(found), without_hydrogen(formula)
    mass = mass_of(sites)

    def difference(units: float) -> float:
        apart = {e: abs(sites.get(e, 0.0) - units * stated.get(e, 0.0)) for e in {*sites, *stated}}
        return mass_of(apart) / mass

    # The sum of absolute differences is least where one of them is zero.
    trials = [sites[e] / stated[e] for e in sites if e in stated] or [mass / mass_of(stated)]
    units = min(trials, key=difference)
    return difference(units), units


def water_without_sites(found: Mapping[str, float], formula: Mapping[str, float], units: float) -> float:
    """Oxygen atoms a cell that the sites lack together with two hydrogens each; 0 where that is not so."""
    oxygen = units * formula.get("O", 0.0) - found.get("O", 0.0)
    hydrogen = units * formula.get("H", 0.0) - found.get("H", 0.0)
    if oxygen <= 0.01 * units * formula.get("O", 1.0) or hydrogen < 2 * oxygen * (1 - AGREES):
        return 0.0
    return oxygen
