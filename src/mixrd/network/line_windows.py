"""A closer look: the pattern around each line of a candidate, beside what the others should put there."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from mixrd.network.candidate_lines import CandidateLines
from mixrd.network.log_sine_axis import LogSineAxis

#: Numbers beside the windows: area and its root, whether the line is on the axis, its place, the
#: fraction times the area, the fraction.
_FACTS = 6
#: A window's layer gives shifts in this many bins.
_SHIFT_BINS = 4.0
#: Precision of a strain of 1 that a line gives if nothing is seen, beside those of the lines.
_RIDGE = 0.02


class LineWindows(nn.Module):
    """Reads windows around the lines; the shifts that it finds give strains by least squares.

    Parameters
    ----------
    candidates : CandidateLines
    axis : LogSineAxis
        X bins.
    window : int
        Bins around a line, odd.
    summary : int
        Numbers that say what kind of pattern it is.
    hidden, features : int
        Widths of the layers and of what they give.

    Attributes
    ----------
    outputs : int
        Numbers that are said of a candidate, besides its strain.
    """

    def __init__(
        self,
        candidates: CandidateLines,
        axis: LogSineAxis,
        *,
        window: int,
        summary: int,
        hidden: int,
        features: int,
    ) -> None:
        super().__init__()
        self.candidates = candidates
        self.bins, self.origin, self.width, self.window = axis.bins, axis.origin, axis.width, window
        self.outputs = 2 * features + 2
        self.read = nn.Sequential(
            nn.Linear(2 * window + _FACTS + summary, hidden),
            nn.SiLU(),
            nn.Linear(hidden, hidden),
            nn.SiLU(),
            nn.Linear(hidden, features + 2),
        )

    def forward(
        self, patterns: Tensor, summary: Tensor, material: Tensor, strain: Tensor, fraction: Tensor
    ) -> tuple[Tensor, Tensor]:
        """What is seen of P candidates at their strains.

        Parameters
        ----------
        patterns : (B, X) tensor
        summary : (B, S) tensor
        material : (B, P) int64 tensor
        strain : (B, P, C) tensor
        fraction : (B, P) tensor

        Returns
        -------
        seen : (B, P, `outputs`) tensor
            Means over the lines by area; plain means; confidence in all; share of lines on the axis.
        change : (B, P, C) tensor
            Of the strains.
        """
        with torch.no_grad():
            area = self.candidates.area[material]
            place = (self.candidates.at(strain, material) - self.origin) / self.width
            inside = ((place >= 0) & (place <= self.bins - 1) & (area > 0)).to(place.dtype)
            facts = self._facts(patterns, place.clamp(0, self.bins - 1.001), area, inside, fraction)
        about = summary.float()[:, None, None].expand(-1, *place.shape[1:], -1)
        said = self.read(torch.cat([facts, about], dim=-1)).float()
        with torch.autocast(patterns.device.type, enabled=False):
            said, shift, confidence = (
                said[..., :-2],
                said[..., -2],
                functional.softplus(said[..., -1]) * inside,
            )
            by_area, plain = _mean(said, inside * area), _mean(said, inside)
            change = self._change(shift, confidence, material)
            further = torch.stack([confidence.sum(2), inside.mean(2)], dim=-1)
        return torch.cat([by_area, plain, further], dim=-1), change

    def _facts(
        self, patterns: Tensor, place: Tensor, area: Tensor, inside: Tensor, fraction: Tensor
    ) -> Tensor:
        """(B, P, J, 2 W + 6): windows of the pattern and of the other lines' sticks, and numbers."""
        low = place.floor()
        share, first = place - low, low.long()
        own = fraction.unsqueeze(-1) * area * inside
        sticks = torch.zeros_like(patterns)
        sticks.scatter_add_(1, first.flatten(1), (own * (1 - share)).flatten(1))
        sticks.scatter_add_(1, first.flatten(1) + 1, (own * share).flatten(1))
        others = self._windows(sticks, first, share)
        # A line's own stick, as the interpolation of its window sees it, does not count.
        middle, beside = own * ((1 - share) ** 2 + share**2), own * share * (1 - share)
        centre = self.window // 2
        others[..., centre] -= middle
        others[..., centre - 1] -= beside
        others[..., centre + 1] -= beside
        numbers = (area, area.sqrt(), inside, 2 * place / self.bins - 1, own)
        wide = [*numbers, fraction.unsqueeze(-1).expand_as(area)]
        return torch.cat([self._windows(patterns, first, share), others, torch.stack(wide, -1)], dim=-1)

    def _windows(self, values: Tensor, first: Tensor, share: Tensor) -> Tensor:
        """(B, P, J, W) of (B, X) values around places between `first` and the next bin."""
        offset = torch.arange(self.window + 1, device=values.device) - self.window // 2
        index = (first.unsqueeze(-1) + offset).clamp(0, self.bins - 1)
        found = values.gather(1, index.flatten(1)).view(index.shape)
        return torch.lerp(found[..., :-1], found[..., 1:], share.unsqueeze(-1))

    def _change(self, shift: Tensor, confidence: Tensor, material: Tensor) -> Tensor:
        """(B, P, C) strains that shift the lines (B, P, J) so, by weighted least squares."""
        slope = self.candidates.slope[material]
        normal = torch.einsum("bpj,bpjk,bpjl->bpkl", confidence, slope, slope)
        normal = normal + _RIDGE * torch.eye(slope.shape[-1], device=slope.device)
        # A line at a larger d lies at a smaller angle.
        moved = -_SHIFT_BINS * self.width * shift * confidence
        change: Tensor = torch.linalg.solve(normal, torch.einsum("bpj,bpjk->bpk", moved, slope))
        return change


def _mean(values: Tensor, weight: Tensor) -> Tensor:
    """(B, P, F) of values (B, P, J, F) weighted with (B, P, J)."""
    total = (values * weight.unsqueeze(-1)).sum(2)
    return total / (weight.sum(2, keepdim=True) + 1e-3)
