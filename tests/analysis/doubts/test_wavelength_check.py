"""Scans taken for those of another tube, and what else a tube sends."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mixrd.analysis import generic_instrument
from mixrd.analysis.doubts.wavelength_check import (
    DOUBTFUL_SHARE,
    beam_peak,
    other_radiation,
    stray_remarks,
    wavelength_warnings,
)
from mixrd.crystal import Crystal
from mixrd.diffraction import radiation
from mixrd.pattern import ForwardModel, Instrument
from mixrd.phases import load_phase
from mixrd.scan import read_scan

TUBES = ("CrKa", "FeKa", "CoKa", "CuKa", "MoKa", "AgKa")
GRID = np.arange(20.0, 90.0, 0.05)


@pytest.fixture(scope="module")
def phases() -> list[Crystal]:
    return [load_phase(name) for name in ("corundum", "fluorite")]


@pytest.fixture(scope="module")
def scan_of(phases: list[Crystal]) -> Callable[[str], NDArray[np.float64]]:
    """Net counts of a mixture measured with a tube, on `GRID`."""

    def measure(tube: str) -> NDArray[np.float64]:
        model = ForwardModel(phases, generic_instrument(tube), GRID)
        signal = np.array([0.6, 0.4]) @ model.columns(model.reference())[0].numpy()
        rng = np.random.default_rng(0)
        counts: NDArray[np.float64] = rng.poisson(3000 * signal / signal.max() + 30) - 30.0
        return counts

    return measure


@pytest.mark.parametrize("tube", ["CrKa", "CoKa", "CuKa", "MoKa"])
def test_the_tube_is_found(
    phases: list[Crystal], scan_of: Callable[[str], NDArray[np.float64]], tube: str
) -> None:
    net = scan_of(tube)
    for believed in TUBES:
        found = other_radiation(GRID, net, phases, generic_instrument(believed), 0.9)
        assert found == (None if believed == tube else tube)


def test_the_single_line_of_the_same_tube_is_no_other_tube(
    phases: list[Crystal], scan_of: Callable[[str], NDArray[np.float64]]
) -> None:
    assert other_radiation(GRID, scan_of("CuKa"), phases, generic_instrument("CuKa1"), 0.9) is None


def test_a_synchrotron_that_was_a_tube(
    phases: list[Crystal], scan_of: Callable[[str], NDArray[np.float64]]
) -> None:
    assert other_radiation(GRID, scan_of("CoKa"), phases, generic_instrument(1.2), 0.9) == "CoKa"


def test_little_unexplained_is_no_reason_to_doubt(
    phases: list[Crystal], scan_of: Callable[[str], NDArray[np.float64]]
) -> None:
    instrument = generic_instrument("CuKa")
    assert other_radiation(GRID, scan_of("CoKa"), phases, instrument, 0.9 * DOUBTFUL_SHARE) is None
    assert other_radiation(GRID, scan_of("CoKa"), [], instrument, 0.9) is None


@pytest.mark.parametrize("present", ["quartz", "halite", "anatase", "calcite", "hydroxyapatite"])
def test_wrong_candidates_are_no_wrong_tube(phases: list[Crystal], present: str) -> None:
    model = ForwardModel([load_phase(present)], generic_instrument("CuKa"), GRID)
    net = 1000 * model.columns(model.reference())[0, 0].numpy()
    assert other_radiation(GRID, net, phases, generic_instrument("CuKa"), 1.0) is None


def test_warnings() -> None:
    assert wavelength_warnings(None, generic_instrument("CuKa")) == []
    (warning,) = wavelength_warnings("CoKa", generic_instrument("CuKa"))
    assert warning.code == "WRONG_WAVELENGTH"
    assert "CoKa" in warning.message and "1.5406 A" in warning.message


def test_a_peak_holds_the_lines_of_the_beam() -> None:
    centre, width = np.array([40.0, 120.0]), np.array([0.1, 0.1])
    x = np.tile(np.linspace(-3, 12, 1501), (2, 1))
    low, high = beam_peak(centre, x, width, radiation("CuKa"))
    assert x[0, low.argmax()] == pytest.approx(0.15, abs=0.2)
    # At 120 deg K alpha2 stands apart, half as high.
    assert x[1, high.argmax()] == pytest.approx(0.0, abs=0.02)
    shift = 2 * np.degrees(np.arcsin(np.sin(np.radians(60)) * 1.5444274 / 1.5405929)) - 120
    apart = x[1] > 2
    assert x[1, apart][high[apart].argmax()] == pytest.approx(shift / 0.1, abs=0.05)
    assert high[apart].max() == pytest.approx(1 / 3, abs=0.02)


def stray(share: float, instrument: Instrument) -> list[str]:
    """Remarks on the K beta lines, `share` as high, of two peaks, the weaker one's and a stranger."""
    grid = np.arange(20.0, 60.0, 0.02)
    width = np.full_like(grid, 0.1)

    def peak(at: float) -> NDArray[np.float64]:
        result: NDArray[np.float64] = np.exp(-4 * np.log(2) * ((grid - at) / 0.1) ** 2)
        return result

    def child(at: float) -> float:
        return float(2 * np.degrees(np.arcsin(np.sin(np.radians(at / 2)) * 1.392234 / 1.5405929)))

    parents = {50.0: 1000.0, 35.0: 700.0}
    residual = sum(share * height * peak(child(at)) for at, height in parents.items()) + 30 * peak(27.0)
    net = sum(height * peak(at) for at, height in parents.items()) + residual
    lines = [int(np.abs(grid - at).argmin()) for at in (child(50.0), child(35.0), 27.0)]
    return stray_remarks(
        grid, np.asarray(net), np.asarray(residual), np.full_like(grid, 2.0), width, lines, instrument
    )


