"""Analysis of scans: estimate, refinement, instrument calibration and the result type."""

from mixrd.analysis.bound import expected_tvd, fraction_covariance
from mixrd.analysis.bound_result import LaboratoryBound, PhaseBound
from mixrd.analysis.calibration import Calibration, calibrate
from mixrd.analysis.laboratory_bound import ExpectedScan, Measurement, laboratory_bound
from mixrd.analysis.plan import Plan, make_plan
from mixrd.analysis.refinement import Refinement, refine
from mixrd.analysis.restraints import Restraints
from mixrd.analysis.result import Analysis, AnalysisWarning, Curves, PhaseResult
from mixrd.analysis.scan_analysis import analyze, analyze_many, failed_analysis, recipe_for
from mixrd.analysis.setup import generic_instrument, instrument_for, overlap

__all__ = [
    "Analysis",
    "AnalysisWarning",
    "Calibration",
    "Curves",
    "ExpectedScan",
    "LaboratoryBound",
    "Measurement",
    "PhaseBound",
    "PhaseResult",
    "Plan",
    "Refinement",
    "Restraints",
    "analyze",
    "analyze_many",
    "calibrate",
    "expected_tvd",
    "failed_analysis",
    "fraction_covariance",
    "generic_instrument",
    "instrument_for",
    "laboratory_bound",
    "make_plan",
    "overlap",
    "recipe_for",
    "refine",
]
