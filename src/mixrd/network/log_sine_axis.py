"""Patterns on an axis of ln sin theta, where an isotropic strain is a shift."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from mixrd.errors import ParameterError


class LogSineAxis(nn.Module):
    """Averages a pattern over bins that are even in ln sin theta.

    By Bragg's law ln sin theta = ln(lambda / 2) + ln(1 / d): all lines of a crystal move alike when it
    expands alike, and by a fixed combination of its strains otherwise.

    Parameters
    ----------
    points : int
        N, length of the patterns.
    bins : int
        X.
    start_deg, step_deg : float
        Their grid in degrees 2theta.

    Attributes
    ----------
    origin, width : float
        ln sin theta at the middle of the first bin, and from one bin to the next.

    Raises
    ------
    ParameterError
        If the grid does not lie between 0 and 180 deg.
    """

    def __init__(self, *, points: int, bins: int, start_deg: float, step_deg: float) -> None:
        super().__init__()
        edges_deg = start_deg + step_deg * (np.arange(points + 1) - 0.5)
        if not 0 < edges_deg[0] < edges_deg[-1] < 180:
            raise ParameterError(
                f"a grid of {points} points from {start_deg:g} deg, step {step_deg:g} deg",
                remedy="Allowed: grids between 0 and 180 deg",
            )
        place = np.log(np.sin(np.radians(edges_deg / 2)))
        edges = np.linspace(place[0], place[-1], bins + 1)
        self.bins, self.width = bins, float(edges[1] - edges[0])
        self.origin = float(edges[0] + self.width / 2)
        # Edges of the bins, counted in points of the pattern.
        at = np.interp(edges, place, np.arange(points + 1))
        low = np.minimum(np.floor(at).astype(np.int64), points - 1)
        self.register_buffer("_low", torch.from_numpy(low), persistent=False)
        self.register_buffer("_share", torch.from_numpy(at - low).float(), persistent=False)
        self.register_buffer("_points_each", torch.from_numpy(np.diff(at)).float(), persistent=False)

    _low: Tensor
    _share: Tensor
    _points_each: Tensor

    def forward(self, patterns: Tensor) -> Tensor:
        """(B, N) patterns to their means (B, X) over the bins."""
        running = nn.functional.pad(patterns.cumsum(1), (1, 0))
        up_to = torch.lerp(running[:, self._low], running[:, self._low + 1], self._share)
        means: Tensor = up_to.diff(dim=1) / self._points_each
        return means
