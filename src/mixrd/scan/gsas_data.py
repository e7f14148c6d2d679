"""GSAS powder data: text in banks of records; arrays by rietx."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from mixrd.errors import ScanError
from mixrd.scan.declared import refuse_other_number
from mixrd.scan.headers import CUT_OFF, Arrays, ScanHeader
from mixrd.scan.opened_file import OpenedFile
from mixrd.scan.scan_format import TEXT, ScanFormat, register_format
from mixrd.scan.text_headers import text_facts
from mixrd.scan.vendor import through_rietx, unreadable

_VALUES_IN_RECORD = {"STD": 10, "ESD": 5, "FXYE": 1, "FXY": 1}
_BANK = re.compile(r"^BANK\s+\d+\s+\d+", re.MULTILINE)


def _read(opened: OpenedFile, scan: int | None) -> tuple[Arrays, ScanHeader]:
    text = opened.text

    def completed(header: ScanHeader, index: int, arrays: Arrays) -> ScanHeader:
        above = re.split(r"^BANK\s", text, maxsplit=1, flags=re.MULTILINE)[0]
        _refuse_other_banks(text, index, arrays.two_theta.size)
        facts = text_facts(above.splitlines())
        if "neutron" in above.lower():
            raise ScanError("its header says neutron data", remedy="mixrd analyses X-ray scans.")
        told = {name: getattr(facts, name) for name in ("wavelength_angstrom", "anode", "counting_time_s")}
        return replace(header, **told)

    return through_rietx(
        opened,
        scan,
        completed,
        ranges=lambda path: [ScanHeader() for _ in _banks(path)] or [ScanHeader()],
        options=lambda path, i: {"bank": banks[i]} if len(banks := _banks(path)) > 1 else {},
    )


def _banks(path: Path) -> list[int]:
    """Numbers of the banks."""
    from rietx.io import formats

    try:
        return [bank.number for bank in formats.gsas_banks(path)]
    except Exception as problem:
        raise unreadable(problem, path) from problem


def _matches(opened: OpenedFile) -> bool:
    return _BANK.search(opened.head) is not None


_ENDINGS = (".fxye", ".gsa", ".gda", ".gsas")
register_format(ScanFormat("GSAS powder data", _matches, _read, _ENDINGS, (".gss", ".raw"), TEXT + 20))


def _refuse_other_banks(text: str, index: int, points: int) -> None:
    """Refuse a GSAS bank with other records than its BANK line announces.

    The line gives the number of channels and that of records; the latter is off by one in some files. A
    record shorter than all others has lost a value, and the columns of all that follow it are shifted.
    """
    banks = re.split(r"^(?=BANK\s)", text, flags=re.MULTILINE)[1:]
    if index >= len(banks):
        return
    lines = banks[index].splitlines()
    words = lines[0].split()
    channels = int(words[2])
    if points < channels:
        refuse_other_number(points, channels)
    per_record = next((n for name, n in _VALUES_IN_RECORD.items() if name in words[4:]), None)
    records = [line.rstrip() for line in lines[1:] if line.strip()]
    if per_record is None or len(words) < 4 or not words[3].isdigit() or not records:
        return
    expected = -(-channels // per_record)
    if abs(int(words[3]) - expected) <= 1 and len(records) != expected:
        raise ScanError(
            f"its bank holds {len(records)} records and declares {channels} channels, which take {expected}",
            remedy=CUT_OFF,
        )
    if per_record > 1 and len(records) > 20:
        usual = len(records[0])
        short = [i for i, line in enumerate(records[:-1], start=1) if len(line) != usual]
        if 0 < len(short) <= 0.01 * len(records) + 1:
            own = len(records[short[0] - 1])
            cause = f"record {short[0]} of its bank has {own} characters, all others {usual}"
            raise ScanError(cause, remedy=CUT_OFF)
