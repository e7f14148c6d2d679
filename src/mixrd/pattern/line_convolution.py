"""Lines anywhere on an even grid, convolved with peaks of Scherrer width, however many there are.

Each line is shared out between the four points about it by a cubic B-spline, whose transform is taken out
again where the rows of sticks are convolved with profiles of a few widths (`width_interpolation`). A Gaussian
may blur the whole, for grids too coarse for the peaks. Everything has closed derivatives, by a line's place
and area and by width and eta: what a search for phases fits with.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from mixrd.pattern.profile import gauss_and_lorentz_transforms
from mixrd.pattern.width_interpolation import FewWidths

#: Largest error of the interpolation between widths, relative to the height of a peak: far below the noise.
_WIDTH_TOLERANCE = 3e-3
#: Degrees between the grid's end and its periodic image: of peaks up to 0.8 deg, below 0.2 % reaches over.
PERIOD_MARGIN_DEG = 9.0
#: Numbers that are convolved at once: they stay in the processor's cache.
_BLOCK_NUMBERS = 200_000
#: Points beyond each end of the grid that lines at the ends are shared out to.
FEWEST_BEYOND = 2


class LineConvolution:
    """Rows of sticks on an even grid, and what convolves them. All is in float32.

    Parameters
    ----------
    start, step : float
        Of the grid, in degrees 2theta.
    points : int
        N.
    blur_deg : float
        Standard deviation of a Gaussian that all is blurred with; 0: sharp.
    beyond : int
        Points beyond each end on which lines count as well, at least 2; a row has W = N + 2 beyond sticks.
    margin_deg : float
        Degrees at least between the last stick and the periodic image of the first.

    Raises
    ------
    ParameterError
        If peaks at the end are so much wider than at the start that too many widths would be needed.
    """

    def __init__(
        self,
        start: float,
        step: float,
        points: int,
        *,
        blur_deg: float = 0.0,
        beyond: int = FEWEST_BEYOND,
        margin_deg: float = PERIOD_MARGIN_DEG,
        device: torch.device | str = "cpu",
    ) -> None:
        self.start, self.step, self.points, self.beyond = start, step, points, beyond
        padded = start + step * np.arange(-beyond, points + beyond)
        self._widths = FewWidths(
            padded,
            step,
            margin=round(margin_deg / step),
            tolerance=_WIDTH_TOLERANCE,
            dtype=torch.float32,
            device=device,
        )
        length = self._widths.length
        frequency = torch.arange(length // 2 + 1, dtype=torch.float64) / length
        kernel = gaussian_transform(frequency, blur_deg / step) / frequency.sinc() ** 4
        self._filter = kernel.to(device, torch.float32)

    def shared_out(
        self, position: Float[Tensor, " L"]
    ) -> tuple[Int[Tensor, " L"], Float[Tensor, "L 4"], Float[Tensor, "L 4"]]:
        """What lines at these degrees have in the four sticks about them; those farther out go to the ends.

        Returns
        -------
        first : (L,) tensor
            The first of the four.
        share, slope : (L, 4) tensor
            Of a line of unit area, and its rate by the line's place in steps of the grid.
        """
        place = (position - self.start) / self.step
        place = place.clamp(1.01 - self.beyond, self.points + self.beyond - 2.01)
        low = place.floor()
        # The first of the four is one before `low`.
        return low.long() + self.beyond - 1, *bspline(place - low)

    def rows(
        self,
        count: int,
        row: Int[Tensor, " L"],
        first: Int[Tensor, " L"],
        share: Float[Tensor, "L 4"],
    ) -> Float[Tensor, "R W"]:
        """`count` rows of sticks: what is shared out, each line in its row."""
        width = self.points + 2 * self.beyond
        sticks = share.new_zeros(count * width)
        place = (row * width + first).unsqueeze(1) + torch.arange(4, device=share.device)
        return sticks.index_add_(0, place.flatten(), share.flatten()).view(count, width)

    def profile(self, fwhm_deg: Float[Tensor, " B"], eta: Float[Tensor, " B"]) -> Float[Tensor, "B Q F"]:
        """Transforms of pseudo-Voigts of unit area for `convolved`; the fwhm is that at theta = 0."""
        gauss, lorentz, _ = self._transforms(fwhm_deg)
        return torch.lerp(gauss, lorentz, eta.view(-1, 1, 1)).mul_(self._filter)

    def profile_rates(
        self, fwhm_deg: Float[Tensor, " B"], eta: Float[Tensor, " B"]
    ) -> Float[Tensor, "B 2 Q F"]:
        """Derivatives of `profile` by ln of the fwhm and by eta."""
        gauss, lorentz, phase = self._transforms(fwhm_deg)
        eta = eta.view(-1, 1, 1)
        by_width = (eta - 1) * gauss * phase.square() / (2 * math.log(2)) - eta * lorentz * phase
        return torch.stack([by_width, lorentz - gauss], dim=1).mul_(self._filter)

    def convolved(
        self, sticks: Float[Tensor, "R W"], owner: Int[Tensor, " R"], profile: Float[Tensor, "B Q F"]
    ) -> Float[Tensor, "R N"]:
        """Patterns of rows of sticks, each with the profile of its `owner`."""
        drawn = sticks.new_empty(len(sticks), self.points)
        length = self._widths.length
        block = max(1, _BLOCK_NUMBERS // (len(self._widths) * length))
        for low in range(0, len(sticks), block):
            part = slice(low, low + block)
            spectrum = (self._widths.spectra(sticks[part]) * profile[owner[part]]).sum(1)
            full = torch.fft.irfft(spectrum, n=length)
            drawn[part] = full[:, self.beyond : self.points + self.beyond]
        return drawn

    def _transforms(self, fwhm_deg: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Gaussian and Lorentzian in Fourier space, and pi times fwhm times frequency, (B, Q, F) each."""
        phase = self._widths.turn(fwhm_deg / self.step) * self._widths.frequency
        return *gauss_and_lorentz_transforms(phase), phase


def gaussian_transform(frequency: Float[Tensor, " F"], sigma: float) -> Float[Tensor, " F"]:
    """Transform of a Gaussian of unit area; `frequency` per point, `sigma` in points."""
    return torch.exp(-2 * (math.pi * sigma * frequency) ** 2)


def bspline(share: Float[Tensor, "*shape"]) -> tuple[Float[Tensor, "*shape 4"], Float[Tensor, "*shape 4"]]:
    """Cubic B-spline at four points for a place `share` (0-1) behind the second, and its slope."""
    f = share.float()
    g = 1 - f
    values = (g**3, 3 * f**3 - 6 * f**2 + 4, 3 * g**3 - 6 * g**2 + 4, f**3)
    slopes = (-(g**2), 3 * f**2 - 4 * f, 4 * g - 3 * g**2, f**2)
    return torch.stack(values, dim=-1) / 6, torch.stack(slopes, dim=-1) / 2
