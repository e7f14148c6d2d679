"""`write_scan`: a scan as plain columns that every powder program reads."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

import numpy as np

from mixrd.errors import ScanError
from mixrd.files import write_whole, writing
from mixrd.scan.measurement import Scan


def write_scan(scan: Scan, path: str | PathLike[str], *, overwrite: bool = False) -> None:
    """Write a scan as ``.xy`` (angle, counts) or ``.xye`` (angle, counts, standard uncertainty).

    What the scan knows of wavelength, anode, counting time, axis and radius stands in lines that begin with
    ``#``, which `mixrd.scan.read_scan` reads back, above the names of the columns; numbers are written so
    that they come back equal. Without `sigma` an ``.xye`` gets the square root of the counts, at least 1.

    Raises
    ------
    ScanError
        If the ending is neither, the file exists and `overwrite` is False, an ``.xy`` would lose `sigma`,
        or the folder cannot be written.
    """
    file = Path(path)
    ending = file.suffix.lower()
    if ending not in (".xy", ".xye"):
        raise ScanError(f"no format for the ending {ending!r}", remedy="Use .xy or .xye.", file=file)
    if ending == ".xy" and scan.sigma is not None:
        raise ScanError(
            "an .xy file has no column for the uncertainties of this scan", remedy="Use .xye.", file=file
        )
    if file.exists() and not overwrite:
        raise ScanError("the file exists", remedy="Choose another name, or allow overwriting.", file=file)
    columns = [scan.two_theta, scan.counts]
    if ending == ".xye":
        columns.append(np.sqrt(np.maximum(scan.counts, 1.0)) if scan.sigma is None else scan.sigma)
    facts = (
        ("wavelength_angstrom", scan.wavelength_angstrom),
        ("anode", scan.anode),
        ("counting_time_s", scan.counting_time_s),
        ("scan_axis", scan.scan_axis),
        ("goniometer_radius_mm", scan.goniometer_radius_mm),
    )
    lines = [f"# {name}: {value}" for name, value in facts if value is not None]
    lines.append("# two_theta counts" + (" sigma" if ending == ".xye" else ""))
    lines += [" ".join(repr(float(value)) for value in row) for row in zip(*columns, strict=True)]
    with writing(file, what="the file", error=ScanError):
        write_whole(file, "\n".join(lines) + "\n")
