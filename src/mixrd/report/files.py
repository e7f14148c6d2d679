"""The files that an analysis leaves behind: JSON, CSV and a plot for each scan, a CSV for a batch."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from mixrd.errors import InputError
from mixrd.files import refuse_existing, whole_file, write_whole, writing
from mixrd.report.numbers import codes_text

if TYPE_CHECKING:
    from mixrd.analysis import Analysis, PhaseResult
    from mixrd.report.plot import IntensityScale

#: The files of all scans of a batch; no scan's own files get this name.
BATCH_STEM = "summary"
BATCH_FILE = f"{BATCH_STEM}.csv"
BATCH_ENDINGS = (".csv", ".png")
ENDINGS = (".json", ".csv", ".png")
CELL_COLUMNS = ("a_angstrom", "b_angstrom", "c_angstrom", "alpha_deg", "beta_deg", "gamma_deg")
CSV_COLUMNS = (
    "result",
    "file",
    "status",
    "phase",
    "formula",
    "weight_percent",
    "sigma_percent",
    "network_percent",
    "refined_percent",
    *CELL_COLUMNS,
    "crystallite_size_nm",
    "microstrain",
    "r_wp",
    "r_exp",
    "warnings",
    "error",
    "statement",
    "reason",
    "detected",
)


def output_names(scans: Sequence[str | PurePath], *, taken: Collection[str] = ()) -> list[str]:
    """A name for the files of each scan, its stem, made different where stems are the same.

    Scans of one stem get their ending added ("a.xy", "a.xye": "a-xy", "a-xye"), then their folder, and
    the same file given twice, or a name that is taken, a number.
    """
    paths = [PurePath(scan) for scan in scans]
    names: list[str] = []
    for path in paths:
        choices = [path.stem, f"{path.stem}{path.suffix.replace('.', '-')}"]
        choices.append(f"{path.parent.name or 'here'}-{choices[1]}")
        names.append(next((c for c in choices if _is_alone(c, path, paths)), choices[-1]))
    claimed = {BATCH_STEM, *(name.lower() for name in taken)}
    for i, name in enumerate(names):
        number = 2
        while names[i].lower() in claimed:
            names[i] = f"{name}-{number}"
            number += 1
        claimed.add(names[i].lower())
    return names


def result_files(folder: str | Path, names: Sequence[str]) -> list[Path]:
    """Every file that `write_result` and, for several scans, `write_batch` may write for these names."""
    files = [Path(folder) / f"{name}{ending}" for name in names for ending in ENDINGS]
    return [*files, *batch_files(folder)] if len(names) > 1 else files


def batch_files(folder: str | Path) -> list[Path]:
    """Every file that `write_batch` writes."""
    return [Path(folder) / f"{BATCH_STEM}{ending}" for ending in BATCH_ENDINGS]


def write_result(
    analysis: Analysis,
    folder: str | Path,
    *,
    name: str | None = None,
    force: bool = False,
    scale: IntensityScale = "sqrt",
    plots: bool = True,
) -> list[Path]:
    """Write ``NAME.csv``, where there was a fit ``NAME.png``, and last ``NAME.json``.

    Each file is there as a whole or not at all, even if the process is killed.

    Parameters
    ----------
    analysis : Analysis
    folder : path
        Is made if need be.
    name : str, optional
        Default the stem of the scan.
    force : bool
        Overwrite what exists.
    scale : "linear" or "sqrt"
        Of the plot's intensities.
    plots : bool
        Whether to write the plot.

    Returns
    -------
    list of path
        The files written.

    Raises
    ------
    UsageError
        If a file exists and `force` is False, or the folder cannot be written.
    """
    base = Path(folder) / (name or output_names([analysis.file])[0])
    json_file, csv_file, plot_file = (base.with_name(base.name + ending) for ending in ENDINGS)
    with_plot = plots and analysis.curves is not None
    written = [json_file, csv_file, *([plot_file] if with_plot else [])]
    refuse_existing(written, force=force)
    with writing(base.parent):
        base.parent.mkdir(parents=True, exist_ok=True)
        write_rows([(base.name, analysis)], csv_file)
    if with_plot:
        from mixrd.report.plot import plot_analysis

        plot_analysis(analysis, plot_file, scale=scale)
    with writing(json_file):
        write_whole(json_file, analysis.to_json() + "\n")
    return written


def write_batch(
    analyses: Sequence[tuple[str, Analysis]], folder: str | Path, *, force: bool = False
) -> list[Path]:
    """Write ``summary.csv``, a row for each scan and phase and for each that failed, and ``summary.png``.

    Parameters
    ----------
    analyses : sequence of (name, Analysis)
        The name is that of the scan's own files.
    folder : path
        Is made if need be.
    force : bool
        Overwrite what exists.

    Raises
    ------
    UsageError
        If it exists and `force` is False, or the folder cannot be written.
    """
    table, picture = batch_files(folder)
    refuse_existing([table, picture], force=force)
    with writing(folder):
        Path(folder).mkdir(parents=True, exist_ok=True)
        write_rows(analyses, table)

    from mixrd.report.series_figure import plot_series

    plot_series(analyses, picture)
    return [table, picture]


def summary_of(folder: str | Path) -> dict[str, dict[str, str]]:
    """The last row of each scan in the ``summary.csv`` that `write_batch` wrote, by name, in its order.

    Raises
    ------
    InputError
        If there is none, or it is something else.
    """
    path = Path(folder) / BATCH_FILE
    try:
        with path.open(encoding="utf-8", newline="") as file:
            table = csv.DictReader(file)
            if not {"result", "file", "status", "error"} <= set(table.fieldnames or ()):
                raise ValueError("columns")
            return {row["result"]: row for row in table}
    except (OSError, ValueError, csv.Error):
        raise InputError(
            "no summary of a batch can be read there",
            remedy="Name the folder of the results of `mixrd analyze` on several scans",
            file=path,
        ) from None


def csv_rows(name: str, analysis: Analysis) -> list[dict[str, Any]]:
    """A row for each phase of a scan; one row without a phase for a scan that failed."""
    scan = {
        "result": name,
        "file": analysis.file,
        "status": analysis.status,
        "r_wp": analysis.r_wp,
        "r_exp": analysis.r_exp,
        "warnings": codes_text(analysis, " "),
        "error": analysis.error,
        "statement": analysis.statement.kind if analysis.status == "ok" else None,
        "reason": analysis.statement.reason or None,
    }
    if not analysis.phases:
        return [scan]
    return [{**scan, **_phase_columns(phase)} for phase in analysis.phases]


def _phase_columns(phase: PhaseResult) -> dict[str, Any]:
    cell = phase.cell or (None,) * len(CELL_COLUMNS)
    return {
        "phase": phase.name,
        "formula": phase.formula,
        "weight_percent": phase.weight_percent,
        "sigma_percent": phase.sigma_percent,
        "network_percent": phase.network_percent,
        "refined_percent": phase.refined_percent,
        **dict(zip(CELL_COLUMNS, cell, strict=True)),
        "crystallite_size_nm": phase.crystallite_size_nm,
        "microstrain": phase.microstrain,
        "detected": phase.detected,
    }


def write_rows(analyses: Iterable[tuple[str, Analysis]], path: Path) -> None:
    """Write the rows of these results as CSV."""
    with whole_file(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, CSV_COLUMNS)
        table.writeheader()
        for name, analysis in analyses:
            table.writerows(csv_rows(name, analysis))


def _is_alone(name: str, path: PurePath, paths: Sequence[PurePath]) -> bool:
    """Whether no other scan could claim this name, however upper and lower case are treated."""
    others = [p for p in paths if p != path]
    claimed = {x.lower() for p in others for x in (p.stem, f"{p.stem}{p.suffix.replace('.', '-')}")}
    return name.lower() not in claimed and name.lower() != BATCH_STEM
