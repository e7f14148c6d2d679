"""Measured powder scans: reading, writing and resampling.

Readers of other packages are imported only when a file needs them.
"""

from __future__ import annotations

from mixrd.scan.headers import Arrays, ScanHeader, chosen
from mixrd.scan.measurement import Scan, write_scan
from mixrd.scan.opened_file import OpenedFile
from mixrd.scan.readers import read_scan
from mixrd.scan.resample import Rebinned, rebin
from mixrd.scan.scan_format import ScanFormat, register_format

__all__ = [
    "Arrays",
    "OpenedFile",
    "Rebinned",
    "Scan",
    "ScanFormat",
    "ScanHeader",
    "chosen",
    "read_scan",
    "rebin",
    "register_format",
    "write_scan",
]
