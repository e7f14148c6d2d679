"""Whether a phase is there: evidence for sets of copies, and whether a fit leaves anything but noise."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from mixrd.paper.refinement.copies import Amplitudes

#: Points of the Gaussian that residuals are smoothed with, as a standard deviation: about a narrow peak.
_SMOOTH_POINTS = 4.0
#: Sum of squares of the third difference 1, -3, 3, -1.
_THIRD_DIFFERENCE = 20.0


def evidence(
    normal: Tensor,
    coefficients: Tensor,
    cost: Tensor,
    amplitudes: Amplitudes,
    *,
    max_strain: float,
    by_number: Tensor,
    fraction_width: float,
    points: int,
) -> tuple[Tensor, Tensor]:
    """-2 ln of the evidence of fits, up to a constant, and the covariance of their coefficients.

    Laplace's approximation (MacKay 2003, Information Theory, Inference, and Learning Algorithms, ch. 28):
    n ln(cost) for white noise of unknown size, and for every parameter of a copy how far its posterior is
    narrower than its prior: strains uniform within `max_strain`, fractions within `fraction_width`. So a copy
    with many strains, which can follow more of the noise, has to explain more. What all sets have in common,
    size, eta and background, is left out.

    Parameters
    ----------
    normal : (B, C, C) tensor
        Normal matrix of coefficients (P + 1), strains (T), shape (3) and residual.
    coefficients : (B, P + 1) tensor
    cost : (B,) tensor
    amplitudes : Amplitudes
    max_strain : float
    by_number : (P + 1,) tensor
        -2 ln of the prior of a set of 0, 1, ... P copies.
    fraction_width : float
        0 leaves fractions out.
    points : int
        n.

    Returns
    -------
    score : (B,) tensor
    spread : (B, P, P) tensor
        Covariance of the copies' coefficients, all else free.
    """
    count, strains = coefficients.shape[1], amplitudes.there.shape[1]
    covariance = _inverse(normal[:, :-1, :-1].double())
    variance = (cost.double() / points).view(-1, 1)
    spread = covariance[:, : count - 1, : count - 1] * variance.unsqueeze(-1)
    there = coefficients[:, :-1] > 0
    total = coefficients[:, :-1].sum(1, keepdim=True).double().clamp_min(1e-12)
    narrower = _narrower(spread.diagonal(dim1=1, dim2=2) / total.square(), fraction_width) * there
    penalty = narrower.sum(1) + by_number[there.sum(1)]
    block = covariance[:, count : count + strains, count : count + strains] * variance.unsqueeze(-1)
    for slot in range(count - 1):
        own = amplitudes.there & (amplitudes.slot == slot) & there[:, slot : slot + 1]
        if not own.any():
            continue
        mask = own.double()
        # Where there is no amplitude, a prior that nothing is learnt of.
        part = block * mask.unsqueeze(1) * mask.unsqueeze(2)
        part = part + torch.diag_embed((1 - mask) * (2 * max_strain) ** 2)
        penalty = penalty + _narrower(torch.linalg.eigvalsh(part), 2 * max_strain).sum(1)
    score = points * torch.log(cost.double().clamp_min(1e-30)) + penalty
    return score.to(cost.dtype), spread.to(cost.dtype)


def unexplained(residual: Tensor) -> Tensor:
    """(B,) how much more a smoothed residual (B, N) scatters than noise would, relative to noise.

    The noise's variance comes from third differences, which hardly see peaks. 0 is noise alone, with a
    standard deviation of about sqrt(2 / N times the points that are smoothed over), 0.1 for 2667 points.
    """
    steps = residual[:, 3:] - 3 * residual[:, 2:-1] + 3 * residual[:, 1:-2] - residual[:, :-3]
    variance = steps.square().mean(1) / _THIRD_DIFFERENCE
    reach = math.ceil(3 * _SMOOTH_POINTS)
    kernel = torch.exp(-0.5 * (torch.arange(-reach, reach + 1) / _SMOOTH_POINTS) ** 2)
    kernel = (kernel / kernel.square().sum().sqrt()).view(1, 1, -1)
    smooth = torch.nn.functional.conv1d(residual.unsqueeze(1), kernel)[:, 0]
    return smooth.square().mean(1) / variance.clamp_min(1e-30) - 1


def _narrower(variance: Tensor, width: float) -> Tensor:
    """2 ln of the prior's width over the posterior's, at least 0."""
    posterior = (2 * math.pi * variance.clamp_min(1e-30)).sqrt()
    return (2 * torch.log(width / posterior)).clamp_min(0)


def _inverse(normal: Tensor) -> Tensor:
    """Inverse where a parameter matters; zero rows and columns where it does not."""
    size = normal.diagonal(dim1=1, dim2=2).clamp_min(0).sqrt()
    known = (size > 1e-6 * size.amax(1, keepdim=True)).double()
    scale = torch.where(known > 0, size, torch.ones_like(size))
    scaled = normal / (scale.unsqueeze(1) * scale.unsqueeze(2)) * known.unsqueeze(1) * known.unsqueeze(2)
    scaled = scaled + torch.diag_embed(1 - known + 1e-6)
    inverse = torch.linalg.inv(scaled) / (scale.unsqueeze(1) * scale.unsqueeze(2))
    result: Tensor = inverse * known.unsqueeze(1) * known.unsqueeze(2)
    return result
