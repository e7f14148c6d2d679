"""Features along a pattern, as fine as its peaks, and a summary of the whole of it."""

from __future__ import annotations

import itertools

from torch import Tensor, nn
from torch.nn import functional

from mixrd.network.compact import ResidualBlock

#: Blocks whose features go back up to the resolution of the pattern.
_CLIMBED = 2


class MatchedTrunk(nn.Module):
    """Residual blocks down, whose first features, with what the deeper ones saw, are read along the pattern.

    Parameters
    ----------
    bins : int
        X, even.
    features : int
        F, along the pattern.
    widths : sequence of int
        Channels of the stem and of each block, at least two blocks.
    hidden : int
        Width of the summary.
    """

    def __init__(self, *, bins: int, features: int, widths: tuple[int, ...], hidden: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv1d(1, widths[0], 9, stride=2, padding=4, bias=False), nn.BatchNorm1d(widths[0]), nn.SiLU()
        )
        self.blocks = nn.ModuleList(ResidualBlock(a, b) for a, b in itertools.pairwise(widths))
        self.climb = nn.ModuleList(nn.Conv1d(widths[i + 1], widths[i], 1) for i in range(_CLIMBED))
        # Twice as many features at every other bin are as many at each.
        self.along = nn.Sequential(
            nn.BatchNorm1d(widths[0]),
            nn.SiLU(),
            nn.Conv1d(widths[0], 2 * features, 5, padding=2),
            nn.BatchNorm1d(2 * features),
        )
        length = -(-bins // 2)
        for _ in widths[1:]:
            length = -(-length // 2)
        self.summary = nn.Sequential(
            nn.Flatten(), nn.Linear(widths[-1] * length, hidden), nn.BatchNorm1d(hidden), nn.SiLU()
        )

    def forward(self, patterns: Tensor) -> tuple[Tensor, Tensor]:
        """(B, X) patterns to features (B, F, X) and summaries (B, H)."""
        levels = [self.stem(patterns.unsqueeze(1))]
        for block in self.blocks:
            levels.append(block(levels[-1]))
        x = levels[_CLIMBED]
        for level in reversed(range(_CLIMBED)):
            x = levels[level] + functional.interpolate(self.climb[level](x), size=levels[level].shape[-1])
        pairs: Tensor = self.along(x)
        along = pairs.unflatten(1, (-1, 2)).transpose(2, 3).flatten(2)
        return along, self.summary(levels[-1])
