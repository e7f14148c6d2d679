"""The network of Hoefer et al. 2024 (doi 10.1515/cdbme-2024-2075): their Table 1 and Fig. 2."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mixrd.errors import ParameterError
from mixrd.network.architecture import architecture

#: Negative slope of the leaky rectified linear units.
NEGATIVE_SLOPE = 0.01
#: Width of the fully connected stage. The paper gives none; with it the network has the stated 30 million
#: parameters at 2667 points.
HIDDEN = 3800


@dataclass(frozen=True)
class Convolution:
    """One row of Table 1: stride 1, no padding.

    Attributes
    ----------
    filters, kernel : int
    pool : bool
        Followed by a maximum over pairs of points.
    """

    filters: int
    kernel: int
    pool: bool

    def length(self, points: int) -> int:
        """Points that leave, of `points` that enter."""
        left = points - self.kernel + 1
        return left // 2 if self.pool else left


#: The three blocks of Table 1.
BLOCKS = (
    (Convolution(64, 7, True), Convolution(64, 7, True), Convolution(128, 7, True)),
    (Convolution(256, 7, True), Convolution(512, 7, True)),
    (Convolution(1024, 7, True), Convolution(1024, 7, False), Convolution(1024, 7, False)),
)
#: The reduction layers R1-R3, one after each block.
REDUCTIONS = (Convolution(4, 9, True), Convolution(20, 5, True), Convolution(64, 4, False))


@architecture("table1", "the network of Hoefer et al. 2024, Table 1: 30 M parameters")
class Table1Network(nn.Module):
    """Three blocks, a reduced copy after each; the copies together pass a fully connected stage.

    Every layer but the first has batch normalization before it, every layer but the last a leaky rectified
    linear unit behind it. The softmax of the last layer is that of `mixrd.network.fractions_from`, because
    cross-entropy and Dirichlet likelihood start from the scores.

    Parameters
    ----------
    points : int
        Length of the patterns, at least 1402: nothing is padded.
    materials : int
    hidden : int
        Width of the fully connected stage.

    Raises
    ------
    ParameterError
        If the patterns are too short.
    """

    def __init__(self, *, points: int, materials: int, hidden: int = HIDDEN) -> None:
        super().__init__()
        features = sum(filters * length for filters, length in reduced_shapes(points))
        self.blocks = nn.ModuleList()
        self.reductions = nn.ModuleList()
        channels = 1
        for block, reduction in zip(BLOCKS, REDUCTIONS, strict=True):
            layers: list[nn.Module] = []
            for row in block:
                layers.append(_layer(channels, row, normalised=channels > 1))
                channels = row.filters
            self.blocks.append(nn.Sequential(*layers))
            self.reductions.append(_layer(channels, reduction, normalised=True))
        self.hidden = nn.Sequential(
            nn.BatchNorm1d(features), nn.Linear(features, hidden), nn.LeakyReLU(NEGATIVE_SLOPE)
        )
        self.scores = nn.Sequential(nn.BatchNorm1d(hidden), nn.Linear(hidden, materials))

    def forward(self, patterns: Tensor) -> Tensor:
        """(B, N) patterns, largest value about 1, to (B, M) scores."""
        x = patterns.unsqueeze(1)
        reduced: list[Tensor] = []
        for block, reduction in zip(self.blocks, self.reductions, strict=True):
            x = block(x)
            reduced.append(reduction(x).flatten(1))
        scores: Tensor = self.scores(self.hidden(torch.cat(reduced, dim=1)))
        return scores


def reduced_shapes(points: int) -> tuple[tuple[int, int], ...]:
    """(filters, length) behind R1, R2 and R3 for patterns of `points` points.

    Raises
    ------
    ParameterError
        If nothing is left of the patterns.
    """
    shapes = []
    length = points
    for block, reduction in zip(BLOCKS, REDUCTIONS, strict=True):
        for row in block:
            length = row.length(length)
        shapes.append((reduction.filters, reduction.length(length)))
    if min(left for _, left in shapes) < 1:
        raise ParameterError(
            f"points = {points}: the unpadded convolutions of Table 1 leave nothing of such a pattern",
            remedy=f"Allowed: at least {_fewest_points()}",
        )
    return tuple(shapes)


def _fewest_points() -> int:
    points = REDUCTIONS[-1].kernel
    for row in reversed([row for block in BLOCKS for row in block]):
        points = (2 * points if row.pool else points) + row.kernel - 1
    return points


def _layer(channels: int, row: Convolution, *, normalised: bool) -> nn.Sequential:
    layers: list[nn.Module] = [nn.BatchNorm1d(channels)] if normalised else []
    layers.append(nn.Conv1d(channels, row.filters, row.kernel))
    # The unit is monotonic: behind the maximum it gives the same with half the work.
    if row.pool:
        layers.append(nn.MaxPool1d(2, 2))
    return nn.Sequential(*layers, nn.LeakyReLU(NEGATIVE_SLOPE))
