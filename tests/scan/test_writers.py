"""Round trip through .xy and .xye."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixrd.errors import ScanError
from mixrd.scan import Scan, read_scan, write_scan


@st.composite
def scans(draw: st.DrawFn) -> Scan:
    size = draw(st.integers(20, 60))
    steps = draw(st.lists(st.floats(0.05, 0.5), min_size=size, max_size=size))
    two_theta = draw(st.floats(0.5, 100.0)) + np.cumsum(steps)
    counts = draw(st.lists(st.integers(0, 10**6) | st.floats(0.1, 1e6), min_size=size, max_size=size))
    counts[0], counts[1] = 3, 17  # never constant
    noise = st.floats(0.05, 2.0)
    sigma = draw(st.none() | st.lists(noise, min_size=size, max_size=size, unique=True))
    number = st.none() | st.floats(0.15, 4.9)
    return Scan(
        two_theta=np.array(two_theta),
        counts=np.array(counts, dtype=np.float64),
        sigma=None if sigma is None else np.array(sigma),
        wavelength_angstrom=draw(number),
        anode=draw(st.sampled_from([None, "Cu", "Co", "Mo", "W"])),
        counting_time_s=draw(number),
        scan_axis=draw(st.sampled_from([None, "Gonio", "Coupled TwoTheta/Theta"])),
        goniometer_radius_mm=draw(st.none() | st.floats(50, 400)),
    )


@settings(max_examples=60, deadline=None)
@given(scans())
def test_round_trip(scan: Scan) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / ("a.xy" if scan.sigma is None else "a.xye")
        write_scan(scan, path)
        back = read_scan(path)
    np.testing.assert_array_equal(back.two_theta, scan.two_theta)
    np.testing.assert_array_equal(back.counts, scan.counts)
    if scan.sigma is None:
        assert back.sigma is None
    else:
        assert back.sigma is not None
        np.testing.assert_array_equal(back.sigma, scan.sigma)
    for name in ("wavelength_angstrom", "anode", "counting_time_s", "scan_axis", "goniometer_radius_mm"):
        assert getattr(back, name) == getattr(scan, name)


def _scan(sigma: bool) -> Scan:
    counts = np.arange(30.0)
    return Scan(np.linspace(10, 20, 30), counts, sigma=np.arange(30.0) / 7 + 1 if sigma else None)


def test_xye_without_uncertainties_gets_counting_statistics(tmp_path: Path) -> None:
    write_scan(_scan(False), tmp_path / "a.xye")
    sigma = read_scan(tmp_path / "a.xye").sigma
    assert sigma is not None
    np.testing.assert_allclose(sigma, np.sqrt(np.maximum(np.arange(30.0), 1.0)))


def test_what_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ScanError, match="uncertainties"):
        write_scan(_scan(True), tmp_path / "a.xy")
    with pytest.raises(ScanError, match=r"'\.raw'"):
        write_scan(_scan(True), tmp_path / "a.raw")
    with pytest.raises(ScanError, match="cannot be written"):
        write_scan(_scan(True), tmp_path / "none" / "a.xye")
    write_scan(_scan(True), tmp_path / "a.xye")
    with pytest.raises(ScanError, match="exists"):
        write_scan(_scan(True), tmp_path / "a.xye")
    write_scan(_scan(True), tmp_path / "a.xye", overwrite=True)
