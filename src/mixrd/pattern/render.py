"""From a list of peaks to intensities on the grid, and the derivatives of that, batched."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mixrd.pattern.profile import lorentzian, pseudo_voigt, pseudo_voigt_derivatives

#: Coarse points over half a window: cubic interpolation of the tails is then good to 5e-5 of broad peaks.
_COARSE_PER_WINDOW = 12
#: Elements worked on at once: temporaries of this size stay in the processor's cache, which makes the cost
#: linear in the number of peaks and keeps memory flat.
_CHUNK = 200_000


@dataclass(frozen=True, eq=False)
class Peaks:
    """Peaks of a batch of patterns; every tensor is (B, J).

    Attributes
    ----------
    position, fwhm : tensor
        In degrees 2theta.
    area : tensor
        Integrated intensity in degrees times the unit of the pattern.
    eta : tensor
        Lorentzian share, 0-1.
    """

    position: Tensor
    area: Tensor
    fwhm: Tensor
    eta: Tensor


class Renderer:
    """Adds up pseudo-Voigt peaks on a grid.

    Near its centre each peak is evaluated on the grid; its tails, which reach over the whole pattern,
    are smooth, so they are evaluated on a coarse grid and interpolated. A taper joins the two without
    a step, so the sum is that of the full profiles.

    Parameters
    ----------
    two_theta : (N,) array
        Grid in degrees, increasing; steps may vary.
    widest_fwhm : float
        Width in degrees of the broadest peak to expect; half the window is at least six times as wide,
        so that no Gaussian reaches into the tails.
    """

    def __init__(
        self,
        two_theta: NDArray[np.float64],
        *,
        widest_fwhm: float,
        dtype: torch.dtype,
        device: torch.device | str = "cpu",
    ) -> None:
        self.grid = torch.tensor(two_theta, dtype=dtype, device=device)
        span, step = float(two_theta[-1] - two_theta[0]), float(np.median(np.diff(two_theta)))
        # The half-width that balances the work on the window against that on the coarse grid.
        balanced = math.sqrt(_COARSE_PER_WINDOW * span * step / 2)
        self.half_width = max(balanced, 6.0 * widest_fwhm, 4 * step)
        self.reach = math.ceil(self.half_width / float(np.diff(two_theta).min()))
        coarse_step = self.half_width / _COARSE_PER_WINDOW
        first = float(two_theta[0]) - 1.5 * coarse_step
        count = math.ceil((span + 3 * coarse_step) / coarse_step) + 2
        self.coarse = first + coarse_step * torch.arange(count, dtype=dtype, device=device)
        place = (self.grid - first) / coarse_step
        start = place.floor().clamp(1, count - 3)
        self._cubic_index = start.long().unsqueeze(-1) + torch.arange(-1, 3, device=device)
        self._cubic_weight = lagrange_cubic(place - start)

    def render(self, peaks: Peaks, column: Tensor | None = None, columns: int = 1) -> Tensor:
        """Sum the peaks.

        Parameters
        ----------
        peaks : Peaks
            (B, J) each.
        column : (J,) int tensor, optional
            To which of `columns` patterns each peak belongs (its phase); default all to one.

        Returns
        -------
        (B, columns, N) tensor
        """
        batch, count = peaks.position.shape
        if column is None:
            column = torch.zeros(count, dtype=torch.long, device=self.grid.device)
        fine = peaks.position.new_zeros(batch, columns * len(self.grid))
        coarse = []
        size = max(1, _CHUNK // (batch * max(2 * self.reach, len(self.coarse))))
        for low in range(0, count, size):
            part = Peaks(*(x[:, low : low + size] for x in vars(peaks).values()))
            index, offset, weight = self._window(part)
            values = (
                part.area.unsqueeze(-1)
                * weight
                * pseudo_voigt(offset, part.fwhm.unsqueeze(-1), part.eta.unsqueeze(-1))
            )
            index = index + column[low : low + size].unsqueeze(-1) * len(self.grid)
            fine = fine.scatter_add(1, index.flatten(1), values.flatten(1))
            coarse.append(self._tails(part, column[low : low + size], columns))
        tails = torch.stack(coarse).sum(0)
        fine = fine.view(batch, columns, -1)
        return fine + self._interpolate(tails)

    def tangents(self, peaks: Peaks, rates: Tensor) -> Tensor:
        """Derivatives of the summed pattern along several directions.

        Parameters
        ----------
        peaks : Peaks
            (B, J) each.
        rates : (B, 4, J, T) tensor
            Rate of change of position, area, fwhm and eta of each peak in each of T directions.

        Returns
        -------
        (B, N, T) tensor
        """
        batch, _, count, directions = rates.shape
        result = peaks.position.new_zeros(batch, len(self.grid), directions)
        tails = peaks.position.new_zeros(batch, len(self.coarse), directions)
        size = max(1, _CHUNK // (batch * (2 * self.reach * directions + 8 * len(self.coarse))))
        for low in range(0, count, size):
            part = Peaks(*(x[:, low : low + size] for x in vars(peaks).values()))
            rate = rates[:, :, low : low + size]
            index, offset, weight = self._window(part)
            kernel = _derivative_kernel(part, offset, weight)
            values = torch.einsum("bkjw,bkjt->bjwt", kernel, rate).flatten(1, 2)
            target = index.flatten(1).unsqueeze(-1).expand(-1, -1, directions)
            result = result.scatter_add(1, target, values)
            offset = self.coarse - part.position.unsqueeze(-1)
            kernel = _derivative_kernel(part, offset, 1 - self._taper(offset))
            tails = tails + torch.einsum("bkjc,bkjt->bct", kernel, rate)
        return result + self._interpolate(tails.transpose(1, 2)).transpose(1, 2)

    def _window(self, peaks: Peaks) -> tuple[Tensor, Tensor, Tensor]:
        """Grid indices around each peak, offsets from its centre and taper; (B, J, W) each."""
        centre = torch.searchsorted(self.grid, peaks.position.detach().contiguous())
        spread = torch.arange(-self.reach, self.reach, device=self.grid.device)
        index = centre.unsqueeze(-1) + spread
        inside = (index >= 0) & (index < len(self.grid))
        index = index.clamp(0, len(self.grid) - 1)
        offset = self.grid[index] - peaks.position.unsqueeze(-1)
        return index, offset, self._taper(offset) * inside

    def _taper(self, offset: Tensor) -> Tensor:
        """1 within half the half-width, falling smoothly (C2) to 0 at the half-width.

        It multiplies the window and its complement the tails, so its own derivative cancels in the sum
        and is left out (detached).
        """
        t = (2 * (offset.detach().abs() / self.half_width) - 1).clamp(0, 1)
        return 1 - t**3 * (10 - 15 * t + 6 * t * t)

    def _tails(self, peaks: Peaks, column: Tensor, columns: int) -> Tensor:
        offset = self.coarse - peaks.position.unsqueeze(-1)
        shape = lorentzian(offset, peaks.fwhm.unsqueeze(-1))
        values = (peaks.area * peaks.eta).unsqueeze(-1) * shape * (1 - self._taper(offset))
        result = values.new_zeros(values.shape[0], columns, values.shape[2])
        return result.index_add(1, column, values)

    def _interpolate(self, coarse: Tensor) -> Tensor:
        return (coarse[..., self._cubic_index] * self._cubic_weight).sum(-1)


def _derivative_kernel(peaks: Peaks, offset: Tensor, weight: Tensor) -> Tensor:
    """(B, 4, J, W): change of the pattern per change of position, area, fwhm, eta of each peak."""
    value, by_position, by_fwhm, by_eta = pseudo_voigt_derivatives(
        offset, peaks.fwhm.unsqueeze(-1), peaks.eta.unsqueeze(-1)
    )
    area = peaks.area.unsqueeze(-1)
    return torch.stack([area * by_position, value, area * by_fwhm, area * by_eta], dim=1) * weight.unsqueeze(
        1
    )


def lagrange_cubic(t: Tensor) -> Tensor:
    """Weights of the points -1, 0, 1, 2 for a value at t in 0-1; (..., 4)."""
    return torch.stack(
        [
            -t * (t - 1) * (t - 2) / 6,
            (t + 1) * (t - 1) * (t - 2) / 2,
            -(t + 1) * t * (t - 2) / 2,
            (t + 1) * t * (t - 1) / 6,
        ],
        dim=-1,
    )
