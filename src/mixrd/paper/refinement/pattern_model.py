"""The paper's patterns as a model to be fitted: many at once, with derivatives, sharp or blurred.

Each pattern is a sum of strained copies, all of one crystallite size and eta, and an exponential
background. Every copy's lines and the derivatives by its strains are rows of sticks on the grid, which a
`LineConvolution` broadens. At a coarse level both pattern and model are blurred with a Gaussian and taken at
every few points.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from scipy.fft import next_fast_len
from torch import Tensor

from mixrd.paper.figure1_settings import Figure1Settings
from mixrd.paper.refinement.copies import (
    ETA,
    LOG_DECAY,
    LOG_SIZE,
    SHAPES,
    Amplitudes,
    Copies,
)
from mixrd.paper.refinement.lines import LineBatch, LineTable
from mixrd.pattern.line_convolution import LineConvolution, gaussian_transform
from mixrd.pattern.profile import size_fwhm

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
    sticks : (B, P, W) tensor
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
        self.every, self.blur_deg = every, blur_deg
        two_theta, step = settings.two_theta[::every], settings.step_deg * every
        self.points = len(two_theta)
        self._convolution = LineConvolution(float(two_theta[0]), step, self.points, blur_deg=blur_deg)
        self._distance = torch.from_numpy(two_theta - settings.start_deg).float()
        self.counted = torch.ones(self.points)
        if unsure := round(_UNSURE_SIGMAS * blur_deg / step):
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

    def render(self, copies: Copies, amplitudes: Amplitudes | None = None) -> Rendered:
        """Patterns of unit coefficients, and the derivatives by the strains if their amplitudes are given."""
        batch, slots, _ = copies.strain.shape
        sticks, slot, value = self._sticks(copies, rates=amplitudes is not None)
        profile = self._convolution.profile(self._fwhm(copies), copies.shape[:, ETA])
        drawn = self._counted(self._convolution.convolved(sticks, slot // slots, profile))
        columns = drawn.new_zeros(batch * slots, self.points)
        columns[slot[value]] = drawn[value]
        by_strain = drawn.new_zeros(batch, 0, self.points)
        if amplitudes is not None:
            by_strain = drawn.new_zeros(*amplitudes.there.shape, self.points)
            by_strain[amplitudes.there] = drawn[~value]
        kept = sticks.new_zeros(batch * slots, sticks.shape[1])
        kept[slot[value]] = sticks[value]
        background = (self._fall(copies) * self.counted).unsqueeze(1)
        columns = torch.cat([columns.view(batch, slots, -1), background], dim=1)
        return Rendered(columns, by_strain, kept.view(batch, slots, -1))

    def by_shape(self, copies: Copies, rendered: Rendered, coefficients: Tensor) -> Tensor:
        """(B, 3, N): derivatives of the patterns of (B, P + 1) coefficients by their `shape`."""
        sticks = torch.einsum("bp,bpn->bn", coefficients[:, :-1], rendered.sticks)
        batch, kinds = len(sticks), SHAPES - 1
        rates = self._convolution.profile_rates(self._fwhm(copies), copies.shape[:, ETA]).flatten(0, 1)
        drawn = self._convolution.convolved(
            sticks.repeat_interleave(kinds, 0), torch.arange(batch * kinds), rates
        )
        by_width, by_eta = self._counted(drawn).view(batch, kinds, -1).unbind(1)
        ratio = self._distance / copies.shape[:, LOG_DECAY : LOG_DECAY + 1].exp()
        fading = coefficients[:, -1:] * self._fall(copies) * ratio * self.counted
        # Widths go as 1 / size.
        return torch.stack([-by_width, by_eta, fading], dim=1)

    def _counted(self, drawn: Tensor) -> Tensor:
        return drawn.mul_(self.counted) if self.blur_deg else drawn

    def _fwhm(self, copies: Copies) -> Tensor:
        """(B,) in degrees at theta = 0."""
        size = torch.exp(copies.shape[:, LOG_SIZE])
        wavelength = torch.full_like(size, self.settings.wavelength_angstrom)
        return size_fwhm(self.settings.size_factor / size, wavelength, torch.zeros_like(size))

    def _fall(self, copies: Copies) -> Tensor:
        """(B, N): the background of unit level."""
        return torch.exp(-self._distance / copies.shape[:, LOG_DECAY : LOG_DECAY + 1].exp())

    def _sticks(self, copies: Copies, *, rates: bool) -> tuple[Tensor, Tensor, Tensor]:
        """Rows of sticks (R, W), slot (R,) of each, and whether it is of areas (R,) or of their rates."""
        material = copies.material.flatten()
        slot = torch.nonzero(material >= 0)[:, 0]
        material = material[slot]
        lines = self.lines.at(material, copies.strain.flatten(0, 1)[slot])
        # The rows of a copy: its areas, then the derivatives by the components that it has.
        kinds = 1 + self.lines.components[material] if rates else torch.ones_like(material)
        first = kinds.cumsum(0) - kinds
        owner = torch.repeat_interleave(torch.arange(len(slot)), kinds)
        low, shares = self._shared_out(lines, rates)
        kind = torch.arange(shares.shape[-1])
        has = kind < kinds[lines.copy].unsqueeze(1)
        row = (first[lines.copy].unsqueeze(1) + kind)[has]
        point = low.unsqueeze(1).expand(-1, len(kind))[has]
        sticks = self._convolution.rows(len(owner), row, point, shares.mT[has])
        return sticks, slot[owner], torch.arange(len(owner)) == first[owner]

    def _shared_out(self, lines: LineBatch, rates: bool) -> tuple[Tensor, Tensor]:
        """(L,) first of the four points that each line is shared out to, and the shares (L, 4, 1 + C)."""
        first, share, slope = self._convolution.shared_out(lines.position)
        # The pipeline leaves out lines whose nearest point is off the grid.
        place = (lines.position - self.settings.start_deg) / self.settings.step_deg
        inside = (place >= -0.5) & (place <= self.settings.points - 0.5)
        area = lines.area * inside
        value = (area.unsqueeze(1) * share).unsqueeze(-1)
        if not rates:
            return first, value
        moved = area.unsqueeze(1) * lines.position_rate / self._convolution.step
        grown = lines.area_rate * inside.unsqueeze(1)
        rate = grown.unsqueeze(1) * share.unsqueeze(-1) + moved.unsqueeze(1) * slope.unsqueeze(-1)
        return first, torch.cat([value, rate], dim=-1)
