"""From a list of peaks to intensities on the grid, and the derivatives of that, batched."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mixrd.pattern.profile import pseudo_voigt, pseudo_voigt_derivatives
from mixrd.pattern.tails import Tails, taper, taper_rate

#: Half a window over the widest peak in it: the Gaussian has faded and the tails' expansion holds.
_WINDOW_PER_FWHM = 6.0
#: Half the narrowest window in degrees, least and largest, and its least number of steps. In between it is
#: this times the root of the grid's length times its step, where windows and tails cost about the same.
_NARROWEST_DEG, _WIDEST_DEG, _NARROWEST_STEPS, _BALANCED = 0.75, 3.0, 4.0, 1.5
#: Windows are doubled so many times at most.
_MOST_LEVELS = 8
#: Points of the grid that are worked on together.
_BLOCK = 32
#: Elements worked on at once: temporaries of this size stay in the processor's cache, which makes the cost
#: linear in the number of peaks and keeps memory flat.
_CHUNK = 60_000
#: Place of the profile among a peak's four kernels: derivatives by position, area, fwhm, eta.
_VALUE = 1


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

    In a window about its centre each peak is evaluated on the grid: blocks of the grid and all peaks that
    reach them make products of matrices. The Lorentzian's tails beyond are smooth, and all peaks' tails are
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
        balanced = _BALANCED * math.sqrt(step * float(two_theta[-1] - two_theta[0]))
        self.narrowest = max(min(max(balanced, _NARROWEST_DEG), _WIDEST_DEG), _NARROWEST_STEPS * step)
        self._tails: dict[int, Tails] = {}
        self.blocks = math.ceil(len(self.grid) / _BLOCK)
        padded = self.grid.new_full((self.blocks * _BLOCK,), float(two_theta[-1]))
        padded[: len(self.grid)] = self.grid
        self.blocked = padded.view(self.blocks, _BLOCK)

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
        placed = _Placed(self, peaks)
        return placed.patterns(placed.groups(derivatives=False), areas)

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
        placed = _Placed(self, peaks)
        return placed.tangents(placed.groups(derivatives=True), peaks.area, rates)

    def expanded(self, peaks: Peaks, *, derivatives: bool = True) -> Expanded:
        """The peaks' profiles, as a rule with their derivatives, to be summed with several weights."""
        return Expanded(self, peaks, derivatives=derivatives)

    def tails(self, level: int) -> Tails:
        """What draws the tails of peaks with windows of this level."""
        if level not in self._tails:
            self._tails[level] = Tails(self.blocked, self.narrowest * 2.0**level)
        return self._tails[level]

    def reached(self, position: Tensor, half_width: Tensor) -> tuple[Tensor, Tensor]:
        """Pairs of a peak and a block of the grid that its window reaches, peak by peak."""
        low = torch.searchsorted(self.grid, position - half_width)
        high = torch.searchsorted(self.grid, position + half_width)
        first = low // _BLOCK
        count = torch.where(high > low, (high - 1) // _BLOCK - first + 1, 0)
        peak = torch.repeat_interleave(count)
        number = torch.arange(len(peak), device=peak.device) - (count.cumsum(0) - count)[peak]
        return peak, first[peak] + number


class Expanded:
    """Patterns and derivatives of the same peaks: the profiles are evaluated once for both.

    Parameters
    ----------
    renderer : Renderer
    peaks : Peaks
        (B, J) each.
    derivatives : bool
        Without them there are patterns alone.
    """

    def __init__(self, renderer: Renderer, peaks: Peaks, *, derivatives: bool) -> None:
        self._placed = _Placed(renderer, peaks)
        self._groups = list(self._placed.groups(derivatives=derivatives))

    def combine(self, areas: Tensor) -> Tensor:
        """(B, N, T): as `Renderer.combine`."""
        return self._placed.patterns(self._groups, areas)

    def tangents(self, area: Tensor, rates: Tensor) -> Tensor:
        """(B, N, T): as `Renderer.tangents`, of peaks with these areas (B, J)."""
        return self._placed.tangents(self._groups, area, rates)


@dataclass(frozen=True, eq=False)
class _Group:
    """Blocks of the grid and the peaks that reach them.

    Attributes
    ----------
    block : (G,) tensor
        Numbers of the blocks, pattern after pattern.
    peak : (G, M) tensor
        Numbers of the peaks, pattern after pattern; one behind the last where fewer reach a block.
    kernel : (G, M, K, _BLOCK) tensor
        What a peak of unit area has there; K = 1, or 4: its derivatives by position, area, fwhm and eta.
    """

    block: Tensor
    peak: Tensor
    kernel: Tensor


class _Placed:
    """Peaks of B patterns on the grid of a renderer, each with its window."""

    def __init__(self, renderer: Renderer, peaks: Peaks) -> None:
        self.renderer = renderer
        self.batch, self.count = peaks.position.shape
        self.position, self.fwhm, self.eta = (x.flatten() for x in (peaks.position, peaks.fwhm, peaks.eta))
        wanted = _WINDOW_PER_FWHM * self.fwhm.detach() / renderer.narrowest
        self.level = wanted.clamp_min(1.0).log2().ceil().clamp_max(_MOST_LEVELS)
        self.half_width = renderer.narrowest * 2.0**self.level
        self.row = torch.arange(self.batch, device=self.position.device).repeat_interleave(self.count)

    def groups(self, *, derivatives: bool) -> Iterator[_Group]:
        """All blocks that any peak reaches; those of one group are reached by about as many."""
        peak, block = self.renderer.reached(self.position.detach(), self.half_width)
        block = block + self.row[peak] * self.renderer.blocks
        block, order = block.sort(stable=True)
        peak = peak[order]
        count = torch.bincount(block, minlength=self.batch * self.renderer.blocks)
        first = count.cumsum(0) - count
        count, fullest = count.sort(descending=True, stable=True)
        sizes: list[int] = count[count > 0].tolist()
        kinds = 4 if derivatives else 1
        # One more that has no part in anything stands where fewer peaks reach a block.
        position, fwhm, eta, half_width = (
            torch.nn.functional.pad(x, (0, 1), value=1.0)
            for x in (self.position, self.fwhm, self.eta, self.half_width)
        )
        done = 0
        while done < len(sizes):
            some = slice(done, min(len(sizes), done + max(1, _CHUNK // (_BLOCK * kinds * sizes[done]))))
            blocks = fullest[some]
            place = torch.arange(sizes[done], device=peak.device)
            pair = (first[blocks].unsqueeze(1) + place).clamp_max(len(peak) - 1)
            own = torch.where(place < count[some].unsqueeze(1), peak[pair], len(self.position))
            offset = self.renderer.blocked[blocks % self.renderer.blocks].unsqueeze(1) - position[
                own
            ].unsqueeze(-1)
            shape = (x[own].unsqueeze(-1) for x in (fwhm, eta, half_width))
            yield _Group(blocks, own, _tapered(offset, *shape, derivatives=derivatives))
            done = some.stop

    def patterns(self, groups: Iterable[_Group], areas: Tensor) -> Tensor:
        """(B, N, T) patterns of the peaks with these areas (B, J, T)."""
        if areas.numel() == 0:
            return areas.new_zeros(self.batch, len(self.renderer.grid), areas.shape[-1])
        flat = areas.flatten(0, 1)
        total = self._windows(groups, flat.unsqueeze(1), value_only=True)
        share = (self.eta / math.pi).unsqueeze(-1)
        for tails, own in self._levels():
            total = total + tails.values(
                self.position[own], self.fwhm[own] / 2, (share * flat)[own], self.row[own], self.batch
            )
        return self._on_grid(total) + self._far(flat.unsqueeze(1))

    def tangents(self, groups: Iterable[_Group], area: Tensor, rates: Tensor) -> Tensor:
        """(B, N, T) derivatives of the pattern of these areas (B, J) by rates (B, 4, J, T)."""
        if rates.numel() == 0:
            return rates.new_zeros(self.batch, len(self.renderer.grid), rates.shape[-1])
        by_position, by_area, by_fwhm, by_eta = rates.unbind(1)
        area = area.unsqueeze(-1)
        # Kernels are those of a peak of unit area.
        weights = torch.stack([by_position * area, by_area, by_fwhm * area, by_eta * area], dim=2).flatten(
            0, 1
        )
        total = self._windows(groups, weights, value_only=False)
        share = (self.eta / math.pi).unsqueeze(-1)
        for tails, own in self._levels():
            moved, grown, wider, rounder = weights[own].unbind(1)
            part = share[own]
            total = total + tails.tangents(
                self.position[own],
                self.fwhm[own] / 2,
                (part * moved, part * grown + rounder / math.pi, 0.5 * part * wider),
                self.row[own],
                self.batch,
            )
        return self._on_grid(total) + self._far(weights)

    def _windows(self, groups: Iterable[_Group], weights: Tensor, *, value_only: bool) -> Tensor:
        """(B, G, T, L): sums of what the peaks have within their windows, times weights (B J, K, T)."""
        weights = torch.cat([weights, weights.new_zeros(1, *weights.shape[1:])])
        blocks, sums = [], []
        for group in groups:
            four = value_only and group.kernel.shape[2] == 4
            kernel = group.kernel[:, :, _VALUE : _VALUE + 1] if four else group.kernel
            sums.append(weights[group.peak].flatten(1, 2).mT @ kernel.flatten(1, 2))
            blocks.append(group.block)
        total = weights.new_zeros(self.batch * self.renderer.blocks, weights.shape[-1], _BLOCK)
        if blocks:
            total = total.index_put((torch.cat(blocks),), torch.cat(sums))
        return total.view(self.batch, self.renderer.blocks, -1, _BLOCK)

    def _on_grid(self, blocked: Tensor) -> Tensor:
        """(B, N, T) of values in blocks (B, G, T, L)."""
        return blocked.transpose(1, 2).flatten(2)[..., : len(self.renderer.grid)].transpose(1, 2)

    def _levels(self) -> Iterator[tuple[Tails, Tensor]]:
        """What draws tails, and which peaks' it does: for each width of windows that occurs."""
        for number in self.level.unique().tolist():
            tails = self.renderer.tails(int(number))
            yield tails, ((self.level == number) & tails.near(self.position.detach())).nonzero().squeeze(1)

    def _far(self, weights: Tensor) -> Tensor:
        """(B, N, T): the tails of peaks so far outside the grid that they are evaluated one by one."""
        position = self.position.detach()
        far = (~self.renderer.tails(0).near(position)).nonzero().squeeze(1)
        total = weights.new_zeros(self.batch, 1, weights.shape[-1])
        if len(far) == 0:
            return total
        total = total.repeat(1, len(self.renderer.grid), 1)
        offset = self.renderer.grid - self.position[far].unsqueeze(-1)
        fwhm, eta, half_width = (x[far].unsqueeze(-1) for x in (self.fwhm, self.eta, self.half_width))
        derivatives = weights.shape[1] > 1
        kernel = _kernel(offset, fwhm, eta, derivatives=derivatives)
        kernel = kernel - _tapered(offset, fwhm, eta, half_width, derivatives=derivatives)
        return total.index_add(0, self.row[far], torch.einsum("jkn,jkt->jnt", kernel, weights[far]))


def _kernel(offset: Tensor, fwhm: Tensor, eta: Tensor, *, derivatives: bool) -> Tensor:
    """(..., K, M): profiles of unit area at these offsets (..., M), or their derivatives."""
    if not derivatives:
        return pseudo_voigt(offset, fwhm, eta).unsqueeze(-2)
    value, by_position, by_fwhm, by_eta = pseudo_voigt_derivatives(offset, fwhm, eta)
    return torch.stack([by_position, value, by_fwhm, by_eta], dim=-2)


def _tapered(offset: Tensor, fwhm: Tensor, eta: Tensor, half_width: Tensor, *, derivatives: bool) -> Tensor:
    """The same, as far as they are drawn within the window."""
    squared = offset * offset
    inside = taper(squared, half_width).unsqueeze(-2)
    kernel = _kernel(offset, fwhm, eta, derivatives=derivatives)
    if not derivatives:
        return kernel * inside
    # Tails are told by their distance alone, so the taper moves with its peak.
    moved = 2 * offset * taper_rate(squared, half_width) * kernel[..., _VALUE, :]
    kernel = kernel.mul_(inside)
    kernel[..., 0, :] -= moved
    return kernel
