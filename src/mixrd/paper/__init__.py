"""The experiment of Hoefer et al. 2024, whole: its grid of trainings, its table, its figure, its check."""

from mixrd.paper.cells import Cell, grid
from mixrd.paper.floor import Floor, NoiseFloor
from mixrd.paper.materials import POOLS, Materials, paper_materials
from mixrd.paper.measured import measure_bound, measure_refinement, read_bounds, read_refinements
from mixrd.paper.protocol import Protocol
from mixrd.paper.result import Summary, read_results
from mixrd.paper.runs import CellDone, GridProgress, run_grid
from mixrd.paper.table import Row, SizeRow, paper_rows, results_folders, size_rows
from mixrd.paper.verification import Verification, verify

__all__ = [
    "POOLS",
    "Cell",
    "CellDone",
    "Floor",
    "GridProgress",
    "Materials",
    "NoiseFloor",
    "Protocol",
    "Row",
    "SizeRow",
    "Summary",
    "Verification",
    "grid",
    "measure_bound",
    "measure_refinement",
    "paper_materials",
    "paper_rows",
    "read_bounds",
    "read_refinements",
    "read_results",
    "results_folders",
    "run_grid",
    "size_rows",
    "verify",
]
