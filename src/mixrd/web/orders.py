"""What the process that works is told of a job: files of the server instead of ids."""

from __future__ import annotations

from typing import Any

from mixrd.web.jobs import Job, Jobs
from mixrd.web.library import Library


def order_of(job: Job, jobs: Jobs, library: Library, training_steps: int | None) -> dict[str, Any]:
    """What the process is told of a job.

    Raises
    ------
    ApiError
        If something that it needs has been deleted.
    """
    request = job.request
    scans = [library.scan(name) for name in job.scans]
    names = request["phases"] if job.kind == "analysis" else [request["phase"]]
    phases = _with_distinct_names([library.phase(name) for name in names])
    instrument = request["instrument"]
    if instrument is not None and library.instrument(instrument)["kind"] == "own":
        instrument = str(library.file("instrument", instrument))
    standard, external = request.get("standard"), request.get("external_standard")
    return {
        "do": "job",
        "job": job.id,
        "kind": job.kind,
        "request": request,
        "files": job.files,
        "scans": [
            {
                "path": str(library.file("scan", scan["id"])),
                "header": scan["header"],
                "optics": scan.get("optics"),
            }
            for scan in scans
        ],
        "phases": [_phase(library, phase) for phase in phases],
        "instrument": instrument,
        "standard": standard
        and {
            "name": phases[names.index(standard["phase"])]["name"],
            "percent": standard["percent"],
        },
        "external": external and _external(library, external),
        "instrument_file": str(library.file("instrument", job.id)),
        "results": str(jobs.database.results_folder(job.id)),
        "done": [row["number"] for row in jobs.results(job.id)],
        "training_steps": training_steps,
    }


def _external(library: Library, asked: dict[str, Any]) -> dict[str, Any]:
    scan = library.scan(asked["scan"])
    return {
        "phase": _phase(library, library.phase(asked["phase"])),
        "scan": {"path": str(library.file("scan", scan["id"])), "header": scan["header"]},
        "file": scan["file"],
        "amorphous_formula": asked["amorphous_formula"],
    }


def _phase(library: Library, phase: dict[str, Any]) -> dict[str, Any]:
    own = phase["kind"] != "catalog"
    path = str(library.file("phase", phase["id"])) if own else None
    return {"name": phase["name"], "path": path, "block": phase.get("block")}


def _with_distinct_names(phases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The phases, a number added to the name of an own one that another phase has already."""
    taken = {phase["name"] for phase in phases if phase["kind"] == "catalog"}
    found = []
    for phase in phases:
        name = phase["name"]
        if phase["kind"] != "catalog":
            number = 2
            while name in taken:
                name = f"{phase['name']}-{number}"
                number += 1
            taken.add(name)
        found.append({**phase, "name": name})
    return found
