"""Analysis of scans: the request, estimate, refinement, instrument calibration and the result type.

A request is made without torch: what needs it is loaded on first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from mixrd.analysis.contents.amorphous import InternalStandard, parse_standard
from mixrd.analysis.contents.grinding import GRINDINGS, Grinding
from mixrd.analysis.inputs.exclusion import parse_regions, without_regions
from mixrd.analysis.inputs.instrument_choice import InstrumentChoice
from mixrd.analysis.inputs.sources import Sources
from mixrd.analysis.request import AnalysisRequest, StandardScan
from mixrd.analysis.result.parts import (
    AbsoluteResult,
    AnalysisWarning,
    Curves,
    PhaseResult,
    Statement,
    TextureResult,
    UnexplainedResult,
)
from mixrd.analysis.result.second_opinion import SecondOpinion

if TYPE_CHECKING:
    from mixrd.analysis.calibration import Calibration, calibrate
    from mixrd.analysis.contents.amorphous_component import (
        AmorphousComponent,
        component_of_humps,
        component_of_scan,
        parse_humps,
    )
    from mixrd.analysis.contents.external_standard import ExternalConstant
    from mixrd.analysis.inputs.beam import (
        beam_warnings,
        described_instrument,
        generic_instrument,
        instrument_for,
    )
    from mixrd.analysis.inputs.preparation import Preparation, external_constant_of
    from mixrd.analysis.inputs.setup import overlap
    from mixrd.analysis.model_finishing import finished_model, train
    from mixrd.analysis.planning.laboratory_bound import (
        ExpectedScan,
        LaboratoryBound,
        Measurement,
        PhaseBound,
        laboratory_bound,
    )
    from mixrd.analysis.planning.plan import Plan, make_plan
    from mixrd.analysis.result.analysis import Analysis
    from mixrd.analysis.result.intervals import LEVEL
    from mixrd.analysis.result.refined_model import RefinedModel
    from mixrd.analysis.scan_analysis import analyze, analyze_many, failed_analysis, recipe_for

__all__ = [
    "GRINDINGS",
    "LEVEL",
    "AbsoluteResult",
    "AmorphousComponent",
    "Analysis",
    "AnalysisRequest",
    "AnalysisWarning",
    "Calibration",
    "Curves",
    "ExpectedScan",
    "ExternalConstant",
    "Grinding",
    "InstrumentChoice",
    "InternalStandard",
    "LaboratoryBound",
    "Measurement",
    "PhaseBound",
    "PhaseResult",
    "Plan",
    "Preparation",
    "RefinedModel",
    "SecondOpinion",
    "Sources",
    "StandardScan",
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
    "external_constant_of",
    "failed_analysis",
    "finished_model",
    "generic_instrument",
    "instrument_for",
    "laboratory_bound",
    "make_plan",
    "overlap",
    "parse_humps",
    "parse_regions",
    "parse_standard",
    "recipe_for",
    "train",
    "without_regions",
]

_HOME = {
    name: module
    for module, names in {
        "calibration": ("Calibration", "calibrate"),
        "contents.amorphous_component": (
            "AmorphousComponent",
            "component_of_humps",
            "component_of_scan",
            "parse_humps",
        ),
        "contents.external_standard": ("ExternalConstant",),
        "inputs.beam": ("beam_warnings", "described_instrument", "generic_instrument", "instrument_for"),
        "inputs.preparation": ("Preparation", "external_constant_of"),
        "inputs.setup": ("overlap",),
        "model_finishing": ("finished_model", "train"),
        "planning.laboratory_bound": (
            "ExpectedScan",
            "LaboratoryBound",
            "Measurement",
            "PhaseBound",
            "laboratory_bound",
        ),
        "planning.plan": ("Plan", "make_plan"),
        "result.analysis": ("Analysis",),
        "result.intervals": ("LEVEL",),
        "result.refined_model": ("RefinedModel",),
        "scan_analysis": ("analyze", "analyze_many", "failed_analysis", "recipe_for"),
    }.items()
    for name in names
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
