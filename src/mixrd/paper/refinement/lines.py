"""Lines of strained copies of a material and their derivatives by the strain, many copies at once."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mixrd.crystal import Crystal, strain_basis
from mixrd.diffraction import (
    Reflections,
    Scattering,
    lorentz_polarization,
    radiation,
    reflections,
    stick_rates,
    strained_sticks,
)
from mixrd.errors import ParameterError
from mixrd.paper.dataset_recipe import DatasetRecipe
from mixrd.paper.figure1_settings import Figure1Settings
from mixrd.paper.simulators import STRONGEST

#: Lines whose 1/d^2 differ by less than this share under every strain are one line.
_SAME = 1e-9
#: Of the polynomials for the areas: good to 1e-4 of the strongest line.
_DEGREE = 5
#: Steps of the strain that coinciding lines are sought at, and seed of their directions.
_TRIALS, _TRIAL_SEED = 3, 0


@dataclass(frozen=True, eq=False)
class PlacedLines:
    """J lines of each of S copies of one material, or of one copy, and their derivatives by C strains.

    Attributes
    ----------
    position, area : (S, J) or (J,) tensor
        In degrees 2theta, and in the unit of `strained_sticks` or degrees times the unit of the pattern.
    position_rate, area_rate : (S, J, C) or (J, C) tensor
        By the strain amplitudes.
    """

    position: Tensor
    area: Tensor
    position_rate: Tensor
    area_rate: Tensor


@dataclass(frozen=True, eq=False)
class LineBatch:
    """All lines of S copies of any materials, one after the other: L in all.

    Attributes
    ----------
    copy : (L,) int64 tensor
        Which copy a line is of.
    position, area : (L,) tensor
        In degrees 2theta, and in degrees times the unit of the pattern.
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


def placed_lines(table: Reflections, strain: Tensor, wavelength_angstrom: float) -> PlacedLines:
    """Lines of copies strained by (S, C) amplitudes, in the unit of `strained_sticks`."""
    sticks, rates = strained_sticks(table, strain), stick_rates(table, strain)
    g_squared, intensity = (x.detach().requires_grad_() for x in (sticks.g_squared, sticks.intensity))
    with torch.enable_grad():
        sine = 0.5 * wavelength_angstrom * g_squared.sqrt()
        two_theta = 2 * torch.arcsin(sine.clamp_max(1 - 1e-12))
        factor = lorentz_polarization(two_theta, monochromator_two_theta=0.0)
        degrees, area = torch.rad2deg(two_theta), intensity * factor
        # Every line depends on its own reflection alone: the gradient of a sum holds each line's derivative.
        (turn,) = torch.autograd.grad(degrees.sum(), g_squared, retain_graph=True)
        (fall,) = torch.autograd.grad(area.sum(), g_squared)
    position_rate = turn.unsqueeze(-1) * rates.g_squared
    area_rate = fall.unsqueeze(-1) * rates.g_squared + factor.detach().unsqueeze(-1) * rates.intensity
    return PlacedLines(degrees.detach(), area.detach(), position_rate, area_rate)


