"""Sietronics Sieray .cpi: a header of one value a line, then one count a line.

Layout as in xylib's description of the format: name, start, stop, step, anode, wavelength, date, time, title,
``SCANDATA``, counts. What the time is (of a step, or a speed) is not said, so it is left out.
"""

from __future__ import annotations

from os import PathLike

from mixrd.errors import ScanError
from mixrd.scan.headers import ScanHeader, chosen, number, wavelength
from mixrd.scan.opened_file import OpenedFile
from mixrd.scan.scan_format import TEXT, ScanFormat, register_format
from mixrd.scan.stepped import anode_of, listed_counts, stepped_scan
from mixrd.scan.vendor import Arrays

NAME = "Sietronics CPI"


def cpi_scan(text: str, file: str | PathLike[str]) -> tuple[Arrays, ScanHeader]:
    """Arrays and header of a CPI file.

    Raises
    ------
    ScanError
        If the line SCANDATA is missing, or range, step and number of counts contradict each other.
    """
    lines = [line.strip() for line in text.splitlines()]
    marks = [i for i, line in enumerate(lines) if line.upper().startswith("SCANDATA")]
    if not marks or marks[0] < 4:
        raise ScanError(
            f"a {NAME} file without its line SCANDATA",
            remedy="It was cut off: copy or export it again.",
            file=file,
        )
    start, stop, step = (number(line) for line in lines[1:4])
    counts = listed_counts("\n".join(lines[marks[0] + 1 :]), NAME, file)
    arrays = stepped_scan(start, stop, step, counts, name=NAME, file=file)
    header = ScanHeader(
        first=start,
        last=stop,
        anode=anode_of(lines[4]) if marks[0] > 4 else None,
        wavelength_angstrom=wavelength(lines[5]) if marks[0] > 5 else None,
    )
    return arrays, header


def _read(opened: OpenedFile, scan: int | None) -> tuple[Arrays, ScanHeader]:
    return chosen([cpi_scan(opened.text, opened.file)], scan, opened.file)


register_format(
    ScanFormat(
        NAME,
        lambda opened: opened.head.upper().startswith("SIETRONICS XRD SCAN"),
        _read,
        other_endings=(".cpi",),
        order=TEXT + 40,
    )
)
