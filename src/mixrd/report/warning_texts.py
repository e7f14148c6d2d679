"""What each warning means and what to do: the one source of report and documentation."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

Severity = Literal["stop", "doubt", "note"]


@dataclass(frozen=True)
class WarningText:
    """A warning, explained.

    Attributes
    ----------
    code : str
    group : str
        What it is about: the result, the file, the intensities.
    severity : "stop", "doubt" or "note"
        The result cannot be used; it can be off; for the record.
    meaning, remedy : str
        Sentences; what stands between backticks is typed or a name.
    details : str
        More for those who want to know; may be empty.
    """

    code: str
    group: str
    severity: Severity
    meaning: str
    remedy: str
    details: str = ""


@cache
def warning_texts() -> dict[str, WarningText]:
    """All warnings by code, in the order of the documentation."""
    data = tomllib.loads((files("mixrd.report") / "warning_texts.toml").read_text(encoding="utf-8"))
    return {
        code: WarningText(code, group["title"], entry["severity"], *_sentences(entry))
        for group in data["group"]
        for code, entry in group["warning"].items()
    }


def _sentences(entry: dict[str, str]) -> tuple[str, str, str]:
    meaning, remedy, details = (
        " ".join(entry.get(key, "").split()) for key in ("meaning", "remedy", "details")
    )
    return meaning, remedy, details
