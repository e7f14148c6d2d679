"""Jobs as the interface shows them."""

from __future__ import annotations

import json
from typing import Any

from mixrd.web.database import plain
from mixrd.web.jobs import Job
from mixrd.web.services import Services


def job_view(server: Services, job: Job, *, analyses: bool) -> dict[str, Any]:
    """A job as plain data, with or without what was found."""
    results = []
    for row in server.jobs.results(job.id):
        number = row["number"]
        scan = job.scans[number]
        results.append(
            {
                "index": number,
                "scan": scan,
                "file": file_of(server, scan),
                "status": row["status"],
                "analysis": _analysis(server, job.id, number) if analyses else None,
                "calibration": plain(row["calibration"]),
                "error": plain(row["error"]),
            }
        )
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
        "results": results,
        "instrument": job.instrument,
    }


def file_of(server: Services, scan: str) -> str:
    """The user's name for a scan."""
    found = server.library.find("scan", scan)
    return str(found["file"]) if found else "deleted scan"


def _analysis(server: Services, job: str, number: int) -> dict[str, Any] | None:
    path = server.database.results_folder(job) / f"{number}.json"
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return found
