"""Crystal structures: read from CIF, found in the catalog or COD, screened, strained."""

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
from mixrd.crystal.cod import COD_URL, CodClient, StructureSource, write_whole
from mixrd.crystal.cod_mirror import CodMirror, read_record
from mixrd.crystal.cod_phase import cod_phase
from mixrd.crystal.cod_query import CodQuery, CodRecord
from mixrd.crystal.connectivity import BondGraph, Component, bond_graph, components
from mixrd.crystal.formula import atoms_of_formula, hill_formula
from mixrd.crystal.objects import crystal_from_ase, crystal_from_pymatgen
from mixrd.crystal.own_phases import keep_phase, own_names, own_phase, remove_phase
from mixrd.crystal.phase_name import name_key
from mixrd.crystal.polymer import Polymer, find_polymer
from mixrd.crystal.readings import doubts_of_file
from mixrd.crystal.screening import LARGEST_CELL, REASONS, Screening, Verdict
from mixrd.crystal.strain import StrainMode, cell_of, strain_basis, strained_cell
from mixrd.crystal.structure import B_OVER_U, AtomsInCell, Cell, Crystal, Site

__all__ = [
    "B_OVER_U",
    "COD_URL",
    "LARGEST_CELL",
    "REASONS",
    "AtomsInCell",
    "BondGraph",
    "CatalogEntry",
    "Cell",
    "CodClient",
    "CodMirror",
    "CodQuery",
    "CodRecord",
    "Component",
    "Crystal",
    "Polymer",
    "PublishedPattern",
    "Screening",
    "Site",
    "StrainMode",
    "StructureSource",
    "Verdict",
    "atoms_of_formula",
    "bond_graph",
    "catalog_entry",
    "catalog_names",
    "cell_of",
    "check_distinct",
    "cod_phase",
    "components",
    "crystal_from_ase",
    "crystal_from_pymatgen",
    "doubts_of_file",
    "find_polymer",
    "formula_of",
    "hill_formula",
    "keep_phase",
    "load_phase",
    "name_key",
    "own_names",
    "own_phase",
    "read_cif",
    "read_record",
    "remove_phase",
    "search_catalog",
    "strain_basis",
    "strained_cell",
    "write_whole",
]