class LineTable:
    """Lines of all materials of a dataset under any strain, scaled as in a mixture, in float32.

    The area of a line depends on the strain by its 1/d^2 alone, but for the volume, which all lines share;
    it is kept as a polynomial. Lines that coincide under every strain are one line.

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
        bases = [torch.from_numpy(strain_basis(crystal, recipe.strain)) for crystal in recipe.crystals]
        self.components = torch.tensor([*(len(basis) for basis in bases), 0])
        self.most_components = int(self.components.max())
        tables = [_material_lines(recipe, number) for number in range(len(bases))]
        lines = torch.tensor([len(g) for g, _ in tables])
        self._count, self._first = lines, lines.cumsum(0) - lines
        self._g = torch.cat([g for g, _ in tables]).float()
        self._area = torch.cat([area for _, area in tables]).float()
        self._g_squared = self._g.square().sum(1)
        self._basis = torch.zeros(len(bases), self.most_components, 3, 3)
        for number, basis in enumerate(bases):
            self._basis[number, : len(basis)] = basis.float()

    def at(self, material: Tensor, strain: Tensor) -> LineBatch:
        """Lines of copies of the materials (S,), strained by (S, C) amplitudes."""
        count = self._count[material]
        copy = torch.repeat_interleave(torch.arange(len(material)), count)
        start = count.cumsum(0) - count
        line = self._first[material][copy] + torch.arange(len(copy)) - start[copy]
        basis = self._basis[material]
        inverse = torch.linalg.inv(torch.eye(3) + torch.einsum("sk,skij->sij", strain, basis))
        g = torch.einsum("lij,lj->li", inverse[copy], self._g[line])
        g_squared = g.square().sum(1)
        # As in `stick_rates`, but for copies of many materials with different numbers of lines.
        moved = torch.einsum("sij,skjm->skim", inverse, basis)
        by_strain = -2 * torch.einsum("li,lkij,lj->lk", g, moved[copy], g)
        sine = (0.5 * self._wavelength * g_squared.sqrt()).clamp_max(1 - 1e-6)
        # d(2 arcsin(wavelength |g| / 2)) / d(g.g) = tan(theta) / g.g
        turn = torch.rad2deg(sine / (1 - sine.square()).sqrt() / g_squared)
        area, fall = _polynomial(self._area[line], torch.log(g_squared / self._g_squared[line]))
        area_rate = (fall / g_squared).unsqueeze(1) * by_strain
        area, area_rate = self._scaled(copy, len(material), area, area_rate)
        return LineBatch(
            copy, torch.rad2deg(2 * torch.arcsin(sine)), area, turn.unsqueeze(1) * by_strain, area_rate
        )

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


def _material_lines(recipe: DatasetRecipe, material: int) -> tuple[Tensor, Tensor]:
    """(J, 3) reciprocal vectors at rest of a material's lines, (J, _DEGREE + 1) polynomials of their areas.

    In u = ln of the ratio of strained to unstrained 1/d^2, up to a factor that all lines share.
    """
    stretch = largest_stretch(recipe.crystals[material], recipe)
    table = reflections_of(recipe, material, stretch)
    line = same_lines(table, recipe.max_strain)
    # Isotropic strain moves all lines alike: u = -2 ln(1 + strain).
    isotropic = torch.linspace(-stretch, stretch, 3 * _DEGREE, dtype=torch.float64) + 1e-9
    unit = torch.eye(3, dtype=torch.float64)
    everywhere = dataclasses.replace(table, strain_basis=unit.unsqueeze(0))
    placed = placed_lines(everywhere, isotropic.unsqueeze(1), recipe.wavelength_angstrom)
    # The volume grows with the strain here, and is one of the factors that all lines share.
    area = placed.area * (1 + isotropic.unsqueeze(1)) ** 3
    u = -2 * torch.log1p(isotropic)
    powers = u.unsqueeze(1) ** torch.arange(_DEGREE + 1)
    coefficients = torch.linalg.lstsq(powers, area).solution.T
    lines = int(line.max()) + 1
    merged = coefficients.new_zeros(lines, _DEGREE + 1).index_add(0, line, coefficients)
    g = table.g.new_zeros(lines, 3)
    g[line] = table.g
    return g, merged / merged[:, 0].max()


def _polynomial(coefficients: Tensor, u: Tensor) -> tuple[Tensor, Tensor]:
    """Value and derivative at u (L,) of polynomials (L, D + 1)."""
    value, slope = coefficients[:, -1], torch.zeros_like(u)
    for coefficient in coefficients[:, :-1].flip(1).unbind(1):
        slope = slope * u + value
        value = value * u + coefficient
    return value.clamp_min(0), slope
