"""Which format a file is, by what is in it and never by its name."""

from __future__ import annotations

import re
from os import PathLike

from mixrd.errors import ScanError
from mixrd.scan.containers import Archive, local_name, parse_xml
from mixrd.scan.jade_mdi import is_mdi
from mixrd.scan.start_step_stop import is_start_step_stop

NAMES = {
    "xrdml": "PANalytical XRDML",
    "brml": "Bruker BRML",
    "rasx": "Rigaku RASX",
    "ras": "Rigaku RAS",
    "uxd": "Bruker UXD",
    "bruker_raw": "Bruker RAW",
    "gsas": "GSAS powder data",
    "cif": "powder CIF",
    "bruker_raw_1": "Bruker RAW version 1",
    "bruker_raw_2": "Bruker RAW version 2",
    "udf": "Philips UDF",
    "philips_rd": "Philips RD",
    "cpi": "Sietronics CPI",
    "mdi": "Jade MDI",
    "rigaku_dat": "Rigaku DAT",
    "start_step_stop": "counts below start, step and stop",
    "text": "text columns",
}
"""Format names as they appear in `Scan.format`."""

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
_ENCODINGS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
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


def decode(data: bytes, file: str | PathLike[str]) -> str:
    """Text of a file: UTF-8 or UTF-16 by its byte-order mark, UTF-8, else Latin-1.

    Raises
    ------
    ScanError
        If there are zero bytes in it, so that it is no text.
    """
    for mark, encoding in _ENCODINGS:
        if data.startswith(mark):
            return data.decode(encoding, errors="replace")
    head = data[:4000]
    if len(head) >= 8 and head.count(0) > 0.4 * len(head):
        for offset, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
            if not head[offset::2].strip(b"\0") and b"\0" not in head[1 - offset :: 2]:
                return data.decode(encoding, errors="replace")
    if b"\0" in data:
        raise ScanError(
            "a binary file of a format that is not known",
            remedy="Export the scan as .xy, .xye or .xrdml.",
            file=file,
        )
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def detect(data: bytes, file: str | PathLike[str]) -> str:
    """Key of the format in `NAMES`.

    Parameters
    ----------
    data : bytes
        The whole file.
    file : path
        Its name, for messages only.

    Raises
    ------
    ScanError
        If it is something else, which the message names: an instrument file, a map, another program's
        own file, neutron data, a picture ...
    """
    if data.startswith((b"RAW1.01", b"RAW4.")):
        return "bruker_raw"
    if b"\0" in data and data.startswith((b"RAW2", b"RAW ")):
        return "bruker_raw_2" if data.startswith(b"RAW2") else "bruker_raw_1"
    if data.startswith((b"V3RD", b"V5RD")):
        return "philips_rd"
    for magic, what, remedy in _MAGIC:
        if data.startswith(magic) and (b"\0" in data or b"RAW" not in magic):
            raise ScanError(f"this is {what}", remedy=remedy, file=file)
    if data.startswith(b"PK"):
        return _zipped(data, file)
    text = decode(data, file)
    start = text.lstrip("\ufeff \t\r\n")
    if start.startswith("<"):
        return _xml(data, file)
    if start.startswith("*RAS_DATA_START"):
        return "ras"
    return _text(start, file)


def _zipped(data: bytes, file: str | PathLike[str]) -> str:
    names = Archive(data, str(file)).names
    if any(name.endswith("DataContainer.xml") for name in names):
        return "brml"
    if any(re.search(r"(^|/)Data\d+/Profile\d+\.txt$", name) for name in names):
        return "rasx"
    shown = ", ".join(names[:3]) or "nothing"
    raise ScanError(
        f"a zip archive that is neither Bruker BRML nor Rigaku RASX (it holds {shown})",
        remedy="Unpack it and name the scan, or export the scan as .xy.",
        file=file,
    )


def _xml(data: bytes, file: str | PathLike[str]) -> str:
    root = parse_xml(data, str(file))
    if local_name(root) == "xrdMeasurements":
        return "xrdml"
    raise ScanError(
        f"an XML file of another kind (its root is <{local_name(root)}>), not an XRDML scan",
        remedy="Export the scan as .xrdml or .xy.",
        file=file,
    )


def _text(text: str, file: str | PathLike[str]) -> str:
    head = text[:20_000]
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
    if re.search(r"^\s*_(FILEVERSION|DRIVE|STEPSIZE|2THETA(COUNTS|CPS))\b", head, re.MULTILINE):
        return "uxd"
    if re.search(r"^\s*data_\S", head, re.MULTILINE) and re.search(r"^\s*(_\w+|loop_)", head, re.MULTILINE):
        return "cif"
    if re.search(r"^BANK\s+\d+\s+\d+", head, re.MULTILINE):
        return "gsas"
    return _counts_in_lines(text, head)


def _counts_in_lines(text: str, head: str) -> str:
    """Formats that list counts below a header of their own; columns of text where it is none of them."""
    if re.search(r"^\s*DataAngleRange\s*,", head, re.MULTILINE):
        return "udf"
    if head.upper().startswith("SIETRONICS XRD SCAN"):
        return "cpi"
    if re.search(r"^\*BEGIN\s*$", head, re.MULTILINE) and re.search(r"^\*COUNT\s*=", head, re.MULTILINE):
        return "rigaku_dat"
    if is_mdi(head.splitlines()):
        return "mdi"
    return "start_step_stop" if is_start_step_stop(text) else "text"
