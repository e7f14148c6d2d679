"""The compact networks: a strided residual 1-D CNN with heads for fractions, for strain and size, for all."""

from __future__ import annotations

import itertools
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from mixrd.errors import ParameterError
from mixrd.network.architecture import BRISK, HEADED, architecture
from mixrd.network.head_outputs import SHAPE_RANGES, SHAPES, HeadOutputs, HeadTruth
from mixrd.network.heads import HeadedNetwork, StrainNetwork
from mixrd.network.losses import fractions_from, loss_named
from mixrd.network.pattern_estimate import Estimate

#: Part of the cache key of trained models: raise it with every change of what a network computes.
NETWORK_VERSION = 1
#: Weight of the errors of strains and sizes beside the loss of the fractions.
_STRAIN_AND_SIZE_WEIGHT = 0.1
#: How a network sees a pattern: over its maximum, or the square root of that.
InputScale = Literal["linear", "sqrt"]


def prepared(patterns: Tensor, scale: InputScale) -> Tensor:
    """(B, N) patterns in any positive unit, scaled to a largest value of 1.

    "sqrt" makes the noise of counts even, and weak peaks count; where the noise is even already, as in the
    patterns of the paper, "linear" leaves it so.
    """
    if scale == "sqrt":
        return prepared(patterns.clamp_min(0), "linear").sqrt()
    return patterns / patterns.amax(dim=-1, keepdim=True).clamp_min(1e-12)


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


