"""Counts below a line of start, step and stop: DBWS (.rit), XFIT and Koalariet (.xdd), LHPM, Rietica.

The line stands among the first six; a title may follow on it (DBWS) or stand above (XDD, which also allows a
comment between /* and */). The counts stand several to a line, in any number.
"""

from __future__ import annotations

import re
from os import PathLike

from mixrd.errors import ScanError
from mixrd.scan.declared import points_of_range
from mixrd.scan.headers import ScanHeader, chosen
from mixrd.scan.opened_file import OpenedFile
from mixrd.scan.scan_format import TEXT, ScanFormat, register_format
from mixrd.scan.stepped import listed_counts, stepped_scan
from mixrd.scan.text_headers import text_facts
from mixrd.scan.vendor import Arrays

NAME = "counts below start, step and stop"

_N = r"([+-]?(?:\d+\.?\d*|\.\d+))"
_RANGE = re.compile(rf"\s*{_N}[\s,]+{_N}[\s,]+{_N}(?:[\s,]+(.*))?")
_COMMENT = re.compile(r"\s*/\*.*?\*/[ \t]*\r?\n?", re.DOTALL)
_NUMBERS = re.compile(r"[\d\s.,eE+-]+")
_HEAD_LINES = 6


def _range_line(lines: list[str]) -> tuple[int, float, float, float] | None:
    """Place and start, step, stop of the line, None where there is none."""
    for i, line in enumerate(lines[:_HEAD_LINES]):
        match = _RANGE.fullmatch(line)
        if match is None:
            continue
        start, step, stop = (float(value) for value in match.groups()[:3])
        if step > stop:  # start, stop, step
            step, stop = stop, step
        points = points_of_range(start, stop, step)
        if points is not None and points >= 20 and 0.0 <= start < stop <= 180.0 and 0.0 < step < 1.0:
            return i, start, step, stop
    return None


def is_start_step_stop(text: str) -> bool:
    """Whether there is such a line, and below it nothing but numbers that are no table of columns."""
    lines = _COMMENT.sub("", text, count=1).splitlines()
    found = _range_line(lines)
    if found is None:
        return False
    below = [line for line in lines[found[0] + 1 :] if line.strip()]
    if len(below) < 2 or not all(_NUMBERS.fullmatch(line) for line in below[:20]):
        return False
    widths = [len(re.split(r"[\s,]+", line.strip(" \t,\r"))) for line in below]
    total = sum(widths)
    announced = points_of_range(found[1], found[3], found[2])
    if total == announced:
        return True
    own = len(re.split(r"[\s,]+", lines[found[0]].strip(" \t,\r")))
    return widths[0] not in (2, 3, own) and len(set(widths[:-1])) == 1 and widths[-1] <= widths[0]


def start_step_stop_scan(text: str, file: str | PathLike[str]) -> tuple[Arrays, ScanHeader]:
    """Arrays and header of such a file.

    Raises
    ------
    ScanError
        If the number of counts is not the one that the line announces.
    """
    bare = _COMMENT.sub("", text, count=1)
    lines = bare.splitlines()
    found = _range_line(lines)
    if found is None:
        raise ScanError("no line of start, step and stop in it", remedy="Export the scan as .xy.", file=file)
    place, start, step, stop = found
    counts = listed_counts("\n".join(lines[place + 1 :]), NAME, file)
    arrays = stepped_scan(start, stop, step, counts, name=NAME, file=file)
    facts = text_facts([*text[: len(text) - len(bare)].splitlines(), *lines[:place]])
    return arrays, ScanHeader(
        first=start, last=stop, wavelength_angstrom=facts.wavelength_angstrom, anode=facts.anode
    )


def _read(opened: OpenedFile, scan: int | None) -> tuple[Arrays, ScanHeader]:
    return chosen([start_step_stop_scan(opened.text, opened.file)], scan, opened.file)


register_format(
    ScanFormat(
        NAME,
        lambda opened: is_start_step_stop(opened.start),
        _read,
        other_endings=(".rit", ".xdd", ".dat"),
        order=TEXT + 70,
    )
)
