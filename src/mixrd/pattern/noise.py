"""Counting statistics."""

from __future__ import annotations

import torch
from torch import Tensor


def apply_counting_noise(expected: Tensor, *, generator: torch.Generator) -> Tensor:
    """Counts drawn from a Poisson distribution with these expected counts, same shape."""
    return torch.poisson(expected, generator=generator)
