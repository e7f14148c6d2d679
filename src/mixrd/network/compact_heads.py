"""The compact network with all heads."""

from __future__ import annotations

from torch import Tensor, nn

from mixrd.network.architecture import HEADED, architecture
from mixrd.network.compact import compact_layers
from mixrd.network.compact_fractions import InputScale, prepared
from mixrd.network.heads import SHAPE_RANGES, SHAPES, HeadedNetwork, HeadOutputs


@architecture(
    "compact-heads",
    "the compact network with heads for presence, strain, size and background",
    training=HEADED,
)
class CompactHeads(HeadedNetwork):
    """Stem, residual blocks and fully connected stage of the compact network, and one linear layer of heads.

    Parameters
    ----------
    points : int
        Length of the patterns.
    materials : int
    strain_components, max_strain, shape_ranges
        As in `HeadedNetwork`; one component a material unless given.
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
        self.scale: InputScale = scale
        self.stem, self.blocks, self.trunk = compact_layers(points, widths, hidden)
        total = sum(self.strain_components)
        self.sizes = (materials, materials, materials, total, total, SHAPES, SHAPES)
        self.heads = nn.Linear(hidden, sum(self.sizes))

    def outputs(self, patterns: Tensor) -> HeadOutputs:
        """What all heads say of (B, N) patterns in any positive unit."""
        x = prepared(patterns, self.scale).unsqueeze(1)
        values = self.heads(self.trunk(self.blocks(self.stem(x))))
        return HeadOutputs(*values.split(self.sizes, dim=1))
