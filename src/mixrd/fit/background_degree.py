"""How wavy a background the data ask for."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from mixrd.fit.covariance import curvature_of
from mixrd.fit.least_squares import Priors
from mixrd.fit.pattern_fit import Fit
from mixrd.pattern import background_basis

#: Lowest and highest degree of the Chebyshev polynomials, and the fewest degrees 2theta a wave may take:
#: what is narrower is no background.
LEAST_DEGREE, MOST_DEGREE = 6, 24
NARROWEST_WAVE_DEG = 4.0


def chosen_degree(
    result: Fit, priors: Priors, two_theta: Tensor, sigma: Tensor, background: Tensor, *, phases: int
) -> int:
    """The degree with the lowest Bayesian information criterion (Schwarz 1978, Ann. Stat. 6, 461).

    All else is taken as linear about the fit, so that one orthogonalisation gives the misfit of every degree.

    Parameters
    ----------
    result : Fit
        Of one scan.
    priors : Priors
    two_theta, sigma, background : (N,) tensor
        Degrees, standard uncertainties, and the background that was fitted.
    phases : int
        P.

    Returns
    -------
    int
        `LEAST_DEGREE` to `MOST_DEGREE`, less over a short range.
    """
    most = max(2, min(MOST_DEGREE, int(float(two_theta[-1] - two_theta[0]) / NARROWEST_WAVE_DEG)))
    least = min(LEAST_DEGREE, most)
    curvature = curvature_of(result, priors)
    others = torch.ones(curvature.columns.shape[1], dtype=torch.bool)
    others[phases : result.linear.design.shape[1]] = False
    others &= curvature.keep[0] > 0
    polynomials = background_basis(two_theta, degree=most)
    waves = torch.cat([polynomials[-1:], polynomials[:-1]]) / sigma
    columns = torch.cat([curvature.columns[0, others], waves / waves.norm(dim=1, keepdim=True)])
    orthogonal, _ = torch.linalg.qr(columns.T)
    target = result.linear.residual[0] + background / sigma
    gain = (orthogonal.T @ target).square()
    left = (target.square().sum() - gain.cumsum(0))[-(most + 1) :]
    points = len(two_theta)
    # What no degree explains is noise; where lines are misfitted, that is more than the counts' own.
    noise = (left[-1] / points).clamp_min(1.0)
    criterion = left / noise + math.log(points) * torch.arange(most + 1, dtype=left.dtype)
    return least + int(criterion[least:].argmin())
