"""Hydrogen and water that a CIF's formula has and its sites lack: they count in the mass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from mixrd.crystal.composition import (
    AGREES,
    content_by_multiplicity,
    exchanged_mass,
    hydrogen_as_one,
    hydrogen_of,
    water_without_sites,
)
from mixrd.crystal.readings import DOUBT
from mixrd.crystal.stated import Stated
from mixrd.crystal.structure import Crystal


def with_unlocated(
    crystal: Crystal, stated: Stated, units: float | None, water_as_listed: Callable[[], Crystal] | None
) -> Crystal:
    """The crystal with the hydrogen of its formula that no site holds, and a note on it.

    Parameters
    ----------
    crystal : Crystal
    stated : Stated
    units : float or None
        Formula units in the cell.
    water_as_listed : callable or None
        The crystal with the hydrogen of its water counted twice, as one atom with it and by sites of its
        own, where it was listed so.
    """
    if not stated.formula or not units:
        return crystal
    formula, found = units * stated.formula.get("H", 0.0), hydrogen_of(content_by_multiplicity(crystal))
    if water_as_listed is not None:
        twice = hydrogen_of(content_by_multiplicity(water_as_listed()))
        if abs(formula - twice) <= AGREES * twice:
            return _with_note(crystal, "its formula counts the hydrogen of the water twice")
    missing = without_sites(crystal, stated, units)
    if not missing:
        if formula and found > 1.1 * formula + 0.01:
            sites, wanted = found / units, formula / units
            return _with_note(crystal, f"{DOUBT}its sites hold {sites:.3g} H, its formula {wanted:.3g}")
        return crystal
    what = " and ".join(f"{number / units:.4g} {element}" for element, number in missing)
    note = f"{what} of its formula {stated.formula_text} have no sites: counted in the mass, not scattering"
    return replace(_with_note(crystal, note), unlocated=missing)


def without_sites(crystal: Crystal, stated: Stated, units: float | None) -> tuple[tuple[str, float], ...]:
    """Hydrogen and water of the formula that no site holds, as (element, atoms a cell).

    Nothing is said where the sites do not agree with the formula otherwise.
    """
    if not stated.formula or not units:
        return ()
    found = hydrogen_as_one(content_by_multiplicity(crystal))
    oxygen = water_without_sites(found, stated.formula, units)
    exchanged, _ = exchanged_mass(
        {**found, "O": found.get("O", 0.0) + oxygen} if oxygen else found, stated.formula
    )
    hydrogen = units * stated.formula.get("H", 0.0) - found.get("H", 0.0)
    if exchanged > AGREES or hydrogen < 0.02 * units * stated.formula.get("H", 0.0) or hydrogen <= 0:
        return ()
    light = "D" if stated.deuterated else "H"
    return ((light, round(hydrogen, 4)), *([("O", round(oxygen, 4))] if oxygen else []))


def _with_note(crystal: Crystal, note: str) -> Crystal:
    return replace(crystal, notes=(*crystal.notes, note))
