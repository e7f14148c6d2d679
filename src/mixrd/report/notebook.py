"""How results show themselves in a notebook, and as tables of pandas.

`mixrd.Analysis` has methods for this that ask here (see `mixrd.analysis.result.analysis`): an analysis knows
nothing of reports, and pandas is imported only by who asks for a table of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from mixrd.errors import UsageError
from mixrd.report.colours import phase_style
from mixrd.report.files import CELL_COLUMNS, csv_rows
from mixrd.report.html import environment
from mixrd.report.numbers import (
    NOT_REFINED,
    agreement_text,
    amount_text,
    cell_text,
    codes_text,
    counted,
    percent,
    phase_names,
)
from mixrd.report.sentences import level_text

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from mixrd.analysis import Analysis
    from mixrd.report.plot import IntensityScale

#: Columns of text; all others but `detected` are numbers, NaN where there is none.
_TEXT = ("scan", "file", "status", "phase", "formula", "warnings", "error", "statement", "reason")
COLUMNS = (
    "scan", "file", "status", "phase", "formula", "weight_percent", "sigma_percent", "interval_low_percent",
    "interval_high_percent", "network_percent", "refined_percent", "detected", "detection_limit_percent",
    *CELL_COLUMNS, "crystallite_size_nm", "microstrain", "r_wp", "r_exp", "warnings", "error",
    "statement", "reason",
)  # fmt: skip
#: Scans that the table of a series shows at its beginning and at its end.
_SHOWN = 10


def _row(cells: Sequence[str], colour: str = "") -> dict[str, Any]:
    return {"cells": cells, "colour": colour}


def analysis_html(analysis: Analysis) -> str:
    """A result as a table in HTML: amounts with intervals, cells, agreement, warnings."""
    phases = analysis.phases
    with_interval = any(p.interval_percent for p in phases)
    with_network = any(p.network_percent is not None for p in phases) and analysis.r_wp is not None
    with_cell = any(p.cell for p in phases)
    stated, failed = analysis.statement, analysis.status == "failed"
    columns = ["phase", *{"amounts": ["wt%"], "presence": ["presence"], "none": []}[stated.kind]]
    columns += [f"{level_text(analysis)} interval"] if with_interval else []
    columns += ["network"] if with_network else []
    columns += ["cell", "size (nm)"] if with_cell else []
    rows = []
    for i, p in enumerate(phases):
        cells = [p.name, *([] if stated.kind == "none" else [amount_text(p, stated)])]
        if with_interval:
            cells.append("–".join(f"{end:.2f}" for end in p.interval_percent or ()))
        if with_network:
            cells.append("" if p.network_percent is None else f"{p.network_percent:.2f}")
        if with_cell:
            cells.append("" if p.cell is None else cell_text(p.cell))
            cells.append("" if p.crystallite_size_nm is None else f"{p.crystallite_size_nm:.0f}")
        rows.append(_row(cells, phase_style(i)[0]))
    return (
        environment()
        .get_template("notebook.html")
        .render(
            file=analysis.file,
            agreement="" if failed else agreement_text(analysis.r_wp, analysis.r_exp) or NOT_REFINED,
            failed=(analysis.error or "for no reason given") if failed else "",
            columns=columns,
            rows=rows,
            statement=stated.sentence,
            warnings=analysis.warnings,
            below="",
        )
    )


def series_html(results: Sequence[tuple[str, Analysis]]) -> str:
    """A series as a table in HTML; of a long one its beginning and its end."""
    names = phase_names(a for _, a in results)
    shown = list(results)
    if len(shown) > 2 * _SHOWN:
        shown = [*shown[:_SHOWN], *shown[-_SHOWN:]]
    rows = [_row(_scan_cells(label, analysis, names)) for label, analysis in shown]
    if len(shown) < len(results):
        rows.insert(_SHOWN, _row(("…", *[""] * (len(names) + 2))))
    failed = sum(a.status == "failed" for _, a in results)
    doubted = sum(bool(a.warnings) for _, a in results)
    refused = sum(a.statement.kind == "none" for _, a in results)
    return (
        environment()
        .get_template("notebook.html")
        .render(
            file=counted(len(results), "scan"),
            agreement="",
            failed="",
            columns=["scan", *names, "R_wp", "notes"],
            rows=rows,
            statement="",
            warnings=(),
            below=f"wt%; {failed} failed, {doubted} with warnings"
            + (f", {refused} unstated" if refused else ""),
        )
    )


def frame(results: Iterable[tuple[str, Analysis]]) -> pd.DataFrame:
    """A row for each scan and phase, and one for each scan that failed, with the columns `COLUMNS`.

    Raises
    ------
    UsageError
        If pandas is not installed.
    """
    try:
        import pandas
    except ImportError:
        raise missing("pandas", "a table") from None
    rows = [row for label, analysis in results for row in _rows(label, analysis)]
    table = pandas.DataFrame(rows, columns=list(COLUMNS))
    numbers = [column for column in COLUMNS if column not in (*_TEXT, "detected")]
    typed: pd.DataFrame = table.astype(dict.fromkeys(numbers, "float64") | {"detected": "boolean"})
    return typed


def analysis_frame(analysis: Analysis) -> pd.DataFrame:
    """A row for each phase of a result, by its name.

    Raises
    ------
    UsageError
        If pandas is not installed.
    """
    table = frame([("", analysis)]).drop(columns="scan")
    return table.set_index("phase")


def plot(
    analysis: Analysis,
    axes: Axes | None = None,
    *,
    scale: IntensityScale = "sqrt",
    colours: Sequence[str] | None = None,
) -> Figure:
    """Draw a fitted scan, into axes or as a figure of its own; see `mixrd.Analysis.plot`.

    Raises
    ------
    UsageError
        If the result holds no curves.
    """
    from mixrd.report.plot import analysis_figure, draw_analysis

    if axes is None:
        return analysis_figure(analysis, scale=scale, colours=colours)
    draw_analysis(axes, analysis, scale=scale, colours=colours)
    figure = axes.get_figure(root=True)
    assert figure is not None, "axes are always of a figure"
    return figure


def _rows(label: str, analysis: Analysis) -> list[dict[str, Any]]:
    rows = csv_rows(label, analysis)
    for row in rows:
        row["scan"] = row.pop("result")
    for row, phase in zip(rows, analysis.phases, strict=False):
        low, high = phase.interval_percent or (None, None)
        row |= {
            "interval_low_percent": low,
            "interval_high_percent": high,
            "detection_limit_percent": phase.detection_limit_percent,
        }
    return rows


def _scan_cells(label: str, analysis: Analysis, names: Sequence[str]) -> tuple[str, ...]:
    if analysis.status == "failed":
        return (label, *[""] * (len(names) + 1), f"failed: {analysis.error}")
    found = {p.name: amount_text(p, analysis.statement) for p in analysis.phases}
    agreement = "" if analysis.r_wp is None else percent(analysis.r_wp)
    notes = "; ".join(filter(None, (analysis.statement.sentence, codes_text(analysis))))
    return (label, *(found.get(name, "") for name in names), agreement, notes)


def missing(package: str, what: str) -> UsageError:
    """What to say where an optional package is not installed."""
    return UsageError(
        f"{what} needs {package}, which is not installed",
        remedy='Install it with: pip install "mixrd[notebook]"',
    )
