"""Whether a result may state amounts: a fit that is worthless states no number."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mixrd.analysis.result.intervals import Quantities
from mixrd.analysis.result.parts import AnalysisWarning, Curves, PhaseResult, Statement, UnexplainedResult
from mixrd.fit.refinement import LEAST_TOTAL_SIGNIFICANCE, Refinement
from mixrd.warning_texts import codes_that, warning_texts

#: Part of what stands above the background that the candidates must explain, as a sum of squares: there
#: amounts are those of what is in the scan, and not of what happens to lie below foreign lines.
LEAST_EXPLAINED = 0.7
#: Largest share of the counts above the background in lines that no candidate explains.
MOST_UNEXPLAINED = 0.5


def explained_share(curves: Curves, sigma: NDArray[np.float64]) -> float:
    """Part of the intensity above the background that the candidates explain, noise left out; at most 1.

    1 less the sum of squared weighted residuals over that of the net intensities, each less what noise makes
    of it: a coefficient of determination beside the background.
    """
    points = len(curves.two_theta)
    left = float(np.square((curves.observed - curves.calculated) / sigma).sum()) - points
    net = float(np.square((curves.observed - curves.background) / sigma).sum()) - points
    return 1.0 - max(left, 0.0) / max(net, 1e-300) if net > 0 else 0.0


def statement_of(
    names: Sequence[str],
    refined: Refinement | None,
    amounts: Quantities | None,
    explained: float,
    unexplained: UnexplainedResult | None,
    warnings: Sequence[AnalysisWarning],
) -> Statement:
    """What may be stated of the amounts.

    Parameters
    ----------
    names : sequence of str
        Of the candidates.
    refined : Refinement or None
    amounts : Quantities or None
        None without a refinement: the network's estimate is stated as it is.
    explained : float
        `explained_share`.
    unexplained : UnexplainedResult or None
    warnings : sequence of AnalysisWarning
        All of the result.
    """
    if refined is not None and amounts is not None:
        reason = _worthless(names, refined, amounts, explained, unexplained, warnings)
        if reason:
            return Statement("none", reason)
    if len(names) == 1:
        return Statement("presence", f"{names[0]} is the only candidate")
    return Statement()


def _worthless(
    names: Sequence[str],
    refined: Refinement,
    amounts: Quantities,
    explained: float,
    unexplained: UnexplainedResult | None,
    warnings: Sequence[AnalysisWarning],
) -> str:
    """Why the fit is worth no number; empty if it is worth one."""
    texts = [warning_texts()[warning.code] for warning in warnings if warning.code in warning_texts()]
    for text in texts:
        if text.refuses:
            return text.refuses
    if refined.significance < LEAST_TOTAL_SIGNIFICANCE:
        return "no candidate stands out from background and noise"
    if unexplained is not None and unexplained.share_of_counts > MOST_UNEXPLAINED:
        return (
            f"{100 * unexplained.share_of_counts:.0f} % of the counts above the background are in lines that "
            f"{_candidates(names)} not explain"
        )
    if explained < LEAST_EXPLAINED:
        return (
            f"{_candidates(names)} not explain the scan: the fit leaves "
            f"{100 * (1 - max(explained, 0.0)):.0f} % of what stands above the background (as squares)"
        )
    if not amounts.detected.any() and len(names) > 1:
        return "the lines of no candidate are there as they should"
    return ""


def _candidates(names: Sequence[str]) -> str:
    return f"{names[0]} does" if len(names) == 1 else "the candidates do"


def without_those_about_amounts(warnings: Sequence[AnalysisWarning]) -> tuple[AnalysisWarning, ...]:
    """Those that say something where no amounts are stated."""
    about = codes_that(lambda text: text.about_amounts)
    return tuple(one for one in warnings if one.code not in about)


def without_amounts(phases: Sequence[PhaseResult]) -> tuple[PhaseResult, ...]:
    """The same without any number for an amount."""
    return tuple(
        dataclasses.replace(
            phase,
            weight_percent=None,
            sigma_percent=None,
            network_percent=None,
            refined_percent=None,
            apparent_percent=None,
            interval_percent=None,
            detection_limit_percent=None,
            quantification_limit_percent=None,
        )
        for phase in phases
    )
