from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from mixrd.errors import CrystalError, PhaseNotFoundError, UsageError
from mixrd.phases import keep_phase, load_phase, own_names, remove_phase


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MIXRD_PHASES", str(tmp_path / "phases"))
    return tmp_path / "phases"


def test_kept_found_and_removed() -> None:
    crystal = replace(load_phase("zincite"), cell=(3.3, 3.3, 5.3, 90.0, 90.0, 120.0))
    keep_phase(crystal, "My oxide")
    assert own_names() == ("My oxide",)
    found = load_phase("my-oxide")
    assert found == replace(crystal, name="My oxide")
    remove_phase("MY OXIDE")
    assert own_names() == ()
    with pytest.raises(PhaseNotFoundError):
        load_phase("my-oxide")


@pytest.mark.parametrize("name", ["zincite", "Zincite", "zinc oxide", "rutile"])
def test_names_that_ship_are_never_taken(name: str) -> None:
    with pytest.raises(UsageError, match="ships"):
        keep_phase(load_phase("zincite"), name, force=True)


@pytest.mark.parametrize("name", ["", "../evil", "a/b", "a.cif", "cod:9008877", ".hidden"])
def test_names_that_cannot_be(name: str, folder: Path) -> None:
    with pytest.raises(UsageError):
        keep_phase(load_phase("zincite"), name)
    assert not folder.exists()


def test_nothing_is_replaced_without_force() -> None:
    keep_phase(load_phase("zincite"), "mine")
    with pytest.raises(UsageError, match="--force"):
        keep_phase(load_phase("rutile"), "Mine")
    keep_phase(load_phase("rutile"), "Mine", force=True)
    assert own_names() == ("Mine",) and load_phase("mine").formula == load_phase("rutile").formula


def test_a_damaged_file_says_so(folder: Path) -> None:
    keep_phase(load_phase("zincite"), "mine")
    path = folder / "mine.json"
    for text in ("", "{}", json.dumps({"format": 99, "crystal": {}})):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(CrystalError, match="remove mine"):
            load_phase("mine")


def test_what_is_not_there_cannot_be_removed() -> None:
    with pytest.raises(PhaseNotFoundError, match="phases list"):
        remove_phase("mine")
