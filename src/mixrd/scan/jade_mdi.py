"""MDI Jade .mdi: a title, one line of facts, then the counts, eight a line.

The line of facts: start, step, time or speed, anode, wavelength, stop, number of points. Which of time and
speed the third is differs between writers, so it is left out.
"""

from __future__ import annotations

import re
from os import PathLike

from mixrd.scan.headers import ScanHeader, chosen, number, wavelength
from mixrd.scan.opened_file import OpenedFile
from mixrd.scan.scan_format import TEXT, ScanFormat, register_format
from mixrd.scan.stepped import anode_of, listed_counts, stepped_scan
from mixrd.scan.vendor import Arrays

NAME = "Jade MDI"

_N = r"([+-]?\d*\.?\d+)"
_FACTS = re.compile(rf"\s*{_N}\s+{_N}\s+{_N}\s+([A-Za-z]{{1,2}})\s+{_N}\s+{_N}\s+(\d+)\s*")


def is_mdi(lines: list[str]) -> bool:
    """Whether the second line is Jade's line of facts."""
    return len(lines) > 2 and _FACTS.fullmatch(lines[1]) is not None


def mdi_scan(text: str, file: str | PathLike[str]) -> tuple[Arrays, ScanHeader]:
    """Arrays and header of an MDI file.

    Raises
    ------
    ScanError
        If the number of counts is not the one declared.
    """
    lines = text.splitlines()
    facts = _FACTS.fullmatch(lines[1])
    assert facts is not None  # is_mdi has looked
    start, step, _, _, length, stop, _ = (number(value) for value in facts.groups())
    counts = listed_counts("\n".join(lines[2:]), NAME, file)
    arrays = stepped_scan(start, stop, step, counts, name=NAME, file=file, declared=int(facts[7]))
    return arrays, ScanHeader(
        first=start,
        last=stop,
        anode=anode_of(facts[4]),
        wavelength_angstrom=wavelength(None if length is None else repr(length)),
    )


def _read(opened: OpenedFile, scan: int | None) -> tuple[Arrays, ScanHeader]:
    return chosen([mdi_scan(opened.text, opened.file)], scan, opened.file)


register_format(
    ScanFormat(
        NAME, lambda opened: is_mdi(opened.head.splitlines()), _read, other_endings=(".mdi",), order=TEXT + 60
    )
)
