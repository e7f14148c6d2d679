"""Least squares of all likely candidates at once: what a closer look at each alone cannot tell apart."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from mixrd.network.candidate_lines import CandidateLines
from mixrd.pattern.profile import gauss_and_lorentz_transforms, size_fwhm

#: Points of the pattern that are averaged to one of the fit.
_POOLED = 6
#: Decay lengths in degrees of the exponentials that the background is fitted with.
_DECAYS_DEG = (4.0, 10.0, 20.0, 40.0)
#: Points at both ends that are left out: a blurred pattern lacks there what lies beyond.
_MARGIN = 4
#: Expected deviation of a pattern of maximum 1 from the fit, at a single of its points.
_DEVIATION = 0.1
#: Fractions and strains (in units of the largest) are known before to this at least, strains to that at most.
_LEAST_FRACTION, _LEAST_STRAIN, _MOST_STRAIN = 0.01, 0.003, 0.5
#: How much less surely than it says itself the estimate before the fit is believed.
_DOUBT = 2.0
#: Largest change of a strain, in units of the largest.
_STEP = 0.3
#: Least height of a pattern's peaks relative to its maximum.
_LEAST_SCALE = 0.02
_RIDGE = 1e-5


class FitStart(NamedTuple):
    """Where P candidates of B patterns stand before a fit.

    Attributes
    ----------
    material : (B, P) int64 tensor
    strain, strain_sigma : (B, P, C) tensor
        In units of the largest strain.
    fraction, fraction_sigma : (B, P) tensor
    size_nm, eta : (B,) tensor
    """

    material: Tensor
    strain: Tensor
    strain_sigma: Tensor
    fraction: Tensor
    fraction_sigma: Tensor
    size_nm: Tensor
    eta: Tensor


class LineFit(nn.Module):
    """One Gauss-Newton step for fractions and strains of candidates, from where a network has them.

    Candidates are sticks of their strongest lines, broadened by size, eta and a blur that makes the step
    reach as far as the strains are off; the pattern is blurred alike. What the network says of itself
    is the prior. Nothing is learnt here, and there is no gradient.

    Parameters
    ----------
    candidates : CandidateLines
    max_strain : float
    wavelength_angstrom, start_deg, step_deg : float
    points : int
        Of the patterns.
    blur_deg : float
        Standard deviation.
    """

    def __init__(
        self,
        candidates: CandidateLines,
        *,
        max_strain: float,
        wavelength_angstrom: float,
        start_deg: float,
        step_deg: float,
        points: int,
        blur_deg: float,
    ) -> None:
        super().__init__()
        self.candidates, self.max_strain, self.wavelength_angstrom = (
            candidates,
            max_strain,
            wavelength_angstrom,
        )
        self.count, self.step = points // _POOLED, step_deg * _POOLED
        self.first = start_deg + step_deg * (_POOLED - 1) / 2
        # Room behind the end, so that what is broadened does not come back at the beginning.
        self.length = 2 ** math.ceil(math.log2(1.1 * self.count))
        frequency = torch.fft.rfftfreq(self.length) / self.step
        blur = torch.exp(-2 * (math.pi * blur_deg * frequency).square())
        decay = torch.tensor(_DECAYS_DEG).unsqueeze(1)
        fall = torch.exp(-self.step * torch.arange(self.count) / decay)
        for name, value in (("_frequency", frequency), ("_blur", blur)):
            self.register_buffer(name, value, persistent=False)
        self.register_buffer("_fall", self._blurred(fall), persistent=False)

    _frequency: Tensor
    _blur: Tensor
    _fall: Tensor

    @torch.no_grad()
    def forward(self, patterns: Tensor, start: FitStart) -> tuple[Tensor, Tensor, Tensor]:
        """Fractions, their significance and strains after the step.

        Parameters
        ----------
        patterns : (B, N) tensor
            Of maximum 1.
        start : FitStart

        Returns
        -------
        fraction : (B, P) tensor
            May be negative.
        significance : (B, P) tensor
            Of the fraction, in standard deviations.
        strain : (B, P, C) tensor
        """
        batch, number = start.material.shape
        pooled = patterns[:, : self.count * _POOLED].unflatten(1, (-1, _POOLED)).mean(2)
        seen = self._blurred(pooled)[:, _MARGIN:-_MARGIN]
        columns = self._columns(start)[..., _MARGIN : self.count - _MARGIN]
        background = len(_DECAYS_DEG)
        fall = self._fall[:, _MARGIN:-_MARGIN].expand(batch, -1, -1)
        scale = self._scale(seen, fall, torch.einsum("bp,bpn->bn", start.fraction, columns[:, :number]))
        everything = torch.cat([fall, columns], dim=1)
        normal, right = everything @ everything.mT, torch.einsum("bin,bn->bi", everything, seen)
        variance = _DEVIATION**2 / _POOLED
        known, mean = torch.zeros_like(right), torch.zeros_like(right)
        known[:, :background] = _RIDGE * normal.diagonal(dim1=1, dim2=2)[:, :background] + 1e-9
        ends = background, background + number
        sigma = _DOUBT * start.fraction_sigma.clamp_min(_LEAST_FRACTION) * scale
        known[:, ends[0] : ends[1]] = variance / sigma.square()
        mean[:, ends[0] : ends[1]] = start.fraction * scale
        height = start.fraction.clamp_min(_LEAST_FRACTION) * scale
        loose = start.strain_sigma.clamp(_LEAST_STRAIN, _MOST_STRAIN) * height.unsqueeze(-1)
        known[:, ends[1] :] = (variance / loose.square()).transpose(1, 2).flatten(1)
        matrix = normal + torch.diag_embed(known)
        inverse = torch.linalg.inv(matrix)
        solution = (inverse @ (right + known * mean).unsqueeze(-1))[..., 0]
        found = solution[:, ends[0] : ends[1]]
        spread = (variance * inverse.diagonal(dim1=1, dim2=2)[:, ends[0] : ends[1]]).clamp_min(1e-12).sqrt()
        moved = solution[:, ends[1] :].unflatten(1, (-1, number)).transpose(1, 2)
        change = (moved / torch.maximum(found, 0.5 * height).unsqueeze(-1)).clamp(-_STEP, _STEP)
        return found / scale, found / spread, start.strain + change

    def _columns(self, start: FitStart) -> Tensor:
        """(B, P + C P, L): patterns of the candidates, then their derivatives by each strain."""
        place = self.candidates.at(self.max_strain * start.strain, start.material)
        theta = torch.asin(torch.exp(place).clamp_max(0.999))
        at = (torch.rad2deg(2 * theta) - self.first) / self.step
        inside = (at >= 0) & (at <= self.count - 1.001)
        at = at.clamp(0, self.count - 1.001)
        low = at.floor()
        area = self.candidates.area[start.material] * inside / self.step
        # d 2theta / d ln d = -2 tan theta.
        by_strain = self.candidates.slope[start.material] * torch.rad2deg(2 * theta.tan()).unsqueeze(-1)
        weights = [area, *(-self.max_strain * area.unsqueeze(-1) * by_strain).unbind(-1)]
        sticks = area.new_zeros(len(weights), *area.shape[:2], self.length)
        for number, weight in enumerate(weights):
            sticks[number].scatter_add_(2, low.long(), weight * (1 - (at - low)))
            sticks[number].scatter_add_(2, low.long() + 1, weight * (at - low))
        waves = torch.fft.rfft(sticks) * self._profile(start).unsqueeze(1)
        waves[1:] *= -2j * math.pi * self._frequency
        drawn: Tensor = torch.fft.irfft(waves, self.length)
        return drawn.transpose(0, 1).flatten(1, 2)

    def _profile(self, start: FitStart) -> Tensor:
        """(B, L / 2 + 1) transform of a pseudo-Voigt and the blur; the width is that in the middle."""
        theta = start.size_nm.new_tensor(math.radians(self.first + 0.5 * self.step * self.count) / 2)
        width = size_fwhm(1 / start.size_nm, torch.full_like(theta, self.wavelength_angstrom), theta)
        phase = math.pi * width.unsqueeze(1) * self._frequency
        eta = start.eta.clamp(0, 1).unsqueeze(1)
        profile: Tensor = self._blur * torch.lerp(*gauss_and_lorentz_transforms(phase), eta)
        return profile

    def _blurred(self, values: Tensor) -> Tensor:
        waves = torch.fft.rfft(values, self.length) * self._blur
        blurred: Tensor = torch.fft.irfft(waves, self.length)
        return blurred[..., : self.count]

    @staticmethod
    def _scale(seen: Tensor, fall: Tensor, model: Tensor) -> Tensor:
        """(B, 1) by how much the model has to be multiplied to fit best, beside the background."""
        rows = torch.cat([fall, model.unsqueeze(1)], dim=1)
        normal = rows @ rows.mT
        ridge = torch.diag_embed(_RIDGE * normal.diagonal(dim1=1, dim2=2) + 1e-9)
        solution = torch.linalg.solve(normal + ridge, torch.einsum("bin,bn->bi", rows, seen))
        scale: Tensor = solution[:, -1:].clamp_min(_LEAST_SCALE)
        return scale
