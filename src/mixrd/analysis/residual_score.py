"""What the residual of a fit asks to be freed: texture, and the roughness of the surface."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mixrd.analysis.covariance import Curvature, blocks, curvature_of
from mixrd.analysis.least_squares import Fit, Priors
from mixrd.crystal import Crystal
from mixrd.pattern import Axis, ForwardModel

#: A parameter is freed if the fit would gain this share of its misfit, in parts of the scan that agree
#: with each other by this many standard deviations.
LEAST_GAIN, LEAST_AGREEMENT = 0.02, 1.5
#: Directions that a texture is looked for along.
MOST_AXES = 8
#: Phases whose mass is not this many standard deviations above zero have no texture to be seen.
_SEEN = 10.0
#: Least and largest March-Dollase r that axes are compared at.
_TRIED = (0.5, 2.0)
#: Share of the surface that is rough where the slope by its optical depth is taken.
_ROUGH_SHARE = 0.3


@dataclass(frozen=True)
class Wanted:
    """A parameter that the residual asks for.

    Attributes
    ----------
    phase : str or None
        None for the roughness, which is the whole sample's.
    axis : (h, k, l) or None
        Of the texture.
    gain : float
        Share of the misfit that would go.
    agreement : float
        Sum over the parts of the scan of what they ask for, over the root of the sum of squares: a score
        test that serial correlation does not mislead.
    r : float
        March-Dollase r to start from, 1 for the roughness.
    """

    phase: str | None
    axis: Axis | None
    gain: float
    agreement: float
    r: float = 1.0


def texture_directions(crystal: Crystal, hkl: Sequence[Sequence[int]]) -> list[Axis]:
    """Directions that a texture may have: normals of the planes farthest apart (Bravais).

    Parameters
    ----------
    crystal : Crystal
    hkl : sequence of (h, k, l)
        Reflections, largest d first.

    Returns
    -------
    list of (h, k, l)
        `MOST_AXES` at most; none for a cubic crystal, where texture hardly moves intensities and its axis
        cannot be told.
    """
    a, b, c, *angles = crystal.cell
    if a == b == c and angles == [90.0, 90.0, 90.0]:
        return []
    found: dict[Axis, None] = {}
    for row in hkl:
        divisor = math.gcd(*(int(x) for x in row))
        h, k, l = (int(x) // divisor for x in row)
        found.setdefault((h, k, l))
        if len(found) == MOST_AXES:
            break
    return list(found)


def wanted(
    model: ForwardModel,
    crystals: Sequence[Crystal],
    result: Fit,
    priors: Priors,
    sigma: Tensor,
    *,
    roughness: bool,
    phases: Sequence[str],
) -> list[Wanted]:
    """What the residual asks for, the best axis of each phase.

    Parameters
    ----------
    model : ForwardModel
        That was fitted.
    crystals : sequence of Crystal
    result : Fit
        Of one scan.
    priors : Priors
        Of that fit.
    sigma : (1, N) tensor
    roughness : bool
        Whether to ask for roughness.
    phases : sequence of str
        Names of the phases whose texture to ask for.
    """
    asked = _Residual(model, result, curvature_of(result, priors), sigma)
    found = []
    if roughness:
        gain, agreement, _ = asked.score(asked.roughness_slope())
        # Less intensity at low angles is roughness, more is something else.
        if agreement[0] > LEAST_AGREEMENT and gain[0] > LEAST_GAIN:
            found.append(Wanted(None, None, float(gain[0]), float(agreement[0])))
    directions = {
        c.name: texture_directions(c, _by_spacing(model, p))
        for p, c in enumerate(crystals)
        if c.name in phases and asked.sees(p)
    }
    textures: dict[int, list[Wanted]] = {}
    for number in range(max(map(len, directions.values()), default=0)):
        axes = {name: given[number] for name, given in directions.items() if number < len(given)}
        columns = [p for p, c in enumerate(crystals) if c.name in axes]
        slopes = asked.texture_slopes(model.with_texture_axes(crystals, axes))[columns]
        for p, gain, agreement, step in zip(columns, *asked.score(slopes), strict=True):
            if gain > LEAST_GAIN and abs(agreement) > LEAST_AGREEMENT:
                name, r = crystals[p].name, min(max(1 + float(step), _TRIED[0]), _TRIED[1])
                one = Wanted(name, axes[name], float(gain), abs(float(agreement)), r)
                textures.setdefault(p, []).append(one)
    # To first order all axes of a uniaxial crystal do the same: only a trial tells them apart.
    for p, choices in textures.items():
        found.append(min(choices, key=lambda one: asked.misfit_with(one, p, crystals)))
    return found


@dataclass(frozen=True, eq=False)
class _Residual:
    """The residual of a fit, and what is free already."""

    model: ForwardModel
    result: Fit
    curvature: Curvature
    sigma: Tensor

    @property
    def values(self) -> Tensor:
        return self.result.linear.residual[0]

    def beside(self, columns: Tensor) -> Tensor:
        """Weighted columns (K, N) less what the free parameters can make of them."""
        free = self.curvature.columns[0] * self.curvature.keep[0].unsqueeze(-1)
        own: Tensor = columns - torch.linalg.solve(self.curvature.matrix[0], free @ columns.T).T @ free
        return own

    def score(self, slopes: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Gain, agreement and the step that the fit would take, (K,) each, from weighted slopes (K, N)."""
        own = self.beside(slopes)
        each = own * self.values
        total, square = each.sum(1), own.square().sum(1).clamp_min(1e-30)
        block = blocks(self.model.two_theta)
        parts = each.new_zeros(len(each), int(block[-1]) + 1).index_add(1, block, each)
        agreement = total / parts.square().sum(1).sqrt().clamp_min(1e-30)
        return total.square() / square / self.values.square().sum(), agreement, total / square

    def misfit_with(self, one: Wanted, phase: int, crystals: Sequence[Crystal]) -> float:
        """Sum of squares that is left with this texture, all that is free already following."""
        assert one.phase is not None and one.axis is not None
        model = self.model.with_texture_axes(crystals, {one.phase: one.axis})
        flat = self.result.flat.clone()
        flat[:, model.columns_of("texture").start + phase] = one.r
        column = model.columns(model.from_flat(flat))[:, phase] / self.sigma
        change = self.result.linear.coefficients[0, phase] * column - (
            self.result.linear.design[:, phase] * self.result.linear.coefficients[0, phase]
        )
        return float((self.values - self.beside(change)).square().sum())

    def sees(self, phase: int) -> bool:
        """Whether a phase stands far enough above zero."""
        mass = self.result.linear.coefficients[0, phase]
        return bool(mass * self.curvature.norm[0, phase] > _SEEN)

    def roughness_slope(self) -> Tensor:
        """(1, N): by the optical depth of a rough share of the surface."""
        flat = self.result.flat.clone()
        where = self.model.columns_of("roughness")
        flat[:, where] = flat.new_tensor([_ROUGH_SHARE, 0.0])
        free = torch.zeros(flat.shape[1], dtype=torch.bool)
        free[where.stop - 1] = True
        return self._slopes(self.model, flat, free)

    def texture_slopes(self, model: ForwardModel) -> Tensor:
        """(P, N): by March-Dollase r of each phase, along the axes of `model`."""
        free = torch.zeros(self.result.flat.shape[1], dtype=torch.bool)
        free[model.columns_of("texture")] = True
        return self._slopes(model, self.result.flat, free)

    def _slopes(self, model: ForwardModel, flat: Tensor, free: Tensor) -> Tensor:
        masses = self.result.linear.coefficients[:, : len(model.tables)]
        tangents = model.tangents(model.from_flat(flat), masses, free)
        return (tangents[0][:, free] / self.sigma[0].unsqueeze(-1)).T


def _by_spacing(model: ForwardModel, phase: int) -> list[list[int]]:
    table = model.tables[phase]
    order = np.argsort(table.g.norm(dim=1).numpy(), kind="stable")
    return [[int(x) for x in table.hkl[n]] for n in order]
