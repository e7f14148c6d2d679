"""Records and bytes that RAW, GSAS and RAS files declare, against those that follow."""

from __future__ import annotations

import re
import struct
from os import PathLike

from mixrd.errors import ScanError
from mixrd.scan.declared import refuse_other_number

_REMEDY = "The file was cut off or damaged: copy or export it again."
_VALUES_IN_RECORD = {"STD": 10, "ESD": 5, "FXYE": 1, "FXY": 1}
_V3_FILE_HEADER = 712


def refuse_other_banks(text: str, index: int, points: int, file: str | PathLike[str]) -> None:
    """Refuse a GSAS bank with other records than its BANK line announces.

    The line gives the number of channels and that of records; the latter is off by one in some files. A
    record shorter than all others has lost a value, and the columns of all that follow it are shifted.

    Raises
    ------
    ScanError
        That names both numbers.
    """
    banks = re.split(r"^(?=BANK\s)", text, flags=re.MULTILINE)[1:]
    if index >= len(banks):
        return
    lines = banks[index].splitlines()
    words = lines[0].split()
    channels = int(words[2])
    if points < channels:
        refuse_other_number(points, channels, file)
    per_record = next((n for name, n in _VALUES_IN_RECORD.items() if name in words[4:]), None)
    records = [line.rstrip() for line in lines[1:] if line.strip()]
    if per_record is None or len(words) < 4 or not words[3].isdigit() or not records:
        return
    expected = -(-channels // per_record)
    if abs(int(words[3]) - expected) <= 1 and len(records) != expected:
        raise ScanError(
            f"its bank holds {len(records)} records and declares {channels} channels, which take {expected}",
            remedy=_REMEDY,
            file=file,
        )
    if per_record > 1 and len(records) > 20:
        usual = len(records[0])
        short = [i for i, line in enumerate(records[:-1], start=1) if len(line) != usual]
        if 0 < len(short) <= 0.01 * len(records) + 1:
            raise ScanError(
                f"record {short[0]} of its bank has {len(records[short[0] - 1])} characters, all others "
                f"{usual}",
                remedy=_REMEDY,
                file=file,
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
            remedy=_REMEDY,
            file=file,
        )


def refuse_short_ras_rows(data: bytes, file: str | PathLike[str]) -> None:
    """Refuse a RAS file in which a row of points has fewer columns than the others.

    Raises
    ------
    ScanError
        That names the row.
    """
    for block in re.findall(rb"^\*RAS_INT_START\s*$(.*?)^\*RAS_INT_END", data, re.MULTILINE | re.DOTALL):
        refuse_short_rows(block, file)


def refuse_short_rows(block: bytes, file: str | PathLike[str]) -> None:
    """Refuse rows of points, one a line, of which one has another number of columns than the first."""
    rows = [line.split() for line in block.split(b"\n") if line.strip()]
    odd = next((i for i, row in enumerate(rows, start=1) if len(row) != len(rows[0])), None)
    if odd is not None:
        raise ScanError(
            f"row {odd} of the points has {len(rows[odd - 1])} columns, the first {len(rows[0])}",
            remedy=_REMEDY,
            file=file,
        )
