"""A source of mixtures for trainings of seconds: peaks that shift a little, noise."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Drawn:
    patterns: Tensor
    fractions: Tensor


@dataclass(frozen=True)
class Peaks:
    """Three materials of four peaks each, on a grid of `points`."""

    points: int = 96
    materials: int = 3

    def draw(self, batch: int, *, generator: torch.Generator) -> Drawn:
        device = generator.device
        fractions = -torch.rand(batch, self.materials, generator=generator, device=device).log()
        fractions = fractions / fractions.sum(1, keepdim=True)
        shift = 2 * torch.rand(batch, self.materials, 1, 1, generator=generator, device=device)
        place = (
            torch.linspace(5, self.points - 8, 4 * self.materials, device=device).view(4, self.materials).T
        )
        grid = torch.arange(self.points, dtype=torch.float32, device=device)
        peaks = torch.exp(-0.5 * (grid - place.unsqueeze(-1) - shift).square()).sum(2)
        patterns = (fractions.unsqueeze(2) * peaks).sum(1)
        noise = torch.randn(patterns.shape, generator=generator, device=device)
        return Drawn(patterns + 0.02 * noise, fractions)
