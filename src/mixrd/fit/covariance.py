"""Covariance of a fit: what its noise explains, and what its misfit says besides."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mixrd.fit.least_squares import Priors
from mixrd.fit.pattern_fit import Fit

#: Width in degrees of the parts of a scan that are left out in turn: wider than a line with its tails, so
#: that what is wrong in one part is independent of the next.
BLOCK_DEG = 1.5
#: Share of a part's information that is taken away, just below 1, lest a phase be left without any.
_LEFT_OUT = 0.999
#: Standard deviations of its restraint by which leaving out a part may change a parameter.
MOST_THROWN = 3.0
#: Eigenvalues of a correlation matrix below this are rounding.
_NO_ROOM = 1e-10


@dataclass(frozen=True, eq=False)
class Curvature:
    """Second derivatives of half the cost by masses, background and non-linear parameters together.

    Attributes
    ----------
    columns : (B, C, N) tensor
        Weighted derivatives of the calculated pattern by each, over `norm`.
    matrix : (B, C, C) tensor
        Of the scaled parameters, restraints included; the identity where a parameter is not free.
    keep : (B, C) tensor
        1 for free parameters, else 0.
    norm : (B, C) tensor
        What a parameter is multiplied with to be scaled.
    """

    columns: Tensor
    matrix: Tensor
    keep: Tensor
    norm: Tensor

    def unscaled(self, inverse: Tensor) -> Tensor:
        """A covariance (B, C, C) of scaled parameters in their own units."""
        keep = self.keep.unsqueeze(1) * self.keep.unsqueeze(2)
        return inverse * keep / (self.norm.unsqueeze(1) * self.norm.unsqueeze(2))


def covariance(fit: Fit, priors: Priors) -> Tensor:
    """Covariance of masses, background and non-linear parameters together, (B, P + Q + T, P + Q + T).

    From the curvature at the solution, restraints included, times the larger of 1 and the reduced
    chi-squared; rows of fixed parameters and of masses held at zero are zero.
    """
    curvature = curvature_of(fit, priors)
    inverse = torch.linalg.pinv(curvature.matrix, hermitian=True)
    points = fit.linear.residual.shape[1]
    degrees = (points - curvature.keep.sum(1)).clamp_min(1)
    reduced = (fit.linear.residual**2).sum(1) / degrees
    return curvature.unscaled(inverse) * reduced.clamp_min(1.0)[:, None, None]


def misfit_covariance(fit: Fit, priors: Priors, two_theta: Tensor) -> Tensor:
    """The same, from how much the result changes when parts of the scan are left out (a jackknife).

    Neighbouring residuals of a real scan are alike, and whole lines are too strong or too weak; the noise of
    single points does not tell what that does to a result. With each part of `BLOCK_DEG` degrees left out in
    turn, the parameters change by (A - A_b)^-1 s_b (one Gauss-Newton step; A the curvature, A_b the part's
    share of it, s_b its share of the gradient; no parameter by more than `MOST_THROWN` standard deviations of
    its restraint), and the sum of the squares of these changes is the covariance (Efron & Stein 1981, Ann.
    Stat. 9, 586; for regression: MacKinnon & White 1985, J. Econometrics 29, 305).

    Parameters
    ----------
    fit : Fit
    priors : Priors
    two_theta : (N,) tensor
        Degrees.

    Returns
    -------
    (B, C, C) tensor
    """
    curvature = curvature_of(fit, priors)
    first = fit.linear.design.shape[1]
    believed = torch.where(priors.sigma > 0, priors.sigma, torch.inf).expand(len(fit.flat), -1)
    believed = torch.cat([believed.new_full((len(fit.flat), first), torch.inf), believed], dim=1)
    columns = curvature.columns * curvature.keep.unsqueeze(-1)
    everything = torch.cat([columns, fit.linear.residual.unsqueeze(1)], dim=1)
    # The points of each part side by side; what is missing in the shorter ones counts nothing.
    block = blocks(two_theta)
    _, length = torch.unique_consecutive(block, return_counts=True)
    within = torch.arange(len(block)) - (length.cumsum(0) - length).repeat_interleave(length)
    apart = everything.new_zeros(*everything.shape[:2], len(length), int(length.max()))
    apart[:, :, torch.arange(len(length)).repeat_interleave(length), within] = everything
    apart = apart.transpose(1, 2)
    products = apart @ apart.mT
    matrix = curvature.matrix.unsqueeze(1) - _LEFT_OUT * products[..., :-1, :-1]
    change = torch.linalg.solve(matrix, products[..., :-1, -1])
    # A part that alone tells a parameter would throw it far beyond where the step means anything.
    most = (curvature.norm * MOST_THROWN * believed).unsqueeze(1)
    change = change / (change.abs() / most).amax(dim=-1, keepdim=True).clamp_min(1.0)
    return curvature.unscaled(change.mT @ change) * ((len(length) - 1) / len(length))


def at_least(spread: Tensor, noise: Tensor) -> Tensor:
    """The smallest covariance that is nowhere below `noise`, and `spread` where that is larger.

    Where parts of a scan agree better than their noise allows, that is luck. Directions count, not single
    parameters: in the metric in which `noise` is the identity, eigenvalues of `spread` below 1 become 1.
    An uncertainty that masses have in common stays one in common.

    Parameters
    ----------
    spread, noise : (B, C, C) tensor
        Symmetric, not negative; a parameter whose row in `noise` is zero is left out.

    Returns
    -------
    (B, C, C) tensor
    """
    scale = noise.diagonal(dim1=1, dim2=2).clamp_min(0.0).sqrt()
    inverse = torch.where(scale > 0, 1 / scale.clamp_min(1e-300), 0.0)
    correlation = noise * inverse.unsqueeze(1) * inverse.unsqueeze(2)
    values, vectors = torch.linalg.eigh(correlation)
    root = vectors * values.clamp_min(0.0).sqrt().unsqueeze(1)
    # Directions that the noise leaves no room for are those of parameters that are not free.
    back = vectors * torch.where(values > _NO_ROOM, values.clamp_min(_NO_ROOM).rsqrt(), 0.0).unsqueeze(1)
    scaled = spread * inverse.unsqueeze(1) * inverse.unsqueeze(2)
    own, turned = torch.linalg.eigh(back.mT @ scaled @ back)
    root = root @ turned
    found = (root * own.clamp_min(1.0).unsqueeze(1)) @ root.mT
    larger: Tensor = found * scale.unsqueeze(1) * scale.unsqueeze(2)
    return larger


def blocks(two_theta: Tensor) -> Tensor:
    """(N,) number of the part of the scan that each point belongs to."""
    return ((two_theta - two_theta[0]) / BLOCK_DEG).long()


def curvature_of(fit: Fit, priors: Priors) -> Curvature:
    """Curvature at the solution."""
    columns = torch.cat([fit.linear.design, fit.jacobian.transpose(1, 2)], dim=1)
    free = torch.cat([fit.linear.active, (priors.sigma > 0).expand(len(fit.flat), -1)], dim=1)
    norm = columns.norm(dim=-1).clamp_min(1e-30)
    restraint = torch.zeros_like(norm)
    restraint[:, fit.linear.design.shape[1] :] = torch.where(priors.sigma > 0, priors.sigma, torch.inf) ** -2
    norm = (norm**2 + restraint).sqrt()
    scaled = columns / norm.unsqueeze(-1)
    keep = free.to(scaled.dtype)
    matrix = torch.einsum("bin,bjn->bij", scaled, scaled) + torch.diag_embed(restraint / norm**2)
    matrix = matrix * keep.unsqueeze(1) * keep.unsqueeze(2) + torch.diag_embed(1 - keep)
    return Curvature(scaled, matrix, keep, norm)
