"""Siemens and Bruker RAW of versions 1 ("RAW ") and 2 ("RAW2"), written before 2000.

Layouts as described by xylib and PyXRD. Both hold start, step and number of steps of each range, and the
counts as 32-bit floating-point numbers; little-endian.
"""

from __future__ import annotations

import struct
from functools import partial
from os import PathLike

import numpy as np
from numpy.typing import NDArray

from mixrd.errors import ScanError
from mixrd.scan.headers import ScanHeader, chosen, element_symbol, wavelength
from mixrd.scan.opened_file import OpenedFile
from mixrd.scan.scan_format import BINARY, ScanFormat, register_format
from mixrd.scan.stepped import stepped_scan
from mixrd.scan.vendor import Arrays

_V1_HEADER = 156
_V2_HEADER = 256


def old_raw_scans(data: bytes, file: str | PathLike[str]) -> list[tuple[Arrays, ScanHeader]]:
    """Arrays and header of each range.

    Raises
    ------
    ScanError
        If the file ends before, or after, the points that its headers declare, or they make no scan.
    """
    try:
        return _version_2(data, file) if data.startswith(b"RAW2") else _version_1(data, file)
    except struct.error as problem:
        raise ScanError(
            "this Bruker RAW file of version 1 or 2 ends within the header of a range",
            remedy="It was cut off: copy it again.",
            file=file,
        ) from problem


def _version_1(data: bytes, file: str | PathLike[str]) -> list[tuple[Arrays, ScanHeader]]:
    """Ranges one after another; later ones may or may not repeat the four bytes "RAW "."""
    found: list[tuple[Arrays, ScanHeader]] = []
    at, more = 4, 1
    while more:
        if found and data[at : at + 4] == b"RAW ":
            at += 4
        points, time, step, _, _, start = struct.unpack_from("<IffIIf", data, at)
        length = struct.unpack_from("<f", data, at + 68)[0]
        (more,) = struct.unpack_from("<I", data, at + _V1_HEADER - 8)
        at += _V1_HEADER - 4
        counts = _counts(data, at, points, file)
        at += 4 * points
        found.append(_range("Bruker RAW version 1", start, step, counts, time, length, None, file))
    _refuse_rest(data, at, file)
    return found


def _version_2(data: bytes, file: str | PathLike[str]) -> list[tuple[Arrays, ScanHeader]]:
    (ranges,) = struct.unpack_from("<H", data, 4)
    anode = element_symbol(data[188:190].decode("latin-1"))
    length = struct.unpack_from("<f", data, 190)[0]
    found = []
    at = _V2_HEADER
    for _ in range(ranges):
        header, points, _, time, step, start = struct.unpack_from("<HHIfff", data, at)
        if header < 48:
            raise ScanError(
                f"the header of a range of this Bruker RAW file of version 2 claims {header} bytes, fewer "
                "than it has",
                remedy="The file is damaged: copy it again.",
                file=file,
            )
        at += header
        counts = _counts(data, at, points, file)
        at += 4 * points
        found.append(_range("Bruker RAW version 2", start, step, counts, time, length, anode, file))
    _refuse_rest(data, at, file)
    if not found:
        raise ScanError(
            "this Bruker RAW file of version 2 declares no range",
            remedy="Copy or export it again.",
            file=file,
        )
    return found


def _counts(data: bytes, at: int, points: int, file: str | PathLike[str]) -> NDArray[np.float64]:
    there = max(0, len(data) - at) // 4
    if there < points:
        raise ScanError(
            f"it holds {there} of the {points} points that it declares",
            remedy="The file was cut off or damaged: copy or export it again.",
            file=file,
        )
    with np.errstate(invalid="ignore"):  # a damaged number is named later
        return np.frombuffer(data, dtype="<f4", count=points, offset=at).astype(np.float64)


def _refuse_rest(data: bytes, at: int, file: str | PathLike[str]) -> None:
    """Refuse what is no padding to a block of 128 bytes: then a declared number is wrong."""
    rest = data[at:]
    if rest.strip(b"\0\x1a") and (len(rest) >= 128 or len(data) % 128):
        raise ScanError(
            f"{len(rest)} bytes follow the points that it declares",
            remedy="The file is damaged: copy or export it again.",
            file=file,
        )


def _range(
    name: str,
    start: float,
    step: float,
    counts: NDArray[np.float64],
    time: float,
    length: float,
    anode: str | None,
    file: str | PathLike[str],
) -> tuple[Arrays, ScanHeader]:
    first, width = _decimal(start), _decimal(step)
    arrays = stepped_scan(first, None, width, counts, name=name, file=file)
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


def _read(opened: OpenedFile, scan: int | None) -> tuple[Arrays, ScanHeader]:
    return chosen(old_raw_scans(opened.data, opened.file), scan, opened.file)


def _starts(opened: OpenedFile, mark: bytes) -> bool:
    return opened.data.startswith(mark) and b"\0" in opened.data


for _number, _mark in ((1, b"RAW "), (2, b"RAW2")):
    register_format(
        ScanFormat(
            f"Bruker RAW version {_number}", partial(_starts, mark=_mark), _read, (".raw",), order=BINARY + 10
        )
    )
