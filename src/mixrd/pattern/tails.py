"""Tails of Lorentzians beyond a window about each, all at once."""

from __future__ import annotations

import math

import torch
from scipy.fft import next_fast_len
from torch import Tensor

#: Nodes over half a window: the error stays below 3e-5 of a peak's height.
_NODES_PER_WINDOW = 14
#: Share of the squared half window over which the taper falls.
_FALLING = 0.9
#: Terms of the expansion of a tail about a Lorentzian of middle width.
_TERMS = 2
#: Peaks this far beyond the ends of the grid (degrees) are spread; farther ones are evaluated one by one.
_BEYOND_DEG = 8.0


def taper(squared: Tensor, half_width: Tensor | float) -> Tensor:
    """Share of a profile that is drawn within the window, at squared distances from its centre.

    It is 1 about the centre and falls to 0 at `half_width` (C2); what is left is the tails' share.
    """
    place = _place(squared, half_width)
    return place * place * place * (10 + place * (6 * place - 15))


def taper_rate(squared: Tensor, half_width: Tensor | float) -> Tensor:
    """Derivative of `taper` by the squared distance."""
    place = _place(squared, half_width)
    both = place * (1 - place)
    return both * both * (-30 / _FALLING / half_width**2)


def _place(squared: Tensor, half_width: Tensor | float) -> Tensor:
    return (1 / _FALLING - squared * (1 / _FALLING / half_width**2)).clamp(0.0, 1.0)


