"""The noise floor of the paper's patterns: how near to the fractions the best estimator can come.

The Cramér-Rao bound of each drawn pattern. Known is which single-phase patterns were combined; unknown are
their fractions and strains, the overall scale, crystallite size and eta, and the background's level and
decay. The pipeline moves peaks to the nearest grid point, which has no derivative; here they stand where
they are, half a step away at most. All lines come from our own simulator.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, lru_cache

import torch
from torch import Tensor

from mixrd.diffraction import Reflections
from mixrd.fit import expected_tvd, fraction_covariance
from mixrd.paper.dataset_recipe import DatasetRecipe
from mixrd.paper.figure1_draw import Figure1Draw
from mixrd.paper.figure1_settings import Figure1Settings
from mixrd.paper.refinement.lines import (
    LineBatch,
    check_known,
    largest_stretch,
    placed_lines,
    reflections_of,
)
from mixrd.paper.simulators import FAINTEST, SAME_LINE_DEG, STRONGEST
from mixrd.pattern import Peaks, take_rows
from mixrd.pattern.exact import ExactRenderer
from mixrd.pattern.profile import size_fwhm

#: Strained copies whose lines are kept.
_KEPT_COPIES = 20_000


@dataclass(frozen=True, eq=False)
class FloorModel:
    """A normalised pattern and its derivatives; P drawn patterns in it, Q nuisances, O materials.

    Attributes
    ----------
    pattern : (N,) tensor
        Free of noise, without background.
    by_mass : (N, P) tensor
        The pattern of unit coefficient of each.
    by_nuisance : (N, Q) tensor
        By the strains of each, the sizes, the etas, then level and decay of the background, and a constant
        where normalisation takes the minimum off.
    masses : (P,) tensor
        Coefficients: fractions times the overall scale.
    outputs : (O, P) tensor
        Ones where a pattern is of the material.
    """

    pattern: Tensor
    by_mass: Tensor
    by_nuisance: Tensor
    masses: Tensor
    outputs: Tensor


@dataclass(frozen=True, eq=False)
class Floor:
    """Of B patterns: `tvd` (B,) of an efficient estimator, and whether a fraction was `capped` (B,)."""

    tvd: Tensor
    capped: Tensor


class NoiseFloor:
    """Bounds of patterns that a `Figure1Sampler` draws from the test split of a dataset.

    Parameters
    ----------
    recipe : DatasetRecipe
        Of the dataset.
    settings : Figure1Settings

    Raises
    ------
    ParameterError
        If the dataset's lines are not from our own simulator.
    """

    def __init__(self, recipe: DatasetRecipe, settings: Figure1Settings) -> None:
        check_known(recipe)
        self.recipe, self.settings = recipe, settings
        self._exact = ExactRenderer(settings.two_theta)
        self._amplitudes = [recipe.amplitudes(crystal, "test") for crystal in recipe.crystals]
        self._lines = lru_cache(maxsize=_KEPT_COPIES)(self._lines_of)
        self._table = cache(lambda m: reflections_of(recipe, m, largest_stretch(recipe.crystals[m], recipe)))

    def lines(self, pattern: int) -> LineBatch:
        """Lines of one of the sampler's line lists: material by material, copy by copy."""
        return self._lines(*divmod(pattern, self.recipe.copies("test")))

    def of(self, drawn: Figure1Draw, tell: Callable[[], None] | None = None) -> Floor:
        """Bounds of all patterns drawn; `tell` is called after each.

        An unbiased estimator ignores that fractions lie between 0 and 1. Where its bound exceeds the spread
        of the fraction itself, which is uniform on the simplex, the best guess that does not look at the
        pattern is better; the standard deviation of that spread is then taken (`capped`).
        """
        tvd, capped = [], []
        for row in range(len(drawn.pattern)):
            one = take_rows(drawn, slice(row, row + 1))
            model = self.model(one)
            variance = output_variance(model, float(one.noise.sigma))
            limit = prior_variance(model.outputs)
            # 1e-12: a fraction that is certain, up to rounding.
            capped.append(bool((variance > limit + 1e-12).any()))
            tvd.append(expected_tvd(torch.diag(torch.minimum(variance, limit)).unsqueeze(0)))
            if tell:
                tell()
        return Floor(torch.cat(tvd), torch.tensor(capped))

    def model(self, drawn: Figure1Draw) -> FloorModel:
        """Pattern and derivatives of a single sample."""
        there = drawn.fraction[0] > 0
        chosen = [int(p) for p in drawn.pattern[0, there]]
        fraction = drawn.fraction[0, there].double()
        size, eta = (x[0].double().expand(len(there))[there] for x in (drawn.size_nm, drawn.eta))
        parts = [self._rendered(self.lines(p), s, e) for p, s, e in zip(chosen, size, eta, strict=True)]
        single = torch.stack([part[:, 0] for part in parts], dim=1)
        mixed = single @ fraction
        low = mixed.min() if self.settings.normalisation == "range" else mixed.new_zeros(())
        height = mixed.max() - low
        masses = fraction / height
        strains = [part[:, 3:] * mass for part, mass in zip(parts, masses, strict=True)]
        shapes = torch.stack([part[:, 1:3] for part in parts], dim=2) * masses
        if self.settings.shape_per == "mixture":
            shapes = shapes.sum(2, keepdim=True)
        background = _background_rates(self._exact.grid, drawn)
        if self.settings.normalisation == "range":
            background = torch.cat([background, torch.ones_like(background[:, :1])], dim=1)
        material = torch.tensor([p // self.recipe.copies("test") for p in chosen])
        return FloorModel(
            pattern=(mixed - low) / height,
            by_mass=single,
            by_nuisance=torch.cat([*strains, shapes.flatten(1), background], dim=1),
            masses=masses,
            outputs=(material.unique().unsqueeze(1) == material).double(),
        )

    def _rendered(self, lines: LineBatch, size_nm: Tensor, eta: Tensor) -> Tensor:
        """(N, 3 + C): the pattern of a copy, its derivatives by size and eta, and by its strains."""
        s = self.settings
        position, area = lines.position.unsqueeze(0), lines.area.unsqueeze(0)
        theta = torch.deg2rad(position / 2)
        inverse = (s.size_factor / size_nm).expand_as(position)
        fwhm = size_fwhm(inverse, torch.full_like(position, s.wavelength_angstrom), theta)
        count, strains = lines.position_rate.shape
        rates = position.new_zeros(1, 4, count, 3 + strains)
        rates[0, 1, :, 0] = area
        rates[0, 2, :, 1] = -fwhm / size_nm
        rates[0, 3, :, 2] = 1
        rates[0, 0, :, 3:] = lines.position_rate
        rates[0, 1, :, 3:] = lines.area_rate
        # Widths go as 1 / cos theta: d fwhm / d theta = fwhm tan theta.
        widening = torch.deg2rad(fwhm * theta.tan() / 2)[0]
        rates[0, 2, :, 3:] = widening.unsqueeze(-1) * lines.position_rate
        peaks = Peaks(position=position, area=area, fwhm=fwhm, eta=eta.expand_as(position))
        return self._exact.tangents(peaks, rates)[0]

    def _lines_of(self, material: int, copy: int) -> LineBatch:
        strain = torch.from_numpy(self._amplitudes[material][copy : copy + 1].copy())
        return copy_lines(self._table(material), strain, self.recipe, self.settings)


def copy_lines(
    table: Reflections, strain: Tensor, recipe: DatasetRecipe, settings: Figure1Settings
) -> LineBatch:
    """Lines of a copy strained by (1, C) amplitudes: those that the dataset has, scaled as in a mixture."""
    placed = placed_lines(table, strain, recipe.wavelength_angstrom)
    low, high = recipe.two_theta_range
    inside = (placed.position >= low) & (placed.position <= high)
    order = torch.argsort(placed.position.masked_fill(~inside, torch.inf))[: int(inside.sum())]
    lines = take_rows(placed, order)
    degrees, area = lines.position, lines.area
    # Lines that coincide count as one, in what is faint and what is strongest.
    line = (torch.diff(degrees, prepend=degrees[:1]) > SAME_LINE_DEG).cumsum(0)
    total = torch.zeros_like(degrees).index_add(0, line, area)[line]
    visible = total > FAINTEST / STRONGEST * total.max()
    counted = visible if settings.scaling == "area" else line == line[total.argmax()]
    # Without scaling, an area is still one of a list whose strongest line is 100.
    unit = STRONGEST if settings.scaling == "none" else 1.0
    scale, scale_rate = area[counted].sum() / unit, lines.area_rate[counted].sum(0) / unit
    scaled = area / scale
    scaled_rate = (lines.area_rate - scaled.unsqueeze(-1) * scale_rate) / scale
    point = torch.round((degrees - settings.start_deg) / settings.step_deg)
    kept = visible & (point >= 0) & (point < settings.points)
    return take_rows(replace(lines, area=scaled, area_rate=scaled_rate), kept)


def output_variance(model: FloorModel, sigma: float) -> Tensor:
    """(O,) smallest variance of the materials' fractions; inf where the pattern does not determine one."""
    covariance = fraction_covariance(
        model.by_mass.unsqueeze(0),
        model.by_nuisance.unsqueeze(0),
        torch.full_like(model.pattern, sigma).unsqueeze(0),
        model.masses.unsqueeze(0),
        outputs=model.outputs,
    )
    return covariance[0].diagonal()


def prior_variance(outputs: Tensor) -> Tensor:
    """(O,) variance of sums of fractions that are uniform on the simplex, without a look at the pattern.

    The sum of c of P uniform spacings has the distribution Beta(c, P - c).
    """
    copies, patterns = outputs.sum(1), outputs.shape[1]
    return copies * (patterns - copies) / (patterns**2 * (patterns + 1))


def _background_rates(two_theta: Tensor, drawn: Figure1Draw) -> Tensor:
    """(N, 2): derivatives of the background by its level and its decay."""
    fall = drawn.background
    level, start, decay = (x[0].double() for x in (fall.level, fall.start_deg, fall.decay_deg))
    distance = two_theta - start
    shape = torch.exp(-distance / decay)
    return torch.stack([shape, level * shape * distance / decay**2], dim=1)
