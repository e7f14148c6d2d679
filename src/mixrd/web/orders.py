"""What users want of the server, as a request of `mixrd.analysis`, and where its names are found."""

from __future__ import annotations

import itertools
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from mixrd.web.bodies import AnalysisBody, CalibrationRequest, InstrumentBody
from mixrd.web.jobs import Job, Jobs
from mixrd.web.library import Library

if TYPE_CHECKING:
    from mixrd.analysis import AnalysisRequest, InstrumentChoice


def request_of(
    wanted: AnalysisBody, library: Library, *, training_steps: int | None = None
) -> AnalysisRequest:
    """The request, in which phases and scans have the names of the library.

    Raises
    ------
    ApiError
        If the library lacks something.
    InputError
        If the request contradicts itself.
    """
    from mixrd.analysis import AnalysisRequest, InternalStandard, StandardScan, parse_humps

    phases = distinct_phases(wanted.phases, library)
    trained = None if wanted.model is None else library.known("model", wanted.model)
    standard, external = wanted.standard, wanted.external_standard

    def name_of(phase: str) -> str:
        return str(phases[phase]["name"]) if phase in phases else phase

    for part in wanted.amorphous:
        _ = library.known("scan", part.scan) if part.scan is not None else parse_humps(part.humps or "")
    if external is not None:
        library.known("phase", external.phase)
        library.known("scan", external.scan)
    request = AnalysisRequest(
        phases=tuple(wanted.phases),
        model=None if trained is None else str(library.file("model", trained["id"])),
        network=wanted.network,
        refine=wanted.refine,
        training_steps=training_steps,
        second_opinion=wanted.second_opinion,
        particle_size_um=wanted.particle_size_um,
        grinding=wanted.grinding,
        standard=None if standard is None else InternalStandard(name_of(standard.phase), standard.percent),
        external_standard=None if external is None else StandardScan(external.phase, external.scan),
        amorphous_formula=None if external is None else external.amorphous_formula,
        amorphous=tuple(part.scan or part.humps or "" for part in wanted.amorphous),
        exclude=tuple(wanted.exclude),
        **_instrument(wanted, library),
    )
    names = [phase["name"] for phase in phases.values()]
    if trained is not None:
        names = names or trained["phases"]
        request.check_model(names, trained["phases"], trained["title"])
    request.check_standard(names)
    return request


def choice_of(wanted: InstrumentBody, library: Library) -> InstrumentChoice:
    """The instrument, by the name of a preset or the server's file.

    Raises
    ------
    ApiError
        If there is no such instrument.
    InputError
        If the choice contradicts itself.
    """
    from mixrd.analysis import InstrumentChoice

    return InstrumentChoice(**_instrument(wanted, library))


def order_of(job: Job, jobs: Jobs, library: Library, training_steps: int | None) -> dict[str, Any]:
    """What the process that works is told of a job.

    Raises
    ------
    ApiError
        If something that it needs has been deleted.
    """
    order: dict[str, Any] = {
        "do": "job",
        "job": job.id,
        "kind": job.kind,
        "files": job.files,
        "scans": job.scans,
        "instrument_file": str(library.file("instrument", job.id)),
        "results": str(jobs.database.results_folder(job.id)),
        "done": [row["number"] for row in jobs.results(job.id)],
    }
    if job.kind == "calibration":
        asked = CalibrationRequest.model_validate(job.request)
        phases = distinct_phases([asked.phase], library)
        order |= {"request": asdict(choice_of(asked, library)), "phase": asked.phase, "name": asked.name}
    else:
        # Jobs of older versions know nothing of some of this.
        wanted = AnalysisBody.model_validate(job.request)
        phases = distinct_phases(wanted.phases, library)
        external = wanted.external_standard
        if external is not None and external.phase not in phases:
            phases[external.phase] = library.known("phase", external.phase)
        order["request"] = request_of(wanted, library, training_steps=training_steps).to_dict()
    return {
        **order,
        "phases": {name: _phase_source(library, phase) for name, phase in phases.items()},
        "known_scans": {name: scan_source(library, name) for name in job.used_scans},
    }


def _instrument(wanted: InstrumentBody, library: Library) -> dict[str, Any]:
    """The entries of a request that say which instrument it is."""
    said = wanted.model_dump(include=set(InstrumentBody.model_fields))
    name = wanted.instrument
    if name is not None and library.known("instrument", name)["kind"] == "own":
        said["instrument"] = str(library.file("instrument", name))
    return said


def scan_source(library: Library, name: str) -> dict[str, Any]:
    """Where a scan is, and what is known of it.

    Raises
    ------
    ApiError
        If there is none.
    """
    scan = library.known("scan", name)
    about = {key: scan.get(key) for key in ("file", "header", "optics")}
    return {"path": str(library.file("scan", name)), **about}


def _phase_source(library: Library, phase: dict[str, Any]) -> dict[str, Any]:
    own = phase["kind"] != "catalog"
    path = str(library.file("phase", phase["id"])) if own else None
    return {"name": phase["name"], "path": path, "block": phase.get("block")}


def distinct_phases(ids: list[str], library: Library) -> dict[str, dict[str, Any]]:
    """Phases of the library by their ids, of which no two have the same name.

    Raises
    ------
    ApiError
        If there is no such phase.
    """
    found = {name: library.known("phase", name) for name in ids}
    taken = {phase["name"] for phase in found.values() if phase["kind"] == "catalog"}
    for key, phase in found.items():
        if phase["kind"] == "catalog":
            continue
        # An own one whose name another phase has already gets a number.
        numbered = (f"{phase['name']}-{number}" for number in itertools.count(2))
        name = next(name for name in itertools.chain([phase["name"]], numbered) if name not in taken)
        taken.add(name)
        found[key] = {**phase, "name": name}
    return found