class Tails:
    """What Lorentzians of fwhm up to `half_width` / 6 have outside their windows, on a grid.

    A tail depends on the distance from its centre, and little on its width: it is expanded in the squared
    half width, m the middle one,

        1 / (d^2 + h^2) = sum_n (m - h^2)^n / (d^2 + m)^(n+1).

    Centres are spread onto even nodes by cubic interpolation, carried to all nodes by a convolution for each
    term, and interpolated to the grid.

    Parameters
    ----------
    blocked : (G, L) tensor
        The grid, rising, in degrees: G blocks of L points.
    half_width : float
        Of the windows, in degrees.
    """

    def __init__(self, blocked: Tensor, half_width: float) -> None:
        self.step = half_width / _NODES_PER_WINDOW
        low, high = float(blocked[0, 0]) - _BEYOND_DEG, float(blocked[-1, -1]) + _BEYOND_DEG
        #: Where the nodes begin, and how many there are.
        self.first, self.count = low - 2 * self.step, math.ceil((high - low) / self.step) + 5
        self._ends = low, high
        self._length = int(next_fast_len(2 * self.count, real=True))
        distance = torch.arange(self._length, dtype=torch.float64)
        distance = torch.minimum(distance, self._length - distance) * self.step
        self.middle = 0.5 * (half_width / 12) ** 2
        left = 1 - taper(distance**2, half_width)
        kernels = torch.stack([left / (distance**2 + self.middle) ** (n + 1) for n in range(_TERMS)])
        complex_type = torch.complex64 if blocked.dtype == torch.float32 else torch.complex128
        self._kernels = torch.fft.rfft(kernels).unsqueeze(1).to(device=blocked.device, dtype=complex_type)
        # The nodes about each block, and what each of its points takes of them.
        place = (blocked - self.first) / self.step
        start = place.floor()
        lowest = start[:, :1].long() - 1
        behind = start.long() - 1 - lowest
        self._nodes = lowest + torch.arange(int(behind.max()) + 4, device=blocked.device)
        self._shares = blocked.new_zeros(len(blocked), self._nodes.shape[1], blocked.shape[1])
        weights = cubic_weights(place - start).to(blocked.dtype)
        self._shares.scatter_(
            1, (behind.unsqueeze(1) + torch.arange(4, device=behind.device)[:, None]), weights.transpose(1, 2)
        )

    def near(self, position: Tensor) -> Tensor:
        """Whether peaks stand where they can be spread."""
        return (position >= self._ends[0]) & (position <= self._ends[1])

    def values(self, position: Tensor, half: Tensor, strength: Tensor, row: Tensor, rows: int) -> Tensor:
        """(B, G, T, L): sums of strength h / (d^2 + h^2) outside the windows.

        Parameters
        ----------
        position, half : (J,) tensor
            Centres that are `near`, and half widths, in degrees.
        strength : (J, T) tensor
        row : (J,) tensor
            The pattern of each, of B = `rows`.
        """
        return self._carried(position, self._terms(strength * half.unsqueeze(-1), half), None, row, rows)

    def tangents(
        self, position: Tensor, half: Tensor, by: tuple[Tensor, Tensor, Tensor], row: Tensor, rows: int
    ) -> Tensor:
        """(B, G, T, L): sums of derivatives by position, by strength and by half width.

        Parameters
        ----------
        position, half : (J,) tensor
        by : tuple of three (J, T) tensors
            Rates of change; those of position and half width times the strength.
        row : (J,) tensor
        rows : int
        """
        by_position, by_strength, by_half = by
        offset = self.middle - half * half
        of_half = by_half.unsqueeze(1) * torch.stack(
            [offset**n - 2 * n * half**2 * offset ** max(n - 1, 0) for n in range(_TERMS)], dim=1
        ).unsqueeze(-1)
        terms = self._terms(by_strength * half.unsqueeze(-1), half) + of_half
        moved = self._terms(by_position * half.unsqueeze(-1), half)
        return self._carried(position, terms, moved, row, rows)

    def _terms(self, amount: Tensor, half: Tensor) -> Tensor:
        """(J, terms, T): coefficients of the expansion."""
        offset = (self.middle - half * half).unsqueeze(-1)
        return torch.stack([amount * offset**n for n in range(_TERMS)], dim=1)

    def _carried(
        self, position: Tensor, terms: Tensor, moved: Tensor | None, row: Tensor, rows: int
    ) -> Tensor:
        """(B, G, T, L): the terms at these positions, plus the derivative of `moved` by them."""
        place = (position - self.first) / self.step
        low = place.detach().floor()
        weight = cubic_weights(place - low)[..., None, None]
        spread = weight * terms.unsqueeze(1)
        if moved is not None:
            spread = spread + cubic_slopes(place - low)[..., None, None] * moved.unsqueeze(1) / self.step
        index = (row * self.count + low.long()).unsqueeze(-1) + torch.arange(-1, 3, device=low.device)
        moments = spread.new_zeros(rows * self.count, *spread.shape[2:])
        moments = moments.index_add(0, index.flatten(), spread.flatten(0, 1))
        moments = moments.view(rows, self.count, *spread.shape[2:]).permute(0, 2, 3, 1)
        transformed = torch.fft.rfft(moments, n=self._length) * self._kernels
        nodes = torch.fft.irfft(transformed.sum(1), n=self._length)
        drawn: Tensor = nodes[..., self._nodes].transpose(1, 2) @ self._shares
        return drawn


def cubic_weights(t: Tensor) -> Tensor:
    """Lagrange's weights of the points -1, 0, 1, 2 for a value at t in 0-1; (..., 4)."""
    return torch.stack(
        [
            -t * (t - 1) * (t - 2) / 6,
            (t + 1) * (t - 1) * (t - 2) / 2,
            -(t + 1) * t * (t - 2) / 2,
            (t + 1) * t * (t - 1) / 6,
        ],
        dim=-1,
    )


def cubic_slopes(t: Tensor) -> Tensor:
    """Derivatives of `cubic_weights` by t."""
    square = t * t
    return torch.stack(
        [
            -(3 * square - 6 * t + 2) / 6,
            (3 * square - 4 * t - 1) / 2,
            -(3 * square - 2 * t - 2) / 2,
            (3 * square - 1) / 6,
        ],
        dim=-1,
    )
