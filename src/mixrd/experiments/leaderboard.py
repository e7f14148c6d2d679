"""Results of several programs on the same weighed mixtures, beside each other."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mixrd.errors import UsageError
from mixrd.experiments.weighed_fetch import weighed_sets

#: Fractions that are less than this (wt%) from adding up to 100 are taken as they are.
SUM_TOLERANCE = 0.5


@dataclass(frozen=True)
class Entry:
    """Results of one program on a set.

    Attributes
    ----------
    program, version, set, how, by : str
        How it was run, and who or what command did so.
    found : dict
        By file: wt% by phase.
    """

    program: str
    version: str
    set: str
    how: str
    by: str
    found: dict[str, dict[str, float]]


@dataclass(frozen=True)
class Standing:
    """An entry and its errors in wt%: mean over phases, then over samples; the worst of one phase."""

    entry: Entry
    samples: int
    of: int
    mae_wt: float
    median_wt: float
    worst_wt: float


def read_entry(path: Path) -> Entry:
    """An entry from its JSON file (``program``, ``version``, ``set``, ``how``, ``by``, ``found``).

    Raises
    ------
    UsageError
        If a field is missing, a file or phase unknown, a phase left out, or fractions do not sum to 100.
    """
    try:
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        texts = {key: str(data[key]) for key in ("program", "version", "set", "how", "by")}
        found = {
            str(file): {str(phase): float(value) for phase, value in row.items()}
            for file, row in data["found"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as problem:
        raise UsageError(
            f"it is no entry of the leaderboard ({type(problem).__name__}: {problem})",
            remedy="docs/leaderboard.md shows the format",
            file=path,
        ) from None
    entry = Entry(**texts, found=found)
    _check(entry, path)
    return entry


def standings(entries: Sequence[Entry]) -> list[Standing]:
    """Errors of all entries, by set, the smallest mean error first."""
    placed = [_standing(entry) for entry in entries]
    return sorted(placed, key=lambda s: (s.entry.set, s.of - s.samples, s.mae_wt))


def markdown_table(placed: Sequence[Standing]) -> str:
    """The standings as a table in Markdown."""
    lines = [
        "| set | program | samples | mean abs. error (wt%) | median | worst phase | how, by |",
        "|---|---|---|---|---|---|---|",
    ]
    for one in placed:
        entry = one.entry
        errors = f"{one.mae_wt:.2f} | {one.median_wt:.2f} | {one.worst_wt:.2f}"
        who = f"{entry.program} {entry.version}"
        count = f"{one.samples} of {one.of}"
        lines.append(f"| {entry.set} | {who} | {count} | {errors} | {entry.how}; {entry.by} |")
    return "\n".join(lines)


def weighed(set_name: str) -> dict[str, dict[str, float]]:
    """What was weighed in a set: wt% by phase, by file."""
    rows = weighed_sets()[set_name].compositions
    return {
        row["file"]: {
            name: float(value)
            for name, _, value in (part.partition("=") for part in row["wt_pct"].split(";"))
        }
        for row in rows
    }


def _check(entry: Entry, path: Path) -> None:
    def refuse(cause: str, remedy: str) -> UsageError:
        return UsageError(cause, remedy=remedy, file=path)

    if entry.set not in weighed_sets():
        raise refuse(f"there is no set {entry.set!r}", f"Sets: {', '.join(weighed_sets())}")
    truth = weighed(entry.set)
    if not entry.found:
        raise refuse("it holds no sample", "Give at least one")
    for file, row in entry.found.items():
        if file not in truth:
            raise refuse(f"{file} is not a sample of {entry.set}", f"Samples: {', '.join(truth)}")
        if set(row) != set(truth[file]):
            raise refuse(
                f"{file} has the phases {', '.join(sorted(row))}",
                f"It takes exactly those that were weighed in: {', '.join(sorted(truth[file]))}",
            )
        if not all(math.isfinite(value) and -1e-9 <= value <= 100 + 1e-9 for value in row.values()):
            raise refuse(f"{file} holds a fraction outside 0-100", "Give weight percent")
        if abs(sum(row.values()) - 100) > SUM_TOLERANCE:
            raise refuse(f"the fractions of {file} sum to {sum(row.values()):.2f}", "They are to sum to 100")


def _standing(entry: Entry) -> Standing:
    truth = weighed(entry.set)
    errors = [
        [abs(row[phase] - value) for phase, value in truth[file].items()] for file, row in entry.found.items()
    ]
    means = [statistics.mean(row) for row in errors]
    # The scans of 8 and of 2 minutes are rivals, not one set.
    scan_of = {row["file"]: row.get("scan", "") for row in weighed_sets()[entry.set].compositions}
    scans = {scan_of[file] for file in entry.found}
    of = sum(scan_of[file] in scans for file in truth)
    return Standing(
        entry=entry,
        samples=len(means),
        of=of,
        mae_wt=statistics.mean(means),
        median_wt=statistics.median(means),
        worst_wt=max(max(row) for row in errors),
    )
