"""What a network says of patterns: fractions, and what else it has heads for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Estimate:
    """What stands in B patterns: M materials of T strain components together.

    Attributes
    ----------
    fractions : (B, M) tensor
        Each row sums to 1.
    strain : (B, T) tensor or None
        Amplitudes of all components of the first material, then of the next; of no meaning for an absent
        one. None, as the size, of a network without that head.
    inverse_size : (B, M) tensor or None
        In 1/nm.
    """

    fractions: Tensor
    strain: Tensor | None = None
    inverse_size: Tensor | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class PatternEstimate(Estimate):
    """An estimate with all that a `HeadedNetwork` says, each number with its uncertainty.

    The uncertainties are standard deviations of a Laplace distribution (sqrt(2) times its width) that was
    learnt together with the values.

    Attributes
    ----------
    presence : (B, M) tensor
        Probability that the material is there.
    fraction_sigma : (B, M) tensor
    strain, strain_sigma : (B, T) tensor
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
        return PatternEstimate(**{name: value[index] for name, value in self._stated().items()})

    def to(self, device: torch.device | str) -> PatternEstimate:
        """The same on a device."""
        return PatternEstimate(**{name: value.to(device) for name, value in self._stated().items()})

    @staticmethod
    def joined(parts: Sequence[PatternEstimate]) -> PatternEstimate:
        """The patterns of all parts, one after the other."""
        names = parts[0]._stated()
        return PatternEstimate(**{name: torch.cat([getattr(p, name) for p in parts]) for name in names})

    def _stated(self) -> dict[str, Tensor]:
        return {name: value for name, value in vars(self).items() if value is not None}
