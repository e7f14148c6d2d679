"""From a list of peaks to intensities on the grid, and the derivatives of that, batched."""

from __future__ import annotations

import itertools
import math
from bisect import bisect_right
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mixrd.pattern.profile import pseudo_voigt, pseudo_voigt_derivatives
from mixrd.pattern.tails import Tails, taper, taper_rate

#: Half a window over the widest peak in it: the Gaussian has faded and the tails' expansion holds.
_WINDOW_PER_FWHM = 6.0
#: Half the narrowest window in degrees, and in steps of the grid.
_NARROWEST_DEG, _NARROWEST_STEPS = 0.75, 4.0
#: Windows are doubled so many times at most.
_MOST_LEVELS = 8
#: Points of the grid that are worked on together.
_BLOCK = 32
#: Elements worked on at once: temporaries of this size stay in the processor's cache, which makes the cost
#: linear in the number of peaks and keeps memory flat.
_CHUNK = 60_000


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

    In a window about its centre each peak is evaluated on the grid: a block of the grid and all peaks that
    reach it make one product of matrices. The Lorentzian's tails beyond are smooth, and all peaks' tails are
    found together (`Tails`). A taper joins the two without a step, so the sum is that of the full profiles.
    Windows come in a few widths; each peak takes the narrowest that is wide enough.

    Parameters
    ----------
    two_theta : (N,) array
        Grid in degrees, increasing; steps may vary.
    widest_fwhm : float
        Width in degrees of the broadest peak to expect. Broader ones are right as well.
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
        self.widest_fwhm = widest_fwhm
        step = float(np.median(np.diff(two_theta)))
        self.narrowest = max(_NARROWEST_DEG, _NARROWEST_STEPS * step)
        self._tails: dict[int, Tails] = {}
        self._blocks = math.ceil(len(self.grid) / _BLOCK)
        padded = self.grid.new_full((self._blocks * _BLOCK,), float(two_theta[-1]))
        padded[: len(self.grid)] = self.grid
        self._blocked = padded.view(self._blocks, _BLOCK)

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
        count = peaks.position.shape[1]
        if column is None:
            column = torch.zeros(count, dtype=torch.long, device=self.grid.device)
        mine = torch.nn.functional.one_hot(column, columns).to(peaks.area.dtype)
        return self.combine(peaks, peaks.area.unsqueeze(-1) * mine).transpose(1, 2)

    def combine(self, peaks: Peaks, areas: Tensor) -> Tensor:
        """(B, N, T): T patterns of the same peaks with other areas (B, J, T)."""
        rows = [
            self._sum(_Row(*row), own.unsqueeze(1))
            for *row, own in zip(peaks.position, peaks.fwhm, peaks.eta, areas, strict=True)
        ]
        return torch.stack(rows)

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
        area = peaks.area[:, None, :, None]
        # Derivatives are those of a peak of unit area.
        weights = torch.cat([rates[:, :1] * area, rates[:, 1:2], rates[:, 2:] * area], dim=1).transpose(1, 2)
        rows = [
            self._sum(_Row(*row), own)
            for *row, own in zip(peaks.position, peaks.fwhm, peaks.eta, weights, strict=True)
        ]
        return torch.stack(rows)

    def _sum(self, row: _Row, weights: Tensor) -> Tensor:
        """(N, T): sum over the peaks of their kernels times weights (J, K, T).

        There is one kernel, the profile of unit area, or four: its derivatives by position, area, fwhm, eta.
        """
        if weights.numel() == 0:
            return weights.new_zeros(len(self.grid), weights.shape[-1])
        level = self._level(row.fwhm)
        half_width = self.narrowest * 2.0**level
        total = self._windows(row, half_width, weights)
        for number in level.unique().tolist():
            own = level == number
            tails = self._tails_of(int(number))
            near = own & tails.near(row.position.detach())
            total = total + _tails(tails, row.of(near), weights[near])
            far = own & ~near
            if bool(far.any()):
                few = row.of(far)
                offset = self.grid - few.position.unsqueeze(-1)
                kernel = _kernel(few, offset, weights.shape[1])
                kernel = kernel - _tapered(few, offset, half_width[far].unsqueeze(-1), weights.shape[1])
                total = total + torch.einsum("jkn,jkt->nt", kernel, weights[far])
        return total

    def _level(self, fwhm: Tensor) -> Tensor:
        """(J,) which of the windows, each twice as wide as the one before."""
        wanted = _WINDOW_PER_FWHM * fwhm.detach() / self.narrowest
        return wanted.clamp_min(1.0).log2().ceil().clamp_max(_MOST_LEVELS)

    def _tails_of(self, level: int) -> Tails:
        if level not in self._tails:
            self._tails[level] = Tails(self.grid, self.narrowest * 2.0**level)
        return self._tails[level]

    def _windows(self, row: _Row, half_width: Tensor, weights: Tensor) -> Tensor:
        """(N, T): what the peaks have within their windows."""
        peak, block = self._reached(row.position.detach(), half_width)
        kinds = weights.shape[1]
        size = max(1, _CHUNK // (_BLOCK * kinds))
        ends = [0, *torch.bincount(block, minlength=self._blocks).cumsum(0).tolist()]
        sums, done = [], 0
        while done < self._blocks:
            last = max(done + 1, bisect_right(ends, ends[done] + size) - 1)
            some = peak[ends[done] : ends[last]]
            offset = self._blocked[block[ends[done] : ends[last]]] - row.position[some].unsqueeze(-1)
            kernel = _tapered(row.of(some), offset, half_width[some].unsqueeze(-1), kinds)
            weight = weights[some]
            for low, high in itertools.pairwise(e - ends[done] for e in ends[done : last + 1]):
                sums.append(kernel[low:high].flatten(0, 1).T @ weight[low:high].flatten(0, 1))
            done = last
        return torch.cat(sums)[: len(self.grid)]

    def _reached(self, position: Tensor, half_width: Tensor) -> tuple[Tensor, Tensor]:
        """Pairs of a peak and a block of the grid that its window reaches, block by block."""
        low = torch.searchsorted(self.grid, position - half_width)
        high = torch.searchsorted(self.grid, position + half_width)
        first = low // _BLOCK
        count = torch.where(high > low, (high - 1) // _BLOCK - first + 1, 0)
        peak = torch.repeat_interleave(count)
        number = torch.arange(len(peak), device=peak.device) - (count.cumsum(0) - count)[peak]
        block = first[peak] + number
        block, order = block.sort(stable=True)
        return peak[order], block


@dataclass(frozen=True, eq=False)
class _Row:
    """Peaks of one pattern, (J,) each."""

    position: Tensor
    fwhm: Tensor
    eta: Tensor

    def of(self, chosen: Tensor) -> _Row:
        return _Row(self.position[chosen], self.fwhm[chosen], self.eta[chosen])


def _kernel(row: _Row, offset: Tensor, kinds: int) -> Tensor:
    """(J, K, M): profiles of unit area at these offsets (J, M), or their derivatives."""
    fwhm, eta = row.fwhm.unsqueeze(-1), row.eta.unsqueeze(-1)
    if kinds == 1:
        return pseudo_voigt(offset, fwhm, eta).unsqueeze(1)
    value, by_position, by_fwhm, by_eta = pseudo_voigt_derivatives(offset, fwhm, eta)
    return torch.stack([by_position, value, by_fwhm, by_eta], dim=1)


def _tapered(row: _Row, offset: Tensor, half_width: Tensor, kinds: int) -> Tensor:
    """The same, as far as they are drawn within the window."""
    squared = offset * offset
    inside = taper(squared, half_width).unsqueeze(1)
    kernel = _kernel(row, offset, kinds)
    if kinds == 1:
        return kernel * inside
    # Tails are told by their distance alone, so the taper moves with its peak.
    moved = 2 * offset * taper_rate(squared, half_width) * kernel[:, 1]
    kernel = kernel.mul_(inside)
    kernel[:, 0] -= moved
    return kernel


def _tails(tails: Tails, row: _Row, weights: Tensor) -> Tensor:
    """(N, T): what the Lorentzians of the peaks have outside their windows."""
    half, share = 0.5 * row.fwhm, (row.eta / math.pi).unsqueeze(-1)
    if weights.shape[1] == 1:
        return tails.values(row.position, share * weights[:, 0], half)
    by_position, by_area, by_fwhm, by_eta = weights.unbind(1)
    return tails.tangents(
        row.position, half, share * by_position, share * by_area + by_eta / math.pi, 0.5 * share * by_fwhm
    )
