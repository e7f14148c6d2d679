from __future__ import annotations

import json
from pathlib import Path

import pytest

from mixrd.export.formats.cif import phase_cif
from mixrd.export.handover import HandedPhase
from mixrd.phases import load_phase


@pytest.fixture
def cif(run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MIXRD_PHASES", str(tmp_path / "own"))
    crystal = load_phase("zincite")
    phase = HandedPhase("z", "z", crystal, 100.0, None, None, 1.0, 0.0, 0.0, None, 1.0)
    path = Path("measured-zno.cif")
    path.write_text(phase_cif(phase), encoding="utf-8")
    return path


def test_add_list_use_remove(run, cif: Path) -> None:
    assert run("phases", "add", cif, "--formula", "ZnO", "--second", cif).code == 0
    assert json.loads(run("phases", "list", "--json").out)[0]["name"] == "measured-zno"
    assert "own:" in run("phases", "zno").out and "measured-zno" in run("phases", "zno").out
    cif.unlink()
    made = run("simulate", "measured-zno:50", "fluorite:50", "--instrument", "lab-cu", "-o", "scan.xy")
    assert made.code == 0, made.err
    assert run("phases", "remove", "measured-zno").code == 0
    assert "0 phases" in run("phases", "list").err


def test_doubts_are_said_and_forced(run, cif: Path) -> None:
    refused = run("phases", "add", cif, "--formula", "Zn3O")
    assert refused.code == 2 and "was not kept" in refused.err
    assert run("phases", "list", "--json").out.strip() == "[]"
    assert run("phases", "add", cif, "--formula", "Zn3O", "--force").code == 0


def test_names_that_ship(run, cif: Path) -> None:
    refused = run("phases", "add", cif, "--name", "zincite", "--force")
    assert refused.code == 2 and "ships" in refused.err


def test_searching_goes_on_as_before(run, cif: Path) -> None:
    assert "aragonite" in run("phases", "carbonate").out
    assert json.loads(run("phases", "--json").out)


def test_the_catalog_is_shown_beside_a_phase_that_is_damaged(run, cif: Path) -> None:
    assert run("phases", "add", cif).code == 0
    (kept,) = (cif.parent / "../own").glob("*.json")
    kept.write_text("{", encoding="utf-8")
    shown = run("phases", "zincite")
    assert shown.code == 0 and "zincite" in shown.out
    assert "own cannot be listed" in shown.err and "mixrd phases remove measured-zno" in shown.err
