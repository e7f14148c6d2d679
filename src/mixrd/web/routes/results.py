"""What a job found: one result, its curves and plot, and downloads of all."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from fastapi import APIRouter
from fastapi.responses import Response

from mixrd.web.disposition import attachment
from mixrd.web.jobs import Job
from mixrd.web.models import CurvesAnswer, ResultAnswer
from mixrd.web.problems import ApiError, not_found, stem_of
from mixrd.web.routes.jobs import found_job
from mixrd.web.services import Server, Services
from mixrd.web.stored import Stored, stored_results
from mixrd.web.views import job_view

router = APIRouter(prefix="/api/jobs/{job}", tags=["results"])


@router.get("/results/{index}", response_model=ResultAnswer)
def one_result(job: str, index: int, server: Server) -> dict[str, Any]:
    """What was found in one scan."""
    for result in job_view(server, found_job(server, job), analyses=True)["results"]:
        if result["index"] == index:
            return dict(result)
    raise not_found("result", str(index))


@router.get("/results/{index}/curves", response_model=CurvesAnswer)
def curves(job: str, index: int, server: Server) -> dict[str, Any]:
    """The fitted scan, for plots; there is none where nothing was refined."""
    found_job(server, job)
    path = server.database.results_folder(job) / f"{index}.npz"
    try:
        with np.load(path, allow_pickle=False) as arrays:
            found = {name: arrays[name].tolist() for name in arrays.files}
    except FileNotFoundError:
        raise not_found("curve of result", str(index)) from None
    found["marks"] = [found.pop(f"marks_{number}") for number in range(len(found["names"]))]
    return found


@router.get("/results/{index}/plot.png", response_class=Response)
def plot(job: str, index: int, server: Server) -> Response:
    """The plot of a fit that `mixrd analyze` and `mixrd calibrate` draw."""
    with tempfile.TemporaryDirectory(dir=server.database.folder / "uploads") as folder:
        path = Path(folder) / "plot.png"
        _draw(server, found_job(server, job), index, path)
        return Response(path.read_bytes(), media_type="image/png")


@router.get("/results.json", response_class=Response)
def results_json(job: str, server: Server) -> Response:
    """All results as JSON: an object for one scan, a list for several, as `mixrd analyze --json` prints."""
    found = found_job(server, job)
    data = [stored.analysis.to_dict() for stored in _analyses(server, found)]
    text = json.dumps(data[0] if len(found.scans) == 1 else data, indent=2, allow_nan=False)
    headers = attachment(f"{_base(server, found)}.json")
    return Response(text + "\n", media_type="application/json", headers=headers)


@router.get("/results.csv", response_class=Response)
def results_csv(job: str, server: Server) -> Response:
    """All results as CSV: a row for each scan and phase."""
    from mixrd.report.files import CSV_COLUMNS, csv_rows

    found = found_job(server, job)
    text = io.StringIO(newline="")
    table = csv.DictWriter(text, CSV_COLUMNS)
    table.writeheader()
    for stored in _analyses(server, found):
        rows = csv_rows(stored.name, stored.analysis)
        table.writerows({column: _harmless(value) for column, value in row.items()} for row in rows)
    headers = attachment(f"{_base(server, found)}.csv")
    return Response(text.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


def _analyses(server: Services, job: Job) -> list[Stored]:
    found = stored_results(server, job) if job.kind == "analysis" else []
    if not found:
        raise ApiError(409, "CONFLICT", "the job has no result yet", "Wait until a scan is done")
    return found


def _harmless(value: Any) -> Any:
    """A value that no spreadsheet takes for a formula: file names are users' own."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


def _base(server: Services, job: Job) -> str:
    """Name of downloads: that of the scan, or how many there are."""
    if len(job.scans) == 1:
        return stem_of(job_view(server, job, analyses=False)["results"][0]["file"])
    return f"mixrd {len(job.scans)} scans"


def _draw(server: Services, job: Job, index: int, path: Path) -> None:
    from mixrd.report.plot import plot_analysis, plot_calibration
    from mixrd.web.stored import stored_calibration

    if job.kind == "calibration":
        plot_calibration(*stored_calibration(server, job), path)
        return
    for stored in stored_results(server, job, curves=True):
        if stored.index == index and stored.analysis.curves is not None:
            plot_analysis(stored.analysis, path)
            return
    raise not_found("plot of result", str(index))
