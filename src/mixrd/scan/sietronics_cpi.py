"""Sietronics Sieray .cpi: a header of one value a line, then one count a line.

Layout as in xylib's description of the format: name, start, stop, step, anode, wavelength, date, time, title,
``SCANDATA``, counts. What the time is (of a step, or a speed) is not said, so it is left out.
"""

from __future__ import annotations

from mixrd.errors import ScanError
from mixrd.scan.headers import ScanHeader, number, wavelength
from mixrd.scan.opened_file import OpenedFile
from mixrd.scan.scan_format import TEXT, Found, ScanFormat, one_of, register_format
from mixrd.scan.stepped import anode_of, listed_counts, stepped_scan

_NAME = "Sietronics CPI"


def _matches(opened: OpenedFile) -> bool:
    return opened.head.upper().startswith("SIETRONICS XRD SCAN")


def _scans(opened: OpenedFile) -> list[Found]:
    lines = [line.strip() for line in opened.text.splitlines()]
    mark = next((i for i, line in enumerate(lines) if line.upper().startswith("SCANDATA")), 0)
    if mark < 4:
        cause = f"a {_NAME} file without its line SCANDATA"
        raise ScanError(cause, remedy="It was cut off: copy or export it again.")
    start, stop, step = (number(line) for line in lines[1:4])
    arrays = stepped_scan(start, stop, step, listed_counts(lines[mark + 1 :], _NAME), name=_NAME)
    header = ScanHeader(
        first=start,
        last=stop,
        anode=anode_of(lines[4]) if mark > 4 else None,
        wavelength_angstrom=wavelength(lines[5]) if mark > 5 else None,
    )
    return [(arrays, header)]


register_format(ScanFormat(_NAME, _matches, one_of(_scans), other_endings=(".cpi",), order=TEXT + 40))
