"""The compact network: a strided residual 1-D CNN with heads for fractions, cell strain and size."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import torch
from torch import Tensor, nn

#: Part of the cache key of trained models: raise it with every change of what the network computes.
NETWORK_VERSION = 1


@dataclass(frozen=True, eq=False)
class Estimate:
    """What a network says of a batch of patterns. B patterns, P phases, K strain components.

    Attributes
    ----------
    fractions : (B, P) tensor
        Weight fractions, each row sums to 1.
    strain : (B, K) tensor
        Strain amplitudes of all phases, one after the other; of no meaning for absent phases.
    inverse_size : (B, P) tensor
        In 1/nm.
    """

    fractions: Tensor
    strain: Tensor
    inverse_size: Tensor


class ResidualBlock(nn.Module):
    """Two convolutions beside a strided projection; halves the length."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 5) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv1d(inputs, outputs, kernel, stride=2, padding=kernel // 2, bias=False),
            nn.BatchNorm1d(outputs),
            nn.SiLU(),
            nn.Conv1d(outputs, outputs, kernel, padding=kernel // 2, bias=False),
            nn.BatchNorm1d(outputs),
        )
        self.shortcut = nn.Conv1d(inputs, outputs, 3, stride=2, padding=1)
        self.activation = nn.SiLU()

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, N) to (B, outputs, ceil(N / 2))."""
        result: Tensor = self.activation(self.body(x) + self.shortcut(x))
        return result


def compact_layers(
    points: int, widths: tuple[int, ...], hidden: int
) -> tuple[nn.Sequential, nn.Sequential, nn.Sequential]:
    """Stem, residual blocks and fully connected stage: (B, 1, `points`) patterns to (B, `hidden`) features.

    `widths` are the channels of the stem and of each block.
    """
    stem = nn.Sequential(
        nn.Conv1d(1, widths[0], 15, stride=4, padding=7, bias=False), nn.BatchNorm1d(widths[0]), nn.SiLU()
    )
    blocks = nn.Sequential(*(ResidualBlock(a, b) for a, b in itertools.pairwise(widths)))
    length = -(-points // 4)
    for _ in widths[1:]:
        length = -(-length // 2)
    trunk = nn.Sequential(
        nn.Flatten(), nn.Linear(widths[-1] * length, hidden), nn.BatchNorm1d(hidden), nn.SiLU()
    )
    return stem, blocks, trunk


class CompactNetwork(nn.Module):
    """About half a million parameters; positions matter, so features are flattened, not averaged.

    Parameters
    ----------
    points : int
        Length of the patterns.
    phases : int
    strain_components : int
        Of all phases together.
    max_strain : float
        The strain head's range.
    size_nm : (low, high)
        The size head's range.
    widths : sequence of int
        Channels of the stem and of each block.
    hidden : int
        Width of the fully connected stage.
    """

    def __init__(
        self,
        *,
        points: int,
        phases: int,
        strain_components: int,
        max_strain: float,
        size_nm: tuple[float, float],
        widths: tuple[int, ...] = (16, 24, 32, 48, 64, 64),
        hidden: int = 192,
    ) -> None:
        super().__init__()
        self.max_strain = max_strain
        self.size_nm = size_nm
        self.stem, self.blocks, self.trunk = compact_layers(points, widths, hidden)
        self.fractions = nn.Linear(hidden, phases)
        self.strain = nn.Linear(hidden, strain_components)
        self.size = nn.Linear(hidden, phases)

    def forward(self, patterns: Tensor) -> Estimate:
        """Estimate from (B, N) patterns in any positive unit."""
        return self.said(self.features(patterns))

    def features(self, patterns: Tensor) -> Tensor:
        """(B, H) of (B, N) patterns: nearly all of the work, for which reduced precision will do."""
        features: Tensor = self.trunk(self.blocks(self.stem(self.prepare(patterns).unsqueeze(1))))
        return features

    def said(self, features: Tensor) -> Estimate:
        """What the heads say of (B, H) features."""
        low, high = self.size_nm
        return Estimate(
            fractions=torch.softmax(self.fractions(features), dim=-1),
            strain=self.max_strain * torch.tanh(self.strain(features)),
            inverse_size=(1 / high) * (high / low) ** torch.sigmoid(self.size(features)),
        )

    @staticmethod
    def prepare(patterns: Tensor) -> Tensor:
        """Square root of the pattern over its maximum: weak peaks count, and counting noise is even."""
        positive = patterns.clamp_min(0)
        return (positive / positive.amax(dim=-1, keepdim=True).clamp_min(1e-12)).sqrt()
