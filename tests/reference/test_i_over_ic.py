"""I/I_corundum against a direct sum that shares no code with mixrd.diffraction."""

from __future__ import annotations

import numpy as np
import pytest
from direct_sum import corundum_113, operation, powder, strongest

from mixrd.experiments.catalog_check import powder_lines
from mixrd.phases import load_phase

#: The study compares the whole catalog.
PHASES = (
    "zincite",
    "rutile",
    "fluorite",
    "calcite",
    "quartz",
    "hydroxyapatite",
    "gypsum",
    "diopside",
    "silicon",
)


@pytest.fixture(scope="module")
def reference() -> float:
    return corundum_113(load_phase("corundum"))


@pytest.mark.parametrize("name", PHASES)
def test_ratio_of_strongest_lines(name: str, reference: float) -> None:
    assert powder_lines(load_phase(name))[1] == pytest.approx(
        strongest(load_phase(name)) / reference, rel=0.02
    )


def test_corundum_itself() -> None:
    angle, intensity = powder(load_phase("corundum"))
    lines = {at: intensity[np.abs(angle - at) < 0.02].sum() for at in angle[intensity > 0.01].round(2)}
    assert len(lines) > 3
    # (104), and (113) or (116), are its strongest lines.
    best = sorted(lines, key=lambda at: -lines[at])[:3]
    assert sorted(best) == pytest.approx([35.15, 43.35, 57.50], abs=0.1)


def test_triplets_are_understood() -> None:
    matrix, shift = operation("-x+y,y,z+1/2")
    assert matrix.tolist() == [[-1, 1, 0], [0, 1, 0], [0, 0, 1]]
    assert shift.tolist() == [0, 0, 0.5]
