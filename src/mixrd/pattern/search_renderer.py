"""Peaks of Scherrer width on an even grid, drawn by convolution: the precision of a search for phases."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mixrd.errors import ParameterError
from mixrd.pattern.even_grid import EvenRenderer, refuse_gradient
from mixrd.pattern.line_convolution import FEWEST_BEYOND, PERIOD_MARGIN_DEG, LineConvolution
from mixrd.pattern.render import Peaks

#: Widest fwhms, and degrees at least, beyond the ends of the grid where peaks still leave their tails.
_BEYOND_PER_FWHM, _BEYOND_DEG = 4.0, 2.0
#: Widest fwhms between the grid and its periodic image.
_MARGIN_PER_FWHM = 15.0
#: Widths of one law differ by less than this share, and etas by less than this.
_SAME = 4e-3
#: Fewest grid points within a fwhm: narrower peaks have frequencies that the grid lacks.
_FEWEST_POINTS = 4.0


class SearchRenderer(EvenRenderer):
    """Adds up pseudo-Voigts of Scherrer width, to 5e-3 of a pattern's maximum, by `LineConvolution`.

    The peaks of each column of a pattern are of one eta and of widths that go as 1 / cos theta, at least four
    steps of the grid. So are those of crystallites without microstrain, where the instrument broadens little
    or likewise; where it does not, the Thompson-Cox-Hastings widths of `ForwardModel` follow another law and
    are refused. Results carry no gradient.

    Parameters
    ----------
    two_theta : (N,) array
        Grid in degrees, rising by even steps.
    widest_fwhm : float
        Width in degrees of the broadest peak to expect; of broader ones, tails are less exact.

    Raises
    ------
    ParameterError
        If the grid is not even, or peaks at its end are too much wider than at its start.
    """

    def __init__(
        self, two_theta: NDArray[np.float64], *, widest_fwhm: float, device: torch.device | str = "cpu"
    ) -> None:
        super().__init__(two_theta, widest_fwhm=widest_fwhm, dtype=torch.float32, device=device)
        beyond = max(_BEYOND_DEG, _BEYOND_PER_FWHM * widest_fwhm)
        self._beyond = max(FEWEST_BEYOND, math.ceil(beyond / self.step))
        self._convolution = LineConvolution(
            self.first,
            self.step,
            len(two_theta),
            beyond=self._beyond,
            margin_deg=max(PERIOD_MARGIN_DEG, _MARGIN_PER_FWHM * widest_fwhm),
            device=device,
        )

    def render(self, peaks: Peaks, column: Tensor | None = None, columns: int = 1) -> Tensor:
        """(B, columns, N): as `Renderer.render`, of peaks of one law in each column.

        Raises
        ------
        ParameterError
            If the widths or etas of a column are not of one law, or too narrow for the grid; or if a gradient
            is asked for.
        """
        refuse_gradient(peaks)
        batch, count = peaks.position.shape
        if column is None:
            column = torch.zeros(count, dtype=torch.long, device=self.grid.device)
        row = torch.arange(batch, device=column.device).unsqueeze(1) * columns + column
        place = (peaks.position - self.first) / self.step
        there = (peaks.area != 0) & (place > -self._beyond) & (place < len(self.grid) + self._beyond - 1)
        row, peaks = row[there], Peaks(*(x[there] for x in vars(peaks).values()))
        profile = self._convolution.profile(*self._law(peaks, row, batch * columns))
        first, share, _ = self._convolution.shared_out(peaks.position)
        sticks = self._convolution.rows(batch * columns, row, first, peaks.area.unsqueeze(1) * share)
        owner = torch.arange(batch * columns, device=row.device)
        return self._convolution.convolved(sticks, owner, profile).view(batch, columns, -1)

    def _law(self, peaks: Peaks, row: Tensor, rows: int) -> tuple[Tensor, Tensor]:
        """(rows,) fwhm in degrees at theta = 0, and eta."""
        at_zero = peaks.fwhm * torch.deg2rad(0.5 * peaks.position).cos()
        law = []
        for value, scale in ((at_zero, at_zero), (peaks.eta, torch.ones_like(at_zero))):
            low, high, largest = (
                value.new_ones(rows).scatter_reduce(0, row, x, how, include_self=False)
                for x, how in ((value, "amin"), (value, "amax"), (scale, "amax"))
            )
            if bool((high - low > _SAME * largest).any()):
                raise ParameterError(
                    "widths of the peaks do not go as 1 / cos theta, or their etas differ",
                    remedy="Draw with precision training",
                )
            law.append((low + high) / 2)
        if len(row) and float(at_zero.min()) < _FEWEST_POINTS * self.step:
            raise ParameterError(
                f"peaks of {float(at_zero.min()):.3g} deg are too narrow for steps of {self.step:.3g} deg",
                remedy="Draw with precision training, or on a finer grid",
            )
        return law[0], law[1]
