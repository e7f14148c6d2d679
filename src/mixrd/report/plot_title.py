"""What stands above the plot of a scan."""

from __future__ import annotations

import textwrap
from pathlib import PurePath
from typing import TYPE_CHECKING

from mixrd.report.numbers import agreement_text, amount_text

if TYPE_CHECKING:
    from mixrd.analysis import Analysis

_TITLE_WIDTH = 96


def analysis_title(analysis: Analysis) -> str:
    """File and agreement, then what is in the sample, in lines short enough for the figure."""
    first = f"{plain(PurePath(analysis.file).name)}   {agreement(analysis.r_wp, analysis.r_exp)}"
    return "\n".join([first, *_stated(analysis)])


def plain(text: str) -> str:
    """Text that matplotlib takes as it is: a dollar in a file's name begins no formula."""
    return text.replace("$", r"\$")


def agreement(r_wp: float | None, r_exp: float | None) -> str:
    """R_wp, and what of it noise explains."""
    return agreement_text(r_wp, r_exp, name="$R_{wp}$") or "not refined"


def _stated(analysis: Analysis) -> list[str]:
    """Lines of the title that say what is in the sample, or why nothing is said."""
    stated = analysis.statement
    if stated.kind == "none":
        return textwrap.wrap(plain(stated.sentence), _TITLE_WIDTH)
    if stated.kind == "presence":
        return _filled([f"{plain(p.name)}: {p.presence}" for p in analysis.phases], last="")
    return _filled([f"{plain(p.name)} {amount_text(p, stated)}" for p in analysis.phases], last=" wt%")


def _filled(parts: list[str], *, last: str) -> list[str]:
    """The parts in lines of at most `_TITLE_WIDTH` characters, none broken."""
    lines: list[str] = []
    for part in [*parts[:-1], parts[-1] + last] if parts else []:
        if lines and len(lines[-1]) + len(part) + 3 <= _TITLE_WIDTH:
            lines[-1] += f"   {part}"
        else:
            lines.append(part)
    return lines
