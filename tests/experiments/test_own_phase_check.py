from __future__ import annotations

from dataclasses import replace

import pytest

from mixrd.experiments.own_phase_check import structure_doubts
from mixrd.phases import load_phase


@pytest.mark.parametrize("name", ["corundum", "fluorite", "gypsum"])
def test_good_structures_raise_no_doubt(name: str) -> None:
    crystal = load_phase(name)
    assert structure_doubts(crystal) == ()
    assert structure_doubts(crystal, second=crystal) == ()


def test_another_formula() -> None:
    assert "Al" in structure_doubts(load_phase("corundum"), formula="AlO3")[0]


def test_a_shrunken_cell() -> None:
    fluorite = load_phase("fluorite")
    small = replace(fluorite, cell=(3.2, 3.2, 3.2, 90.0, 90.0, 90.0))
    assert any(" A from " in doubt for doubt in structure_doubts(small))


def test_the_second_determination_counts() -> None:
    doubts = structure_doubts(load_phase("zincite"), second=load_phase("periclase"))
    assert any("density" in doubt for doubt in doubts)
