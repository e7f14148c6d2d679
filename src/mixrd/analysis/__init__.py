"""Analysis of scans: estimate, refinement, instrument calibration and the result type."""

from mixrd.analysis.calibration import Calibration, calibrate
from mixrd.analysis.refinement import Refinement, Restraints, refine
from mixrd.analysis.result import Analysis, AnalysisWarning, Curves, PhaseResult
from mixrd.analysis.scan_analysis import analyze, analyze_many, failed_analysis, recipe_for
from mixrd.analysis.setup import generic_instrument, instrument_for, overlap

__all__ = [
    "Analysis",
    "AnalysisWarning",
    "Calibration",
    "Curves",
    "PhaseResult",
    "Refinement",
    "Restraints",
    "analyze",
    "analyze_many",
    "calibrate",
    "failed_analysis",
    "generic_instrument",
    "instrument_for",
    "overlap",
    "recipe_for",
    "refine",
]
