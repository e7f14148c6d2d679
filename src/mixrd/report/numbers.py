"""How numbers are written for people: rounding only, nothing is calculated here."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mixrd.analysis import Analysis, PhaseResult, Statement

#: Where there is no number to state.
NOTHING = "–"
NOT_REFINED = "network's estimate, not refined"


def percent(fraction: float) -> str:
    """A fraction 0-1 as percent with three digits or so: 0.0912 is "9.12 %"."""
    value = 100 * fraction
    return f"{value:.1f} %" if value >= 10 else f"{value:.2f} %"


def agreement_text(r_wp: float | None, r_exp: float | None, *, name: str = "R_wp") -> str:
    """R_wp, and what of it noise explains: "R_wp 9.12 % (expected 4.01 %)"; empty without a refinement."""
    if r_wp is None:
        return ""
    expected = "" if r_exp is None else f" (expected {percent(r_exp)})"
    return f"{name} {percent(r_wp)}{expected}"


def codes_text(analysis: Analysis, between: str = ", ") -> str:
    """Codes of the warnings, each once."""
    return between.join(dict.fromkeys(warning.code for warning in analysis.warnings))


def phase_names(analyses: Iterable[Analysis]) -> list[str]:
    """Names of the candidates of all scans, in the order of their appearance."""
    return list(dict.fromkeys(phase.name for analysis in analyses for phase in analysis.phases))


def value_with_sigma(value: float, sigma: float | None) -> str:
    """A value with its standard uncertainty: "31.37 ± 0.12"; without one, two decimals."""
    if sigma is None:
        return f"{value:.2f}"
    decimals = 1 if sigma >= 0.95 else 2
    return f"{value:.{decimals}f} ± {sigma:.{decimals}f}"


def two_digits(value: float) -> str:
    """Two significant digits, never in powers of ten: "0.74", "1.9", "260"."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    rounded = float(f"{value:.1e}")
    decimals = 1 - math.floor(math.log10(abs(rounded)))
    return f"{rounded:.{min(decimals, 6)}f}" if decimals > 0 else f"{rounded:.0f}"


def counted(number: int, noun: str) -> str:
    """A number of things: "1 scan", "3 scans"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def amount_text(phase: PhaseResult, statement: Statement) -> str:
    """What is stated of a phase: wt% with its standard uncertainty, or that it is below the detection limit.

    Where no amounts are stated, whether it is there, or nothing.
    """
    if statement.kind == "presence":
        return phase.presence
    if statement.kind == "none":
        return NOTHING
    if phase.detected is False and phase.detection_limit_percent is not None:
        return f"< {two_digits(phase.detection_limit_percent)}"
    if phase.weight_percent is None:
        return NOTHING
    return value_with_sigma(phase.weight_percent, phase.sigma_percent)


def with_su(value: float, su: float | None) -> str:
    """A value with its standard uncertainty in units of the last digit: "4.7592(12)".

    The uncertainty is written with two digits up to 19, else with one, as the IUCr's journals do. Without
    one, or with zero (fixed by symmetry), the value alone.
    """
    if su is None or su <= 0:
        return f"{value:.4f}".rstrip("0").rstrip(".")
    decimals = -math.floor(math.log10(su))
    if round(su * 10 ** (decimals + 1)) <= 19:
        decimals += 1
    digits = round(su * 10**decimals)
    if decimals < 0:
        return f"{round(value, decimals):.0f}({round(su, decimals):.0f})"
    return f"{value:.{decimals}f}({digits})"


def cell_text(cell: Sequence[float]) -> str:
    """A cell without what follows from the rest: "a 4.7592 c 12.9925 Å", angles where not 90 or 120."""
    a, b, c, *angles = cell
    edges = [f"{name} {x:.4f}" for name, x in (("b", b), ("c", c)) if abs(x - a) > 5e-5]
    odd = [
        f"{name} {x:.2f}°"
        for name, x in zip("αβγ", angles, strict=True)
        if abs(x - 90) >= 5e-3 and abs(x - 120) >= 5e-3
    ]
    return " ".join([f"a {a:.4f}", *edges, "Å", *odd])


def duration_text(seconds: float) -> str:
    """Seconds as a person says them: "40 s", "3 min", "1 h 20 min"."""
    if seconds < 90:
        return f"{max(seconds, 1):.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"
