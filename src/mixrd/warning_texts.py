"""What each warning means, what to do, and what follows from it: the one source of analysis, report and page.

Another package has its codes explained by a file like `warning_texts.toml`, named as an entry point::

    [project.entry-points."mixrd.warning_texts"]
    anything = "package:warnings.toml"
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal, get_args

from mixrd.errors import ParameterError
from mixrd.extensions import from_entry_points

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
    title : str
        What it says in a few words.
    details : str
        More for those who want to know; may be empty.
    refuses : str
        Why a result with this warning states no amounts; empty if it may state them.
    about_amounts : bool
        It says nothing where no amounts are stated.
    informative : bool
        It says what was done with the file and leaves the answer alone.
    standing : bool
        It follows from the named phases alone, whatever the scan.
    """

    code: str
    group: str
    severity: Severity
    meaning: str
    remedy: str
    title: str
    details: str = ""
    refuses: str = ""
    about_amounts: bool = False
    informative: bool = False
    standing: bool = False


@cache
def warning_texts() -> dict[str, WarningText]:
    """All warnings by code: mixrd's own in the order of the documentation, then those of other packages."""
    found = _read((files("mixrd") / "warning_texts.toml").read_text(encoding="utf-8"), {})
    from_entry_points(
        "mixrd.warning_texts",
        lambda point: _read((files(point.module) / point.attr).read_text(encoding="utf-8"), found),
    )
    return found


def register_warning_texts(toml: str) -> None:
    """Explain more codes, by a text like `warning_texts.toml`.

    Raises
    ------
    ParameterError
        If a code is explained already, or something is missing or unknown.
    """
    _read(toml, warning_texts())


def codes_that(sign: Callable[[WarningText], bool | str]) -> frozenset[str]:
    """Codes with that sign, for instance ``codes_that(lambda text: text.informative)``."""
    return frozenset(code for code, text in warning_texts().items() if sign(text))


def _read(toml: str, into: dict[str, WarningText]) -> dict[str, WarningText]:
    read: dict[str, WarningText] = {}
    try:
        for group in tomllib.loads(toml)["group"]:
            for code, entry in group["warning"].items():
                told: dict[str, Any] = {
                    key: " ".join(value.split()) if isinstance(value, str) else value
                    for key, value in entry.items()
                }
                read[code] = WarningText(code=code, group=group["title"], **told)
                if read[code].severity not in get_args(Severity):
                    raise KeyError(f"severity of {code}")
    except (KeyError, TypeError, AttributeError, tomllib.TOMLDecodeError) as problem:
        raise ParameterError(
            f"texts of warnings cannot be read ({problem})", remedy="Write them as in warning_texts.toml"
        ) from problem
    if twice := sorted(read.keys() & into.keys()):
        raise ParameterError(f"{', '.join(twice)} is explained already", remedy="Give it another name")
    into.update(read)
    return into
