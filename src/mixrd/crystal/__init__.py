"""A crystal structure: read from CIF and checked against itself, its strain, its atoms."""

from mixrd.crystal.cell import Cell, Site, cell_of
from mixrd.crystal.cif import read_cif
from mixrd.crystal.connectivity import BondGraph, Component, bond_graph, components
from mixrd.crystal.formula import atoms_of_formula, hill_formula
from mixrd.crystal.readings import doubts_of_file
from mixrd.crystal.strain import StrainMode, strain_basis, strained_cell
from mixrd.crystal.structure import B_OVER_U, AtomsInCell, Crystal

__all__ = [
    "B_OVER_U",
    "AtomsInCell",
    "BondGraph",
    "Cell",
    "Component",
    "Crystal",
    "Site",
    "StrainMode",
    "atoms_of_formula",
    "bond_graph",
    "cell_of",
    "components",
    "doubts_of_file",
    "hill_formula",
    "read_cif",
    "strain_basis",
    "strained_cell",
]
