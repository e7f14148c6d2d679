"""Layers in which the candidates of a pattern learn of each other: one material's peaks are not another's."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn
from torch.nn import functional

#: How candidates exchange: by a fixed map over the materials, or by attention.
Mixing = Literal["mixer", "attention"]
_ATTENTION_HEADS = 4


class CandidateMixer(nn.Module):
    """Exchange between candidates, then a layer of each alone, as in the MLP-Mixer (Tolstikhin et al. 2021).

    The materials are always the same ones in the same order, so that a fixed map over them will do.

    Parameters
    ----------
    materials : int
    width : int
        Features of a candidate.
    """

    def __init__(self, materials: int, width: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.across = nn.ModuleList(
            [nn.Linear(materials, 2 * materials), nn.Linear(2 * materials, materials)]
        )
        self.alone = nn.ModuleList([nn.Linear(width, 2 * width), nn.Linear(2 * width, width)])

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, M, D) to (B, M, D)."""
        x: Tensor = self.norms[0](tokens).transpose(1, 2)
        tokens = tokens + self.across[1](functional.silu(self.across[0](x))).transpose(1, 2)
        changed: Tensor = self.alone[1](functional.silu(self.alone[0](self.norms[1](tokens))))
        return tokens + changed


def mixing_layer(kind: Mixing, materials: int, width: int) -> nn.Module:
    """A layer from (B, M, D) to (B, M, D)."""
    if kind == "mixer":
        return CandidateMixer(materials, width)
    return nn.TransformerEncoderLayer(
        width, _ATTENTION_HEADS, 2 * width, 0.0, functional.silu, batch_first=True, norm_first=True
    )
