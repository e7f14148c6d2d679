"""The server's folder: an SQLite database, and files beside it under names of the server's own."""

from __future__ import annotations

import json
import secrets
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mixrd.errors import UsageError

#: Version of the tables.
SCHEMA_VERSION = 2
#: What jobs are made of, each with a folder for its files.
_KINDS = ("scans", "phases", "instruments", "models")
_KIND = "CREATE TABLE IF NOT EXISTS {} (id TEXT PRIMARY KEY, created REAL NOT NULL, about TEXT NOT NULL);\n"
_TABLES = (
    "".join(map(_KIND.format, _KINDS))
    + """
CREATE TABLE IF NOT EXISTS jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, kind TEXT NOT NULL,
    title TEXT NOT NULL, state TEXT NOT NULL, quick INTEGER NOT NULL, created REAL NOT NULL,
    finished REAL, request TEXT NOT NULL, files TEXT NOT NULL,
    progress TEXT NOT NULL, error TEXT, instrument TEXT, attempts INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS results (
    job TEXT NOT NULL REFERENCES jobs(id) ON DELETE CASCADE, number INTEGER NOT NULL,
    status TEXT NOT NULL, error TEXT, calibration TEXT, PRIMARY KEY (job, number));
CREATE INDEX IF NOT EXISTS jobs_state ON jobs (state, number);
"""
)
_FOLDERS = (*_KINDS, "uploads", "results", "cod")


class Database:
    """The folder of one running server; a second server on the same folder is refused.

    Parameters
    ----------
    folder : path
        Is made if need be, readable by its owner only.

    Raises
    ------
    UsageError
        If it cannot be used, or another server uses it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self._turn = threading.RLock()
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            for name in _FOLDERS:
                (self.folder / name).mkdir(exist_ok=True, mode=0o700)
        except OSError as error:
            raise UsageError(
                f"the folder of the server's data cannot be made ({error.strerror})",
                remedy="Give another one with --data",
                file=folder,
            ) from None
        self._guard = self._only_server()
        self._connection = self._open()
        # What an earlier server had not finished receiving is of no use.
        for part in (self.folder / "uploads").iterdir():
            part.unlink(missing_ok=True)

    def _only_server(self) -> sqlite3.Connection:
        """A lock that the system takes back when this process ends, however it ends."""
        guard = sqlite3.connect(
            self.folder / "server.lock", timeout=0, isolation_level=None, check_same_thread=False
        )
        try:
            guard.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            guard.close()
            raise UsageError(
                f"another `mixrd serve` uses this folder ({error})",
                remedy="Open the page of that one, or give another folder with --data",
                file=self.folder,
            ) from None
        return guard

    def _open(self) -> sqlite3.Connection:
        path = self.folder / "mixrd.sqlite"
        try:
            connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            connection.row_factory = sqlite3.Row
            for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON"):
                connection.execute(f"PRAGMA {pragma}")
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version not in (0, SCHEMA_VERSION):
                raise UsageError(
                    "the data are of another version of mixrd", remedy="Give another folder with --data"
                )
            connection.executescript(_TABLES)
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        except sqlite3.DatabaseError as error:
            raise UsageError(
                f"the server's data cannot be read ({error})",
                remedy="Move the file away, or give another folder with --data",
                file=path,
            ) from None
        return connection

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """The connection, for one thread at a time; all that is done with it happens, or nothing."""
        with self._turn:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def rows(self, question: str, *values: Any) -> list[sqlite3.Row]:
        """Rows of a SELECT."""
        with self._turn:
            return self._connection.execute(question, values).fetchall()

    def row(self, question: str, *values: Any) -> sqlite3.Row | None:
        """The first row of a SELECT, None where there is none."""
        found = self.rows(question, *values)
        return found[0] if found else None

    def path(self, kind: str, name: str) -> Path:
        """A file of the folder; `name` is one that the server made."""
        return self.folder / kind / name

    def results_folder(self, job: str) -> Path:
        """Where the results of a job are."""
        return self.folder / "results" / job

    def remove_results(self, job: str) -> None:
        """Delete the files of a job's results."""
        shutil.rmtree(self.results_folder(job), ignore_errors=True)

    def close(self) -> None:
        """Let go of the folder."""
        with self._turn:
            self._connection.close()
            self._guard.close()


def new_id() -> str:
    """A name that nobody guesses."""
    return secrets.token_hex(8)


def plain(text: str | None) -> Any:
    """What JSON text in a column stands for."""
    return None if text is None else json.loads(text)
