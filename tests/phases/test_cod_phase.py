from __future__ import annotations

from pathlib import Path

import pytest
from cod_server import FakeCod, cif_text

from mixrd.errors import PhaseNotFoundError
from mixrd.phases import load_phase


def test_a_number_is_a_phase_and_asked_for_once(
    cod: FakeCod, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cod.cifs[9008678] = cif_text(9008678)
    monkeypatch.setenv("MIXRD_CACHE", str(tmp_path))
    monkeypatch.setenv("MIXRD_COD_URL", cod.url)
    halite = load_phase("cod:9008678")
    assert halite.formula == "NaCl" and "9008678" in halite.source
    asked = len(cod.paths())
    assert load_phase("COD:9008678").cell == halite.cell
    assert len(cod.paths()) == asked == 1


def test_what_is_no_number() -> None:
    for text in ("cod:", "cod:12", "cod:quartz"):
        with pytest.raises(PhaseNotFoundError, match="seven digits"):
            load_phase(text)


def test_an_unknown_number(cod: FakeCod, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIXRD_CACHE", str(tmp_path))
    monkeypatch.setenv("MIXRD_COD_URL", cod.url)
    with pytest.raises(PhaseNotFoundError):
        load_phase("cod:1000000")
