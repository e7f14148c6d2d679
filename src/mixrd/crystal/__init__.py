"""Crystal structures: read from CIF, found in the catalog, strained."""

from mixrd.crystal.catalog import (
    CatalogEntry,
    PublishedPattern,
    catalog_entry,
    catalog_names,
    check_distinct,
    formula_of,
    load_phase,
    search_catalog,
)
from mixrd.crystal.cif import read_cif
from mixrd.crystal.strain import StrainMode, cell_of, strain_basis, strained_cell
from mixrd.crystal.structure import AtomsInCell, Cell, Crystal, Site

__all__ = [
    "AtomsInCell",
    "CatalogEntry",
    "Cell",
    "Crystal",
    "PublishedPattern",
    "Site",
    "StrainMode",
    "catalog_entry",
    "catalog_names",
    "cell_of",
    "check_distinct",
    "formula_of",
    "load_phase",
    "read_cif",
    "search_catalog",
    "strain_basis",
    "strained_cell",
]
