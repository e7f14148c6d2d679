"""The reproduction of the paper as tables for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from mixrd.report.numbers import duration_text
from mixrd.report.tables import new_table

if TYPE_CHECKING:
    from mixrd.paper import Cell, Row, SizeRow, Verification

#: Said below a table that has the mark.
SHORTENED_NOTE = "* shortened: fewer samples than in a full run (the paper's 900000 N for networks)"
_MARK = "*"


def paper_table(rows: Sequence[Row]) -> Table:
    """Ours beside the paper's; settings that are the same everywhere are left out."""
    different = _different([row.options for row in rows if row.options])
    later = [n for n in ("refined", "refined_told_phases", "bound") if any(getattr(r, n) for r in rows)]
    numbers = ["n", "k", "samples", "seeds", "paper", "network", *later]
    table = new_table(
        "n", "k", "kind", "architecture", *different, "samples", "seeds", "paper", "network", *later,
        "time", "device", right=numbers,
    )  # fmt: skip
    for row in rows:
        table.add_row(
            str(row.n),
            str(row.k),
            row.kind,
            row.architecture,
            *(str(row.options.get(name, "")) for name in different),
            _samples(row.samples, row.shortened),
            str(len(row.seeds) or ""),
            "" if row.paper is None else f"{row.paper:.2f}",
            _tvd(row.network, row.network_std),
            *(_tvd(getattr(row, name), None) for name in later),
            "" if row.wall_seconds is None else duration_text(row.wall_seconds),
            row.device or "",
        )
    return table


def sizes_table(rows: Sequence[SizeRow]) -> Table:
    """Size against accuracy."""
    columns = ("TVD", "parameters", "MB", "time", "samples")
    table = new_table("architecture", *columns, "device", right=columns)
    for row in rows:
        table.add_row(
            row.architecture,
            _tvd(row.network, row.network_std),
            f"{row.parameters:,}".replace(",", " "),
            f"{row.size_bytes / 1e6:.2f}",
            duration_text(row.wall_seconds),
            _samples(row.samples, row.shortened),
            row.device,
        )
    return table


def verification_table(found: Verification) -> Table:
    """Errors on fresh patterns beside those that were recorded."""
    table = new_table("", "patterns", "TVD", "±", "median", "95 % below", right=["patterns", "TVD", "±"])
    for name, summary in (("these patterns", found.network), ("recorded", found.recorded)):
        table.add_row(name, *_summary(summary.to_dict()))
    for name, key in (("refined", "refined"), ("refined, told the phases", "told"), ("noise floor", "bound")):
        if found.details is not None:
            table.add_row(name, *_summary(found.details[key]))
    return table


def verification_notes(found: Verification) -> list[str]:
    """What the means do not show: fits that failed by their own measure, and disagreement."""
    if found.details is None:
        return []
    notes = []
    failed = round((1 - found.details["sound_share"]) * found.network.patterns)
    if failed:
        notes.append(f"{failed} refinements failed by their own measure: the network's answer stands there")
    if apart := round(found.details["disagreeing_share"] * found.network.patterns):
        notes.append(f"in {apart} patterns network and refinement differ by more than three sigma")
    return notes


def refinements_table(refinements: Sequence[dict[str, Any]]) -> Table:
    """Network, refinement and noise floor on the same patterns: mean TVDs, and what they are made of."""
    means = ("network", "refined", "told", "bound")
    numbers = ("n", "k", "patterns", *means, "÷ floor", "told ÷ floor", "median", "95 % below", "worst", "ms")
    table = new_table("n", "k", "kind", *numbers[2:], right=numbers)
    for found in refinements:
        table.add_row(
            *(str(found[name]) for name in ("n", "k", "kind", "patterns")),
            *(f"{found[name]['mean']:.4f}" for name in means),
            f"{found['refined_over_bound']:.2f}",
            f"{found['told_over_bound']:.2f}",
            *(f"{found['refined'][name]:.4f}" for name in ("median", "p95", "worst")),
            f"{1000 * found['seconds_a_pattern']:.0f}",
        )
    return table


def bounds_table(bounds: Sequence[dict[str, Any]]) -> Table:
    """Noise floors: mean TVD of an efficient estimator over the patterns of each setting."""
    numbers = ("n", "k", "patterns", "bound", "±", "median", "95 % below", "worst", "capped")
    table = new_table("n", "k", "kind", *numbers[2:], right=numbers)
    for found in bounds:
        table.add_row(
            *(str(found[name]) for name in ("n", "k", "kind", "patterns")),
            *(f"{found[name]:.4f}" for name in ("bound", "standard_error", "median", "p95", "worst")),
            str(found["capped_patterns"]),
        )
    return table


def cells_table(cells: Sequence[tuple[Cell, bool]]) -> Table:
    """The cells of a grid, and which of them are done."""
    table = new_table("cell", "samples", "", right=["samples"])
    for cell, done in cells:
        table.add_row(
            cell.name, _samples(cell.samples, cell.shortened), Text("done", "green") if done else ""
        )
    return table


def _summary(summary: dict[str, Any]) -> tuple[str, ...]:
    errors = (summary[name] for name in ("mean", "standard_error", "median", "p95"))
    return str(summary["patterns"]), *(f"{error:.4f}" for error in errors)


def _different(options: Sequence[dict[str, Any]]) -> list[str]:
    names = dict.fromkeys(name for option in options for name in option)
    # What an architecture has no use for makes no difference.
    return [n for n in names if len({str(o[n]) for o in options if n in o}) > 1]


def _samples(samples: int | None, shortened: bool) -> str:
    return "" if samples is None else f"{samples}{_MARK if shortened else ''}"


def _tvd(mean: float | None, std: float | None) -> str:
    if mean is None:
        return ""
    return f"{mean:.4f}" if std is None else f"{mean:.4f} ± {std:.4f}"