class _Compact(nn.Module):
    """Stem, residual blocks and fully connected stage; features are flattened, because positions matter."""

    def _layers(self, points: int, widths: tuple[int, ...], hidden: int, scale: InputScale) -> None:
        self.scale: InputScale = scale
        self.stem = nn.Sequential(
            nn.Conv1d(1, widths[0], 15, stride=4, padding=7, bias=False), nn.BatchNorm1d(widths[0]), nn.SiLU()
        )
        self.blocks = nn.Sequential(*(ResidualBlock(a, b) for a, b in itertools.pairwise(widths)))
        length = -(-points // 4)
        for _ in widths[1:]:
            length = -(-length // 2)
        self.trunk = nn.Sequential(
            nn.Flatten(), nn.Linear(widths[-1] * length, hidden), nn.BatchNorm1d(hidden), nn.SiLU()
        )

    def features(self, patterns: Tensor) -> Tensor:
        """(B, H) of (B, N) patterns: nearly all of the work, for which reduced precision will do."""
        features: Tensor = self.trunk(self.blocks(self.stem(prepared(patterns, self.scale).unsqueeze(1))))
        return features


@architecture("compact", "residual convolutional network, about 0.4 M parameters", training=BRISK)
class CompactFractions(_Compact):
    """A head for fractions and nothing else.

    Parameters
    ----------
    points : int
        Length of the patterns.
    materials : int
    widths : sequence of int
        Channels of the stem and of each block.
    hidden : int
        Width of the fully connected stage.
    scale : {"linear", "sqrt"}
        How the patterns are scaled (`prepared`).
    """

    def __init__(
        self,
        *,
        points: int,
        materials: int,
        widths: tuple[int, ...] = (16, 24, 32, 48, 64, 64),
        hidden: int = 192,
        scale: InputScale = "linear",
    ) -> None:
        super().__init__()
        self._layers(points, widths, hidden, scale)
        self.scores = nn.Linear(hidden, materials)

    def forward(self, patterns: Tensor) -> Tensor:
        """(B, N) patterns in any positive unit to (B, M) scores."""
        scores: Tensor = self.scores(self.features(patterns))
        return scores


class StrainAndSize(NamedTuple):
    """What the heads of a `CompactNetwork` give.

    Attributes
    ----------
    scores : (B, M) tensor
        Of the fractions.
    strain : (B, T) tensor
        Strain amplitudes of all materials, one after the other.
    inverse_size : (B, M) tensor
        In 1/nm.
    """

    scores: Tensor
    strain: Tensor
    inverse_size: Tensor


def strain_and_size_loss(
    said: StrainAndSize, truth: HeadTruth, max_strain: float, material_of_strain: Tensor
) -> Tensor:
    """Errors of strains and sizes of the materials that are there, mean over the patterns.

    Strain errors count in units of `max_strain`, sizes as natural logarithms; both are weighted with the
    square root of the material's fraction, because an absent one has neither.
    """
    assert truth.inverse_size is not None
    presence = truth.fractions.sqrt()
    size_error = (torch.log(said.inverse_size) - torch.log(truth.inverse_size)).abs()
    loss = 0.3 * (presence * size_error).mean()
    if max_strain > 0:
        strain_error = (said.strain - truth.strain).abs() / max_strain
        loss = loss + (presence[:, material_of_strain] * strain_error).mean()
    return loss


@architecture(
    "compact-scan",
    "the compact network with heads for strain and size of each phase, for scans",
    training={
        **BRISK,
        "batch": 192,
        "learning_rate": 3e-3,
        "weight_decay": 1e-4,
        "fused": False,
        "statistics_samples": 0,
    },
)
class CompactNetwork(StrainNetwork, _Compact):
    """Heads for fractions, cell strain and size; about half a million parameters.

    Parameters
    ----------
    points, materials, widths, hidden, scale
        As in `CompactFractions`.
    strain_components, max_strain
        As in `StrainNetwork`.
    size_nm : (low, high)
        The size head's range.
    """

    learns = ("strain", "inverse_size")

    def __init__(
        self,
        *,
        points: int,
        materials: int,
        size_nm: tuple[float, float],
        strain_components: tuple[int, ...] | None = None,
        max_strain: float = 0.01,
        widths: tuple[int, ...] = (16, 24, 32, 48, 64, 64),
        hidden: int = 192,
        scale: InputScale = "linear",
    ) -> None:
        super().__init__(materials=materials, strain_components=strain_components, max_strain=max_strain)
        if not 0 < size_nm[0] <= size_nm[1]:
            raise ParameterError(f"size_nm = {size_nm}", remedy="Allowed: 0 < low <= high")
        self.size_nm = size_nm
        self._layers(points, widths, hidden, scale)
        self.fractions = nn.Linear(hidden, materials)
        self.strain = nn.Linear(hidden, len(self.material_of_strain))
        self.size = nn.Linear(hidden, materials)

    def all_outputs(self, patterns: Tensor) -> StrainAndSize:
        """What all heads say of (B, N) patterns; in float32, whatever the layers before them are in."""
        features = self.features(patterns)
        low, high = self.size_nm
        with torch.autocast(patterns.device.type, enabled=False):
            features = features.to(self.fractions.weight.dtype)
            return StrainAndSize(
                self.fractions(features),
                self.max_strain * torch.tanh(self.strain(features)),
                (1 / high) * (high / low) ** torch.sigmoid(self.size(features)),
            )

    def loss_of(self, outputs: StrainAndSize, truth: HeadTruth, loss: str) -> tuple[Tensor, Tensor]:
        """Loss of the fractions plus a share for strains and sizes, and the scores."""
        further = strain_and_size_loss(outputs, truth, self.max_strain, self.material_of_strain)
        fractions = loss_named(loss)(outputs.scores, truth.fractions).mean()
        return fractions + _STRAIN_AND_SIZE_WEIGHT * further, outputs.scores

    def estimate(self, patterns: Tensor, *, loss: str = "tvd") -> Estimate:
        """All heads of (B, N) patterns; `loss` says what the scores mean (`fractions_from`)."""
        scores, strain, inverse_size = self.all_outputs(patterns)
        return Estimate(fractions_from(scores, loss), strain, inverse_size)

    def forward(self, patterns: Tensor) -> Tensor:
        """(B, N) patterns in any positive unit to (B, M) scores."""
        return self.all_outputs(patterns).scores


@architecture(
    "compact-heads",
    "the compact network with heads for presence, strain, size and background",
    training=HEADED,
)
class CompactHeads(HeadedNetwork, _Compact):
    """One linear layer of heads.

    Parameters
    ----------
    points, materials, widths, hidden, scale
        As in `CompactFractions`.
    strain_components, max_strain, shape_ranges
        As in `HeadedNetwork`; one component a material unless given.
    """

    def __init__(
        self,
        *,
        points: int,
        materials: int,
        strain_components: tuple[int, ...] | None = None,
        max_strain: float = 0.05,
        shape_ranges: tuple[tuple[float, float], ...] = SHAPE_RANGES,
        widths: tuple[int, ...] = (16, 24, 32, 48, 64, 64),
        hidden: int = 256,
        scale: InputScale = "linear",
    ) -> None:
        super().__init__(
            materials=materials,
            strain_components=strain_components,
            max_strain=max_strain,
            shape_ranges=shape_ranges,
        )
        self._layers(points, widths, hidden, scale)
        total = sum(self.strain_components)
        self.sizes = (materials, materials, materials, total, total, SHAPES, SHAPES)
        self.heads = nn.Linear(hidden, sum(self.sizes))

    def outputs(self, patterns: Tensor) -> HeadOutputs:
        """What all heads say of (B, N) patterns in any positive unit."""
        return HeadOutputs(*self.heads(self.features(patterns)).split(self.sizes, dim=1))
