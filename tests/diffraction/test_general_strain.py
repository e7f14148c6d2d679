"""General strain: equivalent reflections part, and everything else stays as with the symmetry kept."""

from __future__ import annotations

from dataclasses import replace

import gemmi
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mixrd.crystal import Cell, Crystal, strain_basis, strained_cell
from mixrd.diffraction import (
    Reflections,
    axis_cosines,
    march_dollase,
    radiation,
    reflections,
    strained_sticks,
)
from mixrd.errors import ParameterError
from mixrd.phases import load_phase

CU = radiation("CuKa1")
RANGE = (10.0, 80.0)
#: One of each crystal system, with and without inversion, anisotropic and isotropic.
PHASES = {
    "cubic": "pyrite",
    "hexagonal": "zincite",
    "trigonal": "quartz",
    "tetragonal": "rutile",
    "orthorhombic": "aragonite",
    "monoclinic": "gypsum",
    "triclinic": "microcline",
}


def table(crystal: Crystal, **options: object) -> Reflections:
    return reflections(crystal, CU, **({"two_theta_range": RANGE, "margin": 0.0} | options))


def sorted_lines(found: Reflections, strain: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """1/d^2 and intensity; lines of equal d are one."""
    sticks = strained_sticks(found, torch.tensor(strain, dtype=torch.float64).reshape(1, -1))
    g, intensity = (x[0].numpy() for x in (sticks.g_squared, sticks.intensity))
    order = np.argsort(g)
    group = np.cumsum(np.diff(g[order], prepend=g[order][0]) > 1e-9)
    return (
        np.bincount(group, weights=g[order]) / np.bincount(group),
        np.bincount(group, weights=intensity[order]),
    )


def assert_same_lines(one: tuple[np.ndarray, np.ndarray], other: tuple[np.ndarray, np.ndarray]) -> None:
    assert one[0] == pytest.approx(other[0], rel=1e-9)
    assert one[1] == pytest.approx(other[1], rel=1e-7, abs=1e-9 * float(other[1].max()))


@pytest.mark.parametrize("system", PHASES)
def test_without_strain_the_lines_are_those_of_the_symmetry(system: str) -> None:
    crystal = load_phase(PHASES[system])
    assert crystal.crystal_system == system
    kept, broken = table(crystal), table(crystal, strain="general")
    assert broken.strain_basis.shape == (6, 3, 3)
    assert set(broken.multiplicity.tolist()) == {2.0}
    assert broken.multiplicity.sum() == kept.multiplicity.sum()
    assert_same_lines(sorted_lines(broken, np.zeros(6)), sorted_lines(kept, np.zeros(len(kept.strain_basis))))


@pytest.mark.parametrize("system", PHASES)
def test_strain_that_the_symmetry_allows_is_the_same_in_both(system: str) -> None:
    crystal = load_phase(PHASES[system])
    kept, broken = table(crystal), table(crystal, strain="general")
    amplitudes = np.linspace(0.006, -0.009, len(kept.strain_basis))
    tensor = np.einsum("k,kij->ij", amplitudes, strain_basis(crystal))
    # The general basis holds the six components in this order, off-diagonal ones on both sides.
    general = tensor[[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]]
    assert np.einsum("k,kij->ij", general, strain_basis(crystal, "general")) == pytest.approx(tensor)
    assert strained_cell(crystal, general, "general") == pytest.approx(strained_cell(crystal, amplitudes))
    assert_same_lines(sorted_lines(broken, general), sorted_lines(kept, amplitudes))


def test_cubic_families_part_as_a_tetragonal_strain_says() -> None:
    """h00: 4 with a, 2 with c; hh0: 4 with a, 8 with both; hhh: all eight together."""
    crystal = load_phase("aluminium")
    found = table(crystal, strain="general")
    stretch = 0.01
    sticks = strained_sticks(found, torch.tensor([[0.0, 0.0, stretch, 0.0, 0.0, 0.0]], dtype=torch.float64))
    a = crystal.cell[0]

    def counts(*family: int) -> dict[float, int]:
        found_counts: dict[float, int] = {}
        for hkl, g, m in zip(found.hkl.tolist(), sticks.g_squared[0], found.multiplicity, strict=True):
            if sorted(map(abs, hkl)) == sorted(family):
                key = round(float(g) * a * a, 6)
                found_counts[key] = found_counts.get(key, 0) + int(m)
        return found_counts

    c = 1 / (1 + stretch) ** 2
    assert counts(2, 0, 0) == {4.0: 4, round(4 * c, 6): 2}
    assert counts(2, 2, 0) == {8.0: 4, round(4 + 4 * c, 6): 8}
    assert counts(1, 1, 1) == {round(2 + c, 6): 8}
    assert counts(3, 1, 1) == {round(10 + c, 6): 16, round(2 + 9 * c, 6): 8}


def in_p1(crystal: Crystal, cell: Cell) -> Crystal:
    """Every atom of the unit cell as a site of its own, at the same fractions of another cell."""
    lattice = replace(crystal, cell=cell, symmetry_operations=("x,y,z",), space_group="P 1").lattice
    lengths = np.linalg.norm(np.linalg.inv(lattice), axis=0)
    sites = []
    for index, fract, u_star in zip(
        crystal.atoms.site, crystal.atoms.fract, crystal.atoms.u_star, strict=True
    ):
        site = replace(crystal.sites[index], fract=tuple(fract))
        if site.u_aniso is not None:
            # The displacement tensor keeps its fractional components too.
            u = u_star / np.outer(lengths, lengths)
            site = replace(site, u_aniso=tuple(u[[0, 1, 2, 0, 0, 1], [0, 1, 2, 1, 2, 2]]))
        sites.append(site)
    return Crystal(crystal.name, cell, "P 1", ("x,y,z",), tuple(sites))


@pytest.mark.parametrize("system", PHASES)
def test_lines_are_those_of_a_triclinic_crystal_with_the_strained_lattice(system: str) -> None:
    crystal = load_phase(PHASES[system])
    amplitudes = np.array([0.004, -0.007, 0.009, 0.003, -0.002, 0.005])
    found = table(crystal, strain="general", margin=0.05)
    triclinic = in_p1(crystal, strained_cell(crystal, amplitudes, "general"))
    direct = table(triclinic)
    one, other = sorted_lines(found, amplitudes), sorted_lines(direct, np.zeros(6))
    limits = [(2 * np.sin(np.radians(x / 2)) / CU.wavelength_angstrom) ** 2 for x in RANGE]
    inside = (one[0] > limits[0]) & (one[0] < limits[1])
    strong = [i > 1e-8 * other[1].max() for i in (one[1], other[1])]
    assert_same_lines(
        tuple(x[inside & strong[0]] for x in one),  # type: ignore[arg-type]
        tuple(x[strong[1]] for x in other),  # type: ignore[arg-type]
    )


@given(
    amplitudes=st.lists(st.floats(-0.01, 0.01), min_size=6, max_size=6),
    choice=st.integers(0, 23),
)
@settings(max_examples=20, deadline=None)
def test_a_strain_turned_by_the_point_group_gives_the_same_powder(
    amplitudes: list[float], choice: int
) -> None:
    crystal = load_phase("pyrite")
    found = table(crystal, strain="general", two_theta_range=(25.0, 60.0))
    rotations = sorted({tuple(np.ravel(gemmi.Op(op).rot)) for op in crystal.symmetry_operations})
    # Cubic: rotations are the same in fractional and Cartesian axes.
    turn = np.array(rotations[choice]).reshape(3, 3) / gemmi.Op.DEN
    tensor = np.einsum("k,kij->ij", np.array(amplitudes), strain_basis(crystal, "general"))
    turned = (turn @ tensor @ turn.T)[[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]]
    one, other = (
        strained_sticks(found, torch.tensor([list(x)], dtype=torch.float64)) for x in (amplitudes, turned)
    )
    for name in ("g_squared", "intensity"):
        left, right = (getattr(sticks, name)[0].sort().values for sticks in (one, other))
        torch.testing.assert_close(left, right, rtol=1e-8, atol=1e-9 * float(left.max()))


def test_texture_of_separate_reflections_averages_to_that_of_the_line() -> None:
    crystal = load_phase("calcite")
    kept, broken = table(crystal), table(crystal, strain="general")
    r = torch.tensor([[0.7]], dtype=torch.float64)
    merged = march_dollase(torch.tensor(axis_cosines(crystal, kept.hkl, (1, 0, 4))), r)[0]
    own = axis_cosines(crystal, broken.hkl, (1, 0, 4), merged=False)
    assert own.shape == (len(broken), 1)
    separate = march_dollase(torch.tensor(own), r)[0]
    lines, counts = ((t.multiplicity * x).numpy() for t, x in ((kept, merged), (broken, separate)))
    assert counts.sum() == pytest.approx(lines.sum())
    # 104 itself: of its six equivalents two (a pair) lie flat.
    row = [tuple(map(abs, hkl)) for hkl in kept.hkl.tolist()].index((1, 0, 4))
    spacing = (kept.g[row] ** 2).sum()
    family = np.flatnonzero(np.isclose((broken.g**2).sum(1), spacing, rtol=1e-6))
    assert len(family) == 3
    assert sorted(np.isclose(own[family, 0], 1.0)) == [False, False, True]
    assert separate[family].mean() == pytest.approx(float(merged[row]))


def test_unknown_kind_of_strain() -> None:
    with pytest.raises(ParameterError, match="strain 'plastic' is unknown"):
        table(load_phase("iron"), strain="plastic")
