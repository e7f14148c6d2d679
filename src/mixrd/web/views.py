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
    results = [result_view(server, job, row, analyses=analyses) for row in server.jobs.results(job.id)]
    own = ("quick", "files", "attempts")
    return {name: value for name, value in vars(job).items() if name not in own} | {"results": results}


def result_view(server: Services, job: Job, row: sqlite3.Row, *, analyses: bool) -> dict[str, Any]:
    """One result as plain data."""
    number = row["number"]
    return {
        "index": number,
        "scan": job.scans[number],
        "file": job.files[number],
        "status": row["status"],
        "analysis": _analysis(server, job.id, number) if analyses else None,
        "calibration": plain(row["calibration"]),
        "error": plain(row["error"]),
    }


def _analysis(server: Services, job: str, number: int) -> dict[str, Any] | None:
    path = server.database.results_folder(job) / f"{number}.shown.json"
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return found
