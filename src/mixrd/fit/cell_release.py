"""Which restraints the scan pays to be rid of: cells and crystallite sizes are earned."""

from __future__ import annotations

import torch
from torch import Tensor

from mixrd.fit.covariance import curvature_of
from mixrd.fit.least_squares import Priors
from mixrd.fit.pattern_fit import Fit

#: A parameter is given room where its restraint costs this much of the misfit, in units of what the misfit of
#: a single parameter is by chance: three standard deviations.
LEAST_COST = 9.0


def earned_room(result: Fit, priors: Priors, place: slice, tight: float) -> Tensor:
    """(K,) bool: parameters whose tight restraint the data would pay to be rid of.

    To second order, the restraint of standard deviation s costs x^2 / (s^2 + V) of the misfit, where x is
    what the data alone say the parameter is, less its mean, and V the variance that they leave to it. Where
    whole lines are misfitted, chance brings as much as the reduced chi-squared times what noise brings.

    Parameters
    ----------
    result : Fit
        Of one scan.
    priors : Priors
        Of that fit, tight or not.
    place : slice
        Where the parameters stand among the flat ones.
    tight : float
        Standard deviation of the restraint that is asked about.
    """
    curvature = curvature_of(result, priors)
    first = result.linear.design.shape[1]
    norm, keep = curvature.norm[0, first:][place], curvature.keep[0, first:][place] > 0
    inverse = torch.linalg.pinv(curvature.matrix[0], hermitian=True).diagonal()[first:][place]
    precision = norm.square() / inverse.clamp_min(1e-300)
    held = torch.where(keep, priors.sigma[place], 1.0).square().reciprocal()
    told = (precision - held).clamp_min(1e-3 * precision)
    alone = (result.flat[0] - priors.mean)[place] * precision / told
    cost = alone.square() / (tight**2 + told.reciprocal())
    by_chance = result.linear.residual[0].square().mean().clamp_min(1.0)
    earned: Tensor = keep & (cost > LEAST_COST * by_chance)
    return earned
