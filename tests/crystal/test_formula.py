"""Formulae: written in the order of Hill, compared."""

from __future__ import annotations

import gemmi
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixrd.crystal import atoms_of_formula, hill_formula
from mixrd.crystal.formula import composition_faults
from mixrd.errors import CrystalError

ELEMENTS = [gemmi.Element(z).name for z in range(1, 104)]
contents = st.dictionaries(st.sampled_from(ELEMENTS), st.integers(1, 400), min_size=1, max_size=8)


@pytest.mark.parametrize(
    ("text", "hill"),
    [
        ("CaCO3", "C Ca O3"),
        ("Ca(OH)2", "Ca H2 O2"),
        ("CaSO4·2H2O", "Ca H4 O6 S"),
        ("CH3CH2OH", "C2 H6 O"),
        ("NaCl", "Cl Na"),
        ("HCl", "Cl H"),
        ("C4 H2.57 Ca2 O10", "C4 H2.57 Ca2 O10"),
        ("Ca2 C4 O10 H2.57", "C4 H2.57 Ca2 O10"),
    ],
)
def test_order_of_hill(text: str, hill: str) -> None:
    assert hill_formula(atoms_of_formula(text)) == hill


@given(contents)
def test_what_is_written_is_read_again(content: dict[str, int]) -> None:
    assert atoms_of_formula(hill_formula(content)) == pytest.approx(content)


@given(contents, st.integers(1, 12))
def test_formula_units_do_not_matter_to_the_composition(content: dict[str, int], z: int) -> None:
    cell = {element: z * number for element, number in content.items()}
    assert composition_faults(content, cell, tolerance=1e-9) == []


def test_composition_names_what_differs_and_forgives_hydrogen() -> None:
    spinel = {"Co": 1, "Fe": 2, "O": 4}
    assert composition_faults(spinel, {"Co": 16, "Fe": 8, "O": 32}, tolerance=0.05) == ["Co", "Fe"]
    assert composition_faults({"Ca": 1, "O": 2, "H": 2}, {"Ca": 3, "O": 6}, tolerance=0.01) == []
    assert composition_faults({"O": 1, "H": 2}, {"O": 4, "D": 8}, tolerance=0.01) == []
    assert composition_faults({"Fe": 0.95, "O": 1}, {"Fe": 1, "O": 1}, tolerance=0.05) == []
    assert composition_faults({"Fe": 1, "O": 1}, {"Fe": 1}, tolerance=0.05) == ["Fe", "O"]


@pytest.mark.parametrize("text", ["Xx2", "calcite", "Ca(OH", "?", "2+"])
def test_what_is_no_formula_is_refused(text: str) -> None:
    with pytest.raises(CrystalError):
        atoms_of_formula(text)
