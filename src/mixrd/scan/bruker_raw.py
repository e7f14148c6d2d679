"""Bruker RAW of versions 3 and 4; arrays by rietx."""

from __future__ import annotations

import math
import struct
from dataclasses import replace
from os import PathLike

from mixrd.errors import ScanError
from mixrd.scan.headers import ScanHeader, soller_opening
from mixrd.scan.opened_file import OpenedFile
from mixrd.scan.optics import Optics
from mixrd.scan.scan_format import BINARY, ScanFormat, register_format
from mixrd.scan.vendor import Arrays, through_rietx

_V3_FILE_HEADER = 712
#: What a header of version 4 holds where a length or angle is not known.
_UNKNOWN = 9999.0


def _read(opened: OpenedFile, scan: int | None) -> tuple[Arrays, ScanHeader]:
    refuse_other_raw_size(opened.data, opened.file)
    alpha1, alpha2 = bruker_tube_lines(opened.data)
    removed = ("KALPHA2_REMOVED", "the header has no K-alpha-2 line: it was taken off by software")

    def completed(header: ScanHeader, index: int, _: Arrays) -> ScanHeader:
        return replace(
            header,
            wavelength_angstrom=alpha1 or header.wavelength_angstrom,
            optics=raw_optics(opened.data),
            warnings=header.warnings + ((removed,) if alpha1 is not None and alpha2 == 0.0 else ()),
        )

    return through_rietx(opened, scan, completed)


register_format(
    ScanFormat(
        "Bruker RAW",
        lambda opened: opened.data.startswith((b"RAW1.01", b"RAW4.")),
        _read,
        (".raw",),
        order=BINARY,
    )
)


def refuse_other_raw_size(data: bytes, file: str | PathLike[str]) -> None:
    """Refuse a Bruker RAW file of version 3 that is longer or shorter than its headers say.

    Each range has a header of 304 bytes with its number of steps, the size of supplementary headers and that
    of a record (xylib's description).

    Raises
    ------
    ScanError
        That names both sizes.
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
        raise ScanError(
            f"it holds {len(data)} bytes, where its headers declare points that take "
            + (f"{at}" if at != len(data) + 1 else "more"),
            remedy="The file was cut off or damaged: copy or export it again.",
            file=file,
        )


def bruker_tube_lines(data: bytes) -> tuple[float | None, float | None]:
    """K-alpha-1 and K-alpha-2 wavelengths in angstrom from a Bruker RAW v3 or v4 header.

    Version 3 keeps mean, K-alpha-1 and K-alpha-2 as doubles from byte 616; version 4 keeps the same
    72 bytes into a segment of type 30 of the chain that begins at byte 61. None where not found; zero is
    what the vendor's program writes for a K-alpha-2 line that it has removed.
    """
    try:
        if data.startswith(b"RAW1.01"):
            _, alpha1, alpha2 = struct.unpack_from("<3d", data, 616)
        else:
            at = 61
            while True:
                kind, length = struct.unpack_from("<II", data, at)
                if kind == 30:
                    _, alpha1, alpha2 = struct.unpack_from("<3d", data, at + 72)
                    break
                if kind in (0, 160):
                    return None, None
                at += max(length, 8)
    except struct.error:
        return None, None
    if not 0.1 < alpha1 < 5.0:
        return None, None
    # some programs stored a single-precision number: seven digits are what it holds
    return float(f"{alpha1:.7g}"), alpha2 if alpha2 == 0.0 or 0.1 < alpha2 < 5.0 else None


def raw_optics(data: bytes) -> Optics:
    """What the header of a Bruker RAW file of version 3 or 4 says of the beam.

    Version 3 keeps the ratio of the K alpha lines as a double at byte 648; version 4 keeps it into a segment
    of type 30 (see `bruker_tube_lines`), and there the openings of both Soller slits in degrees.
    """
    try:
        if data.startswith(b"RAW1.01"):
            alpha1, alpha2, _, ratio = struct.unpack_from("<4d", data, 624)
            soller: tuple[float | None, float | None] = (None, None)
        else:
            at = _segment(data)
            if at is None:
                return Optics()
            alpha1, alpha2, _, ratio = struct.unpack_from("<4d", data, at + 80)
            first, second = (
                struct.unpack_from("<f", data, at + 44)[0],
                struct.unpack_from("<f", data, at + 60)[0],
            )
            soller = (_known_soller(first), _known_soller(second))
    except struct.error:
        return Optics()
    if not 0.1 < alpha1 < 5.0:
        return Optics(soller_rad=soller)
    if alpha2 == 0.0:
        return Optics(kalpha2_ratio=0.0, soller_rad=soller)
    return Optics(kalpha2_ratio=ratio if 0 < ratio <= 1 else None, soller_rad=soller)


def _segment(data: bytes) -> int | None:
    """Where the segment of the tube begins in a file of version 4."""
    at = 61
    while True:
        kind, length = struct.unpack_from("<II", data, at)
        if kind == 30:
            return at
        if kind in (0, 160):
            return None
        at += max(length, 8)


def _known_soller(degrees: float) -> float | None:
    return soller_opening(f"{degrees:g}") if math.isfinite(degrees) and degrees != _UNKNOWN else None
