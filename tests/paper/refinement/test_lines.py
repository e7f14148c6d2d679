"""Line lists of all materials at once, against those of one material from structure factors."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from mixrd.crystal import strain_basis
from mixrd.errors import ParameterError
from mixrd.paper.dataset_recipe import DatasetRecipe
from mixrd.paper.figure1_settings import Figure1Settings
from mixrd.paper.pool import load_pool
from mixrd.paper.refinement.lines import (
    LineTable,
    largest_stretch,
    placed_lines,
    reflections_of,
)

#: Cubic, tetragonal, hexagonal, orthorhombic, monoclinic and triclinic ones are among them.
POOL = load_pool(28)
RECIPE = DatasetRecipe(POOL, strains=2, validation_share=0.0, test_strains=6)
TABLE = LineTable(RECIPE, Figure1Settings())


@pytest.mark.parametrize("material", [0, 2, 7, 12, 13, 17, 18, 22, 24, 26])
def test_agrees_with_structure_factors(material: int) -> None:
    crystal = RECIPE.crystals[material]
    strain = torch.from_numpy(RECIPE.amplitudes(crystal, "test").copy())
    reflections = reflections_of(RECIPE, material, largest_stretch(crystal, RECIPE))
    exact = placed_lines(reflections, strain, RECIPE.wavelength_angstrom)
    padded = torch.nn.functional.pad(strain, (0, TABLE.most_components - strain.shape[1]))
    lines = TABLE.at(torch.full((6,), material), padded.float())
    for copy in range(6):
        own, theirs = lines.copy == copy, exact.copy == copy
        order = lines.position[own].argsort()
        position, area = lines.position[own][order].double(), lines.area[own][order].double()
        # Every line of the one list belongs to one of the other; those that coincide are added up.
        nearest = (exact.position[theirs].unsqueeze(1) - position).abs().argmin(1)
        assert (exact.position[theirs] - position[nearest]).abs().max() < 1e-4
        total = torch.zeros_like(position).index_add(0, nearest, exact.area[theirs])
        # Lines that happen to be close for this strain are not told apart by the nearest one.
        apart = torch.diff(position, prepend=position[:1] - 1) > 1e-3
        apart &= torch.diff(position, append=position[-1:] + 1) > 1e-3
        assert (total / total[area.argmax()] - area)[apart].abs().max() < 1e-4
    assert lines.area.max() <= 1 + 1e-6


@pytest.mark.parametrize("scaling", ["maximum", "area", "none"])
def test_derivatives(scaling: str) -> None:
    table = LineTable(RECIPE, Figure1Settings(scaling=scaling))
    material = torch.tensor([0, 7, 18])
    generator = torch.Generator().manual_seed(0)
    strain = 0.06 * torch.rand(3, table.most_components, generator=generator) - 0.03
    has = torch.arange(table.most_components) < table.components[material].unsqueeze(1)
    strain = strain * has
    lines = table.at(material, strain)
    step = 2e-3
    for component in range(table.most_components):
        shift = torch.zeros_like(strain)
        shift[:, component] = step * has[:, component]
        up, down = table.at(material, strain + shift), table.at(material, strain - shift)
        moved = (up.position - down.position) / (2 * step)
        assert (
            moved - lines.position_rate[:, component]
        ).abs().max() < 1e-2 * lines.position_rate.abs().max()
        grown = (up.area - down.area) / (2 * step)
        scale = lines.area_rate.abs().max()
        assert (grown - lines.area_rate[:, component]).abs().max() < 2e-2 * scale


def test_a_strain_that_a_material_lacks_does_nothing() -> None:
    cubic = next(n for n, c in enumerate(RECIPE.crystals) if len(strain_basis(c)) == 1)
    strain = torch.zeros(2, TABLE.most_components)
    strain[1, 1:] = 0.03
    lines = TABLE.at(torch.tensor([cubic, cubic]), strain)
    half = len(lines.area) // 2
    assert torch.equal(lines.position[:half], lines.position[half:])


def test_lines_of_another_simulator_have_no_derivatives() -> None:
    with pytest.raises(ParameterError, match="pymatgen"):
        LineTable(dataclasses.replace(RECIPE, simulator="pymatgen"), Figure1Settings())
