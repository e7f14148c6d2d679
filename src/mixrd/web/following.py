"""A job is followed: progress, results and its end are noted as the process tells them."""

from __future__ import annotations

from typing import Any

from mixrd.web.child import Child
from mixrd.web.curve import extended
from mixrd.web.database import plain
from mixrd.web.jobs import Job, Jobs
from mixrd.web.library import Library, about_instrument


class Follower:
    """Follows the process through one job and notes what it says.

    Parameters
    ----------
    job : Job
    jobs : Jobs
    library : Library
    """

    def __init__(self, job: Job, jobs: Jobs, library: Library) -> None:
        self.job, self.jobs, self.library = job, jobs, library
        self.progress = dict(job.progress)
        self.state = job.state

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
            self.library.add("instrument", instrument, self._about_instrument())
        results = self.jobs.results(self.job.id)
        if any(row["status"] == "ok" for row in results):
            self.jobs.finish(self.job.id, "done", instrument=instrument)
            return
        first = next((plain(row["error"]) for row in results), None)
        self.jobs.finish(self.job.id, "failed", error=first)

    def _about_instrument(self) -> dict[str, Any]:
        from mixrd.pattern import load_instrument

        made = load_instrument(self.library.file("instrument", self.job.id))
        return {"kind": "own", **about_instrument(made)}
