"""All that a network with heads says of a pattern, each number with its uncertainty."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class PatternEstimate:
    """What stands in B patterns: M materials of T strain components together.

    The uncertainties are standard deviations of a Laplace distribution (sqrt(2) times its width) that was
    learnt together with the values.

    Attributes
    ----------
    presence : (B, M) tensor
        Probability that the material is there.
    fractions, fraction_sigma : (B, M) tensor
        Each row of the fractions sums to 1.
    strain, strain_sigma : (B, T) tensor
        Amplitudes of all components of the first material, then of the next; of no meaning for an absent one.
    log_size, log_size_sigma : (B,) tensor
        ln of the crystallite size in nm.
    eta, eta_sigma : (B,) tensor
        Lorentzian share of the peaks.
    level, level_sigma : (B,) tensor
        Background at the start of the pattern, relative to the largest value without noise and background.
    log_decay, log_decay_sigma : (B,) tensor
        ln of the angle in degrees in which the background falls to 1/e.
    """

    presence: Tensor
    fractions: Tensor
    fraction_sigma: Tensor
    strain: Tensor
    strain_sigma: Tensor
    log_size: Tensor
    log_size_sigma: Tensor
    eta: Tensor
    eta_sigma: Tensor
    level: Tensor
    level_sigma: Tensor
    log_decay: Tensor
    log_decay_sigma: Tensor

    def __len__(self) -> int:
        return len(self.presence)

    def rows(self, index: Tensor) -> PatternEstimate:
        """Some of the patterns, by index or mask."""
        return PatternEstimate(**{name: value[index] for name, value in vars(self).items()})

    def to(self, device: torch.device | str) -> PatternEstimate:
        """The same on a device."""
        return PatternEstimate(**{name: value.to(device) for name, value in vars(self).items()})

    @staticmethod
    def joined(parts: Sequence[PatternEstimate]) -> PatternEstimate:
        """The patterns of all parts, one after the other."""
        names = [field.name for field in dataclasses.fields(PatternEstimate)]
        return PatternEstimate(**{name: torch.cat([getattr(p, name) for p in parts]) for name in names})
