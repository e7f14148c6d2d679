"""Measured powder scans: reading, writing and resampling.

Readers of other packages are imported only when a file needs them.
"""

from __future__ import annotations

from mixrd.scan.measurement import Scan
from mixrd.scan.readers import read_scan
from mixrd.scan.resample import Rebinned, rebin
from mixrd.scan.writers import write_scan

__all__ = ["Rebinned", "Scan", "read_scan", "rebin", "write_scan"]
