"""Losses and metrics."""

from __future__ import annotations

import torch
from torch import Tensor

from mixrd.network.compact import Estimate


def total_variation_distance(estimated: Tensor, true: Tensor) -> Tensor:
    """Half the sum of absolute differences of fractions (Hoefer et al. 2024, Eq. 1).

    Parameters
    ----------
    estimated, true : (B, P) tensor

    Returns
    -------
    (B,) tensor
        0 (same) to 1 (nothing in common).
    """
    return 0.5 * (estimated - true).abs().sum(dim=-1)


def estimate_loss(
    estimate: Estimate,
    *,
    fractions: Tensor,
    strain: Tensor,
    inverse_size: Tensor,
    max_strain: float,
    phase_of_strain: Tensor,
    nuisance_weight: float = 0.1,
) -> Tensor:
    """Mean TVD of the fractions plus a share for strains and sizes of the phases that are there.

    Strain errors count in units of `max_strain`, sizes as natural logarithms; both are weighted with the
    square root of the phase's fraction, because an absent phase has neither.

    Parameters
    ----------
    estimate : Estimate
    fractions, inverse_size : (B, P) tensor
    strain : (B, K) tensor
    max_strain : float
    phase_of_strain : (K,) int tensor
        The phase that each strain component belongs to.
    nuisance_weight : float
    """
    presence = fractions.sqrt()
    loss = total_variation_distance(estimate.fractions, fractions).mean()
    size_error = (torch.log(estimate.inverse_size) - torch.log(inverse_size)).abs()
    nuisance = 0.3 * (presence * size_error).mean()
    if max_strain > 0:
        strain_error = (estimate.strain - strain).abs() / max_strain
        nuisance = nuisance + (presence[:, phase_of_strain] * strain_error).mean()
    return loss + nuisance_weight * nuisance
