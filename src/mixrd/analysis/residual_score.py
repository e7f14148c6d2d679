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
LEAST_GAIN, LEAST_AGREEMENT = 0.02, 1.2
#: Directions that a texture is looked for along.
MOST_AXES = 8
#: Phases whose mass is not this many standard deviations above zero have no texture to be seen.
_SEEN = 10.0
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
    """

    phase: str | None
    axis: Axis | None
    gain: float
    agreement: float


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
    curvature = curvature_of(result, priors)
    residual, block = result.linear.residual[0], blocks(model.two_theta)
    found = []
    if roughness:
        gain, agreement = _score(_roughness_slope(model, result, sigma), curvature, residual, block)
        # Less intensity at low angles is roughness, more is something else.
        if agreement[0] > LEAST_AGREEMENT and gain[0] > LEAST_GAIN:
            found.append(Wanted(None, None, float(gain[0]), float(agreement[0])))
    directions = {
        c.name: texture_directions(c, _by_spacing(model, p))
        for p, c in enumerate(crystals)
        if c.name in phases and _is_seen(result, curvature, p)
    }
    best: dict[str, Wanted] = {}
    for number in range(max(map(len, directions.values()), default=0)):
        axes = {name: given[number] for name, given in directions.items() if number < len(given)}
        columns = [p for p, c in enumerate(crystals) if c.name in axes]
        slopes = _texture_slopes(model.with_texture_axes(crystals, axes), result, sigma)[columns]
        for p, gain, agreement in zip(columns, *_score(slopes, curvature, residual, block), strict=True):
            one = Wanted(crystals[p].name, axes[crystals[p].name], float(gain), abs(float(agreement)))
            if one.gain > LEAST_GAIN and one.agreement > LEAST_AGREEMENT:
                before = best.get(crystals[p].name)
                best[crystals[p].name] = one if before is None or one.gain > before.gain else before
    return found + list(best.values())


def _score(slopes: Tensor, curvature: Curvature, residual: Tensor, block: Tensor) -> tuple[Tensor, Tensor]:
    """Gain and agreement, (K,) each, of weighted slopes (K, N) beside all that is free already."""
    columns = curvature.columns[0] * curvature.keep[0].unsqueeze(-1)
    own = slopes - torch.linalg.solve(curvature.matrix[0], columns @ slopes.T).T @ columns
    each = own * residual
    total = each.sum(1)
    gain = total.square() / own.square().sum(1).clamp_min(1e-30) / residual.square().sum()
    parts = each.new_zeros(len(each), int(block[-1]) + 1).index_add(1, block, each)
    return gain, total / parts.square().sum(1).sqrt().clamp_min(1e-30)


def _roughness_slope(model: ForwardModel, result: Fit, sigma: Tensor) -> Tensor:
    """(1, N): by the optical depth of a rough share of the surface."""
    flat = result.flat.clone()
    where = model.columns_of("roughness")
    flat[:, where] = flat.new_tensor([_ROUGH_SHARE, 0.0])
    free = torch.zeros(flat.shape[1], dtype=torch.bool)
    free[where.stop - 1] = True
    return _slopes(model, flat, result, free, sigma)


def _texture_slopes(model: ForwardModel, result: Fit, sigma: Tensor) -> Tensor:
    """(P, N): by March-Dollase r of each phase."""
    where = model.columns_of("texture")
    free = torch.zeros(result.flat.shape[1], dtype=torch.bool)
    free[where] = True
    return _slopes(model, result.flat, result, free, sigma)


def _slopes(model: ForwardModel, flat: Tensor, result: Fit, free: Tensor, sigma: Tensor) -> Tensor:
    masses = result.linear.coefficients[:, : len(model.tables)]
    tangents = model.tangents(model.from_flat(flat), masses, free)
    return (tangents[0][:, free] / sigma[0].unsqueeze(-1)).T


def _is_seen(result: Fit, curvature: Curvature, phase: int) -> bool:
    if not bool(result.linear.active[0, phase]):
        return False
    signal = result.linear.coefficients[0, phase] * curvature.norm[0, phase]
    return bool(signal > _SEEN)


def _by_spacing(model: ForwardModel, phase: int) -> list[list[int]]:
    table = model.tables[phase]
    order = np.argsort(table.g.norm(dim=1).numpy(), kind="stable")
    return [[int(x) for x in table.hkl[n]] for n in order]
