"""Every sample file does what expected.csv says of it."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
import pytest

from mixrd.errors import ScanError
from mixrd.scan import Scan, read_scan

_ROOT = Path(__file__).resolve().parents[2]
_DATA = Path(os.environ.get("MIXRD_DATA", _ROOT.parent / "shared" / "data"))
_TABLE = _DATA / "formats" / "expected.csv"
_ROWS = list(csv.DictReader(_TABLE.open(encoding="utf-8"))) if _TABLE.is_file() else []

# what the message of a refusal must name, by a word of the table's reason
_REASONS = {
    "pole figure": "PHI",
    "mesh scan": "reciprocal-space map",
    "reciprocal-space map": "reciprocal-space map",
    "GSAS instrument": "GSAS instrument",
    "area-detector": "multi-pattern",
    "multi-pattern": "multi-pattern",
    "JSON": "JSON",
    "three points": "3 points",
    "RAW2": "RAW2",
    "Stoe": "RAW_1.06",
    "neutron": "neutron",
    "several columns": "10 columns",
    "a stretch of": "too short",
}


@pytest.mark.skipif(not _ROWS, reason=f"no table of sample files at {_TABLE}")
def test_table_is_there() -> None:
    assert len(_ROWS) > 50


@pytest.mark.parametrize("row", _ROWS, ids=[row["file"] for row in _ROWS])
def test_file_does_as_the_table_says(row: dict[str, str]) -> None:
    path = _DATA / "formats" / row["file"]
    try:
        scan: Scan | None = read_scan(path)
    except ScanError as error:
        assert row["verdict"] != "read", str(error)
        scan = None
        cause = next((cause for why, cause in _REASONS.items() if why in row["why"]), None)
        assert cause is not None, f"no reason known for {row['why']!r}: {error}"
        assert cause in error.cause
        assert error.file == str(path) and error.remedy
    if scan is None:
        return
    assert row["verdict"] != "refuse"
    if row["points"]:
        assert len(scan) == int(row["points"])
        assert scan.two_theta[0] == pytest.approx(float(row["first_deg"]), abs=1e-3)
        assert scan.two_theta[-1] == pytest.approx(float(row["last_deg"]), abs=1e-3)
    if "with a warning" in row["why"]:
        assert "NOT_POWDER_GEOMETRY" in dict(scan.warnings)


def _read_by(reader: str) -> list[str]:
    return [row["file"] for row in _ROWS if row["verdict"] == "read" and reader in row["read_by"].split()]


@pytest.mark.parametrize("name", _read_by("geddes"))
def test_values_agree_with_geddes(name: str) -> None:
    """Angles and intensities equal those of geddes, however we read the file."""
    geddes = pytest.importorskip("geddes")
    path = _DATA / "formats" / name
    scan = read_scan(path)
    other = geddes.read(str(path))
    np.testing.assert_allclose(scan.two_theta, other.x, atol=1e-6)
    np.testing.assert_allclose(scan.counts, other.y, rtol=1e-7, atol=1e-5)


@pytest.mark.parametrize("name", _read_by("rietx"))
def test_values_agree_with_rietx(name: str) -> None:
    """Intensities, sigma, anode and counting time equal those of rietx where both have them."""
    readers = pytest.importorskip("rietx.io.readers")
    path = _DATA / "formats" / name
    scan = read_scan(path)
    other = readers.read_pattern(path)
    np.testing.assert_allclose(scan.two_theta, other.tt(), atol=1e-6)
    np.testing.assert_allclose(scan.counts, other.y(), rtol=1e-7, atol=1e-5)
    if scan.sigma is not None:
        given = np.asarray(other.sigma) > 0
        np.testing.assert_allclose(scan.sigma[given], np.asarray(other.sigma)[given], rtol=1e-6)
    if "anode" in other.metadata:
        assert scan.anode == other.metadata["anode"].capitalize()
    if "count_time_s" in other.metadata:
        assert scan.counting_time_s == pytest.approx(float(other.metadata["count_time_s"]), rel=1e-4)
