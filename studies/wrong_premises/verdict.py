"""What an answer is worth beside the truth: right, wrong, warned of, refused."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from mixrd.analysis import Analysis, PhaseResult
from mixrd.warning_texts import codes_that

#: Codes that say what was done with the file and leave the answer alone. All others are doubts.
INFORMATIVE = codes_that(lambda text: text.informative)
#: Doubts that follow from the named phases alone, whatever the scan: they do not tell a wrong premise.
STANDING = codes_that(lambda text: text.standing)
#: An interval this many of its half widths off is wrong.
HALF_WIDTHS = 2.0

Verdict = Literal[
    "right", "right with warnings", "wrong with warnings", "sure and wrong", "refused", "crashed"
]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)


@dataclass(frozen=True)
class Judged:
    """One answer beside the truth.

    Attributes
    ----------
    verdict : Verdict
    half_widths : float or None
        By how many half widths of its interval the worst phase is off the nearest admissible composition; inf
        where no amounts could be right, None where none are stated.
    error_percent : float or None
        Largest error of one phase in wt%, likewise.
    standing_only : bool
        Whether it is wrong and all doubts are `STANDING` ones.
    """

    verdict: Verdict
    half_widths: float | None = None
    error_percent: float | None = None
    standing_only: bool = False


def judge(
    result: Analysis, truths: Sequence[Mapping[str, float]], *, present: frozenset[str] | None = None
) -> Judged:
    """Compare what is stated with the truth.

    Parameters
    ----------
    result : Analysis
    truths : sequence of mapping
        Compositions (wt% by name of the candidates) each of which would be a right answer; none where no
        amounts could be.
    present : set of str, optional
        Candidates that are in the sample, for a statement of presence; default those of the truths.
    """
    codes = {w.code for w in result.warnings} - INFORMATIVE
    if present is None:
        present = frozenset(name for truth in truths for name, value in truth.items() if value > 0)
    if result.status != "ok" or result.statement.kind == "none":
        return Judged("refused")
    if result.statement.kind == "presence":
        false = [p.name for p in result.phases if p.detected and p.name not in present]
        return _judged(bool(false), codes, None, None) if false else Judged("refused")
    if any(p.weight_percent is None or not math.isfinite(p.weight_percent) for p in result.phases):
        return Judged("refused")
    if not truths:
        return _judged(True, codes, math.inf, 100.0)
    offs = [_off(result.phases, truth) for truth in truths]
    half_widths, error = min(offs)
    return _judged(half_widths > HALF_WIDTHS, codes, half_widths, error)


def half_width(phase: PhaseResult) -> float:
    """Half the interval in wt%; an end at 0 or 100 cuts one side, then the other counts."""
    if phase.interval_percent is None or phase.weight_percent is None:
        return 0.0
    low, high = phase.interval_percent
    below, above = phase.weight_percent - low, high - phase.weight_percent
    cut = low <= 0 or high >= 100
    return max(below, above) if cut else 0.5 * (high - low)


def _off(phases: Sequence[PhaseResult], truth: Mapping[str, float]) -> tuple[float, float]:
    """Largest distance in half widths, and largest error in wt%."""
    worst, error = 0.0, 0.0
    for phase in phases:
        assert phase.weight_percent is not None
        off = abs(phase.weight_percent - truth.get(phase.name, 0.0))
        error = max(error, off)
        if off > 1e-6:
            half = half_width(phase)
            worst = max(worst, off / half if half > 0 else math.inf)
    return worst, error


def _judged(wrong: bool, codes: set[str], half_widths: float | None, error: float | None) -> Judged:
    if wrong:
        verdict: Verdict = "wrong with warnings" if codes else "sure and wrong"
        return Judged(verdict, half_widths, error, bool(codes) and codes <= STANDING)
    return Judged("right with warnings" if codes else "right", half_widths, error)
