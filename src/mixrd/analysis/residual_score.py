"""What the residual of a fit asks to be freed: texture, and the roughness of the surface."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from mixrd.analysis.covariance import Curvature, blocks, curvature_of
from mixrd.analysis.least_squares import Fit, Priors
from mixrd.analysis.texture_trials import TextureTrials
from mixrd.pattern import Axis, ForwardModel, Peaks

#: A parameter is freed if the fit would gain this share of its misfit, in parts of the scan that agree
#: with each other by this many standard deviations.
LEAST_GAIN, LEAST_AGREEMENT = 0.02, 1.5
#: Phases whose mass is not this many standard deviations above zero have no texture to be seen.
_SEEN = 10.0
#: Least and largest March-Dollase r that axes are compared at.
_TRIED = (0.5, 2.0)
#: Share of the surface that is rough where the slope by its optical depth is taken, and a small depth.
_ROUGH_SHARE, _SMALL_DEPTH = 0.3, 1e-3
#: Shares and depths that a fit of the roughness may start from.
_SHARES, _DEPTHS = (0.2, 0.4, 0.7), (0.1, 0.2, 0.4, 0.8)


@dataclass(frozen=True)
class Wanted:
    """A parameter that the residual asks for.

    Attributes
    ----------
    phase : str or None
        None for the roughness, which is the whole sample's.
    axis : (h, k, l) or None
        Of the texture.
    gain : float
        Share of the misfit that would go.
    agreement : float
        Sum over the parts of the scan of what they ask for, over the root of the sum of squares: a score
        test that serial correlation does not mislead.
    r : float
        March-Dollase r to start from, 1 for the roughness.
    roughness : (share, depth)
        To start from.
    """

    phase: str | None
    axis: Axis | None
    gain: float
    agreement: float
    r: float = 1.0
    roughness: tuple[float, float] = (0.0, 0.0)


def wanted(
    model: ForwardModel,
    trials: TextureTrials,
    result: Fit,
    priors: Priors,
    sigma: Tensor,
    *,
    roughness: float,
    phases: Mapping[str, int],
) -> list[Wanted]:
    """What the residual asks for, the best axis of each phase.

    Parameters
    ----------
    model : ForwardModel
        That was fitted.
    trials : TextureTrials
        Of its phases.
    result : Fit
        Of one scan.
    priors : Priors
        Of that fit.
    sigma : (1, N) tensor
    roughness : float
        Standard deviation of both terms of the roughness around 0; 0 not to ask for it.
    phases : mapping
        Number by name of the phases whose texture to ask for.
    """
    asked = _Residual(model, result, curvature_of(result, priors), sigma)
    found = []
    if roughness > 0:
        gain, agreement, _ = asked.score(asked.roughness_slope())
        # Less intensity at low angles is roughness, more is something else.
        if agreement[0] > LEAST_AGREEMENT and gain[0] > LEAST_GAIN:
            start = asked.best_roughness(roughness)
            found.append(Wanted(None, None, float(gain[0]), float(agreement[0]), roughness=start))
    return found + asked.textures(trials, {name: p for name, p in phases.items() if asked.sees(p)})


@dataclass(frozen=True, eq=False)
class _Residual:
    """The residual of a fit, and what is free already."""

    model: ForwardModel
    result: Fit
    curvature: Curvature
    sigma: Tensor

    @property
    def values(self) -> Tensor:
        return self.result.linear.residual[0]

    @cached_property
    def peaks(self) -> Peaks:
        return self.model.peaks(self.model.from_flat(self.result.flat))

    @cached_property
    def areas(self) -> Tensor:
        """(J,) of all peaks, times the masses of their phases."""
        masses = self.result.linear.coefficients[0, : len(self.model.tables)]
        return self.peaks.area[0] * masses[self.model.peak_table.phase]

    def drawn(self, areas: Tensor) -> Tensor:
        """(K, N) weighted patterns whose peaks have the areas (K, J)."""
        return self.model.renderer.combine(self.peaks, areas.T.unsqueeze(0))[0].T / self.sigma

    def beside(self, columns: Tensor) -> Tensor:
        """Weighted columns (K, N) less what the free parameters can make of them."""
        free = self.curvature.columns[0] * self.curvature.keep[0].unsqueeze(-1)
        own: Tensor = columns - torch.linalg.solve(self.curvature.matrix[0], free @ columns.T).T @ free
        return own

    def misfit_with(self, changes: Tensor) -> Tensor:
        """(K,) sums of squares that are left with these weighted changes, all that is free following."""
        return (self.values - self.beside(changes)).square().sum(1)

    def score(self, slopes: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Gain, agreement and the step that the fit would take, (K,) each, from weighted slopes (K, N)."""
        own = self.beside(slopes)
        each = own * self.values
        total, square = each.sum(1), own.square().sum(1).clamp_min(1e-30)
        block = blocks(self.model.two_theta)
        parts = each.new_zeros(len(each), int(block[-1]) + 1).index_add(1, block, each)
        agreement = total / parts.square().sum(1).sqrt().clamp_min(1e-30)
        return total.square() / square / self.values.square().sum(), agreement, total / square

    def sees(self, phase: int) -> bool:
        """Whether a phase stands far enough above zero."""
        mass = self.result.linear.coefficients[0, phase]
        return bool(mass * self.curvature.norm[0, phase] > _SEEN)

    def textures(self, trials: TextureTrials, phases: Mapping[str, int]) -> list[Wanted]:
        """The best axis of each phase that asks for a texture."""
        asked = [(name, p, axis) for name, p in phases.items() for axis in trials.directions(p)]
        if not asked:
            return []
        slopes = torch.stack([trials.slopes(p, axis) for _, p, axis in asked])
        rows = zip(asked, *self.score(self.drawn(self.areas * slopes)), strict=True)
        choices: list[tuple[int, Wanted]] = []
        for (name, p, axis), gain, agreement, step in rows:
            if gain > LEAST_GAIN and abs(agreement) > LEAST_AGREEMENT:
                r = min(max(1 + float(step), _TRIED[0]), _TRIED[1])
                choices.append((p, Wanted(name, axis, float(gain), abs(float(agreement)), r)))
        if not choices:
            return []
        # To first order all axes of a uniaxial crystal do the same: only a trial tells them apart.
        own = self.model.peak_table.phase
        changes = [
            self.areas * (trials.factors(p, one.axis, one.r) - (own == p).double())
            for p, one in choices
            if one.axis
        ]
        left = self.misfit_with(self.drawn(torch.stack(changes))).tolist()
        best: dict[int, tuple[float, Wanted]] = {}
        for (p, one), misfit in zip(choices, left, strict=True):
            if p not in best or misfit < best[p][0]:
                best[p] = misfit, one
        return [one for _, one in best.values()]

    def roughness_slope(self) -> Tensor:
        """(1, N): by the optical depth of a rough share of the surface."""
        rough = self._rough_areas([(_ROUGH_SHARE, _SMALL_DEPTH)])
        return self.drawn((rough - self.areas) / _SMALL_DEPTH)

    def best_roughness(self, sigma: float) -> tuple[float, float]:
        """Share and depth to start a fit from: both depend on each other too much to find their way alone."""
        tried = list(itertools.product(_SHARES, _DEPTHS))
        pull = torch.tensor([(share**2 + depth**2) / sigma**2 for share, depth in tried])
        left = self.misfit_with(self.drawn(self._rough_areas(tried) - self.areas)) + pull
        return tried[int(left.argmin())]

    def _rough_areas(self, pairs: Sequence[tuple[float, float]]) -> Tensor:
        """(K, J): the areas with these shares and depths of roughness."""
        flat = self.result.flat.repeat(len(pairs), 1)
        flat[:, self.model.columns_of("roughness")] = flat.new_tensor(pairs)
        rough = self.model.peaks(self.model.from_flat(flat)).area
        return self.areas * rough / self.peaks.area[0].clamp_min(1e-300)
