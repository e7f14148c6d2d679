"""Lines of strained copies of a material and their derivatives by the strain, many copies at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mixrd.crystal import Crystal, strain_basis
from mixrd.diffraction import (
    Lines,
    Reflections,
    Scattering,
    lorentz_polarization,
    radiation,
    reflections,
    strained_sticks,
)
from mixrd.diffraction import LineTable as DiffractionLines
from mixrd.diffraction.bragg import sine_from_inverse_d
from mixrd.errors import ParameterError
from mixrd.paper.dataset_recipe import DatasetRecipe
from mixrd.paper.figure1_settings import Figure1Settings
from mixrd.paper.simulators import STRONGEST

#: Lines whose 1/d^2 differ by less than this share under every strain are one line.
_SAME = 1e-9
#: Lines nearer to 180 degrees are off every grid.
_LARGEST_SINE = 1 - 1e-6
#: Steps of the strain that coinciding lines are sought at, and seed of their directions.
_TRIALS, _TRIAL_SEED = 3, 0


@dataclass(frozen=True, eq=False)
class LineBatch:
    """All lines of S copies, one copy after the other: L in all.

    Attributes
    ----------
    copy : (L,) int64 tensor
        Which copy a line is of.
    position, area : (L,) tensor
        In degrees 2theta, and in the unit of `strained_sticks` or degrees times the unit of the pattern.
    position_rate, area_rate : (L, C) tensor
        By the strain amplitudes.
    """

    copy: Tensor
    position: Tensor
    area: Tensor
    position_rate: Tensor
    area_rate: Tensor


def reflections_of(recipe: DatasetRecipe, material: int, margin: float) -> Reflections:
    """Lines of a material that come into the dataset's range under strains of eigenvalues up to `margin`."""
    return reflections(
        recipe.crystals[material],
        radiation(recipe.wavelength_angstrom),
        two_theta_range=recipe.two_theta_range,
        margin=margin + 1e-6,
        strain=recipe.strain,
        scattering=Scattering(anomalous=False, thermal=False),
    )


def placed_lines(table: Reflections, strain: Tensor, wavelength_angstrom: float) -> LineBatch:
    """Lines of copies of a material strained by (S, C) amplitudes, in the unit of `strained_sticks`."""
    lines = DiffractionLines([table], dtype=strain.dtype).at(
        torch.zeros(len(strain), dtype=torch.long), strain
    )
    return LineBatch(lines.copy, *_on_detector(lines, wavelength_angstrom))


def _on_detector(lines: Lines, wavelength_angstrom: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Positions in degrees and areas of lines (L,), and the derivatives of both by the strains (L, C)."""
    g_squared, intensity = lines.g_squared.detach().requires_grad_(), lines.intensity.detach()
    with torch.enable_grad():
        sine = sine_from_inverse_d(inverse_d=g_squared.sqrt(), wavelength_angstrom=wavelength_angstrom)
        sine = sine.clamp_max(_LARGEST_SINE)
        two_theta = 2 * torch.arcsin(sine)
        factor = lorentz_polarization(two_theta, monochromator_two_theta=0.0)
        degrees = torch.rad2deg(two_theta)
        # Every line depends on its own reflection alone: the gradient of a sum holds each line's derivative.
        (turn,) = torch.autograd.grad(degrees.sum(), g_squared, retain_graph=True)
        (fall,) = torch.autograd.grad(factor.sum(), g_squared)
    factor = factor.detach()
    area_rate = (intensity * fall).unsqueeze(-1) * lines.g_squared_rate
    area_rate = area_rate + factor.unsqueeze(-1) * lines.intensity_rate
    return degrees.detach(), intensity * factor, turn.unsqueeze(-1) * lines.g_squared_rate, area_rate


class LineTable:
    """Lines of all materials of a dataset under any strain, scaled as in a mixture, in float32.

    Lines that coincide under every strain are one line.

    Parameters
    ----------
    recipe : DatasetRecipe
    settings : Figure1Settings

    Attributes
    ----------
    components : (M + 1,) int64 tensor
        Strain amplitudes of each material; the last entry, 0, is for no material (-1).
    most_components : int
        C.
    max_strain : float
    """

    def __init__(self, recipe: DatasetRecipe, settings: Figure1Settings) -> None:
        check_known(recipe)
        self.max_strain = recipe.max_strain
        self._wavelength, self._scaling = recipe.wavelength_angstrom, settings.scaling
        tables = [
            reflections_of(recipe, number, largest_stretch(crystal, recipe))
            for number, crystal in enumerate(recipe.crystals)
        ]
        same = [same_lines(table, recipe.max_strain) for table in tables]
        self._lines = DiffractionLines(tables, same, dtype=torch.float32)
        self.components = self._lines.components
        self.most_components = int(self.components.max())

    def at(self, material: Tensor, strain: Tensor) -> LineBatch:
        """Lines of copies of the materials (S,), strained by (S, C) amplitudes."""
        lines = self._lines.at(material, strain)
        position, area, position_rate, area_rate = _on_detector(lines, self._wavelength)
        area, area_rate = self._scaled(lines.copy, len(material), area, area_rate)
        return LineBatch(lines.copy, position, area, position_rate, area_rate)

    def _scaled(self, copy: Tensor, copies: int, area: Tensor, rate: Tensor) -> tuple[Tensor, Tensor]:
        if self._scaling == "area":
            scale = area.new_zeros(copies).index_add(0, copy, area)
            scale_rate = rate.new_zeros(copies, rate.shape[1]).index_add(0, copy, rate)
        else:
            scale = area.new_zeros(copies).scatter_reduce(0, copy, area, "amax")
            strongest = area == scale[copy]
            scale_rate = rate.new_zeros(copies, rate.shape[1])
            scale_rate[copy[strongest]] = rate[strongest]
        if self._scaling == "none":
            scale, scale_rate = scale / STRONGEST, scale_rate / STRONGEST
        scaled = area / scale[copy]
        return scaled, (rate - scaled.unsqueeze(1) * scale_rate[copy]) / scale[copy].unsqueeze(1)


def largest_stretch(crystal: Crystal, recipe: DatasetRecipe) -> float:
    """Largest eigenvalue of a strain of the recipe: none is beyond the largest row sum."""
    basis = np.abs(strain_basis(crystal, recipe.strain))
    return recipe.max_strain * float(basis.sum(0).sum(-1).max())


def check_known(recipe: DatasetRecipe) -> None:
    """Refuse lines that have no derivatives here.

    Raises
    ------
    ParameterError
        If the dataset's lines are not from our own simulator.
    """
    if recipe.simulator != "mixrd":
        raise ParameterError(
            f"the derivatives of patterns of the simulator {recipe.simulator} are not known",
            remedy="Allowed: mixrd",
        )


def same_lines(table: Reflections, max_strain: float) -> Tensor:
    """(R,) number of the line that each reflection is of; those of one coincide under every strain."""
    components = len(table.strain_basis)
    generator = torch.Generator().manual_seed(_TRIAL_SEED)
    trial = torch.rand(_TRIALS, components, generator=generator, dtype=torch.float64) * 2 - 1
    # Without any strain allowed, coincidence at rest is enough.
    strain = max_strain * torch.cat([torch.zeros(1, components, dtype=torch.float64), trial])
    g_squared = strained_sticks(table, strain).g_squared
    rounded = torch.round(torch.log(g_squared) / _SAME).T
    line: Tensor = torch.unique(rounded, dim=0, return_inverse=True)[1]
    return line
