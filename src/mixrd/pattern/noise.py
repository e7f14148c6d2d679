"""Counting statistics."""

from __future__ import annotations

import torch
from torch import Tensor


def apply_counting_noise(expected: Tensor, *, generator: torch.Generator) -> Tensor:
    """Counts drawn from a Poisson distribution with these expected counts, same shape."""
    return torch.poisson(expected, generator=generator)


def apply_fast_counting_noise(expected: Tensor, *, generator: torch.Generator) -> Tensor:
    """Nearly Poisson counts, not whole numbers, in a tenth of the time: for training.

    The square root of a count has a standard deviation of nearly 1/2 whatever its mean (Anscombe 1948,
    Biometrika 35, 246), so a Gaussian is added there: mean and variance are those of a Poisson
    distribution within 4 % from 4 counts on.
    """
    normal = torch.randn(expected.shape, generator=generator, dtype=expected.dtype, device=expected.device)
    root = (expected - 0.25).clamp_min(0).sqrt() + 0.5 * normal
    return root.clamp_min(0).square()
