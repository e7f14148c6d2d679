"""The random numbers of the paper's patterns."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from mixrd.pattern import ExponentialFall, GaussianNoise


@dataclass(frozen=True, eq=False)
class Figure1Draw:
    """All random numbers of B samples; with the sampler they make the same patterns again.

    Attributes
    ----------
    pattern : (B, K) int64 tensor
        Which of the sampler's line lists; slots that are not used have no fraction.
    fraction : (B, K) tensor
        Of each drawn pattern; they sum to 1.
    size_nm, eta : (B, 1) or (B, K) tensor
        Per mixture or per phase.
    noise : GaussianNoise
    background : ExponentialFall
    """

    pattern: Tensor
    fraction: Tensor
    size_nm: Tensor
    eta: Tensor
    noise: GaussianNoise
    background: ExponentialFall
