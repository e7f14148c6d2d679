"""The check of a structure that a user adds to the own catalog: that of the catalog that ships."""

from __future__ import annotations

from mixrd.crystal import Crystal
from mixrd.experiments.catalog_check import check_entry
from mixrd.experiments.structure_faults import distance_faults, formula_faults
from mixrd.phases import CatalogEntry


def structure_doubts(
    crystal: Crystal, *, formula: str | None = None, second: Crystal | None = None
) -> tuple[str, ...]:
    """What seems wrong in a structure.

    Parameters
    ----------
    crystal : Crystal
    formula : str, optional
        As one writes it; default that of the cell, which then cannot disagree.
    second : Crystal, optional
        An independent determination: density, strongest lines and I/Ic are compared too.
    """
    if second is None:
        stated = formula_faults(crystal, formula) if formula else []
        return (*stated, *distance_faults(crystal))
    entry = CatalogEntry(
        name=crystal.name,
        formula=formula or crystal.formula,
        category="",
        aliases=(),
        crystal=crystal,
        second=second,
        second_kind="structure",
    )
    return check_entry(entry).reasons
