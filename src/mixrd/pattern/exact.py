"""The plain sum over all peaks, each over the whole grid: slow, and what the fast renderers are held to."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mixrd.pattern.profile import pseudo_voigt, pseudo_voigt_derivatives
from mixrd.pattern.render import Peaks

#: Elements worked on at once.
_CHUNK = 2_000_000


class ExactRenderer:
    """Adds up full pseudo-Voigt peaks in float64.

    Parameters
    ----------
    two_theta : (N,) array
        Grid in degrees; need not rise.
    """

    def __init__(self, two_theta: NDArray[np.float64], *, device: torch.device | str = "cpu") -> None:
        self.grid = torch.tensor(two_theta, dtype=torch.float64, device=device)

    def render(self, peaks: Peaks, column: Tensor | None = None, columns: int = 1) -> Tensor:
        """(B, columns, N): as `Renderer.render`."""
        batch, count = peaks.position.shape
        if column is None:
            column = torch.zeros(count, dtype=torch.long, device=self.grid.device)
        result = peaks.position.new_zeros(batch, columns, len(self.grid))
        for rows in self._blocks(batch, count):
            position, area, fwhm, eta = (x[:, rows].unsqueeze(-1) for x in vars(peaks).values())
            values = area * pseudo_voigt(self.grid - position, fwhm, eta)
            result = result.index_add(1, column[rows], values)
        return result

    def combine(self, peaks: Peaks, areas: Tensor) -> Tensor:
        """(B, N, T): as `Renderer.combine`."""
        rates = torch.zeros_like(areas).unsqueeze(1).repeat(1, 4, 1, 1)
        rates[:, 1] = areas
        return self.tangents(peaks, rates)

    def tangents(self, peaks: Peaks, rates: Tensor) -> Tensor:
        """(B, N, T): as `Renderer.tangents`."""
        batch, _, count, directions = rates.shape
        result = peaks.position.new_zeros(batch, len(self.grid), directions)
        for rows in self._blocks(batch, count):
            position, area, fwhm, eta = (x[:, rows].unsqueeze(-1) for x in vars(peaks).values())
            value, by_position, by_fwhm, by_eta = pseudo_voigt_derivatives(self.grid - position, fwhm, eta)
            kernel = torch.stack([area * by_position, value, area * by_fwhm, area * by_eta], dim=1)
            result = result + torch.einsum("bkjn,bkjt->bnt", kernel, rates[:, :, rows])
        return result

    def expanded(self, peaks: Peaks, *, derivatives: bool = True) -> ExactlyExpanded:
        """As `Renderer.expanded`; nothing is kept."""
        return ExactlyExpanded(self, peaks)

    def _blocks(self, batch: int, count: int) -> list[slice]:
        size = max(1, _CHUNK // (batch * len(self.grid)))
        return [slice(low, low + size) for low in range(0, count, size)]


@dataclass(frozen=True, eq=False)
class ExactlyExpanded:
    """Patterns and derivatives of the same peaks, each evaluated when it is asked for."""

    renderer: ExactRenderer
    peaks: Peaks

    def combine(self, areas: Tensor) -> Tensor:
        """(B, N, T): as `Renderer.combine`."""
        return self.renderer.combine(self.peaks, areas)

    def tangents(self, area: Tensor, rates: Tensor) -> Tensor:
        """(B, N, T): as `Renderer.tangents`, of peaks with these areas (B, J)."""
        return self.renderer.tangents(replace(self.peaks, area=area), rates)