def test_lines_of_another_wavelength_are_named() -> None:
    remarks = stray(0.02, generic_instrument("CuKa"))
    assert remarks == ["K beta of the line at 50.00 deg", "K beta of the line at 35.00 deg", ""]


def test_too_strong_for_a_stray_line_or_another_anode() -> None:
    assert stray(0.6, generic_instrument("CuKa")) == ["", "", ""]
    assert stray(0.02, generic_instrument(1.2)) == ["", "", ""]
    assert stray(0.02, generic_instrument("MoKa")) == ["", "", ""]


def test_one_strong_peak_without_stray_line_speaks_for_all() -> None:
    grid = np.arange(20.0, 60.0, 0.02)
    net = 1000 * np.exp(-(((grid - 50.0) / 0.06) ** 2)) + 100 * np.exp(-(((grid - 35.0) / 0.06) ** 2))
    child = 2 * np.degrees(np.arcsin(np.sin(np.radians(17.5)) * 1.392234 / 1.5405929))
    residual = 20 * np.exp(-(((grid - child) / 0.06) ** 2))
    line = int(np.abs(grid - child).argmin())
    arrays = (grid, net + residual, residual, np.full_like(grid, 1.0), np.full_like(grid, 0.1))
    # 20 % of the weak peak would be K beta, but the strong one has less than 0.1 %.
    assert stray_remarks(*arrays, [line], generic_instrument("CuKa")) == [""]


def test_measured_scans_were_measured_with_copper(data_dir: Path) -> None:
    folder = data_dir / "measured" / "cpd"
    crystals = [load_phase(name) for name in ("corundum", "fluorite", "zincite")]
    scan = read_scan(folder / "CPD-1D.xye")
    inside = scan.two_theta > 22
    two_theta, counts = scan.two_theta[inside], scan.counts[inside]
    net = counts - np.percentile(counts, 20)
    for believed in ("CrKa", "CoKa", "MoKa"):
        instrument = dataclasses.replace(generic_instrument(believed), goniometer_radius_mm=173.0)
        assert other_radiation(two_theta, net, crystals, instrument, 0.8) == "CuKa"
    assert other_radiation(two_theta, net, crystals, generic_instrument("CuKa"), 0.8) is None
    assert other_radiation(two_theta, net, crystals[:1], generic_instrument("CuKa"), 0.8) is None
