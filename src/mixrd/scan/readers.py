"""`read_scan`: a measured powder scan from a file, whatever the format."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from mixrd.errors import ScanError
from mixrd.scan.checks import make_scan
from mixrd.scan.detect import detect
from mixrd.scan.measurement import Scan
from mixrd.scan.opened_file import OpenedFile


def read_scan(path: str | PathLike[str], *, scan: int | None = None) -> Scan:
    """Read a measured powder scan; the format is found from the content, not from the name.

    Which formats there are: `mixrd.scan.scan_format.scan_formats` and docs/formats.md. Wavelength, anode,
    counting time, axis and goniometer radius are those of the file's header, None where it says nothing.
    Intensities in counts per second become counts where the header has the counting time.

    Parameters
    ----------
    path : path
        The file.
    scan : int, optional
        Which of several scans in the file, counted from 1. Without it a file of successive ranges gives
        the first, with the warning SEVERAL_SCANS.

    Raises
    ------
    ScanError
        If the file cannot be read, is not a powder scan over 2-theta with X-rays, or holds several scans
        of the same range and none was chosen.
    """
    file = Path(path)
    if scan is not None and (isinstance(scan, bool) or not isinstance(scan, int)):
        raise ScanError(f"scan={scan!r} is not a whole number", remedy="Scans are counted from 1.", file=file)
    opened = OpenedFile(file)
    kind = detect(opened)
    try:
        arrays, header = kind.read(opened, scan)
        return make_scan(arrays, header, data=opened.whole, format_name=kind.name, file=file)
    except ScanError:
        raise
    except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError, MemoryError) as problem:
        raise ScanError(
            f"a {kind.name} file that cannot be understood ({type(problem).__name__}: {problem})",
            remedy="It is damaged or cut off: copy or export it again.",
            file=file,
        ) from problem
