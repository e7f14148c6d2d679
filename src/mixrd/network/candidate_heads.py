"""What tokens say of the candidates' presence, fraction and strain, and a summary of the pattern's shape."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from mixrd.network.head_outputs import SHAPES, HeadOutputs

#: Presence, score and width of the fraction come before the strains and their widths.
_BEFORE = 3
#: What the layers say of a strain counts in this unit, beside the strain that was found already.
_CORRECTION = 0.3
_SHAPE_HIDDEN = 64


class PatternParts(NamedTuple):
    """Outputs of the heads, and the strains (B, M, C) by material."""

    outputs: HeadOutputs
    strain: Tensor


class CandidateHeads(nn.Module):
    """One layer for all materials and one of each its own, added up.

    Parameters
    ----------
    there : (M, C) tensor of bool
        Whether a material has a strain component.
    width, hidden : int
        Of a token, and of the pattern's summary.
    seen : int
        Numbers about the shape of the lines, behind the summary; 0: there are none yet.
    corrects : bool
        Whether the heads change what was said before, at first by small constants alone.
    """

    def __init__(self, there: Tensor, *, width: int, hidden: int, seen: int, corrects: bool = False) -> None:
        super().__init__()
        materials, most = there.shape
        self.most, self.hidden = most, hidden
        self.prepare = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.SiLU())
        self.shared = nn.Linear(width, _BEFORE + 2 * most)
        self.own = nn.Parameter(torch.zeros(materials, width, _BEFORE + 2 * most))
        self.whole = nn.Linear(hidden, _BEFORE * materials)
        nn.init.zeros_(self.whole.weight)
        self.shape = (
            nn.Sequential(
                nn.Linear(hidden + seen, _SHAPE_HIDDEN), nn.SiLU(), nn.Linear(_SHAPE_HIDDEN, 2 * SHAPES)
            )
            if seen
            else nn.Linear(hidden, 2 * SHAPES)
        )
        self.corrects = corrects
        if corrects:
            for layer in (
                self.shared,
                self.shape[-1] if isinstance(self.shape, nn.Sequential) else self.shape,
            ):
                for parameter in layer.parameters():
                    nn.init.zeros_(parameter)
        self.register_buffer("_kept", there.flatten().nonzero()[:, 0], persistent=False)

    _kept: Tensor

    def forward(
        self, tokens: Tensor, summary: Tensor, strain: Tensor, before: HeadOutputs | None = None
    ) -> PatternParts:
        """From tokens (B, M, D), the summary (B, H + S), strains (B, M, C) and what was said `before`."""
        x = self.prepare(tokens)
        said = self.shared(x) + torch.einsum("bmd,mdo->bmo", x, self.own.to(x.dtype))
        said = said.float()
        whole = self.whole(summary[:, : self.hidden]).float().unflatten(1, (_BEFORE, -1))
        scores, presence, width = (said[..., :_BEFORE].transpose(1, 2) + whole).unbind(1)
        strain = strain + _CORRECTION * said[..., _BEFORE : _BEFORE + self.most]
        strain_width = said[..., _BEFORE + self.most :]
        shape, shape_width = self.shape(summary).float().chunk(2, dim=1)
        told = strain_width.flatten(1)[:, self._kept]
        if self.corrects:
            assert before is not None
            scores, presence, width = (
                old + new for old, new in zip(before[:3], (scores, presence, width), strict=True)
            )
            told, shape = before.strain_log_width + told, before.shape + shape
            shape_width = before.shape_log_width + shape_width
        outputs = HeadOutputs(
            scores, presence, width, strain.flatten(1)[:, self._kept], told, shape, shape_width
        )
        return PatternParts(outputs, strain)
