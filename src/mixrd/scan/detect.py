"""Which format a file is, by its content and not its name; files of other programs are refused by name."""

from __future__ import annotations

import re

from mixrd.errors import ScanError
from mixrd.scan.containers import local_name
from mixrd.scan.opened_file import OpenedFile
from mixrd.scan.scan_format import ARCHIVE, MARKED_TEXT, TEXT, XML, ScanFormat, scan_formats

_AS_TEXT = "Export it from that program as .xy, .xye or .xrdml."
_MAGIC: tuple[tuple[bytes, str, str], ...] = (
    (b"RAW_1.", "Stoe RAW (RAW_1.06 family), which no reader here knows", _AS_TEXT),
    (
        b".RAW",
        "a multi-pattern '.RAW' file of another program (text layout used for texture data)",
        "Export one pattern of it as .xy.",
    ),
    (b"%PDF", "a PDF document", "Name the file with the measured scan."),
    (b"\x89HDF", "an HDF5 file", "Export the scan as .xy."),
    (b"\x89PNG", "a picture", "Name the file with the measured scan."),
    (b"\xff\xd8\xff", "a picture", "Name the file with the measured scan."),
    (b"\xd0\xcf\x11\xe0", "an Office document", "Save the sheet as .csv."),
    (b"\x1f\x8b", "a gzip archive", "Unpack it first."),
)
_NEUTRON_LAYOUTS = (
    (
        re.compile(r"^\s*lambda\s*=\s*[\d.]+\s*,\s*T\s*=.*Date\s*=", re.MULTILINE),
        "a PSI (DMC/HRPT) neutron diffractometer file",
    ),
    (
        re.compile(r"^\s*Ident:\s+\d+\s+to\s+\d+", re.MULTILINE),
        "an ILL (D1A, D2B ...) neutron diffractometer file",
    ),
)


def detect(opened: OpenedFile) -> ScanFormat:
    """The format of a file.

    Raises
    ------
    ScanError
        If it is something else, which the message names: an instrument file, a map, another program's
        own file, neutron data, a picture ...
    """
    refusals = list(_REFUSALS)
    for one in scan_formats():
        while refusals and one.order >= refusals[0][0]:
            refusals.pop(0)[1](opened)
        if one.matches(opened):
            return one
    raise ScanError("a file of no known format", remedy="Export the scan as .xy.", file=opened.file)


def _refuse_magic(opened: OpenedFile) -> None:
    data = opened.data
    for magic, what, remedy in _MAGIC:
        if data.startswith(magic) and (b"\0" in data or b"RAW" not in magic):
            raise ScanError(f"this is {what}", remedy=remedy, file=opened.file)


def _refuse_archive(opened: OpenedFile) -> None:
    if opened.data.startswith(b"PK"):
        shown = ", ".join(opened.members[:3]) or "nothing"
        raise ScanError(
            f"a zip archive that is neither Bruker BRML nor Rigaku RASX (it holds {shown})",
            remedy="Unpack it and name the scan, or export the scan as .xy.",
            file=opened.file,
        )
    if not opened.is_text:
        raise ScanError(
            "a binary file of a format that is not known",
            remedy="Export the scan as .xy, .xye or .xrdml.",
            file=opened.file,
        )


def _refuse_xml(opened: OpenedFile) -> None:
    if opened.xml is not None:
        raise ScanError(
            f"an XML file of another kind (its root is <{local_name(opened.xml)}>), not an XRDML scan",
            remedy="Export the scan as .xrdml or .xy.",
            file=opened.file,
        )


def _refuse_text(opened: OpenedFile) -> None:
    file, head = opened.file, opened.head
    if re.match(r"\{|\[\s*[\d\"{\[-]", head):
        raise ScanError(
            "another program's own JSON, not a measured scan in a known format",
            remedy="Export the scan from that program as .xy.",
            file=file,
        )
    if re.search(r"^INS\s+(BANK|HTYPE|\d+\s*ICONS)", head, re.MULTILINE) or head.startswith("#GSAS-II instr"):
        raise ScanError(
            "a GSAS instrument parameter file, not a scan",
            remedy="Name the file with the measured scan.",
            file=file,
        )
    for layout, what in _NEUTRON_LAYOUTS:
        if layout.search(head[:2000]):
            raise ScanError(
                f"this is {what}: neutrons, not X-rays",
                remedy="mixrd analyses X-ray powder scans only.",
                file=file,
            )


#: From which place in the order of formats on a file of another kind is refused, and by what.
_REFUSALS = (
    (ARCHIVE, _refuse_magic),
    (XML, _refuse_archive),
    (MARKED_TEXT, _refuse_xml),
    (TEXT, _refuse_text),
)
