"""Least squares of all likely candidates at once: what a closer look at each alone cannot tell apart."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

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
        None twice in a pattern.
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
        self._components = sorted(candidates.there.sum(1).tolist(), reverse=True)
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
        rows, slot = self._rows(start.material)
        columns = self._columns(start, rows, slot)[..., _MARGIN : self.count - _MARGIN]
        background = len(_DECAYS_DEG)
        fall = self._fall[:, _MARGIN:-_MARGIN].expand(batch, -1, -1)
        scale = self._scale(seen, fall, torch.einsum("bp,bpn->bn", start.fraction, columns[:, :number]))
        everything = torch.cat([fall, columns], dim=1)
        normal, right = everything @ everything.mT, torch.einsum("bin,bn->bi", everything, seen)
        variance = _DEVIATION**2 / _POOLED
        known, mean = torch.ones_like(right), torch.zeros_like(right)
        known[:, :background] = _RIDGE * normal.diagonal(dim1=1, dim2=2)[:, :background] + 1e-9
        phases = slice(background, background + number)
        sigma = _DOUBT * start.fraction_sigma.clamp_min(_LEAST_FRACTION) * scale
        known[:, phases] = variance / sigma.square()
        mean[:, phases] = start.fraction * scale
        height = start.fraction.clamp_min(_LEAST_FRACTION) * scale
        loose = start.strain_sigma.clamp(_LEAST_STRAIN, _MOST_STRAIN) * height.unsqueeze(-1)
        # What a material has no strain component for goes to a place behind the end, and is zero there.
        behind = functional.pad(known[:, phases.stop :], (0, 1))
        known[:, phases.stop :] = behind.scatter(1, slot, (variance / loose.square()).flatten(1))[:, :-1]
        inverse = _inverse(normal + torch.diag_embed(known))
        solution = (inverse @ (right + known * mean).unsqueeze(-1))[..., 0]
        found = solution[:, phases]
        spread = (variance * inverse.diagonal(dim1=1, dim2=2)[:, phases]).clamp_min(1e-12).sqrt()
        moved = functional.pad(solution[:, phases.stop :], (0, 1)).gather(1, slot)
        change = moved.view_as(loose) / torch.maximum(found, 0.5 * height).unsqueeze(-1)
        return found / scale, found / spread, start.strain + change.clamp(-_STEP, _STEP)

    def _rows(self, material: Tensor) -> tuple[int, Tensor]:
        """S, strain components of P materials at most, and (B, P C) which of them each is; S if none."""
        most = sum(self._components[: material.shape[1]])
        there = self.candidates.there[material].flatten(1)
        return most, torch.where(there, there.cumsum(1) - 1, most)

    def _columns(self, start: FitStart, rows: int, slot: Tensor) -> Tensor:
        """(B, P + S, L): patterns of the candidates, then their derivatives by the strains they have."""
        number = start.material.shape[1]
        place = self.candidates.at(self.max_strain * start.strain, start.material)
        theta = torch.asin(torch.exp(place).clamp_max(0.999))
        at = (torch.rad2deg(2 * theta) - self.first) / self.step
        inside = (at >= 0) & (at <= self.count - 1.001)
        at = at.clamp(0, self.count - 1.001)
        low = at.floor()
        area = self.candidates.area[start.material] * inside / self.step
        # d 2theta / d ln d = -2 tan theta.
        by_strain = self.candidates.slope[start.material] * torch.rad2deg(2 * theta.tan()).unsqueeze(-1)
        changes = (-self.max_strain * area.unsqueeze(-1) * by_strain).transpose(2, 3)
        sticks = area.new_zeros(len(area), number + rows, self.length)
        own = torch.arange(number, device=slot.device).expand(len(area), -1).unsqueeze(2)
        # A component that a material does not have is zero, wherever it is put.
        further = (number + slot.clamp_max(rows - 1)).view(changes.shape[:3])
        for row, weight in ((own, area.unsqueeze(2)), (further, changes)):
            index = row.unsqueeze(-1) * self.length + low.long().unsqueeze(2)
            share = (at - low).unsqueeze(2)
            for beside, part in ((0, 1 - share), (1, share)):
                sticks.flatten(1).scatter_add_(1, (index + beside).flatten(1), (weight * part).flatten(1))
        waves = torch.fft.rfft(sticks) * self._profile(start).unsqueeze(1)
        waves[:, number:] *= -2j * math.pi * self._frequency
        drawn: Tensor = torch.fft.irfft(waves, self.length)
        return drawn

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


def _inverse(matrix: Tensor) -> Tensor:
    """(B, R, R) of symmetric matrices; where rounding makes one singular, that of its diagonal."""
    factor, failed = torch.linalg.cholesky_ex(matrix)
    diagonal = torch.diag_embed(1 / matrix.diagonal(dim1=1, dim2=2))
    return torch.where((failed > 0)[:, None, None], diagonal, torch.cholesky_inverse(factor))
