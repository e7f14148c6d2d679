"""The compact network with nothing but a head for fractions."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from mixrd.network.architecture import BRISK, architecture
from mixrd.network.compact import CompactNetwork, compact_layers

#: How a network sees a pattern: over its maximum, or the square root of that.
InputScale = Literal["linear", "sqrt"]


def prepared(patterns: Tensor, scale: InputScale) -> Tensor:
    """(B, N) patterns in any positive unit, scaled to a largest value of 1.

    "sqrt" makes the noise of counts even; where the noise is even already, as in the patterns of the
    paper, "linear" leaves it so.
    """
    if scale == "sqrt":
        return CompactNetwork.prepare(patterns)
    return patterns / patterns.amax(dim=-1, keepdim=True).clamp_min(1e-12)


@architecture("compact", "residual convolutional network, about 0.4 M parameters", training=BRISK)
class CompactFractions(nn.Module):
    """Stem and residual blocks of `CompactNetwork`; features are flattened, because positions matter.

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
        self.scale: InputScale = scale
        self.stem, self.blocks, self.trunk = compact_layers(points, widths, hidden)
        self.scores = nn.Linear(hidden, materials)

    def forward(self, patterns: Tensor) -> Tensor:
        """(B, N) patterns in any positive unit to (B, M) scores."""
        x = prepared(patterns, self.scale).unsqueeze(1)
        scores: Tensor = self.scores(self.trunk(self.blocks(self.stem(x))))
        return scores
