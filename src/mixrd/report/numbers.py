"""How numbers are written for people: rounding only, nothing is calculated here."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mixrd.analysis import PhaseResult, Statement

#: Where there is no number to state.
NOTHING = "–"


def percent(fraction: float) -> str:
    """A fraction 0-1 as percent with three digits or so: 0.0912 is "9.12 %"."""
    value = 100 * fraction
    return f"{value:.1f} %" if value >= 10 else f"{value:.2f} %"


def value_with_sigma(value: float, sigma: float | None) -> str:
    """A value with its standard uncertainty: "31.37 ± 0.12"; without one, two decimals."""
    if sigma is None:
        return f"{value:.2f}"
    decimals = decimals_for(sigma)
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


def decimals_for(sigma: float) -> int:
    """Decimals at which a value in wt% of this standard uncertainty is written: 1, or 2 below 1 wt%."""
    return 1 if sigma >= 0.95 else 2


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
    parts = [f"a {a:.4f}"]
    if abs(b - a) > 5e-5:
        parts.append(f"b {b:.4f}")
    if abs(c - a) > 5e-5:
        parts.append(f"c {c:.4f}")
    usual = [abs(x - 90) < 5e-3 or abs(x - 120) < 5e-3 for x in angles]
    parts[-1] += " Å"
    parts += [
        f"{symbol} {x:.2f}°" for symbol, x, plain in zip("αβγ", angles, usual, strict=True) if not plain
    ]
    return " ".join(parts)


def duration_text(seconds: float) -> str:
    """Seconds as a person says them: "40 s", "3 min", "1 h 20 min"."""
    if seconds < 90:
        return f"{max(seconds, 1):.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"
