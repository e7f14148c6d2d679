"""Weighed mixtures measured in laboratories, refined without a network."""

from __future__ import annotations

import csv
import dataclasses
from pathlib import Path

import numpy as np
import pytest

from mixrd.analysis import Analysis, analyze, analyze_many, calibrate, generic_instrument
from mixrd.crystal import Crystal
from mixrd.errors import RadiationError, ScanError
from mixrd.pattern import Instrument
from mixrd.phases import load_phase
from mixrd.scan import read_scan

CORUNDUM_FLUORITE_ZINCITE = ("corundum", "fluorite", "zincite")


def weighed(folder: Path) -> list[tuple[Path, dict[str, float], dict[str, str]]]:
    """File, true weight percent and further columns of each mixture."""
    with (folder / "compositions.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    samples = []
    for row in rows:
        pairs = (entry.split("=") for entry in row["wt_pct"].split(";"))
        samples.append((folder / row["file"], {name: float(value) for name, value in pairs}, row))
    return samples


def mean_error(result: Analysis, truth: dict[str, float]) -> float:
    return float(np.mean([abs(result.fractions[name] - value) for name, value in truth.items()]))


@pytest.fixture(scope="module")
def cpd(data_dir: Path) -> Path:
    return data_dir / "measured" / "cpd"


@pytest.fixture(scope="module")
def start() -> Instrument:
    """What the round robin's description says of the diffractometer."""
    return generic_instrument("CuKa", monochromator_two_theta=26.6, goniometer_radius_mm=173)


@pytest.fixture(scope="module")
def calibrated(cpd: Path, start: Instrument) -> Instrument:
    result = calibrate(read_scan(cpd / "corundum-pure.prn"), load_phase("corundum"), start, name="cpd")
    assert result.r_wp < 0.16
    return result.instrument


def test_round_robin_samples(cpd: Path, calibrated: Instrument) -> None:
    phases = [load_phase(name) for name in CORUNDUM_FLUORITE_ZINCITE]
    samples = [s for s in weighed(cpd) if set(s[1]) == set(CORUNDUM_FLUORITE_ZINCITE)]
    assert len(samples) == 4
    results = analyze_many([file for file, _, _ in samples], phases, calibrated)
    assert [r.status for r in results] == ["ok"] * 4
    errors = [mean_error(result, truth) for result, (_, truth, _) in zip(results, samples, strict=True)]
    # 0.33 when this was written; the issue asks for 0.8.
    assert np.mean(errors) <= 0.5
    assert max(errors) <= 0.8
    for result in results:
        assert result.r_wp is not None and result.r_exp is not None
        assert result.r_wp < 2 * result.r_exp
        # Corundum in 1b, r = 1.24.
        assert {w.code for w in result.warnings} <= {"TEXTURE"}
        assert max(p.sigma_percent or 0 for p in result.phases) < 1.5


@pytest.mark.parametrize("name", CORUNDUM_FLUORITE_ZINCITE)
def test_pure_phases_are_pure(cpd: Path, calibrated: Instrument, name: str) -> None:
    phases = [load_phase(n) for n in CORUNDUM_FLUORITE_ZINCITE]
    result = analyze(read_scan(cpd / f"{name}-pure.prn"), phases, calibrated)
    assert result.fractions[name] > 99.5
    fitted = {p.name: p for p in result.phases}[name]
    published = load_phase(name).cell
    assert fitted.cell is not None
    assert fitted.cell[:3] == pytest.approx(published[:3], rel=1e-3)


@pytest.mark.parametrize("wrong", ["fluorite", "zincite"])
def test_the_wrong_standard_is_refused(cpd: Path, start: Instrument, wrong: str) -> None:
    scan = read_scan(cpd / "corundum-pure.prn")
    with pytest.raises(ScanError, match=f"{wrong} does not explain") as raised:
        calibrate(scan, load_phase(wrong), start, name="x")
    assert raised.value.file is not None and raised.value.file.endswith("corundum-pure.prn")


def test_glass_is_no_standard(cpd: Path, start: Instrument) -> None:
    with pytest.raises(ScanError, match="does not explain"):
        calibrate(read_scan(cpd / "silica-glass-pure.prn"), load_phase("corundum"), start, name="x")


def test_a_file_without_wavelength_asks_for_it(cpd: Path) -> None:
    with pytest.raises(RadiationError, match="does not say") as raised:
        analyze(read_scan(cpd / "corundum-pure.prn"), [load_phase("corundum")])
    assert "--radiation" in raised.value.remedy


@pytest.fixture(scope="module")
def dara_phases(data_dir: Path) -> dict[str, Crystal]:
    folder = data_dir / "measured" / "dara"
    with (folder / "phases.csv").open(encoding="utf-8", newline="") as file:
        return {
            row["name"]: dataclasses.replace(load_phase(str(folder / row["cif"])), name=row["name"])
            for row in csv.DictReader(file)
        }


@pytest.mark.slow
def test_oxide_mixtures_from_their_headers_alone(data_dir: Path, dara_phases: dict[str, Crystal]) -> None:
    """Another diffractometer, not calibrated; nickel oxide and bismite absorb too differently to be right."""
    samples = [s for s in weighed(data_dir / "measured" / "dara") if s[2]["scan"] == "8min"]
    assert len(samples) == 10
    errors = []
    for file, truth, _ in samples:
        result = analyze(read_scan(file), [dara_phases[name] for name in truth])
        assert result.provenance["radiation"] == "CuKa"
        assert Analysis.from_json(result.to_json()).fractions == result.fractions
        assert sum(result.fractions.values()) == pytest.approx(100)
        assert result.r_wp is not None and result.r_exp is not None and result.r_wp < 5 * result.r_exp
        errors.append(mean_error(result, truth))
    # Median 3.1, worst 13 when this was written.
    assert np.median(errors) < 4.5
    assert max(errors) < 16
