"""What networks with heads have to know of a cell's materials and patterns, as plain data for their files."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch

from mixrd.crystal import strain_basis
from mixrd.diffraction import lorentz_polarization, strained_sticks
from mixrd.diffraction.bragg import sine_from_inverse_d
from mixrd.network.registry import options_of
from mixrd.paper.cells import Cell
from mixrd.paper.dataset_recipe import DatasetRecipe
from mixrd.paper.figure1_settings import Figure1Settings
from mixrd.paper.refinement.lines import largest_stretch, reflections_of, same_lines

#: Lines of a candidate that a network looks at, the faintest of them relative to the strongest, and how far
#: beyond the range an unstrained line may lie.
_MOST_LINES, _FAINTEST, _BEYOND = 16, 0.004, 0.09
#: Digits behind the point of what is kept in a file.
_DIGITS = 6


def network_options(cell: Cell) -> dict[str, Any]:
    """Those of the options below that the cell's architecture takes.

    Returns
    -------
    dict
        `strain_components`, `max_strain`, `shape_ranges` as in `mixrd.network.HeadedNetwork`; `lines`,
        `bases`, `wavelength_angstrom`, `start_deg`, `step_deg` as in `mixrd.network.MatchedNetwork`.
    """
    wanted = options_of(cell.architecture)
    recipe = cell.protocol.dataset(cell.crystals)
    makers: dict[str, Callable[[], Any]] = {
        "strain_components": lambda: tuple(len(strain_basis(c, recipe.strain)) for c in cell.crystals),
        "max_strain": lambda: recipe.max_strain,
        "shape_ranges": lambda: shape_ranges(cell.figure1()),
        "lines": lambda: tuple(candidate_lines(recipe, number) for number in range(cell.n)),
        "bases": lambda: tuple(strain_basis(c, recipe.strain).round(_DIGITS).tolist() for c in cell.crystals),
        "wavelength_angstrom": lambda: cell.protocol.figure1.wavelength_angstrom,
        "start_deg": lambda: cell.protocol.figure1.start_deg,
        "step_deg": lambda: cell.protocol.figure1.step_deg,
    }
    return {name: make() for name, make in makers.items() if name in wanted}


def shape_ranges(settings: Figure1Settings) -> tuple[tuple[float, float], ...]:
    """Ranges of ln size, eta, background level and ln decay in patterns of these settings."""
    reach = float(settings.two_theta[-1] - settings.two_theta[0])
    fall = settings.background
    return (
        (math.log(settings.size_nm[0]), math.log(settings.size_nm[1])),
        settings.eta,
        fall.level,
        (math.log(reach * fall.decay[0]), math.log(reach * fall.decay[1])),
    )


def candidate_lines(recipe: DatasetRecipe, material: int) -> list[tuple[float, ...]]:
    """The strongest lines of a material, unstrained, as `mixrd.network.MatchedNetwork` takes them.

    Lines that a strain may bring into the range of the dataset are among them; those fainter than
    `_FAINTEST` of the strongest are not.
    """
    low, high = recipe.two_theta_range
    table = reflections_of(recipe, material, largest_stretch(recipe.crystals[material], recipe))
    sticks = strained_sticks(table, torch.zeros(1, len(table.strain_basis), dtype=table.g.dtype))
    sine = sine_from_inverse_d(
        inverse_d=sticks.g_squared[0].sqrt(), wavelength_angstrom=recipe.wavelength_angstrom
    )
    two_theta = 2 * torch.arcsin(sine.clamp_max(1 - 1e-12))
    area = sticks.intensity[0] * lorentz_polarization(two_theta, monochromator_two_theta=0.0)
    degrees = torch.rad2deg(two_theta)
    area = area.masked_fill((degrees < low * (1 - _BEYOND)) | (degrees > high * (1 + _BEYOND)), 0.0)
    # Lines that no strain tells apart are one.
    line = same_lines(table, recipe.max_strain)
    kinds = int(line.max()) + 1
    first = torch.full((kinds,), len(line)).scatter_reduce(0, line, torch.arange(len(line)), "amin")
    total = area.new_zeros(kinds).index_add(0, line, area)
    total = total / total.max()
    strongest = [n for n in total.argsort(descending=True)[:_MOST_LINES].tolist() if total[n] > _FAINTEST]
    return [
        (*(round(float(x), _DIGITS) for x in table.g[first[n]]), round(float(total[n]), _DIGITS))
        for n in strongest
    ]
