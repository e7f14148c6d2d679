"""Crystal structures from CIF files, read by gemmi and checked against what they state themselves."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import gemmi

from mixrd.crystal.cell import Cell
from mixrd.crystal.cif_document import choose_block, read_document
from mixrd.crystal.cif_sites import ListedSites, listed_sites, sites_of
from mixrd.crystal.cif_symmetry import Setting, symmetry_readings
from mixrd.crystal.formula import (
    AGREES,
    content_by_multiplicity,
    exchanged_mass,
    hydrogen_as_one,
    water_without_sites,
)
from mixrd.crystal.plausibility import NEAREST, contact
from mixrd.crystal.readings import DOUBT, UNCHECKED, Reading, choose
from mixrd.crystal.site_species import species_by_distance, species_by_formula
from mixrd.crystal.stated import Grade, Stated, compare, read_stated
from mixrd.crystal.structure import Crystal
from mixrd.crystal.validity import check_cell
from mixrd.errors import CrystalError


def read_cif(path: str | Path, *, block: str | None = None, name: str | None = None) -> Crystal:
    """Read a crystal structure from a CIF file, and check it against what the file states of it.

    Where the sites do not add up to the formula, Z or density that the file states, other readings are
    tried: the other origin, the symbol instead of the list of operations, labels that are no elements. The
    one that agrees is taken, with a note. Hydrogen of the formula that has no sites counts in the mass.

    Parameters
    ----------
    path : path
        The CIF file.
    block : str, optional
        Name of the data block; needed when several blocks hold a structure.
    name : str, optional
        Name for the phase; default the file's stem.

    Returns
    -------
    Crystal
        With symmetry operations from the file's own list where it has one, else from its space group.

    Raises
    ------
    CrystalError
        If the file cannot be read, holds no (or several) structures, or one that cannot be used.
    ContradictionError
        If it contradicts itself, or can be read in several ways.
    """
    path = Path(path)
    name = name or path.stem
    chosen = choose_block(read_document(path), path, block)
    try:
        structure = gemmi.make_small_structure_from_block(chosen)
        cell = _cell(chosen)
        check_cell(name, cell)
        stated = read_stated(chosen)
        listed = listed_sites(chosen, structure, stated.formula)
        reading = _read(
            chosen, structure, listed, stated, partial(_crystal, name, cell, _source(chosen, path))
        )
        return _noted(reading, listed, stated)
    except CrystalError as error:
        raise type(error)(error.cause, remedy=error.remedy, file=path) from None
    except (ValueError, RuntimeError) as error:  # of gemmi, which takes some values on trust
        raise CrystalError(
            f"it holds a number or symmetry operation without sense ({error})",
            remedy="Open it in a CIF checker (for example checkCIF) and mend the values",
            file=path,
        ) from None


def _read(
    block: gemmi.cif.Block,
    structure: gemmi.SmallStructure,
    listed: ListedSites,
    stated: Stated,
    crystal: Callable[[ListedSites, Setting], Crystal],
) -> Reading:
    """The reading that holds: by the elements as written, or with labels that are no elements as H, C, ..."""
    variants = []
    by_formula = {
        i: held
        for i, (raw, plain) in enumerate(zip(listed.raws, listed.held, strict=True))
        if stated.formula and (held := species_by_formula(raw, plain, stated.formula)) is not None
    }
    if by_formula:
        labels = ", ".join(f"{listed.raws[i].label} as {held.parts[0][0]}" for i, held in by_formula.items())
        variants.append((labels, partial(crystal, listed.holding(by_formula))))
    reading = choose(symmetry_readings(block, structure), stated, partial(crystal, listed), variants)
    if listed.zeros and not (reading.comparison.grade == Grade.AGREES and (stated.units or stated.density)):
        raise CrystalError(f"site {listed.zeros[0]} has no coordinates", remedy="Complete or remove the site")
    if not stated.formula:
        return _by_distance(reading, listed, stated, crystal)
    return reading


def _by_distance(
    reading: Reading, listed: ListedSites, stated: Stated, crystal: Callable[[ListedSites, Setting], Crystal]
) -> Reading:
    """The reading with labels such as HO1 as hydrogen, where a heavy atom has no room there."""
    capitals = {
        i: held
        for i, (raw, plain) in enumerate(zip(listed.raws, listed.held, strict=True))
        if (held := species_by_distance(raw, plain)) is not None
    }
    if not capitals or contact(reading.crystal) >= NEAREST:
        return reading
    other = crystal(listed.holding(capitals), reading.setting)
    return replace(reading, crystal=other, comparison=compare(other, stated))


def _crystal(name: str, cell: Cell, source: str, listed: ListedSites, setting: Setting) -> Crystal:
    sites, notes = sites_of(listed, setting.operations)
    return Crystal(
        name=name,
        cell=cell,
        space_group=setting.symbol,
        symmetry_operations=setting.operations,
        sites=sites,
        source=source,
        notes=(*setting.notes, *notes),
    )


def _noted(reading: Reading, listed: ListedSites, stated: Stated) -> Crystal:
    """The crystal of a reading, with notes on what does not quite agree and on hydrogen without sites."""
    notes = [f"{DOUBT}{remark}" for remark in reading.comparison.remarks]
    if not stated.words:
        notes.append(UNCHECKED)
    if listed.zeros:
        notes.append(f"{', '.join(listed.zeros)}: '.' for a coordinate taken as 0")
    crystal = replace(reading.crystal, notes=(*notes, *reading.crystal.notes)) if notes else reading.crystal
    units = reading.comparison.units
    if not stated.formula or not units:
        return crystal
    unlocated, note = _unlocated(crystal, stated, stated.formula, units, listed, reading.setting)
    return replace(crystal, notes=(*crystal.notes, note), unlocated=unlocated) if note else crystal


def _unlocated(
    crystal: Crystal,
    stated: Stated,
    formula: Mapping[str, float],
    units: float,
    listed: ListedSites,
    setting: Setting,
) -> tuple[tuple[tuple[str, float], ...], str]:
    """Hydrogen and water of the formula that no site holds, as (element, atoms a cell), and a note on it.

    Where the sites do not agree with the formula otherwise, nothing is said.
    """
    found, wanted = hydrogen_as_one(content_by_multiplicity(crystal)), units * formula.get("H", 0.0)
    if any("whose hydrogen is listed too" in note for note in crystal.notes):
        apart = {i: replace(held, group=False) for i, held in enumerate(listed.held) if held.group}
        counted = _crystal(crystal.name, crystal.cell, crystal.source, listed.holding(apart), setting)
        twice = hydrogen_as_one(content_by_multiplicity(counted)).get("H", 0.0)
        if abs(wanted - twice) <= AGREES * twice:
            return (), "its formula counts the hydrogen of the water twice"
    oxygen, light = water_without_sites(found, formula, units), found.get("H", 0.0)
    with_water = {**found, "O": found.get("O", 0.0) + oxygen} if oxygen else found
    missing = wanted - light
    if exchanged_mass(with_water, formula)[0] > AGREES or missing < 0.02 * wanted or missing <= 0:
        if wanted and light > 1.1 * wanted + 0.01:
            return (), f"{DOUBT}its sites hold {light / units:.3g} H, its formula {wanted / units:.3g}"
        return (), ""
    atoms = [("D" if stated.deuterated else "H", round(missing, 4))]
    atoms += [("O", round(oxygen, 4))] if oxygen else []
    what = " and ".join(f"{number / units:.4g} {element}" for element, number in atoms)
    note = f"{what} of its formula {stated.formula_text} have no sites: counted in the mass, not scattering"
    return tuple(atoms), note


def _cell(block: gemmi.cif.Block) -> Cell:
    """The six cell parameters, all of which the file must state (gemmi puts 1 and 90 for those it lacks)."""
    keys = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
    values = [gemmi.cif.as_number(block.find_value(f"_cell_{key}") or "?") for key in keys]
    missing = [f"_cell_{key}" for key, value in zip(keys, values, strict=True) if not math.isfinite(value)]
    if missing:
        raise CrystalError(
            f"its unit cell lacks {', '.join(missing)}", remedy="Complete the cell in the file"
        )
    a, b, c, alpha, beta, gamma = values
    return a, b, c, alpha, beta, gamma


def _source(block: gemmi.cif.Block, path: Path) -> str:
    for tag, prefix in (("_cod_database_code", "COD"), ("_database_code_amcsd", "AMCSD")):
        value = block.find_value(tag)
        if value and value not in (".", "?"):
            return f"{prefix} {gemmi.cif.as_string(value)} ({path.name})"
    return path.name
