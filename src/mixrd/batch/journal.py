"""What a batch has done: a file beside the results, so that the same command goes on where it was stopped.

The first line says what was asked for, each further one which names scans get, or that one is done. Lines
are only added. A scan counts as done when its line is there, which is written after all its files.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

from filelock import FileLock, Timeout

from mixrd.errors import UsageError
from mixrd.files import refuse_existing, remove_leftovers, writing
from mixrd.report.files import ENDINGS, batch_files, output_names
from mixrd.report.report_file import BATCH_REPORT

if TYPE_CHECKING:
    from mixrd.analysis import Analysis

JOURNAL_FILE = "batch.jsonl"
_LOCK_FILE = ".batch.lock"
SCHEMA = 1
#: Of a file of results: braces within it are indented.
_END = b"\n}\n"


@dataclass(frozen=True)
class Entry:
    """A scan that is done.

    Attributes
    ----------
    name : str
        Of its result files.
    file : str
        The scan, as seen from the folder of the results.
    status : "ok" or "failed"
    sha256 : str or None
        Of the scan's content; None where there was no file.
    error : str or None
        Why it failed.
    """

    name: str
    file: str
    status: Literal["ok", "failed"]
    sha256: str | None
    error: str | None = None


class Journal:
    """The journal of one folder of results; open in one process at a time.

    Parameters
    ----------
    folder : path
        Is made if need be.
    request : mapping
        What is asked for, as plain data.
    force : bool
        Begin anew whatever the folder holds.

    Raises
    ------
    UsageError
        If the folder belongs to another request or another process, or cannot be written.
    """

    def __init__(self, folder: Path, request: Mapping[str, Any], *, force: bool = False) -> None:
        self.folder = folder
        self.force = force
        self._path = folder / JOURNAL_FILE
        self._names: dict[str, str] = {}
        self._done: dict[str, Entry] = {}
        self._file: IO[str] | None = None
        self._request = request
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = FileLock(folder / _LOCK_FILE)
        self._take_lock()
        remove_leftovers(folder)
        try:
            if not force and self._path.exists():
                self._read(request)
            elif not force:
                refuse_existing([*batch_files(folder), folder / BATCH_REPORT], force=False)
        except BaseException:
            self._lock.release()
            raise

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let others have the folder."""
        if self._file is not None:
            self._file.close()
        self._lock.release()

    def plan(self, paths: Iterable[Path]) -> dict[Path, str]:
        """Names for the results of the scans that are still to do, by path.

        A scan that was done and has another content now is to do again, under a new name: the old result
        stays. One that was done and then renamed is done.

        Raises
        ------
        UsageError
            If a file of that name exists that is not this batch's.
        """
        todo = [path for path in paths if not self._is_done(path)]
        fresh = [path for path in todo if self._key(path) not in self._names]
        names = dict(zip(fresh, output_names(fresh, taken=self._taken()), strict=True))
        files = [self.folder / f"{name}{ending}" for name in names.values() for ending in ENDINGS]
        refuse_existing(files, force=self.force)
        if names:
            keyed = {self._key(path): name for path, name in names.items()}
            self._add({"planned": keyed})
            self._names |= keyed
        return {path: self._names[self._key(path)] for path in todo}

    def finish(self, entry: Entry) -> None:
        """Say that a scan is done, after its files were written."""
        self._add({"done": asdict(entry)})
        self._done[entry.file] = entry

    def entry(self, path: Path, name: str, analysis: Analysis) -> Entry:
        """What to say of a scan that is done now."""
        # What was analysed, not what the file may have become since.
        content = analysis.provenance.get("scan_sha256") or content_hash(path)
        return Entry(name, self._key(path), analysis.status, content, analysis.error)

    def done(self, path: Path) -> Entry | None:
        """What was said of a scan last."""
        return self._done.get(self._key(path))

    @property
    def entries(self) -> list[Entry]:
        """All scans that are done, the last of each file."""
        return list(self._done.values())

    def path_of(self, entry: Entry) -> Path:
        """The scan of an entry."""
        return Path(os.path.normpath(self.folder / entry.file))

    def _is_done(self, path: Path) -> bool:
        key, content = self._key(path), content_hash(path)
        entry = self._done.get(key)
        if entry is None:
            entry = self._renamed(content)
            if entry is not None:
                self._done.pop(entry.file)
                self._names[key] = entry.name
                self.finish(Entry(entry.name, key, entry.status, content, entry.error))
        if entry is None:
            return False
        if entry.sha256 == content and (entry.status == "failed" or self._has_result(entry)):
            return True
        if entry.sha256 != content and entry.status == "ok":
            self._names.pop(key, None)
        return False

    def _renamed(self, content: str | None) -> Entry | None:
        """A scan of this content that was done and is no longer where it was."""
        for entry in self._done.values():
            if content is not None and entry.sha256 == content and not self.path_of(entry).exists():
                return entry if self._has_result(entry) else None
        return None

    def _has_result(self, entry: Entry) -> bool:
        """Whether its result is there to the end: a computer that lost its power may have cut it off."""
        try:
            with (self.folder / f"{entry.name}.json").open("rb") as file:
                file.seek(-len(_END), os.SEEK_END)
                return file.read() == _END
        except OSError:
            return False

    def _taken(self) -> set[str]:
        return {*self._names.values(), *(entry.name for entry in self._done.values())}

    def _key(self, path: Path) -> str:
        """The scan as seen from the results: both may be moved together."""
        try:
            return Path(os.path.relpath(path, self.folder)).as_posix()
        except ValueError:  # another drive
            return path.resolve().as_posix()

    def _take_lock(self) -> None:
        with writing(self.folder):
            try:
                self._lock.acquire(timeout=0)
            except Timeout:
                raise UsageError(
                    "another mixrd is writing results there",
                    remedy="Wait for it, end it, or give another folder with --out",
                    file=self.folder,
                ) from None

    def _read(self, request: Mapping[str, Any]) -> None:
        lines = _lines(self._path)
        before = lines[0].get("request") if lines else None
        if before is None or lines[0].get("schema") != SCHEMA:
            raise UsageError(
                "it is no journal of this version of mixrd",
                remedy="Give another folder with --out, or --force to begin anew",
                file=self._path,
            )
        _refuse_another(before, json.loads(json.dumps(request)), self.folder)
        for line in lines[1:]:
            for key, name in line.get("planned", {}).items():
                self._names[key] = name
            if "done" in line:
                entry = Entry(**line["done"])
                # A scan that was renamed is done once, under the name that it has now.
                for other in [e.file for e in self._done.values() if e.name == entry.name]:
                    del self._done[other]
                self._done[entry.file] = entry
                self._names[entry.file] = entry.name

    def _open(self) -> IO[str]:
        fresh = self.force or not self._path.exists()
        file = self._path.open("w" if fresh else "a", encoding="utf-8")
        if fresh:
            file.write(json.dumps({"schema": SCHEMA, "request": self._request}) + "\n")
        elif not self._path.read_bytes().endswith(b"\n"):
            # A line that a kill cut off must not swallow the next one.
            file.write("\n")
        return file

    def _add(self, line: Mapping[str, Any]) -> None:
        with writing(self._path):
            if self._file is None:
                self._file = self._open()
            self._file.write(json.dumps(line) + "\n")
            self._file.flush()


def content_hash(path: Path) -> str | None:
    """SHA-256 of a file; None where there is none that can be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def _lines(path: Path) -> list[dict[str, Any]]:
    lines = []
    for text in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            lines.append(json.loads(text))
        except ValueError:
            continue  # cut off by a kill
    return [line for line in lines if isinstance(line, dict)]


def _refuse_another(before: Mapping[str, Any], now: Mapping[str, Any], folder: Path) -> None:
    """Raise UsageError, with what differs, unless the requests are the same."""
    keys = dict.fromkeys((*before, *now))
    changed = [key for key in keys if before.get(key) != now.get(key)]
    if changed:
        raise UsageError(
            f"the results there were asked for differently ({', '.join(changed)})",
            remedy="Give another folder with --out, or --force to begin anew",
            file=folder,
        )
