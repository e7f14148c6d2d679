"""What a CIF states besides the sites (formula, Z, density, volume), and whether they agree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

import gemmi

from mixrd.crystal.cif_document import number_value, text_value
from mixrd.crystal.formula import (
    AGREES,
    atoms_of_formula,
    content_by_multiplicity,
    exchanged_mass,
    hydrogen_as_one,
    mass_of,
    water_without_sites,
    without_hydrogen,
)
from mixrd.crystal.structure import AMU_PER_A3_IN_G_CM3, Crystal
from mixrd.errors import CrystalError

#: Part of the mass that may be of other elements, or in other numbers, than the formula says, before the two
#: contradict each other: solid solutions and analysed compositions are below.
MOST_EXCHANGED = 0.15
#: A density that is off by more than this is that of another structure.
MOST_DENSITY_OFF = 0.25
#: A measured density is that of a sample with pores and impurities.
MEASURED_AGREES = 0.10
#: Of two volumes that differ by these factors one is that of another cell of the same lattice, of another
#: unit of length, or was calculated with an angle of 120 instead of 90 degrees.
_OTHER_CELL = (2.0, 3.0, 4.0, 6.0, 1000.0, 1.1547)
_VOLUME_AGREES = 0.005
_MOST_VOLUME_OFF = 0.05


class Grade(IntEnum):
    """How a reading of a file stands to what the file states."""

    CONTRADICTS = 0
    DOUBTFUL = 1
    UNCHECKED = 2
    AGREES = 3


@dataclass(frozen=True)
class Stated:
    """What a file states.

    Attributes
    ----------
    formula : mapping or None
        Atoms of each element, D as H.
    formula_text : str
        As written.
    units : float or None
        Z, formula units in the cell.
    density : float or None
        In g/cm3.
    density_tolerance : float
        How near (relatively) it has to come: a calculated or a measured one.
    volume : float or None
        Of the cell, in cubic angstrom.
    deuterated : bool
        Whether the formula has D and no H.
    """

    formula: Mapping[str, float] | None = None
    formula_text: str = ""
    units: float | None = None
    density: float | None = None
    density_tolerance: float = AGREES
    volume: float | None = None
    deuterated: bool = False

    @property
    def weighs(self) -> bool:
        """Whether it says how much is in the cell."""
        return self.density is not None or (self.units is not None and self.formula is not None)

    @property
    def words(self) -> str:
        """What is stated, in a few words; empty where nothing is."""
        parts = [self.formula_text.replace("'", "")] if self.formula else []
        parts += [f"Z = {self.units:g}"] if self.units and self.formula else []
        parts += [f"{self.density:.4g} g/cm3"] if self.density else []
        return ", ".join(parts)


@dataclass(frozen=True)
class Comparison:
    """One reading beside what is stated.

    Attributes
    ----------
    grade : Grade
    cause : str
        What contradicts what; empty where nothing does.
    remarks : tuple of str
        What does not quite agree.
    units : float or None
        Formula units that the sites other than hydrogen add up to.
    distance : float
        How far (relatively) content and density are from what is stated.
    """

    grade: Grade
    cause: str = ""
    remarks: tuple[str, ...] = ()
    units: float | None = None
    distance: float = 0.0


def read_stated(block: gemmi.cif.Block) -> Stated:
    """What a data block states; what cannot be read counts as not stated."""
    text = text_value(block, "_chemical_formula_sum") or ""
    try:
        atoms = atoms_of_formula(text)
    except CrystalError:
        atoms = {}
    formula = hydrogen_as_one(atoms)
    calculated = number_value(block, "_exptl_crystal_density_diffrn")
    measured = number_value(block, "_exptl_crystal_density_meas")
    density = calculated if _positive(calculated) else measured
    if density is not None and density > 100:  # in kg/m3
        density /= 1000
    units = number_value(block, "_cell_formula_units_Z")
    volume = number_value(block, "_cell_volume")
    return Stated(
        formula if formula and all(n > 0 for n in formula.values()) else None,
        text,
        units if _positive(units) else None,
        density if _positive(density) else None,
        AGREES if _positive(calculated) else MEASURED_AGREES,
        volume if _positive(volume) else None,
        "D" in atoms and "H" not in atoms,
    )


def compare(crystal: Crystal, stated: Stated) -> Comparison:
    """How a reading stands to what the file states.

    The formula is compared by its elements other than hydrogen, the number of its units with Z, the density
    with and without the hydrogen that has no sites. Of witnesses that disagree the majority counts: an odd
    density beside the right formula and Z is a remark, a formula that neither Z nor the density confirms a
    contradiction.
    """
    content = content_by_multiplicity(crystal)
    found = hydrogen_as_one(content)
    exchanged, units, same_units, single = 0.0, None, None, True
    if stated.formula:
        exchanged, units = exchanged_mass(found, stated.formula)
        if oxygen := water_without_sites(found, stated.formula, units):
            found["O"] = found.get("O", 0.0) + oxygen
            exchanged, units = exchanged_mass(found, stated.formula)
        single = len(without_hydrogen(stated.formula)) < 2 and len(without_hydrogen(found)) < 2
        same_units = _same_units(units, stated, crystal)
    off = _density_off(crystal.volume, stated, found, units, mass_of(content))
    dense = None if off is None else off <= stated.density_tolerance
    distance = max(exchanged, off or 0.0)
    remarks = _volume_remarks(crystal, stated)
    cause = _volume_cause(crystal, stated, dense)
    twice = exchanged > 0.05 and off is not None and off > 0.05
    if twice or (exchanged > MOST_EXCHANGED and not dense):
        cause = cause or "its sites are not those of its formula"
    elif same_units is False and not dense:
        cause = cause or "its sites are not as many as its formula and Z"
    elif off is not None and off > MOST_DENSITY_OFF and not same_units:
        cause = cause or "its sites have not its density"
    if cause:
        return Comparison(Grade.CONTRADICTS, cause, tuple(remarks), units, distance)
    if exchanged > AGREES or (exchanged > 0.01 and not dense):
        remarks.append(f"its sites give {crystal.formula}, its formula is {stated.formula_text}")
    if same_units is False and units is not None:
        remarks.append(
            f"its sites give {units:.3g} formula units in the cell, it states Z = {stated.units:g}"
        )
    if off is not None and not dense and off > 0.05:
        remarks.append(f"its sites give {crystal.density_g_cm3:.4g} g/cm3, it states {stated.density:.4g}")
    witnesses = [
        not single and exchanged <= AGREES if stated.formula and not single else None,
        same_units,
        dense,
    ]
    said = [one for one in witnesses if one is not None]
    if all(said):
        return Comparison(Grade.AGREES if said else Grade.UNCHECKED, "", tuple(remarks), units, distance)
    return Comparison(Grade.DOUBTFUL, "", tuple(remarks), units, distance)


def _positive(value: float | None) -> bool:
    return value is not None and 0 < value < 1e6


def _same_units(units: float, stated: Stated, crystal: Crystal) -> bool | None:
    """Whether the sites add up to Z formula units; None where Z is not stated."""
    if stated.units is None or stated.formula is None:
        return None
    ratio = units / stated.units
    if abs(ratio - 1) <= AGREES:
        return True
    counts = [n / stated.units for n in stated.formula.values()]
    whole_cell = stated.units > 1 and all(abs(n - round(n)) < 1e-6 for n in counts)
    if whole_cell and abs(units - 1) <= AGREES:
        return True
    # Rhombohedral axes with the Z of the hexagonal cell, or the other way round.
    trigonal = crystal.space_group.startswith("R") and min(abs(ratio - 3), abs(3 * ratio - 1)) <= 3 * AGREES
    return None if trigonal else False


def _density_off(
    volume: float, stated: Stated, found: Mapping[str, float], units: float | None, mass: float
) -> float | None:
    """Relative distance of the stated density: with the hydrogen of the sites, of the formula, or none."""
    if stated.density is None:
        return None
    heavy = {e: n for e, n in found.items() if e != "H"}
    masses = [mass]
    if heavy and stated.formula and units:
        masses.append(mass_of({**heavy, "H": units * stated.formula.get("H", 0.0)}))
    if heavy:
        masses.append(mass_of(heavy))
    densities = [mass / volume * AMU_PER_A3_IN_G_CM3 for mass in masses]
    return min(abs(density / stated.density - 1) for density in densities)


def _volume_off(crystal: Crystal, stated: Stated) -> float:
    if stated.volume is None:
        return 0.0
    ratio = max(crystal.volume / stated.volume, stated.volume / crystal.volume)
    return 0.0 if any(abs(ratio / factor - 1) < 0.003 for factor in _OTHER_CELL) else ratio - 1


def _volume_cause(crystal: Crystal, stated: Stated, dense: bool | None) -> str:
    if _volume_off(crystal, stated) <= _MOST_VOLUME_OFF or dense:
        return ""
    return f"its cell has {crystal.volume:.5g} A^3, it states {stated.volume:.5g}"


def _volume_remarks(crystal: Crystal, stated: Stated) -> list[str]:
    if stated.volume is None or abs(crystal.volume / stated.volume - 1) <= _VOLUME_AGREES:
        return []
    return [f"its cell has {crystal.volume:.5g} A^3, it states {stated.volume:.5g}"]
