"""Jobs and their results, as the database keeps them."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from mixrd.web.answers import Progress
from mixrd.web.database import Database, new_id, plain

FINAL = ("done", "failed", "cancelled", "interrupted")
RUNNING = ("training", "analysing", "calibrating")
#: A job that was running when the server stopped goes on at the next start, so many times.
MOST_ATTEMPTS = 3


@dataclass(frozen=True)
class Job:
    """One job.

    Attributes
    ----------
    id, kind, title, state : str
    quick : bool
        Whether no network is trained for it.
    created, finished : float or None
        Seconds since 1970.
    request, progress : dict
    files : list of str
        Users' names of the scans, in the order of the results; they outlive the scans.
    error : dict or None
    instrument : str or None
        What a calibration made.
    attempts : int
        How often it was begun.
    """

    id: str
    kind: str
    title: str
    state: str
    quick: bool
    created: float
    finished: float | None
    request: dict[str, Any]
    files: list[str]
    progress: dict[str, Any]
    error: dict[str, Any] | None
    instrument: str | None
    attempts: int

    @property
    def scans(self) -> list[str]:
        """Ids of the scans, in the order of the results."""
        return list(self.request["scans"]) if self.kind == "analysis" else [self.request["scan"]]

    @property
    def used_scans(self) -> set[str]:
        """Ids of these and of all other scans that it refers to."""
        return _used_scans(self.kind, self.request)


class Jobs:
    """The jobs of a server.

    Parameters
    ----------
    database : Database
    """

    def __init__(self, database: Database) -> None:
        self.database = database

    def add(self, kind: str, title: str, request: dict[str, Any], files: list[str], *, quick: bool) -> Job:
        """A new job at the end of the queue."""
        name = new_id()
        told = {"stage": "waiting", "curve": [], "scans_done": 0, "scans": len(files)}
        progress = {**dict.fromkeys(Progress.model_fields), **told}
        with self.database.transaction() as connection:
            connection.execute(
                "INSERT INTO jobs (id, kind, title, state, quick, created, request, files, progress)"
                " VALUES (?, ?, ?, 'queued', ?, ?, ?, ?, ?)",
                (name, kind, title, quick, time.time(), *map(json.dumps, (request, files, progress))),
            )
        job = self.get(name)
        assert job is not None
        return job

    def get(self, name: str) -> Job | None:
        """The job of this id."""
        row = self.database.row("SELECT * FROM jobs WHERE id = ?", name)
        return None if row is None else _job(row)

    def newest(self, limit: int) -> list[Job]:
        """Jobs, newest first."""
        return [_job(r) for r in self.database.rows("SELECT * FROM jobs ORDER BY number DESC LIMIT ?", limit)]

    def count(self, *states: str) -> int:
        """How many jobs are in these states."""
        marks = ", ".join("?" * len(states))
        row = self.database.row(f"SELECT COUNT(*) FROM jobs WHERE state IN ({marks})", *states)
        return int(row[0]) if row else 0

    def take(self, *, quick_only: bool) -> Job | None:
        """Begin the oldest job that waits."""
        which = "AND quick" if quick_only else ""
        with self.database.transaction() as connection:
            row = connection.execute(
                f"SELECT * FROM jobs WHERE state = 'queued' {which} ORDER BY number LIMIT 1"
            ).fetchone()
            if row is None:
                return None
            state = "calibrating" if row["kind"] == "calibration" else "analysing"
            progress = {**plain(row["progress"]), "stage": "starting"}
            connection.execute(
                "UPDATE jobs SET state = ?, progress = ?, attempts = attempts + 1 WHERE id = ?",
                (state, json.dumps(progress), row["id"]),
            )
        return self.get(row["id"])

    def report(self, name: str, state: str, progress: dict[str, Any]) -> None:
        """Note how far a running job is."""
        with self.database.transaction() as connection:
            connection.execute(
                f"UPDATE jobs SET state = ?, progress = ? WHERE id = ? AND state IN {RUNNING}",
                (state, json.dumps(progress), name),
            )

    def finish(
        self, name: str, state: str, *, error: dict[str, Any] | None = None, instrument: str | None = None
    ) -> bool:
        """Bring a job to an end; False where it had one already."""
        with self.database.transaction() as connection:
            changed = connection.execute(
                "UPDATE jobs SET state = ?, finished = ?, error = ?, instrument = COALESCE(?, instrument)"
                f" WHERE id = ? AND state NOT IN {FINAL}",
                (state, time.time(), None if error is None else json.dumps(error), instrument, name),
            ).rowcount
        return bool(changed)

    def cancel_waiting(self, name: str) -> bool:
        """Cancel a job that has not begun; False where it has."""
        with self.database.transaction() as connection:
            return bool(
                connection.execute(
                    "UPDATE jobs SET state = 'cancelled', finished = ? WHERE id = ? AND state = 'queued'",
                    (time.time(), name),
                ).rowcount
            )

    def restart(self, name: str) -> bool:
        """Queue a job again that came to no good end; what succeeded of it stays."""
        with self.database.transaction() as connection:
            row = connection.execute(
                "SELECT progress FROM jobs WHERE id = ? AND state IN ('failed', 'cancelled', 'interrupted')",
                (name,),
            ).fetchone()
            if row is None:
                return False
            connection.execute("DELETE FROM results WHERE job = ? AND status = 'failed'", (name,))
            done = connection.execute("SELECT COUNT(*) FROM results WHERE job = ?", (name,)).fetchone()[0]
            progress = {
                **plain(row["progress"]),
                "stage": "waiting",
                "seconds_left": None,
                "scans_done": done,
            }
            connection.execute(
                "UPDATE jobs SET state = 'queued', finished = NULL, error = NULL, attempts = 0, progress = ?"
                " WHERE id = ?",
                (json.dumps(progress), name),
            )
        return True

    def resume(self) -> None:
        """After a start: queue what was running when the server stopped, unless that was tried often."""
        with self.database.transaction() as connection:
            connection.execute(
                "UPDATE jobs SET state = 'interrupted', finished = ?, error = ?"
                f" WHERE state IN {RUNNING} AND attempts >= ?",
                (time.time(), json.dumps(_INTERRUPTED), MOST_ATTEMPTS),
            )
            connection.execute(f"UPDATE jobs SET state = 'queued' WHERE state IN {RUNNING}")

    def delete(self, name: str) -> None:
        """Forget a job and its results."""
        with self.database.transaction() as connection:
            connection.execute("DELETE FROM jobs WHERE id = ?", (name,))
        self.database.remove_results(name)

    def add_result(
        self,
        name: str,
        number: int,
        *,
        error: dict[str, Any] | None = None,
        calibration: dict[str, Any] | None = None,
    ) -> None:
        """Note that a scan of a job is done: well, or with this error."""
        status = "ok" if error is None else "failed"
        texts = [None if x is None else json.dumps(x) for x in (error, calibration)]
        with self.database.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO results (job, number, status, error, calibration)"
                " SELECT id, ?, ?, ?, ? FROM jobs WHERE id = ?",
                (number, status, *texts, name),
            )

    def results(self, name: str) -> list[sqlite3.Row]:
        """Results of a job by their number."""
        return self.database.rows("SELECT * FROM results WHERE job = ? ORDER BY number", name)

    def uses(self, scans: Sequence[str]) -> set[str]:
        """Which of these scans a job refers to."""
        wanted, used = set(scans), set[str]()
        for row in self.database.rows("SELECT kind, request FROM jobs"):
            used |= wanted & _used_scans(row["kind"], plain(row["request"]))
        return used


def _used_scans(kind: str, request: dict[str, Any]) -> set[str]:
    if kind != "analysis":
        return {request["scan"]}
    # Jobs of older versions know nothing of some of this.
    others = [request.get("external_standard"), *request.get("amorphous", ())]
    return {*request["scans"], *(one["scan"] for one in others if one and one["scan"] is not None)}


_INTERRUPTED = {
    "code": "INTERRUPTED",
    "message": f"the server stopped during this job, {MOST_ATTEMPTS} times",
    "remedy": "Restart it; if the server stops again, it may lack memory",
    "file": None,
}


def _job(row: sqlite3.Row) -> Job:
    data = {name: plain(row[name]) for name in ("request", "files", "progress", "error")}
    return Job(**{f.name: data.get(f.name, row[f.name]) for f in fields(Job)})
