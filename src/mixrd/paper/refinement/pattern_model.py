"""The paper's patterns as a model to be fitted: many at once, with derivatives, sharp or blurred.

Each pattern is a sum of strained copies, all of one crystallite size and eta, and an exponential
background. Every copy's lines and the derivatives by its strains are rows of sticks on the grid, each line
shared out between the points beside it; all rows are convolved with the profile in Fourier space. At a
coarse level both pattern and model are blurred with a Gaussian and taken at every few points.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from scipy.fft import next_fast_len
from torch import Tensor

from mixrd.paper.figure1_settings import Figure1Settings
from mixrd.paper.refinement.copies import (
    ETA,
    LOG_DECAY,
    LOG_SIZE,
    SHAPES,
    Copies,
    amplitudes_of,
)
from mixrd.paper.refinement.lines import LineBatch, LineTable
from mixrd.pattern.profile import gauss_and_lorentz_transforms, size_fwhm
from mixrd.pattern.scherrer import interpolation_between_widths

#: Largest error of the interpolation between widths, relative to the height of a peak: far below the noise.
_WIDTH_TOLERANCE = 3e-3
#: Degrees between a pattern's end and its periodic image: what reaches over them is below 0.2 % of a peak.
_PERIOD_MARGIN_DEG = 9.0
#: Numbers that are convolved at once: they stay in the processor's cache.
_BLOCK_NUMBERS = 200_000
#: Points beyond each end of the grid, for lines at the ends.
_PAD = 2
#: Blurred patterns know nothing of what lies beyond their ends: this many sigma there do not count.
_UNSURE_SIGMAS = 1.5


@dataclass(frozen=True, eq=False)
class Rendered:
    """Patterns of unit coefficients and their derivatives.

    Attributes
    ----------
    columns : (B, P + 1, N) tensor
        Of each slot, then the background; zero for empty slots.
    by_strain : (B, T, N) tensor
        Derivative of each slot's column by each of its strain amplitudes, in the order of `amplitudes_of`;
        T = 0 if they were not asked for.
    sticks : (B, P, N + 4) tensor
        Of each slot, not yet broadened, for `PatternModel.by_shape`.
    """

    columns: Tensor
    by_strain: Tensor
    sticks: Tensor


class PatternModel:
    """Patterns of one setting at one sharpness.

    Parameters
    ----------
    lines : LineTable
    settings : Figure1Settings
    blur_deg : float
        Standard deviation of the Gaussian that blurs; 0: sharp.
    every : int
        Points of the pattern for each one here.

    Attributes
    ----------
    points : int
        N.
    counted : (N,) tensor
        1 where the level sees the pattern, 0 at the ends, where a blurred pattern lacks what lies beyond.
    """

    def __init__(self, lines: LineTable, settings: Figure1Settings, *, blur_deg: float, every: int) -> None:
        self.lines, self.settings = lines, settings
        self.step = settings.step_deg * every
        self.every, self.blur_deg = every, blur_deg
        two_theta = settings.two_theta[::every]
        self.points = len(two_theta)
        padded = two_theta[0] + self.step * np.arange(-_PAD, self.points + _PAD)
        relative = 1 / np.cos(np.radians(padded / 2))
        nodes, weights = interpolation_between_widths(relative, _WIDTH_TOLERANCE)
        self._weights = torch.from_numpy(weights / self.step).float()
        self._nodes = torch.from_numpy(nodes).float().view(-1, 1)
        margin = round(_PERIOD_MARGIN_DEG / self.step)
        self._length = int(next_fast_len(len(padded) + margin, real=True))
        frequency = torch.arange(self._length // 2 + 1, dtype=torch.float64) / self._length
        self._frequency = frequency.float()
        # A line is shared out by a cubic B-spline, whose transform is taken out again.
        self._filter = (gaussian_transform(frequency, blur_deg / self.step) / frequency.sinc() ** 4).float()
        self._distance = torch.from_numpy(two_theta - settings.start_deg).float()
        self.counted = torch.ones(self.points)
        if unsure := round(_UNSURE_SIGMAS * blur_deg / self.step):
            self.counted[:unsure] = self.counted[-unsure:] = 0

    def seen(self, patterns: Tensor) -> Tensor:
        """(B, N): full patterns as this level sees them; zero where it does not."""
        if self.blur_deg == 0:
            return patterns[:, :: self.every]
        count = patterns.shape[1]
        length = int(next_fast_len(2 * count, real=True))
        frequency = torch.arange(length // 2 + 1, dtype=torch.float64) / length
        kernel = gaussian_transform(frequency, self.blur_deg / self.settings.step_deg).float()
        # A row of ones tells how much of the kernel lies within the pattern.
        both = torch.cat([patterns, torch.ones_like(patterns[:1])])
        smooth = torch.fft.irfft(torch.fft.rfft(both, n=length) * kernel, n=length)[:, : count : self.every]
        seen: Tensor = smooth[:-1] / smooth[-1] * self.counted
        return seen

    def render(self, copies: Copies, *, rates: bool = True) -> Rendered:
        """Patterns of unit coefficients, and with `rates` their derivatives by the strains."""
        batch, slots, _ = copies.strain.shape
        sticks, slot, component = self._sticks(copies, rates)
        drawn = self._convolved(sticks, slot // slots, self._profile(copies.shape))
        value = component < 0
        columns = drawn.new_zeros(batch * slots, self.points)
        columns[slot[value]] = drawn[value]
        amplitudes = amplitudes_of(copies, self.lines.components)
        count = amplitudes.slot.shape[1] if rates else 0
        by_strain = drawn.new_zeros(batch * count, self.points)
        if rates:
            by_strain[amplitudes.there.flatten()] = drawn[~value]
        kept = sticks.new_zeros(batch * slots, sticks.shape[1])
        kept[slot[value]] = sticks[value]
        background = (self._fall(copies) * self.counted).unsqueeze(1)
        return Rendered(
            torch.cat([columns.view(batch, slots, -1), background], dim=1),
            by_strain.view(batch, count, self.points),
            kept.view(batch, slots, -1),
        )

    def by_shape(self, copies: Copies, rendered: Rendered, coefficients: Tensor) -> Tensor:
        """(B, 3, N): derivatives of the patterns of (B, P + 1) coefficients by their `shape`."""
        sticks = torch.einsum("bp,bpn->bn", coefficients[:, :-1], rendered.sticks)
        batch, kinds = len(sticks), SHAPES - 1
        rates = self._profile_rates(copies.shape).flatten(0, 1)
        owner = torch.arange(batch * kinds)
        drawn = self._convolved(sticks.repeat_interleave(kinds, 0), owner, rates).view(batch, kinds, -1)
        ratio = self._distance / copies.shape[:, LOG_DECAY : LOG_DECAY + 1].exp()
        fading = coefficients[:, -1:] * self._fall(copies) * ratio * self.counted
        return torch.cat([drawn, fading.unsqueeze(1)], dim=1)

    def _convolved(self, sticks: Tensor, owner: Tensor, profile: Tensor) -> Tensor:
        """(R, N): rows of sticks (R, N + 4), each with the profile of its `owner`."""
        drawn = sticks.new_empty(len(sticks), self.points)
        block = max(1, _BLOCK_NUMBERS // (len(self._nodes) * self._length))
        for low in range(0, len(sticks), block):
            part = slice(low, low + block)
            spectrum = torch.fft.rfft(sticks[part].unsqueeze(1) * self._weights, n=self._length)
            spectrum = (spectrum * profile[owner[part]]).sum(1)
            full = torch.fft.irfft(spectrum, n=self._length)
            torch.mul(full[:, _PAD : self.points + _PAD], self.counted, out=drawn[part])
        return drawn

    def _fall(self, copies: Copies) -> Tensor:
        """(B, N): the background of unit level."""
        return torch.exp(-self._distance / copies.shape[:, LOG_DECAY : LOG_DECAY + 1].exp())

    def _sticks(self, copies: Copies, rates: bool) -> tuple[Tensor, Tensor, Tensor]:
        """Rows of sticks (R, N + 4); slot (R,) and strain component (R,) of each, -1 for the areas."""
        width = self.points + 2 * _PAD
        material = copies.material.flatten()
        slot = torch.nonzero(material >= 0)[:, 0]
        material = material[slot]
        lines = self.lines.at(material, copies.strain.flatten(0, 1)[slot])
        # The rows of a copy: its areas, then the derivatives by the components that it has.
        kinds = 1 + self.lines.components[material] if rates else torch.ones_like(material)
        first = kinds.cumsum(0) - kinds
        owner = torch.repeat_interleave(torch.arange(len(slot)), kinds)
        component = torch.arange(len(owner)) - first[owner] - 1
        low, shares = self._shared_out(lines, rates)
        kind = torch.arange(shares.shape[-1])
        has = kind < kinds[lines.copy].unsqueeze(1)
        row = (first[lines.copy].unsqueeze(1) + kind)[has]
        point = low.unsqueeze(1).expand(-1, len(kind))[has]
        table = torch.zeros(len(owner) * width)
        place = (row * width + point).unsqueeze(1) + torch.arange(4)
        table.index_add_(0, place.flatten(), shares.mT[has].flatten())
        return table.view(len(owner), width), slot[owner], component

    def _shared_out(self, lines: LineBatch, rates: bool) -> tuple[Tensor, Tensor]:
        """(L,) first of the four points that each line is shared out to, and the shares (L, 4, 1 + C)."""
        place = (lines.position - self.settings.start_deg) / self.step
        # The pipeline leaves out lines whose nearest point is off the grid.
        end = (self.settings.points - 0.5) / self.every
        inside = (place >= -0.5 / self.every) & (place <= end)
        place = place.clamp(-0.99, self.points - 0.01)
        low = place.floor()
        share, slope = bspline(place - low)
        area = lines.area * inside
        value = (area.unsqueeze(1) * share).unsqueeze(-1)
        # Padded by two points, and the first of the four is one before `low`.
        first = low.long() + _PAD - 1
        if not rates:
            return first, value
        moved = area.unsqueeze(1) * lines.position_rate / self.step
        grown = lines.area_rate * inside.unsqueeze(1)
        rate = grown.unsqueeze(1) * share.unsqueeze(-1) + moved.unsqueeze(1) * slope.unsqueeze(-1)
        return first, torch.cat([value, rate], dim=-1)

    def _profile(self, shape: Tensor) -> Tensor:
        """(B, Q, F): transform of the profile, blurred and sharpened as this level needs it."""
        gauss, lorentz, _ = self._transforms(shape)
        return torch.lerp(gauss, lorentz, shape[:, ETA].view(-1, 1, 1)).mul_(self._filter)

    def _profile_rates(self, shape: Tensor) -> Tensor:
        """(B, 2, Q, F): by ln of the size and by eta. Widths go as 1 / size."""
        gauss, lorentz, phase = self._transforms(shape)
        eta = shape[:, ETA].view(-1, 1, 1)
        by_size = (1 - eta) * gauss * phase.square() / (2 * math.log(2)) + eta * lorentz * phase
        return torch.stack([by_size, lorentz - gauss], dim=1).mul_(self._filter)

    def _transforms(self, shape: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Gaussian and Lorentzian in Fourier space, and pi times fwhm times frequency, (B, Q, F) each."""
        size = torch.exp(shape[:, LOG_SIZE])
        wavelength = torch.full_like(size, self.settings.wavelength_angstrom)
        fwhm = size_fwhm(self.settings.size_factor / size, wavelength, torch.zeros_like(size)) / self.step
        phase = math.pi * fwhm.view(-1, 1, 1) * self._nodes * self._frequency
        return *gauss_and_lorentz_transforms(phase), phase


def gaussian_transform(frequency: Tensor, sigma: float) -> Tensor:
    """Transform of a Gaussian of unit area; `frequency` per point, `sigma` in points."""
    return torch.exp(-2 * (math.pi * sigma * frequency) ** 2)


def bspline(share: Tensor) -> tuple[Tensor, Tensor]:
    """(..., 4) cubic B-spline at four points for a place `share` (0-1) behind the second, and its slope."""
    f = share.float()
    g = 1 - f
    values = (g**3, 3 * f**3 - 6 * f**2 + 4, 3 * g**3 - 6 * g**2 + 4, f**3)
    slopes = (-(g**2), 3 * f**2 - 4 * f, 4 * g - 3 * g**2, f**2)
    return torch.stack(values, dim=-1) / 6, torch.stack(slopes, dim=-1) / 2
