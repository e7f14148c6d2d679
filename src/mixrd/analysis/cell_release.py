"""Which cells leave their structures' because the scan pays for it: strain is earned."""

from __future__ import annotations

import torch
from torch import Tensor

from mixrd.analysis.covariance import curvature_of
from mixrd.analysis.least_squares import Fit, Priors

#: A strain is given room where the restraint costs this much of the misfit, in units of what the misfit of a
#: single parameter is by chance: three standard deviations.
LEAST_COST = 9.0


def earned_strains(result: Fit, priors: Priors, strains: slice) -> Tensor:
    """(K,) bool: strain components whose restraint the data would pay to be rid of.

    To second order, a restraint of standard deviation s that holds a parameter at x, whose variance is V with
    the restraint, costs (x / s)^2 (1/V) / (1/V - 1/s^2). Where whole lines are misfitted, chance brings as
    much as the reduced chi-squared times what noise brings.

    Parameters
    ----------
    result : Fit
        Of one scan.
    priors : Priors
        Of that fit.
    strains : slice
        Where the strains stand among the flat parameters.
    """
    curvature = curvature_of(result, priors)
    first = result.linear.design.shape[1]
    norm, keep = curvature.norm[0, first:][strains], curvature.keep[0, first:][strains] > 0
    inverse = torch.linalg.pinv(curvature.matrix[0], hermitian=True).diagonal()[first:][strains]
    precision = norm.square() / inverse.clamp_min(1e-300)
    sigma = torch.where(keep, priors.sigma[strains], 1.0)
    told = (precision - sigma.square().reciprocal()).clamp_min(1e-3 * precision)
    cost = ((result.flat[0] - priors.mean)[strains] / sigma).square() * precision / told
    by_chance = result.linear.residual[0].square().mean().clamp_min(1.0)
    earned: Tensor = keep & (cost > LEAST_COST * by_chance)
    return earned
