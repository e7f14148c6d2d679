"""A fully connected network: what can be had without convolutions."""

from __future__ import annotations

import itertools

from torch import Tensor, nn

from mixrd.network.architecture import BRISK, architecture
from mixrd.network.compact import InputScale, prepared


@architecture("mlp", "fully connected network, about 1.5 M parameters", training=BRISK)
class FullyConnectedNetwork(nn.Module):
    """Linear layers with batch normalization and leaky rectified linear units.

    Parameters
    ----------
    points : int
        Length of the patterns.
    materials : int
    widths : sequence of int
        Of the hidden layers.
    scale : {"linear", "sqrt"}
        How the patterns are scaled (`prepared`).
    """

    def __init__(
        self,
        *,
        points: int,
        materials: int,
        widths: tuple[int, ...] = (512, 256),
        scale: InputScale = "linear",
    ) -> None:
        super().__init__()
        self.scale: InputScale = scale
        layers: list[nn.Module] = []
        for inputs, outputs in itertools.pairwise((points, *widths)):
            layers += [nn.Linear(inputs, outputs, bias=False), nn.BatchNorm1d(outputs), nn.LeakyReLU(0.01)]
        self.body = nn.Sequential(*layers)
        self.scores = nn.Linear((points, *widths)[-1], materials)

    def forward(self, patterns: Tensor) -> Tensor:
        """(B, N) patterns in any positive unit to (B, M) scores."""
        scores: Tensor = self.scores(self.body(prepared(patterns, self.scale)))
        return scores
