"""Jobs go to the processes that work: in turn, with progress, cancelled when a user wants it."""

from __future__ import annotations

import os
import threading
import time
from typing import Any

from mixrd.web.child import Child, ChildDiedError
from mixrd.web.curve import extended
from mixrd.web.database import Database, plain
from mixrd.web.jobs import Job, Jobs
from mixrd.web.library import Library
from mixrd.web.problems import ApiError, problem
from mixrd.web.settings import ServerSettings

_MODULE = "mixrd.web.work"
#: Seconds that a job has to stop by itself after a user cancelled it.
CANCEL_SECONDS = 4.0


class Dispatcher:
    """Lanes of work, each with a process of its own.

    As many lanes take any job as there may be trainings at once; one more takes only what trains nothing,
    so that a refinement does not wait for somebody's training.

    Parameters
    ----------
    settings : ServerSettings
    database : Database
    jobs : Jobs
    library : Library
    """

    def __init__(self, settings: ServerSettings, database: Database, jobs: Jobs, library: Library) -> None:
        self.settings, self.database, self.jobs, self.library = settings, database, jobs, library
        self._work = threading.Condition()
        self._stopping = False
        self._lanes = [_Lane(self, quick_only=False) for _ in range(settings.workers)]
        self._lanes.append(_Lane(self, quick_only=True))

    def start(self) -> None:
        """Begin with what waits."""
        self.jobs.resume()
        for lane in self._lanes:
            lane.start()

    def wake(self) -> None:
        """Say that there is a new job."""
        with self._work:
            self._work.notify_all()

    def next_job(self, *, quick_only: bool) -> Job | None:
        """The next job, waited for; None when the server stops."""
        with self._work:
            while not self._stopping:
                job = self.jobs.take(quick_only=quick_only)
                if job is not None:
                    return job
                # Woken for every job; the time is for one that another process of ours put there.
                self._work.wait(5.0)
        return None

    @property
    def stopping(self) -> bool:
        """Whether the server stops."""
        return self._stopping

    def announce_stop(self) -> None:
        """Begin nothing more, and let those who watch jobs go."""
        self._stopping = True

    def cancel(self, name: str) -> bool:
        """Cancel a job; False where it had come to its end."""
        if self.jobs.cancel_waiting(name):
            return True
        return any(lane.cancel(name) for lane in self._lanes)

    def wait_until_left(self, name: str, seconds: float) -> None:
        """Wait until no process works on a job."""
        end = time.monotonic() + seconds
        while any(lane.working_on == name for lane in self._lanes) and time.monotonic() < end:
            time.sleep(0.02)

    def stop(self) -> None:
        """End the processes; what they were doing goes on at the next start."""
        with self._work:
            self._stopping = True
            self._work.notify_all()
        for lane in self._lanes:
            lane.stop()
        for lane in self._lanes:
            lane.join(10.0)

    def message(self, job: Job) -> dict[str, Any]:
        """What the process is told of a job.

        Raises
        ------
        ApiError
            If something that it needs has been deleted.
        """
        request = job.request
        scans = [self.library.scan(name) for name in job.scans]
        names = request["phases"] if job.kind == "analysis" else [request["phase"]]
        phases = _with_distinct_names([self.library.phase(name) for name in names])
        instrument = request["instrument"]
        if instrument is not None and self.library.instrument(instrument)["kind"] == "own":
            instrument = str(self.library.file("instrument", instrument))
        standard = request.get("standard")
        return {
            "do": "job",
            "kind": job.kind,
            "request": request,
            "files": [scan["file"] for scan in scans],
            "scans": [
                {"path": str(self.library.file("scan", scan["id"])), "header": scan["header"]}
                for scan in scans
            ],
            "phases": [self._phase(phase) for phase in phases],
            "instrument": instrument,
            "standard": standard
            and {
                "name": phases[names.index(standard["phase"])]["name"],
                "percent": standard["percent"],
            },
            "instrument_file": str(self.library.file("instrument", job.id)),
            "results": str(self.database.results_folder(job.id)),
            "done": [row["number"] for row in self.jobs.results(job.id)],
            "training_steps": self.settings.training_steps,
        }

    def _phase(self, phase: dict[str, Any]) -> dict[str, Any]:
        own = phase["kind"] != "catalog"
        path = str(self.library.file("phase", phase["id"])) if own else None
        return {"name": phase["name"], "path": path, "block": phase.get("block")}


