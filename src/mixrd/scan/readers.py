"""`read_scan`: a measured powder scan from a file; those of other programs are refused by name."""

from __future__ import annotations

import re
from os import PathLike
from pathlib import Path

from mixrd.errors import ScanError
from mixrd.scan.checks import make_scan
from mixrd.scan.headers import X_RAYS_ONLY
from mixrd.scan.measurement import Scan
from mixrd.scan.opened_file import OpenedFile, local_name
from mixrd.scan.scan_format import ARCHIVE, MARKED_TEXT, TEXT, XML, ScanFormat, scan_formats

_AS_TEXT = "Export it from that program as .xy, .xye or .xrdml."
_THE_SCAN = "Name the file with the measured scan."
_MAGIC: tuple[tuple[bytes, str, str], ...] = (
    (b"RAW_1.", "Stoe RAW (RAW_1.06 family), which no reader here knows", _AS_TEXT),
    (
        b".RAW",
        "a multi-pattern '.RAW' file of another program (text layout used for texture data)",
        "Export one pattern of it as .xy.",
    ),
    (b"%PDF", "a PDF document", _THE_SCAN),
    (b"\x89HDF", "an HDF5 file", "Export the scan as .xy."),
    (b"\x89PNG", "a picture", _THE_SCAN),
    (b"\xff\xd8\xff", "a picture", _THE_SCAN),
    (b"\xd0\xcf\x11\xe0", "an Office document", "Save the sheet as .csv."),
    (b"\x1f\x8b", "a gzip archive", "Unpack it first."),
)
_NEUTRON_LAYOUTS = (
    (r"^\s*lambda\s*=\s*[\d.]+\s*,\s*T\s*=.*Date\s*=", "a PSI (DMC/HRPT) neutron diffractometer file"),
    (r"^\s*Ident:\s+\d+\s+to\s+\d+", "an ILL (D1A, D2B ...) neutron diffractometer file"),
)


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
    try:
        if scan is not None and (isinstance(scan, bool) or not isinstance(scan, int)):
            raise ScanError(f"scan={scan!r} is not a whole number", remedy="Scans are counted from 1.")
        return _read(OpenedFile(Path(path)), scan)
    except ScanError as error:  # what is deeper knows of the content alone
        raise ScanError(error.cause, remedy=error.remedy, file=Path(path)) from error.__cause__


def _read(opened: OpenedFile, scan: int | None) -> Scan:
    kind = _format_of(opened)
    try:
        arrays, header = kind.read(opened, scan)
        return make_scan(arrays, header, opened, kind.name)
    except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError, MemoryError) as problem:
        raise ScanError(
            f"a {kind.name} file that cannot be understood ({type(problem).__name__}: {problem})",
            remedy="It is damaged or cut off: copy or export it again.",
        ) from problem


def _format_of(opened: OpenedFile) -> ScanFormat:
    """The format of a file; what is something else is refused, with its name."""
    refusals = list(_REFUSALS)
    for one in scan_formats():
        while refusals and one.order >= refusals[0][0]:
            refusals.pop(0)[1](opened)
        if one.matches(opened):
            return one
    raise ScanError("a file of no known format", remedy="Export the scan as .xy.")


def _refuse_magic(opened: OpenedFile) -> None:
    data = opened.data
    for magic, what, remedy in _MAGIC:
        if data.startswith(magic) and (b"\0" in data or b"RAW" not in magic):
            raise ScanError(f"this is {what}", remedy=remedy)


def _refuse_archive(opened: OpenedFile) -> None:
    if opened.data.startswith(b"PK"):
        shown = ", ".join(opened.members[:3]) or "nothing"
        raise ScanError(
            f"a zip archive that is neither Bruker BRML nor Rigaku RASX (it holds {shown})",
            remedy="Unpack it and name the scan, or export the scan as .xy.",
        )
    if not opened.is_text:
        remedy = "Export the scan as .xy, .xye or .xrdml."
        raise ScanError("a binary file of a format that is not known", remedy=remedy)


def _refuse_xml(opened: OpenedFile) -> None:
    if opened.xml is not None:
        raise ScanError(
            f"an XML file of another kind (its root is <{local_name(opened.xml)}>), not an XRDML scan",
            remedy="Export the scan as .xrdml or .xy.",
        )


def _refuse_text(opened: OpenedFile) -> None:
    head = opened.head
    if re.match(r"\{|\[\s*[\d\"{\[-]", head):
        raise ScanError(
            "another program's own JSON, not a measured scan in a known format",
            remedy="Export the scan from that program as .xy.",
        )
    if re.search(r"^INS\s+(BANK|HTYPE|\d+\s*ICONS)", head, re.MULTILINE) or head.startswith("#GSAS-II instr"):
        raise ScanError("a GSAS instrument parameter file, not a scan", remedy=_THE_SCAN)
    for layout, what in _NEUTRON_LAYOUTS:
        if re.search(layout, head[:2000], re.MULTILINE):
            raise ScanError(f"this is {what}: neutrons, not X-rays", remedy=X_RAYS_ONLY)


#: From which place in the order of formats on a file of another kind is refused, and by what.
_REFUSALS = (
    (ARCHIVE, _refuse_magic),
    (XML, _refuse_archive),
    (MARKED_TEXT, _refuse_xml),
    (TEXT, _refuse_text),
)
