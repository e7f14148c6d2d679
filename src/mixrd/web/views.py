"""Jobs as the interface shows them."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from mixrd.web.database import plain
from mixrd.web.jobs import Job
from mixrd.web.services import Services


def job_view(server: Services, job: Job, *, analyses: bool) -> dict[str, Any]:
    """A job as plain data, with or without what was found."""
    rows = server.jobs.results(job.id)
    return {
        "id": job.id,
        "kind": job.kind,
        "title": job.title,
        "state": job.state,
        "created": job.created,
        "finished": job.finished,
        "progress": job.progress,
        "error": job.error,
        "request": job.request,
        "results": [result_view(server, job, row, analyses=analyses) for row in rows],
        "instrument": job.instrument,
    }


def result_view(server: Services, job: Job, row: sqlite3.Row, *, analyses: bool) -> dict[str, Any]:
    """One result as plain data."""
    number = row["number"]
    scan = job.scans[number]
    return {
        "index": number,
        "scan": scan,
        "file": file_of(server, scan),
        "status": row["status"],
        "analysis": _analysis(server, job.id, number) if analyses else None,
        "calibration": plain(row["calibration"]),
        "error": plain(row["error"]),
    }


def file_of(server: Services, scan: str) -> str:
    """The user's name for a scan."""
    name = server.library.scan_name(scan)
    return name if name is not None else "deleted scan"


def _analysis(server: Services, job: str, number: int) -> dict[str, Any] | None:
    path = server.database.results_folder(job) / f"{number}.json"
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    # Large, and of use to programs only: the download has it.
    found.pop("refined_model", None)
    return found
