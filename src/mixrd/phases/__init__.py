"""Where structures come from: the catalog, the user's own phases, the COD; and which of them to keep."""

from mixrd.phases.catalog import (
    CatalogEntry,
    PublishedPattern,
    catalog_entry,
    catalog_names,
    check_distinct,
    formula_of,
    search_catalog,
)
from mixrd.phases.cod import COD_URL, CodClient, StructureSource
from mixrd.phases.cod_mirror import CodMirror, read_record
from mixrd.phases.cod_phase import cod_phase
from mixrd.phases.cod_query import CodQuery, CodRecord
from mixrd.phases.named_phase import load_phase
from mixrd.phases.own_phases import keep_phase, own_names, own_phase, own_phases, remove_phase
from mixrd.phases.phase_name import name_key
from mixrd.phases.phase_source import PhaseSource, phase_sources, register_phase_source
from mixrd.phases.polymer import Polymer, find_polymer
from mixrd.phases.screening import LARGEST_CELL, REASONS, Screening, Verdict

__all__ = [
    "COD_URL",
    "LARGEST_CELL",
    "REASONS",
    "CatalogEntry",
    "CodClient",
    "CodMirror",
    "CodQuery",
    "CodRecord",
    "PhaseSource",
    "Polymer",
    "PublishedPattern",
    "Screening",
    "StructureSource",
    "Verdict",
    "catalog_entry",
    "catalog_names",
    "check_distinct",
    "cod_phase",
    "find_polymer",
    "formula_of",
    "keep_phase",
    "load_phase",
    "name_key",
    "own_names",
    "own_phase",
    "own_phases",
    "phase_sources",
    "read_record",
    "register_phase_source",
    "remove_phase",
    "search_catalog",
]
