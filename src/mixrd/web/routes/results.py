"""What a job found: one result, its curves and plot, and downloads of all."""

from __future__ import annotations

import datetime
from pathlib import PurePath
from typing import Any

import numpy as np
from fastapi import APIRouter, Query
from fastapi.responses import FileResponse, Response

from mixrd.web.answers import CurvesAnswer, ResultAnswer
from mixrd.web.child import ChildDiedError
from mixrd.web.database import new_id, plain
from mixrd.web.disposition import attachment
from mixrd.web.jobs import FINAL, Job
from mixrd.web.orders import scan_source
from mixrd.web.problems import ApiError, not_found, problem, stem_of
from mixrd.web.routes.jobs import found_job
from mixrd.web.services import Server, Services
from mixrd.web.turns import in_turn
from mixrd.web.views import result_view

router = APIRouter(prefix="/api/jobs/{job}", tags=["results"])
#: The report is one file with styles, pictures and a script of its own, and must not act in our page's name.
_REPORT_POLICY = (
    "sandbox allow-scripts allow-modals; default-src 'none'; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'; img-src data:"
)


@router.get("/results/{index}", response_model=ResultAnswer)
def one_result(job: str, index: int, server: Server) -> dict[str, Any]:
    """What was found in one scan."""
    found = found_job(server, job)
    for row in server.jobs.results(job):
        if row["number"] == index:
            return result_view(server, found, row, analyses=True)
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


@router.get("/results/{index}/plot.png", response_class=FileResponse)
async def plot(job: str, index: int, server: Server) -> Response:
    """The plot of a fit, as `mixrd analyze` and `mixrd calibrate` draw it."""
    return await in_turn(server.turns.rendering, _plot, server, job, index)


def _plot(server: Services, job: str, index: int) -> Response:
    found = found_job(server, job)
    folder = server.database.results_folder(job)
    path = folder / f"{index}.png"
    if not (folder / f"{index}.npz").is_file():
        raise not_found("plot of result", str(index))
    if not path.is_file():
        more = _calibration(server, found) if found.kind == "calibration" else {"calibration": None}
        position = [row["number"] for row in server.jobs.results(job)].index(index)
        _render(server, "plot", found, path.name, folder=str(folder), position=position, **more)
    return FileResponse(path, media_type="image/png")


@router.get("/report.html", response_class=Response)
async def report(
    job: str,
    server: Server,
    download: bool = Query(True, description="As a file; false shows it in the browser"),
) -> Response:
    """The report of all results, one file that needs nothing else."""
    answer = await in_turn(server.turns.rendering, _download, server, job, "report", "html", "text/html")
    answer.headers["Content-Security-Policy"] = _REPORT_POLICY
    if not download:
        del answer.headers["Content-Disposition"]
    return answer


@router.get("/results.json", response_class=Response)
async def results_json(job: str, server: Server) -> Response:
    """All results as JSON: an object for one scan, a list for several, as `mixrd analyze --json` prints."""
    return await in_turn(server.turns.rendering, _download, server, job, "json", "json", "application/json")


@router.get("/results.csv", response_class=Response)
async def results_csv(job: str, server: Server) -> Response:
    """All results as CSV: a row for each scan and phase."""
    return await in_turn(server.turns.rendering, _download, server, job, "csv", "csv", "text/csv")


@router.get("/results/{index}/export/{program}", response_class=Response)
async def export(job: str, index: int, program: str, server: Server) -> Response:
    """A refined result as input of another program, the files that `mixrd export` writes, in a ZIP."""
    return await in_turn(server.turns.rendering, _export, server, job, index, program)


def _export(server: Services, job: str, index: int, program: str) -> Response:
    found = _with_results(server, job)
    done = [row["number"] for row in server.jobs.results(job)]
    if index not in done:
        raise not_found("result", str(index))
    scan = scan_source(server.library, found.scans[index])
    content = _rendered(server, "export", found, position=done.index(index), scan=scan, to=program)
    headers = attachment(f"{stem_of(found.files[index])}-{program}.zip")
    return Response(content, media_type="application/zip", headers=headers)


def _download(server: Services, job: str, what: str, ending: str, media: str) -> Response:
    """All results in one file, named after the scan or how many there are."""
    found = _with_results(server, job)
    moment = datetime.datetime.fromtimestamp(found.finished or found.created).astimezone()
    alone = len(found.scans) == 1
    content = _rendered(server, what, found, date=f"{moment:%Y-%m-%d %H:%M %Z}", alone=alone)
    name = stem_of(found.files[0]) if alone else f"mixrd {len(found.files)} scans"
    return Response(content, media_type=media, headers=attachment(f"{name}.{ending}"))


def _with_results(server: Services, job: str) -> Job:
    found = found_job(server, job)
    if found.kind != "analysis":
        raise ApiError(409, "CONFLICT", "a calibration has no fractions", "Fetch its instrument, or its plot")
    if not server.jobs.results(job):
        remedy = "Restart it" if found.state in FINAL else "Wait until a scan is done"
        raise ApiError(409, "CONFLICT", "the job has no result yet", remedy)
    return found


def _rendered(server: Services, what: str, job: Job, **more: Any) -> bytes:
    """What the process that renders writes into a file, which is gone afterwards."""
    path = server.database.path("uploads", new_id())
    try:
        _render(server, what, job, str(path), **more)
        return path.read_bytes()
    finally:
        path.unlink(missing_ok=True)


def _render(server: Services, what: str, job: Job, out: str, **more: Any) -> None:
    folder = server.database.results_folder(job.id)
    message = {"do": what, "folder": str(folder), "results": _results(server, job), **more}
    try:
        answer = server.renderer.ask({**message, "out": str(folder / out)})
    except ChildDiedError as death:
        what_failed = problem("INTERNAL", f"the {what} could not be made ({death})", "Try again")
        raise ApiError.of(500, what_failed) from None
    if "error" in answer:
        raise ApiError.of(500 if answer["error"]["code"] == "INTERNAL" else 422, answer["error"])


def _results(server: Services, job: Job) -> list[dict[str, Any]]:
    """Results with a different name for each."""
    from mixrd.report.files import output_names

    rows = server.jobs.results(job.id)
    files = [job.files[row["number"]] for row in rows]
    names = output_names([PurePath(file) for file in files])
    return [
        {"number": row["number"], "name": name, "file": file, "error": plain(row["error"])}
        for row, name, file in zip(rows, names, files, strict=True)
    ]


def _calibration(server: Services, job: Job) -> dict[str, Any]:
    instrument = server.library.file("instrument", job.id)
    if not instrument.is_file():
        raise not_found("instrument of job", job.id)
    phase = server.library.find("phase", job.request["phase"])
    return {
        "calibration": plain(server.jobs.results(job.id)[0]["calibration"]),
        "instrument": str(instrument),
        "phase": phase["name"] if phase else job.request["phase"],
    }
