"""The catalog: how phases are found, and what it promises of its entries."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mixrd.crystal import Crystal, strain_basis, strained_cell
from mixrd.errors import CrystalError, PhaseNotFoundError
from mixrd.phases import (
    PublishedPattern,
    catalog_entry,
    catalog_names,
    check_distinct,
    load_phase,
    search_catalog,
)


def test_at_least_sixty_phases() -> None:
    assert len(catalog_names()) >= 60


@pytest.mark.parametrize("name", catalog_names())
def test_entry_is_complete(name: str) -> None:
    entry = catalog_entry(name)
    assert entry.name == name == entry.crystal.name
    assert entry.formula
    assert entry.category
    assert len(entry.crystal.source) > 20, "reference of the structure"
    second = entry.second
    assert len(second.source) > 20, "reference of the second determination"
    assert second.source != entry.crystal.source
    if isinstance(second, PublishedPattern):
        assert len(second.lines) >= 3


def test_no_name_or_alias_is_claimed_twice() -> None:
    owners: dict[str, set[str]] = {}
    for name in catalog_names():
        for text in (name, *catalog_entry(name).aliases):
            key = "".join(ch for ch in text.lower() if ch not in " -_")
            owners.setdefault(key, set()).add(name)
    assert {key: names for key, names in owners.items() if len(names) > 1} == {}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("corundum", "corundum"),
        ("Corundum", "corundum"),
        ("ZnO", "zincite"),
        ("zinc oxide", "zincite"),
        ("Zinc-Oxide", "zincite"),
        ("LaB6", "lanthanum-hexaboride"),
        ("CeO2", "cerianite"),
    ],
)
def test_phase_by_name_and_alias(text: str, name: str) -> None:
    assert load_phase(text).name == name


@pytest.mark.parametrize(
    ("text", "meant"), [("corundun", "corundum"), ("flourite", "fluorite"), ("zinkite", "zincite")]
)
def test_unknown_name_suggests_the_nearest(text: str, meant: str) -> None:
    with pytest.raises(PhaseNotFoundError, match=f"unknown phase '{text}'") as caught:
        load_phase(text)
    assert meant in caught.value.remedy
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("text", ["", "#", "xyzzyplugh", "x" * 5000, "a\0b"])
def test_hopeless_name_is_still_a_typed_error(text: str) -> None:
    with pytest.raises(PhaseNotFoundError, match="unknown phase"):
        load_phase(text)


def test_file_of_a_phases_name_does_not_hide_the_phase(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "quartz").write_text("notes about quartz")
    monkeypatch.chdir(tmp_path)
    assert load_phase("quartz").formula == "SiO2"


def test_search_by_name_alias_formula_and_category() -> None:
    def names(text: str) -> set[str]:
        return {entry.name for entry in search_catalog(text)}

    assert names("") == set(catalog_names())
    assert "zincite" in names("zinc")
    assert {"rutile", "anatase", "brookite"} <= names("TiO2")
    assert "calcite" in names("carbonate")
    assert names("no such thing") == set()


def test_distinct_phases_pass() -> None:
    check_distinct([catalog_entry(name).crystal for name in ("rutile", "anatase", "brookite", "quartz")])


def test_all_of_the_catalog_is_distinct() -> None:
    check_distinct([catalog_entry(name).crystal for name in catalog_names()])


def test_same_name_twice_is_refused() -> None:
    corundum = load_phase("corundum")
    with pytest.raises(CrystalError, match="corundum and corundum are the same structure"):
        check_distinct([corundum, load_phase("rutile"), corundum])


@pytest.mark.parametrize("name", catalog_names())
def test_same_structure_under_another_name_is_refused(name: str) -> None:
    crystal = catalog_entry(name).crystal
    strain = np.full(len(strain_basis(crystal)), 5e-4)
    other = replace(crystal, name="other", cell=strained_cell(crystal, strain))
    with pytest.raises(CrystalError, match=f"{name} and other are the same structure"):
        check_distinct([crystal, other])


def test_primitive_and_conventional_cell_are_the_same_structure() -> None:
    iron = load_phase("iron")
    a = iron.cell[0]
    primitive = Crystal(
        name="primitive iron",
        cell=(a * 3**0.5 / 2,) * 3 + (109.4712206,) * 3,
        space_group="P 1",
        symmetry_operations=("x,y,z",),
        sites=(replace(iron.sites[0], fract=(0.0, 0.0, 0.0)),),
    )
    with pytest.raises(CrystalError, match="same structure"):
        check_distinct([iron, primitive])
