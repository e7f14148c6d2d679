"""Philips UDF (text) and RD (binary), of one scan; arrays by rietx."""

from __future__ import annotations

import re

from mixrd.scan.headers import Arrays, ScanHeader
from mixrd.scan.opened_file import OpenedFile
from mixrd.scan.scan_format import BINARY, TEXT, ScanFormat, register_format
from mixrd.scan.vendor import through_rietx

_RANGE = re.compile(r"^\s*DataAngleRange\s*,", re.MULTILINE)


def _read(opened: OpenedFile, scan: int | None) -> tuple[Arrays, ScanHeader]:
    return through_rietx(opened, scan, lambda header, *_: header, ranges=lambda _: [ScanHeader()])


def _is_rd(opened: OpenedFile) -> bool:
    return opened.data.startswith((b"V3RD", b"V5RD"))


def _is_udf(opened: OpenedFile) -> bool:
    return _RANGE.search(opened.head) is not None


register_format(ScanFormat("Philips RD", _is_rd, _read, other_endings=(".rd",), order=BINARY + 20))
register_format(ScanFormat("Philips UDF", _is_udf, _read, other_endings=(".udf",), order=TEXT + 30))
