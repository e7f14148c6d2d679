"""From a list of peaks to intensities on an even grid, many patterns at a time: what training draws with.

On an even grid, the squared distance of a grid point from a peak is a quadratic in the number of the point.
So denominators and exponents of a block of peaks are products of thin matrices, and little else is left to
do for each point.
"""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mixrd.pattern.even_grid import EvenRenderer, refuse_gradient
from mixrd.pattern.exact import ExactRenderer
from mixrd.pattern.render import Peaks
from mixrd.pattern.tails import cubic_weights

#: Half a window over the widest peak: the Gaussian has faded and the tails' expansion holds.
_WINDOW_PER_FWHM = 2.0
#: Coarse steps over half a window.
_COARSE_PER_WINDOW = 12
#: Beyond a window from the ends of the grid, sources grow farther apart by a factor e in so many steps.
_LOG_STEPS = 6
#: Terms of the expansion of the tails about a Lorentzian of middle width.
_TERMS = 2
#: Windows begin at multiples of so many points, so that they are added by whole tiles.
_TILE = 16
#: Points worked on at once by a CPU, so that they stay in its cache, and by a GPU: of patterns, of windows.
_PATTERN_POINTS = (2**19, 2**28)
_WINDOW_POINTS = (2**17, 2**28)
#: Farthest from the grid that a peak is told from a farther one, in degrees.
_FARTHEST_DEG = 360.0
#: Least exponent: numbers too small for the type make exp ten times slower.
_LEAST_EXPONENT = -80.0


