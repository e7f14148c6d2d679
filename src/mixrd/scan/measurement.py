"""A measured scan: angles, intensities and what the file itself said about them; written as plain columns."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mixrd.errors import ScanError
from mixrd.files import write_whole, writing
from mixrd.scan.optics import Optics


@dataclass(frozen=True, eq=False)
class Scan:
    """One measured powder scan.

    Attributes
    ----------
    two_theta : (N,) float64 array
        Diffraction angle in degrees, strictly increasing, within 0-180.
    counts : (N,) float64 array
        Recorded intensity at each angle, in counts where the format has counts.
    sigma : (N,) float64 array or None
        Standard uncertainty of `counts` where the file states it; None means counting statistics.
    path : str
        The file it came from ("" for a scan made in memory).
    sha256 : str
        Hash of that file ("" in memory).
    format : str
        Name of the file format, e.g. "PANalytical XRDML".
    reader : str
        What read it, e.g. "geddes 1.0.1", "rietx 1.10.0", "mixrd".
    wavelength_angstrom : float or None
        The wavelength that the header states, None where it says nothing: never assumed.
    anode : str or None
        Element symbol of the tube's anode where the header names it, e.g. "Cu".
    counting_time_s : float or None
        Time per step in seconds where the header has it.
    scan_axis : str or None
        The scanned axis as the header names it, e.g. "Gonio", "2Theta/Theta".
    goniometer_radius_mm : float or None
        Goniometer radius where the header has it.
    optics : Optics or None
        What the header says of the beam: monochromators, filter, slits.
    warnings : tuple of (code, message)
        Doubts that do not forbid reading, e.g. ("NOT_POWDER_GEOMETRY", "...").
    """

    two_theta: NDArray[np.float64]
    counts: NDArray[np.float64]
    sigma: NDArray[np.float64] | None = None
    path: str = ""
    sha256: str = ""
    format: str = ""
    reader: str = ""
    wavelength_angstrom: float | None = None
    anode: str | None = None
    counting_time_s: float | None = None
    scan_axis: str | None = None
    goniometer_radius_mm: float | None = None
    optics: Optics | None = None
    warnings: tuple[tuple[str, str], ...] = ()

    def __len__(self) -> int:
        return int(self.two_theta.size)


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
        cause = "an .xy file has no column for the uncertainties of this scan"
        raise ScanError(cause, remedy="Use .xye.", file=file)
    if file.exists() and not overwrite:
        raise ScanError("the file exists", remedy="Choose another name, or allow overwriting.", file=file)
    columns = [scan.two_theta, scan.counts]
    if ending == ".xye":
        columns.append(np.sqrt(np.maximum(scan.counts, 1.0)) if scan.sigma is None else scan.sigma)
    facts = ("wavelength_angstrom", "anode", "counting_time_s", "scan_axis", "goniometer_radius_mm")
    lines = [f"# {name}: {value}" for name in facts if (value := getattr(scan, name)) is not None]
    lines.append("# two_theta counts" + (" sigma" if ending == ".xye" else ""))
    lines += [" ".join(repr(float(value)) for value in row) for row in zip(*columns, strict=True)]
    with writing(file, what="the file", error=ScanError):
        write_whole(file, "\n".join(lines) + "\n")
