"""MDI Jade .mdi: a title, one line of facts, then the counts, eight a line.

The line of facts: start, step, time or speed, anode, wavelength, stop, number of points. Which of time and
speed the third is differs between writers, so it is left out.
"""

from __future__ import annotations

import re

from mixrd.scan.headers import ScanHeader, number, wavelength
from mixrd.scan.opened_file import OpenedFile
from mixrd.scan.scan_format import TEXT, Found, ScanFormat, one_of, register_format
from mixrd.scan.stepped import anode_of, listed_counts, stepped_scan

_NAME = "Jade MDI"
_N = r"([+-]?\d*\.?\d+)"
_FACTS = re.compile(rf"\s*{_N}\s+{_N}\s+{_N}\s+([A-Za-z]{{1,2}})\s+{_N}\s+{_N}\s+(\d+)\s*")


def _matches(opened: OpenedFile) -> bool:
    lines = opened.head.splitlines()
    return len(lines) > 2 and _FACTS.fullmatch(lines[1]) is not None


def _scans(opened: OpenedFile) -> list[Found]:
    lines = opened.text.splitlines()
    facts = _FACTS.fullmatch(lines[1])
    assert facts is not None  # _matches has looked
    start, step, _, _, length, stop, _ = (number(value) for value in facts.groups())
    counts = listed_counts(lines[2:], _NAME)
    arrays = stepped_scan(start, stop, step, counts, name=_NAME, declared=int(facts[7]))
    header = ScanHeader(
        first=start,
        last=stop,
        anode=anode_of(facts[4]),
        wavelength_angstrom=wavelength(None if length is None else repr(length)),
    )
    return [(arrays, header)]


register_format(ScanFormat(_NAME, _matches, one_of(_scans), other_endings=(".mdi",), order=TEXT + 60))
