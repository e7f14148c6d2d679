"""Errors as the interface tells them: code, message, remedy, file."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from mixrd.errors import DatabaseError, InputError, MixrdError

#: Longest name of a file that is shown.
_LONGEST_NAME = 120


class ApiError(Exception):
    """An error of the interface itself.

    Parameters
    ----------
    status : int
        HTTP status.
    code, message, remedy : str
    file : str, optional
        The client's name of the file that it concerns.
    """

    def __init__(self, status: int, code: str, message: str, remedy: str, file: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.body = problem(code, message, remedy, file)

    @classmethod
    def of(cls, status: int, body: dict[str, Any]) -> ApiError:
        """The same of a problem as `problem` makes it."""
        return cls(status, body["code"], body["message"], body["remedy"], body["file"])


def problem(code: str, message: str, remedy: str, file: str | None = None) -> dict[str, Any]:
    """An error as plain data."""
    return {"code": code, "message": message, "remedy": remedy, "file": file}


def problem_of(error: MixrdError, file: str | None = None) -> dict[str, Any]:
    """The same of an error of mixrd; `file` stands for the path, which is the server's own."""
    words = re.findall("[A-Z][a-z]+", type(error).__name__.removesuffix("Error"))
    code = "_".join(words).upper() if words not in (["Usage"], ["Input"], ["Request"]) else "INPUT"
    return problem(code, error.cause, error.remedy, file)


def internal_problem(error: BaseException, file: str | None = None) -> dict[str, Any]:
    """An error that nobody foresaw."""
    return problem(
        "INTERNAL",
        f"an error inside mixrd ({type(error).__name__}: {error})",
        "Please report it with the file that caused it",
        file,
    )


def status_of(error: MixrdError) -> int:
    """HTTP status of an error of mixrd."""
    if isinstance(error, InputError):
        return 422
    return 502 if isinstance(error, DatabaseError) else 500


def not_found(what: str, name: str) -> ApiError:
    """There is no such thing."""
    return ApiError(404, "NOT_FOUND", f"there is no {what} {name[:80]!r}", "It may have been deleted: reload")


def shown_name(name: str, default: str = "unnamed") -> str:
    """A client's name of a file, fit to be shown: no folders, no control characters, not endless."""
    last = re.split(r"[/\\]", name)[-1]
    clean = "".join(ch for ch in last if ch.isprintable() and unicodedata.category(ch) != "Cf")
    clean = " ".join(clean.split()).strip()
    if len(clean) > _LONGEST_NAME:
        stem, dot, ending = clean.rpartition(".")
        keep = f"{dot}{ending}" if stem and len(ending) <= 8 else ""
        clean = clean[: _LONGEST_NAME - len(keep)] + keep
    return clean if clean.strip(".") else default


def stem_of(name: str) -> str:
    """A shown name without its ending."""
    stem = name.rpartition(".")[0]
    return stem or name
