"""Bruker RAW: versions 3 and 4 with arrays by rietx, 1 ("RAW ") and 2 ("RAW2", both before 2000) by mixrd.

Layouts of the old versions as described by xylib and PyXRD. Both hold start, step and number of steps of each
range, and the counts as 32-bit floating-point numbers; little-endian.
"""

from __future__ import annotations

import math
import struct
from dataclasses import replace
from functools import partial

import numpy as np

from mixrd.errors import ScanError
from mixrd.scan.declared import refuse_other_number
from mixrd.scan.headers import (
    CUT_OFF,
    DAMAGED,
    Arrays,
    Floats,
    ScanHeader,
    element_symbol,
    soller_opening,
    wavelength,
)
from mixrd.scan.opened_file import OpenedFile
from mixrd.scan.optics import Optics
from mixrd.scan.scan_format import BINARY, Found, ScanFormat, one_of, register_format
from mixrd.scan.stepped import stepped_scan
from mixrd.scan.vendor import through_rietx

_V1_HEADER = 156
_V2_HEADER = 256
_V3_FILE_HEADER = 712
_V2 = "Bruker RAW file of version 2"
#: What a header of version 4 holds where a length or angle is not known.
_UNKNOWN = 9999.0


def _read(opened: OpenedFile, scan: int | None) -> Found:
    _refuse_other_size(opened.data)
    alpha1, alpha2 = _tube_lines(opened.data)
    removed = ("KALPHA2_REMOVED", "the header has no K-alpha-2 line: it was taken off by software")

    def completed(header: ScanHeader, index: int, _: Arrays) -> ScanHeader:
        return replace(
            header,
            wavelength_angstrom=alpha1 or header.wavelength_angstrom,
            optics=raw_optics(opened.data),
            warnings=header.warnings + ((removed,) if alpha1 is not None and alpha2 == 0.0 else ()),
        )

    return through_rietx(opened, scan, completed)


def _is_new(opened: OpenedFile) -> bool:
    return opened.data.startswith((b"RAW1.01", b"RAW4."))


register_format(ScanFormat("Bruker RAW", _is_new, _read, (".raw",), order=BINARY))


def _refuse_other_size(data: bytes) -> None:
    """Refuse a file of version 3 that is longer or shorter than its headers say.

    Each range has a header of 304 bytes with its number of steps, the size of supplementary headers and that
    of a record (xylib's description).
    """
    if not data.startswith(b"RAW1.01"):
        return
    try:
        (ranges,) = struct.unpack_from("<I", data, 12)
        at = _V3_FILE_HEADER
        for _ in range(ranges):
            header, steps = struct.unpack_from("<II", data, at)
            record, extra = struct.unpack_from("<II", data, at + 252)
            at += header + extra + max(record, 4) * steps
            if at > len(data):
                break
    except struct.error:
        at = len(data) + 1
    if at > len(data) or data[at:].strip(b"\0\x1a"):
        size = f"{at}" if at != len(data) + 1 else "more"
        cause = f"it holds {len(data)} bytes, where its headers declare points that take {size}"
        raise ScanError(cause, remedy=CUT_OFF)


def _tube(data: bytes) -> int | None:
    """Where mean, K-alpha-1 and K-alpha-2 wavelengths begin, None if nowhere.

    Version 3 keeps them as doubles from byte 616; version 4 keeps the same 72 bytes into a segment of type 30
    of the chain that begins at byte 61.
    """
    if data.startswith(b"RAW1.01"):
        return 616
    at = 61
    while True:
        kind, length = struct.unpack_from("<II", data, at)
        if kind == 30:
            return at + 72
        if kind in (0, 160):
            return None
        at += max(length, 8)


def _tube_lines(data: bytes) -> tuple[float | None, float | None]:
    """K-alpha-1 and K-alpha-2 wavelengths in angstrom, None where not found.

    Zero is what the vendor's program writes for a K-alpha-2 line that it has removed.
    """
    try:
        if (at := _tube(data)) is None:
            return None, None
        _, alpha1, alpha2 = struct.unpack_from("<3d", data, at)
    except struct.error:
        return None, None
    if not 0.1 < alpha1 < 5.0:
        return None, None
    # some programs stored a single-precision number: seven digits are what it holds
    return _decimal(alpha1), alpha2 if alpha2 == 0.0 or 0.1 < alpha2 < 5.0 else None


