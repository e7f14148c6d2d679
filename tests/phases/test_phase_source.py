"""Sources of phases: in which order they are asked, and one alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mixrd.crystal import Crystal
from mixrd.errors import ParameterError, PhaseNotFoundError
from mixrd.phases import (
    PhaseSource,
    keep_phase,
    load_phase,
    phase_source,
    phase_sources,
    register_phase_source,
)


@pytest.fixture
def cellar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Names that a source from outside was asked for; it has rutile under three names."""
    monkeypatch.setenv("MIXRD_PHASES", str(tmp_path / "own"))
    asked: list[str] = []
    stock = {
        name: replace(load_phase("rutile"), name=name, source="the cellar") for name in ("a", "b", "halite")
    }

    def find(name: str) -> Crystal | None:
        asked.append(name)
        return stock.get(name)

    register_phase_source(PhaseSource("cellar", find, stock.values))
    yield asked
    phase_source._REGISTRY.remove("cellar")


def test_mixrd_comes_first_and_files_last(cellar: list[str]) -> None:
    assert [source.name for source in phase_sources()] == ["catalog", "own", "cellar", "cod", "cif"]
    assert load_phase("halite").source != "the cellar"
    keep_phase(load_phase("zincite"), "b")
    assert load_phase("b").formula == "ZnO"
    assert cellar == []
    assert load_phase("a").source == "the cellar"
    assert cellar == ["a"]


def test_a_source_is_asked_alone_by_its_name(cellar: list[str]) -> None:
    keep_phase(load_phase("zincite"), "b")
    assert load_phase("cellar:halite").formula == load_phase("CELLAR: b").formula == "TiO2"
    assert load_phase("own:b").formula == "ZnO" and load_phase("catalog:halite") == load_phase("halite")
    for name in ("cellar:fluorite", "catalog:b", "celler:b", "cellar:"):
        with pytest.raises(PhaseNotFoundError, match=f"unknown phase '{name}'"):
            load_phase(name)


def test_what_is_listed_is_searched_by_name_formula_and_source(cellar: list[str]) -> None:
    (source,) = (one for one in phase_sources() if one.name == "cellar")
    found = {text: [c.name for c in source.search(text)] for text in ("", "TiO2", "hal", "cell", "fluor")}
    assert found == {"": ["a", "b", "halite"], "TiO2": ["a", "b", "halite"], "hal": ["halite"],
                     "cell": ["a", "b", "halite"], "fluor": []}  # fmt: skip


def test_a_name_is_taken_once(cellar: list[str]) -> None:
    with pytest.raises(ParameterError, match="source of phases 'cellar' already"):
        register_phase_source(PhaseSource("cellar", lambda name: None))