class UniformRenderer(EvenRenderer):
    """Adds up pseudo-Voigt peaks on an even grid, to 1e-3 of a pattern's maximum or better.

    (To 5e-3 where a pattern holds nothing but tails of peaks outside the grid.)

    Each peak is evaluated in a window about its centre. The Lorentzian's tails beyond are expanded in its
    squared width; the terms of all peaks are spread onto a coarse grid, carried from there to a coarse
    pattern by one constant matrix and interpolated. A taper joins window and tails without a step.

    Results carry no gradient (those of `Renderer` do), and on a GPU their last digits may differ from run to
    run, because it adds in any order.

    Parameters
    ----------
    two_theta : (N,) array
        Grid in degrees, rising by even steps.
    widest_fwhm : float
        Width in degrees up to which peaks are fast; broader ones are right as well, but cost time.

    Raises
    ------
    ParameterError
        If the grid is not even.
    """

    def __init__(
        self,
        two_theta: NDArray[np.float64],
        *,
        widest_fwhm: float,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
    ) -> None:
        super().__init__(two_theta, widest_fwhm=widest_fwhm, dtype=dtype, device=device)
        span = float(two_theta[-1]) - self.first
        balanced = math.sqrt(_COARSE_PER_WINDOW * span * self.step / 2)
        wanted = max(balanced, _WINDOW_PER_FWHM * widest_fwhm, _COARSE_PER_WINDOW * self.step)
        #: Grid steps in a coarse one, and in half a window.
        self.stride = math.ceil(wanted / self.step / _COARSE_PER_WINDOW)
        self.reach = _COARSE_PER_WINDOW * self.stride
        self.window = _TILE * math.ceil((2 * self.reach + 1 + _TILE) / _TILE)
        number = torch.arange(self.window, dtype=dtype, device=device) - self.window // 2
        self._powers = torch.stack([torch.ones_like(number), number, number**2])
        fraction = torch.arange(self.stride, dtype=torch.float64) / self.stride
        self._cubic = cubic_weights(fraction).T.to(dtype=dtype, device=device)
        self._set_tails(dtype, device)

    def _set_tails(self, dtype: torch.dtype, device: torch.device | str) -> None:
        """The coarse grids of sources and of the pattern, and the matrix between them, in coarse steps."""
        intervals = math.ceil(len(self.grid) / self.stride)
        self._linear = (-float(_COARSE_PER_WINDOW), float(intervals + _COARSE_PER_WINDOW))
        beyond = self._compressed(torch.tensor(_FARTHEST_DEG / self.step / self.stride).double())
        margin = _COARSE_PER_WINDOW + math.ceil(float(beyond)) + 2
        self._first_source = -margin
        source = torch.arange(-margin, intervals + margin + 1, dtype=torch.float64)
        inside = source.clamp(*self._linear)
        excess = source - inside
        source = inside + excess.sign() * _LOG_STEPS * torch.expm1(excess.abs() / _LOG_STEPS)
        target = torch.arange(-1, intervals + 2, dtype=torch.float64)
        squared = (target - source.unsqueeze(-1)) ** 2
        coarse_step = self.step * self.stride
        # Half the squared half width: no peak's squared half width is farther from it than that.
        self._middle = 0.5 * (0.5 * self.widest_fwhm / coarse_step) ** 2
        place = (1 - squared / _COARSE_PER_WINDOW**2).clamp_min(0)
        taken = 1 - place**3 * (4 - 3 * place)
        kernel = torch.stack([taken / (squared + self._middle) ** (n + 1) for n in range(_TERMS)])
        self._kernel = kernel.flatten(0, 1).to(dtype=dtype, device=device)

    def render(self, peaks: Peaks, column: Tensor | None = None, columns: int = 1) -> Tensor:
        """Sum the peaks.

        Peaks whose position is not finite count as absent where their area is 0.

        Parameters
        ----------
        peaks : Peaks
            (B, J) each.
        column : (J,) int tensor, optional
            To which of `columns` patterns each peak belongs (its phase); default all to one.

        Returns
        -------
        (B, columns, N) tensor

        Raises
        ------
        ParameterError
            If a gradient is asked for.
        """
        refuse_gradient(peaks)
        batch, count = peaks.position.shape
        if column is None:
            column = torch.zeros(count, dtype=torch.long, device=self.grid.device)
        there = peaks.area != 0
        fits = there & (peaks.fwhm <= self.widest_fwhm) & peaks.position.isfinite()
        rest = self._kept(peaks, there & ~fits)
        peaks = self._kept(peaks, fits)
        result = self.grid.new_empty(batch, columns, len(self.grid))
        rows = max(1, self._at_once(_PATTERN_POINTS) // (columns * len(self.grid)))
        for low in range(0, batch, rows):
            part = Peaks(*(x[low : low + rows] for x in vars(peaks).values()))
            self._render(part, column, result[low : low + rows])
        broad = (rest.area != 0).any(dim=0)
        if bool(broad.any()):
            few = Peaks(*(x[:, broad].to(self._broader.grid.dtype) for x in vars(rest).values()))
            result += self._broader.render(few, column[broad], columns)
        return result

    @cached_property
    def _broader(self) -> UniformRenderer | ExactRenderer:
        """For peaks that are too broad for this one."""
        if 2 * self.widest_fwhm > self._two_theta[-1] - self._two_theta[0]:
            return ExactRenderer(self._two_theta, device=self.grid.device)
        return UniformRenderer(
            self._two_theta,
            widest_fwhm=2 * self.widest_fwhm,
            dtype=self.grid.dtype,
            device=self.grid.device,
        )

    def _kept(self, peaks: Peaks, keep: Tensor) -> Peaks:
        """The same peaks, those not kept without area and with harmless other numbers."""
        return Peaks(
            position=torch.where(keep, peaks.position, self.first),
            area=torch.where(keep, peaks.area, 0.0),
            fwhm=torch.where(keep, peaks.fwhm, self.widest_fwhm),
            eta=torch.where(keep, peaks.eta, 0.5),
        )

    def _render(self, peaks: Peaks, column: Tensor, result: Tensor) -> None:
        """Write the patterns of some rows into `result` (B, columns, N)."""
        batch, columns, points = result.shape
        row = torch.arange(batch, device=column.device).unsqueeze(-1) * columns + column
        row = row.flatten()
        flat = Peaks(*(x.flatten() for x in vars(peaks).values()))
        place = (flat.position - self.first) / self.step
        lead = self.reach + _TILE
        tiles = math.ceil((lead + points - self.reach + self.window) / _TILE)
        padded = result.new_zeros(batch * columns * tiles, _TILE)
        # Windows of peaks outside the grid stay at its ends: what of them lies inside is all that counts.
        nearest = place.round().clamp(0, points - 1).long()
        tile = (nearest - self.reach + lead).div(_TILE, rounding_mode="floor")
        offset = place - (tile * _TILE - lead + self.window // 2)
        self._add_windows(padded, row * tiles + tile, flat, offset)
        inner = padded.view(batch, columns, tiles * _TILE)[..., lead : lead + points]
        tails = self._tails(flat, place, row, batch * columns).view(batch, columns, -1)
        torch.add(inner, tails[..., :points], out=result)

    def _add_windows(self, padded: Tensor, first: Tensor, peaks: Peaks, offset: Tensor) -> None:
        """Add what each of M peaks has in its window to `padded` (tiles, points of one).

        The window begins at the tile `first` and has its middle `offset` steps below the peak.
        """
        exponent, denominator, place = self._quadratics(peaks, offset)
        area = peaks.area.unsqueeze(-1)
        per_window = torch.arange(self.window // _TILE, device=first.device)
        index = first.unsqueeze(-1) + per_window
        size = max(1, min(len(first), self._at_once(_WINDOW_POINTS) // self.window))
        buffers = padded.new_empty(3, size, self.window)
        for low in range(0, len(first), size):
            some = slice(low, low + size)
            sum_, other, taper = buffers[:, : len(first[some])].unbind(0)
            torch.mm(exponent[some], self._powers, out=sum_).clamp_min_(_LEAST_EXPONENT).exp_()
            torch.mm(place[some], self._powers, out=other).clamp_min_(0)
            # A quarter of the taper 4 t^3 - 3 t^4.
            torch.mul(other, other, out=taper).mul_(other).addcmul_(taper, other, value=-3 / 4)
            torch.mm(denominator[some], self._powers, out=other)
            sum_.addcdiv_(taper, other, value=4).mul_(area[some])
            padded.index_add_(0, index[some].flatten(), sum_.view(-1, _TILE))

    def _quadratics(self, peaks: Peaks, offset: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(M, 3) each: Gaussian's exponent, Lorentzian's denominator, place in the taper, for unit area.

        Coefficients of 1, k and k^2, k the number of a point counted from the middle of the window.
        """
        # Peaks out of reach of their window add nothing, however far they are.
        offset = offset.clamp(-2.0 * self.window, 2.0 * self.window)
        squared = torch.stack([offset**2, -2 * offset, torch.ones_like(offset)], dim=-1)
        one = squared.new_tensor([1.0, 0.0, 0.0])
        per_width = (4 * (self.step / peaks.fwhm) ** 2).unsqueeze(-1) * squared
        height = 2 * math.sqrt(math.log(2) / math.pi) * (1 - peaks.eta).clamp_min(1e-12) / peaks.fwhm
        exponent = height.log().unsqueeze(-1) * one - math.log(2) * per_width
        inverse_height = 0.5 * math.pi * peaks.fwhm / peaks.eta.clamp_min(1e-12)
        denominator = inverse_height.unsqueeze(-1) * (one + per_width)
        return exponent, denominator, one - squared / self.reach**2

    def _at_once(self, points: tuple[int, int]) -> int:
        return points[0] if self.grid.device.type == "cpu" else points[1]

    def _tails(self, peaks: Peaks, place: Tensor, row: Tensor, rows: int) -> Tensor:
        """(rows, at least N): the Lorentzians without their windows."""
        coarse_step = self.step * self.stride
        source = place / self.stride
        inside = source.clamp(*self._linear)
        excess = (source - inside).clamp(-_FARTHEST_DEG / coarse_step, _FARTHEST_DEG / coarse_step)
        source = inside + excess.sign() * self._compressed(excess.abs()) - self._first_source
        low = source.floor()
        weight = cubic_weights(source - low)
        half = 0.5 * peaks.fwhm / coarse_step
        term = peaks.area * peaks.eta * half / (math.pi * coarse_step)
        terms = [term]
        for _ in range(_TERMS - 1):
            terms.append(terms[-1] * (self._middle - half**2))
        nodes = len(self._kernel) // _TERMS
        order = torch.arange(_TERMS, device=row.device) * nodes
        around = low.long().unsqueeze(-1) + torch.arange(-1, 3, device=row.device)
        index = (row * len(self._kernel)).view(-1, 1, 1) + order.view(1, -1, 1) + around.unsqueeze(1)
        spread = torch.stack(terms, dim=-1).unsqueeze(-1) * weight.unsqueeze(1)
        moments = term.new_zeros(rows * len(self._kernel))
        moments.scatter_add_(0, index.flatten(), spread.flatten())
        coarse = moments.view(rows, -1) @ self._kernel
        return (coarse.unfold(1, 4, 1).reshape(-1, 4) @ self._cubic).view(rows, -1)

    @staticmethod
    def _compressed(excess: Tensor) -> Tensor:
        """Coarse steps by which sources so many steps beyond the ends are counted: ever wider apart."""
        return _LOG_STEPS * torch.log1p(excess / _LOG_STEPS)
