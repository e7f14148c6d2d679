"""`mixrd calibrate`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mixrd.pattern import load_instrument


@pytest.fixture(scope="session")
def standard(scan_file: Path) -> Path:
    """A simulated scan of pure fluorite, whose header names the wavelength."""
    from mixrd.cli import main

    path = scan_file.with_name("standard.xy")
    arguments = ["fluorite:1", "--instrument", "lab-cu", "--range", "24", "80", "--size-nm", "5000"]
    assert main(["simulate", *arguments, "-o", str(path)]) == 0
    return path


def test_finds_the_widths_that_were_simulated(run, standard: Path) -> None:
    shown = run("calibrate", standard, "--phase", "fluorite")
    assert shown.code == 0
    assert "R_wp" in shown.out
    found, true = load_instrument("instrument.toml").profile, load_instrument("lab-cu").profile
    assert found.w + found.x == pytest.approx(true.w + true.x, rel=0.3)
    assert Path("instrument.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("existing", ["mine.toml", "mine.png"])
def test_nothing_is_overwritten_without_force(run, standard: Path, existing: str) -> None:
    Path(existing).write_text("mine", encoding="utf-8")
    shown = run("calibrate", standard, "--phase", "fluorite", "-o", "mine.toml")
    assert shown.code == 2
    assert existing in shown.err
    assert Path(existing).read_text(encoding="utf-8") == "mine"


def test_scan_that_does_not_name_the_tube_says_what_to_give(run, nameless_scan: Path) -> None:
    shown = run("calibrate", nameless_scan, "--phase", "fluorite")
    assert shown.code == 2
    assert str(nameless_scan) in shown.err
    assert "--radiation" in shown.err


def test_wrong_phase_is_not_taken_for_a_calibration(run, standard: Path) -> None:
    shown = run("calibrate", standard, "--phase", "quartz")
    assert shown.code == 2
    assert "quartz" in shown.err
    assert not Path("instrument.toml").exists()


def test_other_ending_is_refused(run, standard: Path) -> None:
    shown = run("calibrate", standard, "--phase", "fluorite", "-o", "mine.json")
    assert shown.code == 2
    assert "mine.toml" in shown.err


def test_json_is_the_instrument_and_its_fit(run, standard: Path) -> None:
    shown = run("calibrate", standard, "--phase", "fluorite", "--json")
    found = json.loads(shown.out)
    assert found["instrument"]["name"] == "instrument"
    assert found["r_exp"] > 0 and found["r_wp"] < 0.5
    assert Path("instrument.toml").exists()