def raw_optics(data: bytes) -> Optics:
    """What the header of a Bruker RAW file of version 3 or 4 says of the beam.

    The ratio of the K alpha lines follows their wavelengths; version 4 has the openings of both Soller slits
    in degrees before them.
    """
    try:
        if (at := _tube(data)) is None:
            return Optics()
        alpha1, alpha2, _, ratio = struct.unpack_from("<4d", data, at + 8)
        soller: tuple[float | None, float | None] = (None, None)
        if not data.startswith(b"RAW1.01"):
            first, second = (struct.unpack_from("<f", data, at - back)[0] for back in (28, 12))
            soller = (_known_soller(first), _known_soller(second))
    except struct.error:
        return Optics()
    if not 0.1 < alpha1 < 5.0:
        return Optics(soller_rad=soller)
    if alpha2 == 0.0:
        return Optics(kalpha2_ratio=0.0, soller_rad=soller)
    return Optics(kalpha2_ratio=ratio if 0 < ratio <= 1 else None, soller_rad=soller)


def _known_soller(degrees: float) -> float | None:
    return soller_opening(f"{degrees:g}") if math.isfinite(degrees) and degrees != _UNKNOWN else None


def _old_scans(opened: OpenedFile) -> list[Found]:
    """Arrays and header of each range of a file of version 1 or 2."""
    try:
        return (_version_2 if opened.data.startswith(b"RAW2") else _version_1)(opened.data)
    except struct.error as problem:
        raise ScanError(
            "this Bruker RAW file of version 1 or 2 ends within the header of a range",
            remedy="It was cut off: copy it again.",
        ) from problem


def _is_old(mark: bytes, opened: OpenedFile) -> bool:
    return opened.data.startswith(mark) and b"\0" in opened.data


for _number, _mark in ((1, b"RAW "), (2, b"RAW2")):
    _name, _matches = f"Bruker RAW version {_number}", partial(_is_old, _mark)
    register_format(ScanFormat(_name, _matches, one_of(_old_scans), (".raw",), order=BINARY + 10))


def _version_1(data: bytes) -> list[Found]:
    """Ranges one after another; later ones may or may not repeat the four bytes "RAW "."""
    found: list[Found] = []
    at, more = 4, 1
    while more:
        if found and data[at : at + 4] == b"RAW ":
            at += 4
        points, time, step, _, _, start = struct.unpack_from("<IffIIf", data, at)
        length = struct.unpack_from("<f", data, at + 68)[0]
        (more,) = struct.unpack_from("<I", data, at + _V1_HEADER - 8)
        at += _V1_HEADER - 4
        counts = _counts(data, at, points)
        at += 4 * points
        found.append(_range("Bruker RAW version 1", start, step, counts, time, length, None))
    _refuse_rest(data, at)
    return found


def _version_2(data: bytes) -> list[Found]:
    (ranges,) = struct.unpack_from("<H", data, 4)
    anode = element_symbol(data[188:190].decode("latin-1"))
    length = struct.unpack_from("<f", data, 190)[0]
    found = []
    at = _V2_HEADER
    for _ in range(ranges):
        header, points, _, time, step, start = struct.unpack_from("<HHIfff", data, at)
        if header < 48:
            claim = f"the header of a range of this {_V2} claims {header} bytes, fewer than it has"
            raise ScanError(claim, remedy="The file is damaged: copy it again.")
        at += header
        counts = _counts(data, at, points)
        at += 4 * points
        found.append(_range("Bruker RAW version 2", start, step, counts, time, length, anode))
    _refuse_rest(data, at)
    if not found:
        raise ScanError(f"this {_V2} declares no range", remedy="Copy or export it again.")
    return found


def _counts(data: bytes, at: int, points: int) -> Floats:
    there = max(0, len(data) - at) // 4
    if there < points:
        refuse_other_number(there, points)
    with np.errstate(invalid="ignore"):  # a damaged number is named later
        return np.frombuffer(data, dtype="<f4", count=points, offset=at).astype(np.float64)


def _refuse_rest(data: bytes, at: int) -> None:
    """Refuse what is no padding to a block of 128 bytes: then a declared number is wrong."""
    rest = data[at:]
    if rest.strip(b"\0\x1a") and (len(rest) >= 128 or len(data) % 128):
        raise ScanError(f"{len(rest)} bytes follow the points that it declares", remedy=DAMAGED)


def _range(
    name: str, start: float, step: float, counts: Floats, time: float, length: float, anode: str | None
) -> Found:
    first, width = _decimal(start), _decimal(step)
    arrays = stepped_scan(first, None, width, counts, name=name)
    last = float(arrays.two_theta[-1]) if counts.size else None
    return arrays, ScanHeader(
        first=first,
        last=last,
        wavelength_angstrom=wavelength(repr(_decimal(length))),
        anode=anode,
        counting_time_s=_decimal(time) if 0.0 < time < 1e6 else None,
    )


def _decimal(value: float) -> float:
    """The decimal number that was stored in single precision: 0.04 for 0.03999999911."""
    return float(f"{value:.7g}")
