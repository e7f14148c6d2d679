"""The two simulators of line lists, and the Bragg equation."""

from __future__ import annotations

import math
from typing import Any

import gemmi
import numpy as np
import pytest
import torch

import mixrd.diffraction.sticks
from mixrd.crystal import Crystal, StrainMode, strain_basis
from mixrd.errors import CrystalError, RadiationError
from mixrd.paper.simulators import (
    SIMULATORS,
    Lines,
    SimulatorName,
    mixrd_lines,
    pymatgen_lines,
)
from mixrd.phases import load_phase

pytest.importorskip("pymatgen")
WAVELENGTH, RANGE = 1.54184, (10.0, 50.0)
#: One of each crystal system, chosen before comparing.
PHASES = ("fluorite", "rutile", "calcite", "zincite", "aragonite", "gypsum", "kaolinite")
MODES: tuple[StrainMode, ...] = ("symmetry", "general")


def strains(crystal: Crystal, mode: StrainMode, copies: int = 2) -> np.ndarray:
    count = len(strain_basis(crystal, mode))
    return np.random.default_rng(1).uniform(-0.05, 0.05, (copies, count))


def summed(lines: Lines, edges: np.ndarray) -> np.ndarray:
    return np.histogram(lines[0], bins=edges, weights=lines[1])[0]


def difference(ours: Lines, theirs: Lines) -> tuple[float, float]:
    """Largest distance (degrees) of a line that can be seen to the other's nearest, and of areas (of 100)."""
    worst = 0.0
    for some, other in ((ours, theirs), (theirs, ours)):
        seen = some[0][some[1] > 0.01]
        worst = max(worst, float(np.abs(seen[:, None] - other[0]).min(axis=1).max()))
    merged = np.sort(np.concatenate([ours[0], theirs[0]]))
    gaps = np.flatnonzero(np.diff(merged) > 1e-4)
    edges = np.concatenate([[0.0], (merged[gaps] + merged[gaps + 1]) / 2, [180.0]])
    return worst, float(np.abs(summed(ours, edges) - summed(theirs, edges)).max())


def use_pymatgens_form_factors(monkeypatch: pytest.MonkeyPatch, crystal: Crystal) -> None:
    from pymatgen.analysis.diffraction.xrd import ATOMIC_SCATTERING_PARAMS

    elements = list(dict.fromkeys(site.element for site in crystal.sites))

    def squared(table: Any, g_squared: torch.Tensor) -> torch.Tensor:
        s_squared = g_squared.unsqueeze(-1) / 4
        factors = []
        for element in elements:
            a, b = torch.tensor(ATOMIC_SCATTERING_PARAMS[element], dtype=torch.float64).T
            bound = (a * torch.exp(-b * s_squared)).sum(-1)
            factors.append(gemmi.Element(element).atomic_number - 41.78214 * g_squared / 4 * bound)
        waves = torch.einsum("brg,xrg->xbr", torch.stack(factors, dim=-1), table.phase_sums)
        return waves.square().sum(0)

    monkeypatch.setattr(mixrd.diffraction.sticks, "_structure_factor_squared", squared)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", PHASES)
def test_simulators_agree(name: str, mode: StrainMode, monkeypatch: pytest.MonkeyPatch) -> None:
    crystal = load_phase(name)
    amplitudes = strains(crystal, mode)
    theirs = pymatgen_lines(crystal, amplitudes, mode, WAVELENGTH, RANGE)
    ours = mixrd_lines(crystal, amplitudes, mode, WAVELENGTH, RANGE)
    for mine, other in zip(ours, theirs, strict=True):
        position, area = difference(mine, other)
        assert position < 1e-6
        # Another table of form factors: per cent of the strongest line.
        assert area < 2.5
    use_pymatgens_form_factors(monkeypatch, crystal)
    same_table = mixrd_lines(crystal, amplitudes, mode, WAVELENGTH, RANGE)
    for mine, other in zip(same_table, theirs, strict=True):
        # Left is how each puts a published 0.3333 on its special position.
        assert difference(mine, other)[1] < 0.01


@pytest.mark.parametrize("simulator", SIMULATORS)
def test_lines_obey_bragg(simulator: SimulatorName) -> None:
    crystal = load_phase("halite")
    (lines,) = SIMULATORS[simulator](crystal, np.array([[0.03]]), "symmetry", WAVELENGTH, RANGE)
    edge = 1.03 * crystal.cell[0]
    expected = [2 * math.degrees(math.asin(WAVELENGTH * math.sqrt(n) / (2 * edge))) for n in (3, 4, 8)]
    np.testing.assert_allclose(lines[0], expected, atol=1e-6)
    assert lines[1].max() == pytest.approx(100.0)


def test_symmetric_strain_is_a_general_one() -> None:
    """An isotropic strain, once as the component of a cubic crystal and once as three of six."""
    crystal = load_phase("pyrite")
    symmetric = mixrd_lines(crystal, np.array([[0.02]]), "symmetry", WAVELENGTH, RANGE)[0]
    general = np.array([[0.02, 0.02, 0.02, 0.0, 0.0, 0.0]])
    other = mixrd_lines(crystal, general, "general", WAVELENGTH, RANGE)[0]
    np.testing.assert_allclose(symmetric[0], other[0], atol=1e-6)
    np.testing.assert_allclose(symmetric[1], other[1], rtol=1e-5)


def test_lines_move_into_the_range() -> None:
    """Halite's 200 line is outside 33-40 deg at rest, and inside when the cell shrinks by 5 %."""
    crystal = load_phase("halite")
    shrunk = mixrd_lines(crystal, np.array([[-0.05]]), "symmetry", WAVELENGTH, (33.0, 40.0))[0]
    assert len(shrunk[0]) == 1
    with pytest.raises(CrystalError, match="no line in the range"):
        mixrd_lines(crystal, np.array([[0.0], [-0.05]]), "symmetry", WAVELENGTH, (33.0, 40.0))
    with pytest.raises(RadiationError):
        mixrd_lines(crystal, np.array([[0.0]]), "symmetry", WAVELENGTH, (10.0, 20.0))
