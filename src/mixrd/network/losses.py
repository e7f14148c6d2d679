"""Losses and metrics."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from mixrd.errors import ParameterError


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


#: Share that the Dirichlet likelihood takes from every composition and spreads over all materials, because
#: its logarithm has no value where a fraction is exactly 0.
DIRICHLET_FLOOR = 1e-3
#: Largest magnitude of a score that becomes a Dirichlet concentration: exp(12) is a fraction to 0.2 %.
_LARGEST_LOG_CONCENTRATION = 12.0


def losses() -> tuple[str, ...]:
    """Names of all losses that fractions can be trained with, the paper's first.

    Total variation distance (Hoefer et al. 2024, Eq. 1), mean squared error, cross-entropy with the
    fractions as probabilities, Dirichlet negative log-likelihood (Simonnet et al. 2024).
    """
    return tuple(_LOSSES)


def loss_named(name: str) -> Callable[[Tensor, Tensor], Tensor]:
    """The loss of that name.

    Returns
    -------
    callable
        From scores of a network (B, M) and true fractions (B, M) to the loss of each sample, (B,); computed
        in float32 whatever precision the network ran in.

    Raises
    ------
    ParameterError
        If there is none.
    """
    if name not in _LOSSES:
        raise ParameterError(f"loss = {name!r} is none of mixrd's", remedy=f"Allowed: {', '.join(_LOSSES)}")
    return lambda scores, true: _LOSSES[name](_at_least_float32(scores), _at_least_float32(true))


def fractions_from(scores: Tensor, loss: str) -> Tensor:
    """(B, M) fractions that a network trained with `loss` means by its (B, M) scores.

    The softmax of the scores; of a Dirichlet distribution, whose concentrations are the exponentials of
    the scores, the mean.
    """
    scores = _at_least_float32(scores)
    loss_named(loss)
    if loss == "dirichlet":
        return torch.softmax(_log_concentration(scores), dim=-1)
    return torch.softmax(scores, dim=-1)


def dirichlet_concentration(scores: Tensor) -> Tensor:
    """(B, M) concentrations alpha of the Dirichlet distribution that the (B, M) scores stand for."""
    return _log_concentration(_at_least_float32(scores)).exp()


def _at_least_float32(values: Tensor) -> Tensor:
    return values if values.dtype == torch.float64 else values.float()


def _log_concentration(scores: Tensor) -> Tensor:
    # Smooth, so that scores beyond the range still have a gradient back into it.
    return _LARGEST_LOG_CONCENTRATION * torch.tanh(scores / _LARGEST_LOG_CONCENTRATION)


def _tvd(scores: Tensor, true: Tensor) -> Tensor:
    return total_variation_distance(torch.softmax(scores, dim=-1), true)


def _mean_squared_error(scores: Tensor, true: Tensor) -> Tensor:
    return (torch.softmax(scores, dim=-1) - true).square().mean(dim=-1)


def _cross_entropy(scores: Tensor, true: Tensor) -> Tensor:
    return -(true * torch.log_softmax(scores, dim=-1)).sum(dim=-1)


def _dirichlet(scores: Tensor, true: Tensor) -> Tensor:
    """-log of the density Gamma(sum alpha) / prod Gamma(alpha) * prod f^(alpha - 1)."""
    # In float64: differences of logarithms of gamma functions cancel most of their digits.
    alpha = _log_concentration(scores.double()).exp()
    inside = (1 - DIRICHLET_FLOOR) * true.double() + DIRICHLET_FLOOR / true.shape[-1]
    density = torch.lgamma(alpha.sum(-1)) - torch.lgamma(alpha).sum(-1) + ((alpha - 1) * inside.log()).sum(-1)
    return -density.to(scores.dtype)


_LOSSES = {
    "tvd": _tvd,
    "mse": _mean_squared_error,
    "cross-entropy": _cross_entropy,
    "dirichlet": _dirichlet,
}
