"""What another program says of the same scan, beside our own answer."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mixrd.analysis.result.parts import AnalysisWarning

#: Differences that two programs on one scan do not explain: in standard uncertainties, and in wt%.
DISAGREES_SIGMA, DISAGREES_PERCENT = 3.0, 1.0


@dataclass(frozen=True)
class SecondOpinion:
    """Weight fractions by another program, from the same scan, structures and wavelengths.

    Attributes
    ----------
    program, version : str
    weight_percent : dict
        By phase name; empty where the program found no usable answer.
    sigma_percent : dict
        Its standard uncertainties, by phase name, where it states them.
    differences : dict
        Its answer minus ours, over the root of the sum of both squared uncertainties, by phase name. Both
        come from the same counts, so noise makes less than these units say, and models make the rest.
    r_wp : float or None
        Of its refinement, 0-1.
    seconds : float
    remark : str
        Why there is no answer, or what it doubts; else empty.
    """

    program: str
    version: str
    weight_percent: dict[str, float]
    sigma_percent: dict[str, float]
    differences: dict[str, float]
    r_wp: float | None
    seconds: float
    remark: str = ""


def in_sigmas(theirs: float, their_sigma: float | None, ours: float, our_sigma: float | None) -> float:
    """Difference in units of the combined standard uncertainty; at least 0.01 wt% counts as one."""
    combined = math.hypot(their_sigma or 0.0, our_sigma or 0.0)
    return (theirs - ours) / max(combined, 0.01)


def second_opinion_warnings(opinion: SecondOpinion, ours: dict[str, float]) -> list[AnalysisWarning]:
    """Doubts that follow from an opinion.

    Parameters
    ----------
    opinion : SecondOpinion
    ours : dict
        Our refined wt% by phase name.
    """
    if not opinion.weight_percent:
        said = f"{opinion.program} has no usable answer ({opinion.remark})"
        return [AnalysisWarning("SECOND_OPINION_MISSING", said)]
    warnings = []
    for name, theirs in opinion.weight_percent.items():
        distance = opinion.differences[name]
        if abs(distance) > DISAGREES_SIGMA and abs(theirs - ours[name]) > DISAGREES_PERCENT:
            said = (
                f"{opinion.program} says {theirs:.1f} wt%, the refinement {ours[name]:.1f} wt%: "
                f"{abs(distance):.1f} combined standard uncertainties apart"
            )
            warnings.append(AnalysisWarning("SECOND_OPINION_DISAGREES", said, name))
    return warnings
