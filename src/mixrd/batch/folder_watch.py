"""Which files of a folder have been written to the end: those that stay as they are for a while.

The folder is looked at again and again, which works on any system and on network drives, where notices of
changes do not arrive. Only the watcher's own clock counts: that of a file server may be wrong.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from mixrd.batch.scan_files import scans_in

#: Size and time of the last change.
_State = tuple[int, int]


@dataclass
class FolderWatch:
    """Looks at a folder of scans.

    Parameters
    ----------
    folder : path
    settle_seconds : float
        How long a file must stay as it is before it counts as complete.
    recursive : bool
        Whether folders in it are watched, too.
    clock : callable
        Seconds, never going back.
    """

    folder: Path
    settle_seconds: float
    recursive: bool = False
    clock: Callable[[], float] = time.monotonic
    trouble: str | None = None
    """Why the folder could not be read when it was looked at last."""
    changed: float = float("-inf")
    """When, by the clock, a file that is new or has changed was seen last."""
    _seen: dict[Path, tuple[_State, float]] = field(default_factory=dict)
    _given: dict[Path, _State] = field(default_factory=dict)

    def complete(self) -> list[Path]:
        """Files that are complete now and were not given before as they are, in natural order."""
        now = self.clock()
        try:
            paths = scans_in(self.folder, recursive=self.recursive)
            self.trouble = None
        except OSError as problem:
            self.trouble = problem.strerror or str(problem)
            return []
        present = {path: state for path in paths if (state := _state(path)) is not None}
        self._seen = {path: (state, self._since(path, state, now)) for path, state in present.items()}
        self.changed = max([self.changed, *(since for _, since in self._seen.values())])
        return [path for path in present if self._is_complete(path, now)]

    def give(self, path: Path) -> None:
        """Note that a complete file was taken: it is given again once it has changed."""
        self._given[path] = self._seen[path][0]

    def _since(self, path: Path, state: _State, now: float) -> float:
        known = self._seen.get(path)
        return known[1] if known is not None and known[0] == state else now

    def _is_complete(self, path: Path, now: float) -> bool:
        state, since = self._seen[path]
        if self._given.get(path) == state or now - since < self.settle_seconds or state[0] == 0:
            return False
        return _can_be_read(path)


def _state(path: Path) -> _State | None:
    try:
        found = path.stat()
    except OSError:  # gone, or renamed, since the folder was listed
        return None
    return found.st_size, found.st_mtime_ns


def _can_be_read(path: Path) -> bool:
    """False while the program that writes it keeps it locked."""
    try:
        with path.open("rb") as file:
            file.read(1)
    except OSError:
        return False
    return True
