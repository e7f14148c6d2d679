"""Doubts that follow from what another program says."""

from __future__ import annotations

from mixrd.analysis.result.parts import AnalysisWarning
from mixrd.analysis.result.second_opinion import SecondOpinion

#: Differences that two programs on one scan do not explain: in standard uncertainties, and in wt%.
DISAGREES_SIGMA, DISAGREES_PERCENT = 3.0, 1.0


def second_opinion_warnings(opinion: SecondOpinion, ours: dict[str, float]) -> list[AnalysisWarning]:
    """Doubts that follow from an opinion.

    Parameters
    ----------
    opinion : SecondOpinion
    ours : dict
        Our refined wt% by phase name.
    """
    if not opinion.weight_percent:
        return [
            AnalysisWarning(
                "SECOND_OPINION_MISSING", f"{opinion.program} has no usable answer ({opinion.remark})"
            )
        ]
    warnings = []
    for name, theirs in opinion.weight_percent.items():
        distance = opinion.differences[name]
        if abs(distance) > DISAGREES_SIGMA and abs(theirs - ours[name]) > DISAGREES_PERCENT:
            warnings.append(
                AnalysisWarning(
                    "SECOND_OPINION_DISAGREES",
                    f"{opinion.program} says {theirs:.1f} wt%, the refinement {ours[name]:.1f} wt%: "
                    f"{abs(distance):.1f} combined standard uncertainties apart",
                    name,
                )
            )
    return warnings
