"""Analysis of scans: estimate, refinement, instrument calibration and the result type."""

from mixrd.analysis.amorphous import InternalStandard, parse_standard
from mixrd.analysis.amorphous_component import AmorphousComponent, component_of_scan
from mixrd.analysis.amorphous_humps import component_of_humps, parse_humps
from mixrd.analysis.beam import beam_warnings, described_instrument, generic_instrument, instrument_for
from mixrd.analysis.bound import expected_tvd, fraction_covariance
from mixrd.analysis.bound_result import LaboratoryBound, PhaseBound
from mixrd.analysis.calibration import Calibration, calibrate
from mixrd.analysis.exclusion import parse_regions, without_regions
from mixrd.analysis.external_standard import ExternalConstant
from mixrd.analysis.grinding import GRINDINGS, Grinding
from mixrd.analysis.intervals import LEVEL
from mixrd.analysis.laboratory_bound import ExpectedScan, Measurement, laboratory_bound
from mixrd.analysis.model_finishing import finished_model, train
from mixrd.analysis.plan import Plan, make_plan
from mixrd.analysis.preparation import Preparation, external_constant_of
from mixrd.analysis.refined_model import RefinedModel
from mixrd.analysis.refinement import Refinement, refine
from mixrd.analysis.restraints import Restraints
from mixrd.analysis.result import Analysis
from mixrd.analysis.result_parts import (
    AbsoluteResult,
    AnalysisWarning,
    Curves,
    PhaseResult,
    Statement,
    TextureResult,
    UnexplainedResult,
)
from mixrd.analysis.scan_analysis import analyze, analyze_many, failed_analysis, recipe_for
from mixrd.analysis.second_opinion import SecondOpinion
from mixrd.analysis.setup import overlap

__all__ = [
    "GRINDINGS",
    "LEVEL",
    "AbsoluteResult",
    "AmorphousComponent",
    "Analysis",
    "AnalysisWarning",
    "Calibration",
    "Curves",
    "ExpectedScan",
    "ExternalConstant",
    "Grinding",
    "InternalStandard",
    "LaboratoryBound",
    "Measurement",
    "PhaseBound",
    "PhaseResult",
    "Plan",
    "Preparation",
    "RefinedModel",
    "Refinement",
    "Restraints",
    "SecondOpinion",
    "Statement",
    "TextureResult",
    "UnexplainedResult",
    "analyze",
    "analyze_many",
    "beam_warnings",
    "calibrate",
    "component_of_humps",
    "component_of_scan",
    "described_instrument",
    "expected_tvd",
    "external_constant_of",
    "failed_analysis",
    "finished_model",
    "fraction_covariance",
    "generic_instrument",
    "instrument_for",
    "laboratory_bound",
    "make_plan",
    "overlap",
    "parse_humps",
    "parse_regions",
    "parse_standard",
    "recipe_for",
    "refine",
    "train",
    "without_regions",
]
