"""The Cramér-Rao bound of phase fractions: the smallest uncertainty that a pattern's noise allows."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from mixrd.errors import ParameterError

#: Singular values below this share of a column's length count as zero: float64 loses about four digits of
#: sixteen in the derivatives and the factorisation.
_RANK = 1e-11
#: Share of a fraction's gradient along undetermined directions above which the fraction is undetermined.
_LEAK = 1e-9


def fraction_covariance(
    by_mass: Tensor,
    by_nuisance: Tensor,
    sigma: Tensor,
    masses: Tensor,
    *,
    nuisance_sigma: Tensor | None = None,
    outputs: Tensor | None = None,
) -> Tensor:
    """Smallest covariance of the fractions w_i = m_i / sum m that an unbiased estimator can reach.

    The Fisher information J^T Sigma^-1 J of a pattern with independent Gaussian noise, nuisances eliminated
    by projection, propagated to the fractions to first order (Kay 1993, Fundamentals of Statistical Signal
    Processing I, ch. 3; van Trees 1968 for the priors). For Poisson counts give sigma as the root of the
    expected counts: what the noise's size itself tells is left out, which is little above some ten counts.
    That masses cannot be negative is left out too; an estimator that uses it may fall below the bound where
    a fraction is not far above its sigma.

    Parameters
    ----------
    by_mass : (B, N, P) tensor
        Derivatives of the expected pattern by the masses: the pattern of unit mass of each phase.
    by_nuisance : (B, N, Q) tensor
        Derivatives by all else that is unknown; Q may be 0.
    sigma : (B, N) tensor
        Standard deviation of the noise.
    masses : (B, P) tensor
        In any unit; not negative.
    nuisance_sigma : (Q,) or (B, Q) tensor, optional
        Gaussian prior knowledge of the nuisances: 0 fixes one, inf leaves it free. Default: all free.
    outputs : (O, P) or (B, O, P) tensor, optional
        Sums of fractions to bound instead of the fractions: a row of ones and zeros for each output. Two
        phases that cannot be told apart may well have a sum that can be determined.

    Returns
    -------
    (B, P, P) or (B, O, O) tensor
        float64. Rows add up to 0 without `outputs`. A fraction that the pattern cannot determine has inf
        on the diagonal and nan beside it.

    Raises
    ------
    ParameterError
        If sigma is not above 0, a mass is negative or all masses of a pattern are 0.
    """
    _check(sigma, masses)
    mass, nuisance = (x.to(torch.float64) for x in (by_mass, by_nuisance))
    weight = 1 / sigma.to(torch.float64).unsqueeze(-1)
    mass, mass_length = _unit_columns(mass * weight)
    factor = _without_nuisances(mass, nuisance * weight, nuisance_sigma)
    missing = max(0, factor.shape[-1] - factor.shape[-2])  # fewer points than phases: directions never seen
    factor = torch.nn.functional.pad(factor, (0, 0, 0, missing))
    _, singular, axes = torch.linalg.svd(factor, full_matrices=False)
    seen = singular > _RANK
    slope = fraction_slope(masses.to(torch.float64)) / mass_length
    if outputs is not None:
        slope = outputs.to(torch.float64) @ slope
    along = slope @ axes.mT
    hidden = (along.square() * ~seen.unsqueeze(-2)).sum(-1)
    unknown = hidden > _LEAK**2 * slope.square().sum(-1)
    spread = along * torch.where(seen, 1 / singular.clamp_min(_RANK), 0.0).unsqueeze(-2)
    covariance = spread @ spread.mT
    covariance = covariance.masked_fill(unknown.unsqueeze(-1) | unknown.unsqueeze(-2), math.nan)
    smallest: Tensor = covariance.masked_fill(torch.diag_embed(unknown), math.inf)
    return smallest


def expected_tvd(covariance: Tensor) -> Tensor:
    """(B,) mean total variation distance of an unbiased, efficient estimator with normal errors.

    The mean size of a normal error is sqrt(2/pi) sigma; the TVD is half the sum over the fractions.

    Parameters
    ----------
    covariance : (B, P, P) tensor
        Of the fractions, from `fraction_covariance`.
    """
    sigma = covariance.diagonal(dim1=-2, dim2=-1).clamp_min(0).sqrt()
    return 0.5 * math.sqrt(2 / math.pi) * sigma.sum(-1)


def fraction_slope(masses: Tensor) -> Tensor:
    """(..., P, P) from masses (..., P): w_i = m_i / M, so dw_i/dm_j = (delta_ij - w_i) / M."""
    total = masses.sum(-1, keepdim=True).unsqueeze(-1)
    identity = torch.eye(masses.shape[-1], dtype=masses.dtype, device=masses.device)
    return (identity - masses.unsqueeze(-1) / total) / total


def _unit_columns(values: Tensor) -> tuple[Tensor, Tensor]:
    """Columns of length 1 (or 0), and (B, 1, C) their lengths (1 where 0)."""
    length = values.norm(dim=-2, keepdim=True)
    length = torch.where(length > 0, length, torch.ones_like(length))
    return values / length, length


def _without_nuisances(mass: Tensor, nuisance: Tensor, nuisance_sigma: Tensor | None) -> Tensor:
    """(B, P + Q, P): a factor R of the masses' information R^T R once the nuisances are eliminated."""
    if nuisance.shape[-1] == 0:
        alone: Tensor = torch.linalg.qr(mass, mode="r").R
        return alone
    if nuisance_sigma is not None:
        known = nuisance_sigma.to(nuisance).expand(len(nuisance), -1)
        nuisance = nuisance * (known > 0).unsqueeze(-2)
        # A prior is one more measurement of the nuisance, which no mass has a part in.
        prior = torch.where(known > 0, 1 / known.clamp_min(1e-300), 0.0)
        nuisance = torch.cat([nuisance, torch.diag_embed(prior)], dim=-2)
        mass = torch.nn.functional.pad(mass, (0, 0, 0, prior.shape[-1]))
    nuisance, _ = _unit_columns(nuisance)
    count = nuisance.shape[-1]
    small = torch.linalg.qr(torch.cat([nuisance, mass], dim=-1), mode="r").R
    span, singular, _ = torch.linalg.svd(small[..., :count], full_matrices=False)
    span = span * (singular > _RANK).unsqueeze(-2)
    masses = small[..., count:]
    left: Tensor = masses - span @ (span.mT @ masses)
    return left


def _check(sigma: Tensor, masses: Tensor) -> None:
    if not bool((sigma > 0).all()):
        raise ParameterError("sigma is not above 0 everywhere", remedy="Allowed: above 0")
    if not (bool((masses >= 0).all()) and bool((masses.sum(-1) > 0).all())):
        raise ParameterError(
            "masses are negative or all of a pattern are 0", remedy="Allowed: 0 or more, their sum above 0"
        )
