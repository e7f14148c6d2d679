"""|F|^2 of the frozen set against gemmi's calculator; the full table is that of study-forward."""

from __future__ import annotations

from pathlib import Path

import pytest
from frozen_set import FrozenStructure, frozen_crystals
from gemmi_oracle import EXPLAINED, GEMMI_SAME_ATOM, gemmi_deviation, nearest_image

from mixrd.crystal import Crystal
from mixrd.crystal.validity import SAME_ATOM_ANGSTROM

#: Of the largest |F|^2.
TOLERANCE = 1e-5
#: The study compares all reflections.
SHORT = 60


@pytest.fixture(scope="module")
def crystals(data_dir: Path) -> list[tuple[FrozenStructure, Crystal]]:
    return list(frozen_crystals(data_dir))


def test_structure_factors(crystals: list[tuple[FrozenStructure, Crystal]]) -> None:
    """By gemmi's own expansion: symmetry, special positions, disorder, displacement, f' and f''."""
    found = {entry.identifier: gemmi_deviation(c, most_reflections=SHORT)[0] for entry, c in crystals}
    assert len(found) >= 70
    assert {name for name, value in found.items() if value > TOLERANCE} == set(EXPLAINED)


def test_explained_structures_agree_atom_by_atom(crystals: list[tuple[FrozenStructure, Crystal]]) -> None:
    explained = [(entry, crystal) for entry, crystal in crystals if entry.identifier in EXPLAINED]
    assert len(explained) == len(EXPLAINED)
    for _, crystal in explained:
        assert SAME_ATOM_ANGSTROM < nearest_image(crystal) < GEMMI_SAME_ATOM
        assert gemmi_deviation(crystal, expand=True)[0] < TOLERANCE


def test_no_other_structure_has_such_sites(crystals: list[tuple[FrozenStructure, Crystal]]) -> None:
    near = {entry.identifier for entry, crystal in crystals if nearest_image(crystal) < GEMMI_SAME_ATOM}
    assert near == set(EXPLAINED)
