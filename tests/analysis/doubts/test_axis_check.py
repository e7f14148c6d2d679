"""Axes that are not what they are taken for."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mixrd.analysis import analyze, generic_instrument
from mixrd.analysis.doubts.axis_check import AxisReading, axis_reading, axis_warnings
from mixrd.crystal import Crystal, read_cif
from mixrd.errors import ScanError
from mixrd.pattern import ForwardModel
from mixrd.phases import load_phase
from mixrd.scan import Scan, read_scan

FloatArray = NDArray[np.float64]
CU = generic_instrument("CuKa")
ANGSTROM = CU.radiation.wavelength_angstrom


@pytest.fixture(scope="module")
def phases() -> list[Crystal]:
    return [load_phase(name) for name in ("corundum", "fluorite", "zincite")]


@pytest.fixture(scope="module")
def scan(phases: list[Crystal]) -> Scan:
    two_theta = np.arange(15.0, 100.0, 0.03)
    model = ForwardModel(phases, CU, two_theta)
    signal = np.array([0.4, 0.3, 0.3]) @ model.columns(model.reference())[0].numpy()
    counts = np.random.default_rng(0).poisson(8000 * signal / signal.max() + 80.0)
    return Scan(two_theta=two_theta, counts=counts.astype(np.float64))


def as_q(two_theta: FloatArray) -> FloatArray:
    q: FloatArray = 4 * np.pi * np.sin(np.radians(two_theta / 2)) / ANGSTROM
    return q


OTHER_AXES: dict[str, Callable[[FloatArray], FloatArray]] = {
    "theta": lambda x: x / 2,
    "q": as_q,
    "q_per_nm": lambda x: 10 * as_q(x),
    "d": lambda x: 2 * np.pi / as_q(x),
    "radians": np.radians,
    "shift": lambda x: x + 0.9,
    "stretch": lambda x: 1.02 * x,
}


def turned(scan: Scan, kind: str) -> tuple[FloatArray, FloatArray]:
    axis = OTHER_AXES[kind](scan.two_theta)
    return (axis[::-1], scan.counts[::-1]) if axis[0] > axis[-1] else (axis, scan.counts)


@pytest.mark.parametrize("kind", sorted(OTHER_AXES))
def test_the_axis_is_recognised(scan: Scan, phases: list[Crystal], kind: str) -> None:
    found = axis_reading(*turned(scan, kind), phases, CU)
    assert found is not None
    assert found.kind == kind
    assert found.explained > 0.6 > found.as_given
    (warning,) = axis_warnings(found, CU)
    assert warning.code == "WRONG_AXIS"
    assert found.text in warning.message


@pytest.mark.parametrize("shift", [-2.1, -0.7, 0.8, 3.0])
def test_the_shift_is_told(scan: Scan, phases: list[Crystal], shift: float) -> None:
    found = axis_reading(scan.two_theta + shift, scan.counts, phases, CU)
    assert found is not None
    assert found.kind == "shift"
    assert ("too high" if shift > 0 else "too low") in found.text


def test_the_tube_is_told(scan: Scan, phases: list[Crystal]) -> None:
    for believed in ("CrKa", "FeKa", "CoKa", "MoKa", "AgKa"):
        instrument = generic_instrument(believed)
        found = axis_reading(scan.two_theta, scan.counts, phases, instrument)
        assert found is not None
        assert (found.kind, found.text) == ("tube", "it were CuKa radiation")
        (warning,) = axis_warnings(found, instrument)
        assert warning.code == "WRONG_WAVELENGTH"


def test_a_right_axis_is_left_alone(scan: Scan, phases: list[Crystal]) -> None:
    assert axis_reading(scan.two_theta, scan.counts, phases, CU) is None
    assert axis_reading(scan.two_theta, scan.counts, [], CU) is None
    assert axis_reading(scan.two_theta, np.full(len(scan), 7.0), phases, CU) is None
    assert axis_warnings(None, CU) == []
    for small in (-0.3, 0.3):
        assert axis_reading(scan.two_theta + small, scan.counts, phases, CU) is None


def test_wrong_phases_are_no_wrong_axis(scan: Scan) -> None:
    for names in (["quartz"], ["calcite", "gypsum"], ["halite"], ["rutile", "anatase", "hematite"]):
        assert axis_reading(scan.two_theta, scan.counts, [load_phase(n) for n in names], CU) is None


def test_one_phase_of_another_cell_is_no_stretched_axis() -> None:
    """Fluorite whose cell is 2 % larger than the candidate's: a solid solution, not an axis."""
    fluorite = load_phase("fluorite")
    two_theta = np.arange(15.0, 100.0, 0.03)
    model = ForwardModel([fluorite], CU, two_theta)
    signal = model.columns(model.reference())[0, 0].numpy()
    counts = 8000 * signal / signal.max() + 80.0
    assert axis_reading(0.98 * two_theta, counts, [fluorite], CU) is None


def test_without_anything_to_fit_the_error_tells_the_axis(scan: Scan, phases: list[Crystal]) -> None:
    axis, counts = turned(scan, "q")
    with pytest.raises(ScanError, match="Q in 1/angstrom"):
        analyze(Scan(two_theta=axis, counts=counts), phases, CU)


def test_the_answer_carries_the_warning(scan: Scan, phases: list[Crystal]) -> None:
    result = analyze(Scan(two_theta=scan.two_theta / 2, counts=scan.counts), phases, CU)
    assert [w.code for w in result.warnings].count("WRONG_AXIS") == 1


@pytest.fixture(scope="module")
def weighed(data_dir: Path) -> list[tuple[Scan, list[Crystal]]]:
    """The weighed scans with their phases."""
    found = []
    for folder in (data_dir / "measured/cpd", data_dir / "measured/dara"):
        with (folder / "phases.csv").open(encoding="utf-8") as file:
            cifs = {row["name"]: row["cif"] for row in csv.DictReader(file)}
        with (folder / "compositions.csv").open(encoding="utf-8") as file:
            for row in csv.DictReader(file):
                names = [part.split("=")[0] for part in row["wt_pct"].split(";")]
                crystals = [
                    read_cif((folder / cifs[n]).resolve(), name=n) if cifs.get(n) else load_phase(n)
                    for n in names
                ]
                found.append((read_scan(folder / row["file"]), crystals))
    return found


def test_no_weighed_scan_has_a_wrong_axis(weighed: list[tuple[Scan, list[Crystal]]]) -> None:
    assert len(weighed) == 24
    for one, crystals in weighed:
        assert axis_reading(one.two_theta, one.counts, crystals, CU) is None, one.path


def test_turned_weighed_scans_are_told(weighed: list[tuple[Scan, list[Crystal]]]) -> None:
    told: list[tuple[str, AxisReading | None]] = []
    for one, crystals in weighed[::2]:
        told += [(kind, axis_reading(*turned(one, kind), crystals, CU)) for kind in OTHER_AXES]
        told.append(("tube", axis_reading(one.two_theta, one.counts, crystals, generic_instrument("CoKa"))))
    right = [found is not None and found.kind == kind for kind, found in told]
    assert all(r for r, (kind, _) in zip(right, told, strict=True) if kind != "stretch")
    assert np.mean(right) > 0.95


def test_phases_of_other_scans_are_no_wrong_axis(weighed: list[tuple[Scan, list[Crystal]]]) -> None:
    for one, crystals in weighed[::3]:
        for _, others in weighed[1::3]:
            if not {c.name for c in crystals} & {c.name for c in others}:
                assert axis_reading(one.two_theta, one.counts, others, CU) is None
