"""Files from strangers are read in processes of their own, a few at a time and not for ever."""

from __future__ import annotations

import queue
import threading
from pathlib import Path
from typing import Any

from mixrd.web.child import Child, ChildDiedError
from mixrd.web.problems import ApiError, problem

_MODULE = "mixrd.web.reading"
#: Files that are read at the same time.
_PROCESSES = 2
#: Seconds after which reading a file is given up.
LONGEST_READING = 60.0


class RefusedFileError(ApiError):
    """A file that cannot be used; `body` says why."""

    def __init__(self, body: dict[str, Any]) -> None:
        super().__init__(500 if body["code"] == "INTERNAL" else 422, "", "", "")
        self.body = body


class Readers:
    """Processes that read files; each is started when it is needed, and anew when it has died.

    Parameters
    ----------
    longest : float
        Seconds after which reading a file is given up.
    """

    def __init__(self, longest: float = LONGEST_READING) -> None:
        self.longest = longest
        self._free: queue.LifoQueue[Child | None] = queue.LifoQueue()
        for _ in range(_PROCESSES):
            self._free.put(None)

    def read(self, what: str, path: Path, file: str, **more: Any) -> dict[str, Any]:
        """What is in a file.

        Parameters
        ----------
        what : "scan", "cif" or "instrument"
        path : path
            Where the server keeps it.
        file : str
            The client's name for it.

        Raises
        ------
        RefusedFileError
            If it cannot be used, or to read it took too long or too much.
        """
        child = self._free.get()
        try:
            child = child or Child(_MODULE, threads=1)
            clock = threading.Timer(self.longest, child.kill)
            clock.start()
            try:
                child.send({"do": what, "path": str(path), "file": file, **more})
                answer = child.receive()
            finally:
                clock.cancel()
        except ChildDiedError as death:
            child = _closed(child)
            raise RefusedFileError(
                problem(
                    what.upper() if what != "cif" else "CRYSTAL",
                    f"reading it came to no end, took longer than {self.longest:g} s or too much memory "
                    f"({death})",
                    "It is damaged, or no file of this kind: export it again",
                    file,
                )
            ) from None
        finally:
            self._free.put(child)
        if "error" in answer:
            raise RefusedFileError(answer["error"])
        found: dict[str, Any] = answer["ok"]
        return found

    def warm_up(self) -> None:
        """Start one of the processes, so that the first file is not kept waiting."""
        child = self._free.get()
        self._free.put(child or Child(_MODULE, threads=1))

    def close(self) -> None:
        """End the processes."""
        for _ in range(_PROCESSES):
            try:
                _closed(self._free.get(timeout=2))
            except queue.Empty:
                return


def _closed(child: Child | None) -> None:
    if child is not None:
        child.close()
