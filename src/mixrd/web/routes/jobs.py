"""Jobs: asked for, watched, cancelled, restarted, deleted."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from mixrd.web.answers import JobAnswer
from mixrd.web.bodies import AnalysisBody, CalibrationRequest, InstrumentBody, JobRequest
from mixrd.web.dispatch import CANCEL_SECONDS
from mixrd.web.jobs import FINAL, Job
from mixrd.web.orders import choice_of, request_of
from mixrd.web.problems import ApiError, not_found, shown_name
from mixrd.web.services import Server, Services
from mixrd.web.views import job_view

router = APIRouter(prefix="/api/jobs", tags=["jobs"])
#: Between two looks at a job that is watched, and two signs of life where nothing changes.
_LOOK_SECONDS, _ALIVE_SECONDS = 0.5, 15.0
#: Jobs that may wait.
_MOST_WAITING = 500


@router.post("", response_model=JobAnswer, status_code=201)
def add_job(wanted: Annotated[JobRequest, Body()], server: Server) -> dict[str, Any]:
    """Ask for an analysis of scans, or the calibration of an instrument."""
    if server.jobs.count("queued") >= _MOST_WAITING:
        raise ApiError(503, "BUSY", "too many jobs are waiting", "Cancel some, or wait")
    if isinstance(wanted, CalibrationRequest):
        job = _calibration(server, wanted)
    else:
        job = _analysis(server, wanted)
    server.dispatcher.wake()
    return job_view(server, job, analyses=False)


@router.get("", response_model=list[JobAnswer])
def all_jobs(server: Server, limit: int = Query(100, ge=1, le=1000)) -> list[dict[str, Any]]:
    """Jobs, newest first, without their analyses."""
    return [job_view(server, job, analyses=False) for job in server.jobs.newest(limit)]


@router.get("/{job}", response_model=JobAnswer)
def one_job(job: str, server: Server) -> dict[str, Any]:
    """A job with its analyses."""
    return job_view(server, found_job(server, job), analyses=True)


@router.get(
    "/{job}/events",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}, "description": "The job at each change"}},
)
async def events(job: str, server: Server) -> StreamingResponse:
    """The job, without its analyses, at each change until its end, as server-sent events."""
    await run_in_threadpool(found_job, server, job)
    return StreamingResponse(_changes(server, job), media_type="text/event-stream")


@router.post("/{job}/cancel", response_model=JobAnswer)
def cancel(job: str, server: Server) -> dict[str, Any]:
    """Stop a job: at once where it waits, within some seconds where it runs."""
    found_job(server, job)
    if not server.dispatcher.cancel(job) and found_job(server, job).state in FINAL:
        raise ApiError(409, "CONFLICT", "the job has come to its end", "Restart or delete it")
    return job_view(server, found_job(server, job), analyses=False)


@router.post("/{job}/restart", response_model=JobAnswer)
def restart(job: str, server: Server) -> dict[str, Any]:
    """Do again what failed, was cancelled or interrupted; a training goes on where it was."""
    found_job(server, job)
    server.dispatcher.wait_until_left(job, CANCEL_SECONDS + 2)
    if not server.jobs.restart(job):
        raise ApiError(
            409, "CONFLICT", "the job runs, waits or is done", "Only what failed or stopped can be restarted"
        )
    server.dispatcher.wake()
    return job_view(server, found_job(server, job), analyses=False)


@router.delete("/{job}", status_code=204)
def delete(job: str, server: Server) -> None:
    """Delete a job and its results; one that runs is stopped first."""
    found_job(server, job)
    server.dispatcher.cancel(job)
    server.dispatcher.wait_until_left(job, CANCEL_SECONDS + 2)
    server.jobs.delete(job)


def found_job(server: Services, job: str) -> Job:
    """The job of this id.

    Raises
    ------
    ApiError
        If there is none.
    """
    found = server.jobs.get(job)
    if found is None:
        raise not_found("job", job)
    return found


def _analysis(server: Services, wanted: AnalysisBody) -> Job:
    names = [server.library.known("phase", name)["name"] for name in wanted.phases]
    if not names and wanted.model is not None:
        names = server.library.known("model", wanted.model)["phases"]
    request_of(wanted, server.library)
    scans = [server.library.known("scan", name) for name in wanted.scans]
    _check_instrument(server, wanted, scans)
    what = scans[0]["file"] if len(scans) == 1 else f"{len(scans)} scans"
    title = f"{what}: {', '.join(names)}"
    quick = not wanted.network or wanted.model is not None or (wanted.refine and len(names) == 1)
    files = [scan["file"] for scan in scans]
    return server.jobs.add("analysis", title, wanted.model_dump(), files, quick=quick)


def _calibration(server: Services, wanted: CalibrationRequest) -> Job:
    scan, phase = server.library.known("scan", wanted.scan), server.library.known("phase", wanted.phase)
    _check_instrument(server, wanted, [scan])
    name = shown_name(wanted.name, "instrument")
    title = f"{name}: calibrated on {phase['name']} in {scan['file']}"
    request = {**wanted.model_dump(), "name": name}
    return server.jobs.add("calibration", title, request, [scan["file"]], quick=True)


def _check_instrument(server: Services, wanted: InstrumentBody, scans: list[dict[str, Any]]) -> None:
    """Refuse what would fail for every scan."""
    from mixrd.diffraction import radiation

    choice = choice_of(wanted, server.library)
    if choice.radiation is not None:
        radiation(choice.radiation)
    if choice.stands_alone:
        return
    for scan in scans:
        if scan["radiation"] is None:
            raise ApiError(
                422,
                "RADIATION",
                "the file does not say with which radiation it was measured",
                "Choose the instrument, or the radiation",
                scan["file"],
            )


async def _changes(server: Services, name: str) -> AsyncIterator[str]:
    """Events as long as there are changes to come."""

    def look() -> tuple[str, bool]:
        job = server.jobs.get(name)
        if job is None:
            return "", True
        return json.dumps(job_view(server, job, analyses=False)), job.state in FINAL

    last, said = "", time.monotonic()
    while not server.dispatcher.stopping:
        text, final = await run_in_threadpool(look)
        if text and text != last:
            last, said = text, time.monotonic()
            yield f"data: {text}\n\n"
        elif time.monotonic() - said > _ALIVE_SECONDS:
            said = time.monotonic()
            yield ": still here\n\n"
        if final:
            return
        await asyncio.sleep(_LOOK_SECONDS)
