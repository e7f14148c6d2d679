"""Files from strangers are read in processes of their own: what a bad one does there harms nobody."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mixrd.web.child import ChildDiedError
from mixrd.web.pool import Pool
from mixrd.web.problems import ApiError, problem

_MODULE = "mixrd.web.reading"
_PROCESSES = 2
#: Seconds after which reading a file is given up.
LONGEST_READING = 60.0


class Readers:
    """The processes that read.

    Parameters
    ----------
    longest : float
        Seconds after which reading a file is given up.
    """

    def __init__(self, longest: float = LONGEST_READING) -> None:
        self.pool = Pool(_MODULE, size=_PROCESSES, longest=longest)

    def read(self, what: str, path: Path, file: str, **more: Any) -> dict[str, Any]:
        """What is in a file.

        Parameters
        ----------
        what : "scan", "cif", "instrument" or "model"
        path : path
            Where the server keeps it.
        file : str
            The client's name for it.

        Raises
        ------
        ApiError
            If it cannot be used, or to read it took too long or too much.
        """
        try:
            answer = self.pool.ask({"do": what, "path": str(path), "file": file, **more})
        except ChildDiedError as death:
            code = {"cif": "CRYSTAL"}.get(what, what.upper())
            message = (
                f"reading it took longer than {self.pool.longest:g} s or more memory than there is ({death})"
            )
            remedy = "It is damaged, or no file of this kind: export it again"
            raise ApiError.of(422, problem(code, message, remedy, file)) from None
        if "error" in answer:
            raise ApiError.of(500 if answer["error"]["code"] == "INTERNAL" else 422, answer["error"])
        found: dict[str, Any] = answer["ok"]
        return found
