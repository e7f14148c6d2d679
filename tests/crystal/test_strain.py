"""Strain: as many components as the crystal system allows, in any setting."""

from __future__ import annotations

from dataclasses import replace

import gemmi
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixrd.crystal import Crystal, Site, cell_of, strain_basis, strained_cell
from mixrd.phases import catalog_entry


def crystal_of(group: str, cell: tuple[float, ...]) -> Crystal:
    found = gemmi.find_spacegroup_by_name(group)
    assert found is not None
    return Crystal(
        name=group,
        cell=cell,  # type: ignore[arg-type]
        space_group=found.xhm(),
        symmetry_operations=tuple(op.triplet() for op in found.operations()),
        sites=(Site("O", "O", (0.11, 0.23, 0.37), 1.0, 0.01),),
    )


SETTINGS = {
    "P -1": ((5.0, 6.0, 7.0, 85.0, 95.0, 105.0), 6),
    "P 1 21/c 1": ((5.0, 6.0, 7.0, 90.0, 95.0, 90.0), 4),
    "P 1 1 21/b": ((5.0, 6.0, 7.0, 90.0, 90.0, 95.0), 4),
    "P 21/b 1 1": ((5.0, 6.0, 7.0, 95.0, 90.0, 90.0), 4),
    "A 1 2/n 1": ((5.0, 6.0, 7.0, 90.0, 115.0, 90.0), 4),
    "P n m a": ((5.0, 6.0, 7.0, 90.0, 90.0, 90.0), 3),
    "C m c m": ((5.0, 6.0, 7.0, 90.0, 90.0, 90.0), 3),
    "I 41/a m d": ((5.0, 5.0, 7.0, 90.0, 90.0, 90.0), 2),
    "P 4/m": ((5.0, 5.0, 7.0, 90.0, 90.0, 90.0), 2),
    "P 31 2 1": ((5.0, 5.0, 7.0, 90.0, 90.0, 120.0), 2),
    "R -3 c:H": ((5.0, 5.0, 17.0, 90.0, 90.0, 120.0), 2),
    "R -3 c:R": ((6.4, 6.4, 6.4, 46.0, 46.0, 46.0), 2),
    "P 63/m": ((5.0, 5.0, 7.0, 90.0, 90.0, 120.0), 2),
    "P a -3": ((5.0, 5.0, 5.0, 90.0, 90.0, 90.0), 1),
    "F m -3 m": ((5.0, 5.0, 5.0, 90.0, 90.0, 90.0), 1),
}


@pytest.mark.parametrize("group", SETTINGS)
def test_number_of_components(group: str) -> None:
    cell, expected = SETTINGS[group]
    assert len(strain_basis(crystal_of(group, cell))) == expected


@pytest.mark.parametrize("group", SETTINGS)
def test_strained_cell_keeps_the_symmetry(group: str) -> None:
    cell, size = SETTINGS[group]
    crystal = crystal_of(group, cell)
    changed = strained_cell(crystal, np.linspace(0.004, 0.012, size))
    # Crystal itself refuses a cell that lacks the symmetry; here the demand is a thousand times sharper.
    metric = replace(crystal, cell=changed).lattice
    metric = metric @ metric.T
    for op in crystal.symmetry_operations:
        rotation = np.array(gemmi.Op(op).rot) / gemmi.Op.DEN
        assert rotation.T @ metric @ rotation == pytest.approx(metric, abs=1e-9)
    assert changed != pytest.approx(cell, rel=1e-4)


def test_cubic_component_is_the_relative_change_of_a() -> None:
    cell = strained_cell(catalog_entry("silicon").crystal, np.array([0.01]))
    a = catalog_entry("silicon").crystal.cell[0]
    assert cell == pytest.approx((1.01 * a, 1.01 * a, 1.01 * a, 90.0, 90.0, 90.0))


def test_uniaxial_components_are_a_and_c() -> None:
    crystal = catalog_entry("corundum").crystal
    a, c = crystal.cell[0], crystal.cell[2]
    cell = strained_cell(crystal, np.array([0.002, -0.003]))
    assert cell == pytest.approx((1.002 * a, 1.002 * a, 0.997 * c, 90.0, 90.0, 120.0))


def test_no_strain_is_the_same_cell() -> None:
    for name in ("microcline", "gypsum", "corundum"):
        crystal = catalog_entry(name).crystal
        same = strained_cell(crystal, np.zeros(len(strain_basis(crystal))))
        assert same == pytest.approx(crystal.cell, abs=1e-10)


@given(
    lengths=st.tuples(*[st.floats(2.0, 30.0)] * 3),
    angles=st.tuples(*[st.floats(60.0, 119.0)] * 3),
)
def test_cell_of_inverts_the_lattice(
    lengths: tuple[float, float, float], angles: tuple[float, float, float]
) -> None:
    cell = (*lengths, *angles)
    lattice = np.array(gemmi.UnitCell(*cell).orth.mat.tolist()).T
    if gemmi.UnitCell(*cell).volume < 1.0:
        return
    assert cell_of(lattice) == pytest.approx(cell, rel=1e-9)
