"""Counts below a line of start, step and stop: DBWS (.rit), XFIT and Koalariet (.xdd), LHPM, Rietica.

The line stands among the first six; a title may follow on it (DBWS) or stand above (XDD, which also allows a
comment between /* and */). The counts stand several to a line, in any number.
"""

from __future__ import annotations

import re

from mixrd.errors import ScanError
from mixrd.scan.declared import points_of_range
from mixrd.scan.headers import ScanHeader
from mixrd.scan.opened_file import OpenedFile
from mixrd.scan.scan_format import TEXT, Found, ScanFormat, one_of, register_format
from mixrd.scan.stepped import listed_counts, stepped_scan
from mixrd.scan.text_headers import text_facts

_NAME = "counts below start, step and stop"

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


def _matches(opened: OpenedFile) -> bool:
    """Whether there is such a line, and below it nothing but numbers that are no table of columns."""
    lines = _COMMENT.sub("", opened.start, count=1).splitlines()
    found = _range_line(lines)
    if found is None:
        return False
    below = [line for line in lines[found[0] + 1 :] if line.strip()]
    if len(below) < 2 or not all(_NUMBERS.fullmatch(line) for line in below[:20]):
        return False
    own, *widths = (len(re.split(r"[\s,]+", line.strip(" \t,\r"))) for line in (lines[found[0]], *below))
    if sum(widths) == points_of_range(found[1], found[3], found[2]):
        return True
    return widths[0] not in (2, 3, own) and len(set(widths[:-1])) == 1 and widths[-1] <= widths[0]


def _scans(opened: OpenedFile) -> list[Found]:
    text = opened.text
    bare = _COMMENT.sub("", text, count=1)
    lines = bare.splitlines()
    found = _range_line(lines)
    if found is None:
        raise ScanError("no line of start, step and stop in it", remedy="Export the scan as .xy.")
    place, start, step, stop = found
    counts = listed_counts(lines[place + 1 :], _NAME)
    arrays = stepped_scan(start, stop, step, counts, name=_NAME)
    facts = text_facts([*text[: len(text) - len(bare)].splitlines(), *lines[:place]])
    header = ScanHeader(
        first=start, last=stop, wavelength_angstrom=facts.wavelength_angstrom, anode=facts.anode
    )
    return [(arrays, header)]


register_format(
    ScanFormat(_NAME, _matches, one_of(_scans), other_endings=(".rit", ".xdd", ".dat"), order=TEXT + 70)
)
