"""What the residual of a fit asks to be freed: texture, and what takes intensity away at low angles."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import torch
from torch import Tensor

from mixrd.fit.covariance import Curvature, blocks, curvature_of
from mixrd.fit.least_squares import Priors
from mixrd.fit.pattern_fit import Fit
from mixrd.fit.texture_trials import TextureTrials
from mixrd.pattern import Axis, ForwardModel, Loss, Peaks
from mixrd.pattern.expansion import Profiles
from mixrd.pattern.parameter_table import by_loss

#: A parameter is freed if the fit would gain this share of its misfit, in parts of the scan that agree
#: with each other by this many standard deviations.
LEAST_GAIN, LEAST_AGREEMENT = 0.02, 1.5
#: Phases whose mass is not this many standard deviations above zero have no texture to be seen.
_SEEN = 10.0
#: March-Dollase r that axes are compared at: plates and needles. An axis that fits best at its own r may look
#: worst at another's.
_PLATES, _NEEDLES = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9), (1.12, 1.25, 1.45, 1.75, 2.2)


@dataclass(frozen=True)
class Wanted:
    """A parameter that the residual asks for.

    Attributes
    ----------
    phase : str or None
        None for what is the whole sample's.
    axis : (h, k, l) or None
        Of the texture.
    gain : float
        Share of the misfit that would go.
    agreement : float
        Sum over the parts of the scan of what they ask for, over the root of the sum of squares: a score
        test that serial correlation does not mislead.
    r : float
        March-Dollase r to start from, 1 for what is the whole sample's.
    loss : str
        What takes intensity away at low angles.
    start : mapping
        Values by name that its quantities start from.
    """

    phase: str | None
    axis: Axis | None
    gain: float
    agreement: float
    r: float = 1.0
    loss: str = ""
    start: Mapping[str, float] = field(default_factory=dict)


def wanted(
    model: ForwardModel,
    trials: TextureTrials,
    result: Fit,
    priors: Priors,
    sigma: Tensor,
    *,
    low_angles: bool,
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
    low_angles : bool
        Whether to ask for losses at low angles.
    phases : mapping
        Number by name of the phases whose texture to ask for.
    """
    asked = _Residual(model, result, curvature_of(result, priors), sigma)
    found = []
    if low_angles and (lost := asked.low_angles()) is not None:
        found.append(lost)
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
    def profiles(self) -> Profiles:
        """Of the peaks, which are drawn with many areas."""
        return self.model.renderer.expanded(self.peaks, derivatives=False)

    @cached_property
    def areas(self) -> Tensor:
        """(J,) of all peaks, times the masses of their phases."""
        masses = self.result.linear.coefficients[0, : len(self.model.tables)]
        return self.peaks.area[0] * masses[self.model.peak_table.phase]

    def drawn(self, areas: Tensor) -> Tensor:
        """(K, N) weighted patterns whose peaks have the areas (K, J)."""
        return self.profiles.combine(areas.T.unsqueeze(0))[0].T / self.sigma

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
                tried = _PLATES if float(step) < 0 else _NEEDLES
                choices += [(p, Wanted(name, axis, float(gain), abs(float(agreement)), r)) for r in tried]
        if not choices:
            return []
        # To first order all axes of a uniaxial crystal do the same: only a trial tells them apart, and only
        # at the r that fits each best.
        left = self.textured(trials, choices)
        groups: dict[tuple[int, Axis | None], list[tuple[float, Wanted]]] = {}
        for (p, one), misfit in zip(choices, left, strict=True):
            groups.setdefault((p, one.axis), []).append((misfit, one))
        without = float(self.values.square().sum())
        between = []
        for (p, _), members in groups.items():
            r = _best_r([(1.0, without), *((one.r, misfit) for misfit, one in members)])
            between.append((p, replace(members[0][1], r=r)))
        best: dict[int, tuple[float, Wanted]] = {}
        for (p, one), misfit in zip([*choices, *between], left + self.textured(trials, between), strict=True):
            if p not in best or misfit < best[p][0]:
                best[p] = misfit, one
        return [one for _, one in best.values()]

    def textured(self, trials: TextureTrials, choices: Sequence[tuple[int, Wanted]]) -> list[float]:
        """The misfit with each of these textures, all that is free following."""
        own = self.model.peak_table.phase
        changes = [
            self.areas * (trials.factors(p, one.axis, one.r) - (own == p).double())
            for p, one in choices
            if one.axis
        ]
        found: list[float] = self.misfit_with(self.drawn(torch.stack(changes))).tolist()
        return found

    def low_angles(self) -> Wanted | None:
        """The loss at low angles that would explain most of the residual, where it asks for one at all.

        Terms of one loss depend on each other too much to find their way alone: each pair is tried as it is.
        """
        tried: list[tuple[Loss, dict[str, float]]] = []
        pulls = []
        for loss, members in by_loss(self.model.quantities).items():
            if loss.fixed_slit and self.model.instrument.divergence_slit != "fixed":
                continue
            for values in itertools.product(*(q.on_demand.starts for q in members)):
                tried.append((loss, {q.name: x for q, x in zip(members, values, strict=True)}))
                pulls.append(
                    sum((x / q.on_demand.restraint) ** 2 for q, x in zip(members, values, strict=True))
                )
        changes = self.drawn(self._areas_with([start for _, start in tried]) - self.areas)
        gain, agreement, _ = self.score(changes)
        # Less intensity at low angles is such a loss, more is something else.
        asked = (agreement > LEAST_AGREEMENT) & (gain > LEAST_GAIN)
        if not asked.any():
            return None
        left = self.misfit_with(changes) + torch.tensor(pulls)
        left = left * torch.tensor([loss.rarer for loss, _ in tried])
        best = int(left.argmin())
        loss, start = tried[best]
        return Wanted(None, None, float(gain[best]), float(agreement[best]), loss=loss.name, start=start)

    def _areas_with(self, starts: Sequence[Mapping[str, float]]) -> Tensor:
        """(K, J): the areas with these values of other parameters."""
        flat = self.result.flat.repeat(len(starts), 1)
        for row, start in enumerate(starts):
            for name, value in start.items():
                flat[row, self.model.columns_of(name)] = value
        changed = self.model.peaks(self.model.from_flat(flat)).area
        return self.areas * changed / self.peaks.area[0].clamp_min(1e-300)


def _best_r(tried: Sequence[tuple[float, float]]) -> float:
    """The r whose misfit is least, between those tried (r, misfit): top of a parabola in ln r."""
    rows = sorted(tried)
    at = min(max(min(range(len(rows)), key=lambda n: rows[n][1]), 1), len(rows) - 2)
    (x0, y0), (x1, y1), (x2, y2) = ((math.log(r), misfit) for r, misfit in rows[at - 1 : at + 2])
    left, right = (y1 - y0) / (x1 - x0), (y2 - y1) / (x2 - x1)
    curvature = (right - left) / (x2 - x0)
    if curvature <= 0:
        return min(rows, key=lambda row: row[1])[0]
    top = 0.5 * (x0 + x1 - left / curvature)
    return math.exp(min(max(top, x0), x2))
