"""Results that were kept, as the objects that the report is made of."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mixrd.web.database import plain
from mixrd.web.jobs import Job
from mixrd.web.problems import not_found
from mixrd.web.services import Services
from mixrd.web.views import file_of

if TYPE_CHECKING:
    from mixrd.analysis import Analysis, Calibration, Curves


@dataclass(frozen=True)
class Stored:
    """A result that was kept.

    Attributes
    ----------
    index : int
    name : str
        Different for each result of a job.
    analysis : Analysis
    """

    index: int
    name: str
    analysis: Analysis


def stored_results(server: Services, job: Job, *, curves: bool = False) -> list[Stored]:
    """Results of an analysis in the order of its scans, those that failed included."""
    from mixrd.analysis import Analysis
    from mixrd.report.files import output_names

    folder = server.database.results_folder(job.id)
    rows = server.jobs.results(job.id)
    files = [file_of(server, job.scans[row["number"]]) for row in rows]
    found = []
    for row, file, name in zip(rows, files, output_names(files), strict=True):
        if row["status"] == "ok":
            analysis = Analysis.from_json(folder / f"{row['number']}.json")
            path = folder / f"{row['number']}.npz"
            if curves and path.is_file():
                analysis = dataclasses.replace(analysis, curves=stored_curves(path))
        else:
            error = plain(row["error"])
            text = f"{error['message']}. {error['remedy']}"
            analysis = Analysis("failed", file, (), None, None, None, None, {}, (), text, {})
        found.append(Stored(row["number"], name, analysis))
    return found


def stored_curves(path: Path) -> Curves:
    """Fitted curves from their file."""
    from mixrd.analysis import Curves

    with np.load(path, allow_pickle=False) as arrays:
        marks = tuple(arrays[f"marks_{number}"] for number in range(len(arrays["names"])))
        names = [f.name for f in dataclasses.fields(Curves) if f.name != "marks"]
        return Curves(**{name: arrays[name] for name in names}, marks=marks)


def stored_calibration(server: Services, job: Job) -> tuple[Calibration, str]:
    """The calibration that a job made, and the name of its standard.

    Raises
    ------
    ApiError
        If it made none, or its instrument was deleted.
    """
    from mixrd.analysis import Calibration
    from mixrd.pattern import load_instrument

    rows = server.jobs.results(job.id)
    file = server.library.file("instrument", job.id)
    if not rows or not file.is_file():
        raise not_found("calibration of job", job.id)
    terms = plain(rows[0]["calibration"])
    curves = stored_curves(server.database.results_folder(job.id) / "0.npz")
    phase = server.library.find("phase", job.request["phase"])
    name = phase["name"] if phase else job.request["phase"]
    return Calibration(load_instrument(file), curves=curves, **terms), name