class _Lane(threading.Thread):
    """One process, and the jobs that it does one after the other."""

    def __init__(self, dispatcher: Dispatcher, *, quick_only: bool) -> None:
        super().__init__(daemon=True)
        self.dispatcher, self.quick_only = dispatcher, quick_only
        self.working_on: str | None = None
        self._cancelled = False
        self._turn = threading.Lock()
        self._child: Child | None = None

    def run(self) -> None:
        """Work until the server stops."""
        if not self.quick_only:
            self._process()
        while (job := self.dispatcher.next_job(quick_only=self.quick_only)) is not None:
            with self._turn:
                self.working_on, self._cancelled = job.id, False
            try:
                self._do(job)
            finally:
                with self._turn:
                    self.working_on = None

    def cancel(self, name: str) -> bool:
        """Ask for an end of this job, and bring it about if that is not heard."""
        with self._turn:
            if self.working_on != name:
                return False
            self._cancelled = True
            if self._child is not None:
                child = self._child
                child.send({"do": "cancel"})
                clock = threading.Timer(CANCEL_SECONDS, self._kill, (name, child))
                clock.daemon = True
                clock.start()
        return True

    def stop(self) -> None:
        """End the process."""
        with self._turn:
            if self._child is not None:
                self._child.close()

    def _kill(self, name: str, child: Child) -> None:
        with self._turn:
            if self.working_on == name and self._child is child:
                child.kill()

    def _process(self) -> Child:
        with self._turn:
            if self._child is None and not self.dispatcher.stopping:
                self._child = Child(_MODULE, threads=_threads(self.dispatcher.settings.workers))
            if self._child is None:
                raise ChildDiedError("the server stops")
            return self._child

    def _do(self, job: Job) -> None:
        jobs = self.dispatcher.jobs
        try:
            message = self.dispatcher.message(job)
            child = self._process()
            if self._cancelled:
                jobs.finish(job.id, "cancelled")
                return
            child.send(message)
            _Report(self.dispatcher, job).follow(child)
        except ApiError as refusal:
            jobs.finish(job.id, "failed", error=refusal.body)
        except ChildDiedError as death:
            with self._turn:
                if self._child is not None:
                    self._child.close()
                self._child = None
            if self.dispatcher.stopping:
                return
            if self._cancelled:
                jobs.finish(job.id, "cancelled")
            else:
                jobs.finish(job.id, "failed", error=_death(death))


class _Report:
    """Follows the process through one job and notes what it says."""

    def __init__(self, dispatcher: Dispatcher, job: Job) -> None:
        self.dispatcher, self.job, self.jobs = dispatcher, job, dispatcher.jobs
        self.progress = dict(job.progress)
        self.state = job.state
        self.errors = [None for _ in job.scans]

    def follow(self, child: Child) -> None:
        """Until the job is at its end."""
        while True:
            message = child.receive()
            said = message["say"]
            if said == "progress":
                self._progress(message)
            elif said == "result":
                self._result(message)
            elif said == "done":
                self._done(made_instrument=message.get("instrument", False))
                return
            elif said == "cancelled":
                self.jobs.finish(self.job.id, "cancelled")
                return
            elif said == "failed":
                self.jobs.finish(self.job.id, "failed", error=message["error"])
                return

    def _progress(self, message: dict[str, Any]) -> None:
        stage = message["stage"]
        self.state = stage
        self.progress["stage"] = stage
        if stage == "training":
            for name in ("step", "steps", "loss", "seconds_left"):
                self.progress[name] = message[name]
            curve = extended(self.progress["curve"], message["step"], message["loss"])
            self.progress["curve"] = curve
        else:
            self.progress["seconds_left"] = None
        self.jobs.report(self.job.id, self.state, self.progress)

    def _result(self, message: dict[str, Any]) -> None:
        self.jobs.add_result(
            self.job.id,
            message["number"],
            error=message.get("error"),
            calibration=message.get("calibration"),
        )
        self.progress["scans_done"] = len(self.jobs.results(self.job.id))
        self.jobs.report(self.job.id, self.state, self.progress)

    def _done(self, *, made_instrument: bool) -> None:
        instrument = None
        if made_instrument:
            instrument = self.job.id
            self.dispatcher.library.add("instrument", instrument, self._about_instrument())
        results = self.jobs.results(self.job.id)
        if any(row["status"] == "ok" for row in results):
            self.jobs.finish(self.job.id, "done", instrument=instrument)
            return
        first = next((plain(row["error"]) for row in results), None)
        self.jobs.finish(self.job.id, "failed", error=first)

    def _about_instrument(self) -> dict[str, Any]:
        from mixrd.pattern import load_instrument

        made = load_instrument(self.dispatcher.library.file("instrument", self.job.id))
        return {
            "kind": "own",
            "title": made.name,
            "radiation": made.radiation.name,
            "wavelength_angstrom": made.radiation.wavelength_angstrom,
            "goniometer_radius_mm": made.goniometer_radius_mm,
            "note": made.note,
        }


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


def _threads(workers: int) -> int:
    """Half the processors for all work together: the page and other programs have the rest."""
    return max(1, (os.cpu_count() or 2) // 2 // workers)


def _death(death: ChildDiedError) -> dict[str, Any]:
    return problem(
        "WORKER",
        f"the process that did this job ended unexpectedly ({death})",
        "Restart the job; what was finished of it is kept",
    )
