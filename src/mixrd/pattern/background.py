"""Smooth background: a linear basis to fit it, and random ones to train with."""

from __future__ import annotations

import torch
from torch import Tensor


def background_basis(two_theta: Tensor, *, degree: int) -> Tensor:
    """Chebyshev polynomials over the range, and 1/(2theta) for air scatter at low angles.

    Parameters
    ----------
    two_theta : (N,) tensor
        In degrees.
    degree : int
        Highest degree of the polynomials.

    Returns
    -------
    (degree + 2, N) tensor
        Each of the order of 1.
    """
    low, high = two_theta[0], two_theta[-1]
    x = (2 * two_theta - low - high) / (high - low)
    rows = [torch.ones_like(x), x]
    for _ in range(2, degree + 1):
        rows.append(2 * x * rows[-1] - rows[-2])
    rows = rows[: degree + 1]
    rows.append(low.clamp_min(1.0) / two_theta.clamp_min(1.0))
    return torch.stack(rows)


def draw_background(two_theta: Tensor, batch: int, *, generator: torch.Generator) -> Tensor:
    """Random smooth backgrounds of a diffractometer, between 0 and about 1.

    A constant, an exponential fall from low angles (air scatter), a slow polynomial and, in every
    second one, a broad amorphous hump.

    Returns
    -------
    (batch, N) tensor
        Maximum 1 in every row, positive everywhere.
    """

    def uniform(low: float, high: float) -> Tensor:
        draw = torch.rand(batch, 1, generator=generator, dtype=two_theta.dtype, device=two_theta.device)
        return low + (high - low) * draw

    low, high = two_theta[0], two_theta[-1]
    x = (two_theta - low) / (high - low)
    fall = uniform(0.0, 2.0) * torch.exp(-x * uniform(2.0, 15.0))
    slope = uniform(-0.5, 0.5) * x + uniform(-0.4, 0.4) * torch.cos(torch.pi * x * uniform(0.5, 3.0))
    present = (uniform(0.0, 1.0) < 0.5).to(two_theta.dtype)
    hump = present * uniform(0.0, 0.8) * torch.exp(-(((x - uniform(0.0, 0.5)) / uniform(0.05, 0.2)) ** 2))
    background = (uniform(0.2, 1.0) + fall + slope + hump).clamp_min(0.02)
    return background / background.amax(dim=-1, keepdim=True)
