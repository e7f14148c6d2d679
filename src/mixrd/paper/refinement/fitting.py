"""Levenberg-Marquardt with variable projection for many of the paper's patterns at once.

Coefficients of copies and background are linear and solved exactly for each trial; the Jacobian of strains
and shape has its part in their span removed (Kaufman 1975, BIT 15, 49). Only normal equations are kept.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mixrd.fit.linear_part import solve_non_negative
from mixrd.paper.figure1_settings import Figure1Settings
from mixrd.paper.refinement.copies import SHAPES, Amplitudes, Copies, amplitudes_of
from mixrd.paper.refinement.evidence import evidence
from mixrd.paper.refinement.pattern_model import PatternModel, Rendered

#: Damping of the first step, its limits, and how it changes after a good and after a bad step.
_DAMPING, _SMALLEST, _LARGEST, _EASE, _TIGHTEN = 1e-2, 1e-7, 1e7, 0.2, 5.0
#: Relative decrease of the cost below which a step counts as the last.
ENOUGH = 1e-5
#: Patterns fitted at once.
_BLOCK = 128


@dataclass(frozen=True)
class Prior:
    """What is known before a pattern is seen: how it is drawn.

    Attributes
    ----------
    max_strain : float
        Strains are uniform between minus and plus this.
    shape : ((low, high), ...)
        Range of each column of `Copies.shape`.
    by_number : tuple of float
        -2 ln of the prior of a set of 0, 1, ... P copies, up to a constant.
    fraction_width : float
        Width of the prior of a fraction; 0 where fractions have no part in the evidence.
    """

    max_strain: float
    shape: tuple[tuple[float, float], ...]
    by_number: tuple[float, ...]
    fraction_width: float

    @classmethod
    def of(cls, settings: Figure1Settings, max_strain: float, materials: int) -> Prior:
        """The prior of a setting.

        With `up_to_replacement` the number k is uniform, each of k copies is of any of N materials, and the
        density of uniform fractions is (k - 1)!: k! (k - 1)! / N^k for a set of k copies in any order.

        With `exactly_distinct` there are K materials in any case, and the question is which. One that is
        absent explains as much as one that is there with a fraction f < sigma, of prior w sigma sqrt(pi / 2)
        for a density w at small fractions; one that is found has w sigma sqrt(2 pi) times its likelihood
        and what its strains are narrower. So it is more probable than all (N - K + 1) together that could
        stand in its place if that exceeds half their number, and the fraction's sigma is of no account.
        """
        span = settings.step_deg * (settings.points - 1)
        size, decay = settings.size_nm, settings.background.decay
        shape = (
            (math.log(size[0]), math.log(size[1])),
            settings.eta,
            (math.log(decay[0] * span), math.log(decay[1] * span)),
        )
        numbers = range(1, settings.max_phases + 1)
        if settings.kind == "exactly_distinct":
            others = 2 * math.log(max(1.0, (materials - settings.max_phases + 1) / 2))
            return cls(max_strain, shape, (0.0, *(k * others for k in numbers)), 0.0)
        sets = (math.lgamma(k + 1) + math.lgamma(k) - k * math.log(materials) for k in numbers)
        return cls(max_strain, shape, (0.0, *(-2 * value for value in sets)), 1.0)


@dataclass(frozen=True, eq=False)
class Fitted:
    """Fits of B patterns.

    Attributes
    ----------
    copies : Copies
    coefficients : (B, P + 1) tensor
        Of each slot, not negative, then the level of the background.
    cost : (B,) tensor
        Sum of squared residuals.
    score : (B,) tensor
        -2 ln of the evidence, up to a constant: how badly the copies explain the pattern, and how many
        parameters they have for it (`evidence`).
    spread : (B, P, P) tensor
        Covariance of the copies' coefficients, all else free, to first order.
    converged : (B,) bool tensor
        Whether the last step changed next to nothing.
    """

    copies: Copies
    coefficients: Tensor
    cost: Tensor
    score: Tensor
    spread: Tensor
    converged: Tensor

    def rows(self, index: Tensor) -> Fitted:
        """Some of the fits, by index or mask."""
        copies, *values = vars(self).values()
        return Fitted(copies.rows(index), *(value[index] for value in values))

    def without_empty(self) -> Fitted:
        """The same; slots of copies without a part in the pattern are free again."""
        copies = self.copies
        material = torch.where(self.coefficients[:, :-1] > 0, copies.material, -1)
        return dataclasses.replace(self, copies=dataclasses.replace(copies, material=material))

    def replaced(self, index: Tensor, other: Fitted) -> Fitted:
        """These fits with those of `other` in the rows `index`."""
        copies, *values = vars(self).values()
        _, *others = vars(other).values()
        put = (old.index_copy(0, index, new) for old, new in zip(values, others, strict=True))
        return Fitted(copies.replaced(index, other.copies), *put)


def fit(
    model: PatternModel, seen: Tensor, copies: Copies, prior: Prior, *, steps: int, enough: float = ENOUGH
) -> Fitted:
    """Fit (B, N) patterns, as the model sees them, from where `copies` stand.

    Parameters
    ----------
    model : PatternModel
    seen : (B, N) tensor
        From `PatternModel.seen`.
    copies : Copies
    prior : Prior
    steps : int
        At most.
    enough : float
        Relative decrease of the cost below which a step is the last of its pattern.
    """
    parts = [
        _fit_block(
            model, seen[low : low + _BLOCK], copies.rows(slice(low, low + _BLOCK)), prior, steps, enough
        )
        for low in range(0, max(len(seen), 1), _BLOCK)
    ]
    return joined(parts)


def joined(parts: Sequence[Fitted]) -> Fitted:
    """Fits of several batches as one."""
    copies = Copies(*(torch.cat(x) for x in zip(*(vars(p.copies).values() for p in parts), strict=True)))
    _, *values = zip(*(vars(part).values() for part in parts), strict=True)
    return Fitted(copies, *(torch.cat(value) for value in values))


def _fit_block(
    model: PatternModel, seen: Tensor, copies: Copies, prior: Prior, steps: int, enough: float
) -> Fitted:
    problem = _Problem(model, seen, copies)
    lower, upper = problem.limits(prior)
    flat = problem.flat(copies).clamp(lower, upper)
    coefficients, cost, normal = problem.evaluated(problem.moved(flat))
    damping = torch.full_like(cost, _DAMPING)
    left = torch.arange(len(seen))
    converged = torch.zeros(len(seen), dtype=torch.bool)
    for _ in range(steps):
        pressed_low, pressed_high = flat[left] <= lower[left], flat[left] >= upper[left]
        change = _step(normal[left], coefficients.shape[1], damping[left], pressed_low, pressed_high)
        trial = (flat[left] + change).clamp(lower[left], upper[left])
        tried, trial_cost, trial_normal = problem.rows(left).evaluated(problem.rows(left).moved(trial))
        better = trial_cost < cost[left]
        gain = (cost[left] - trial_cost) / cost[left].clamp_min(1e-30)
        good = left[better]
        flat[good], coefficients[good], cost[good] = trial[better], tried[better], trial_cost[better]
        normal[good] = trial_normal[better]
        damping[left] = (damping[left] * torch.where(better, _EASE, _TIGHTEN)).clamp(_SMALLEST, _LARGEST)
        # A refused step that would have changed next to nothing is the end as well.
        done = gain.abs() < enough
        converged[left[done]] = True
        left = left[~done]
        if not len(left):
            break
    counted = int(model.counted.sum())
    score, spread = evidence(
        normal,
        coefficients,
        cost,
        problem.amplitudes,
        max_strain=prior.max_strain,
        by_number=torch.tensor(prior.by_number, dtype=torch.float64),
        fraction_width=prior.fraction_width,
        points=counted,
    )
    return Fitted(problem.moved(flat), coefficients, cost, score, spread, converged)


class _Problem:
    """Some patterns and the copies in them, whose strains and shape are one flat vector (B, T + 3) each."""

    def __init__(
        self, model: PatternModel, seen: Tensor, copies: Copies, amplitudes: Amplitudes | None = None
    ) -> None:
        self.model, self.seen, self.copies = model, seen, copies
        self.amplitudes = amplitudes or amplitudes_of(copies, model.lines.components)

    def rows(self, index: Tensor) -> _Problem:
        return _Problem(self.model, self.seen[index], self.copies.rows(index), self.amplitudes.rows(index))

    def flat(self, copies: Copies) -> Tensor:
        a = self.amplitudes
        return torch.cat([copies.strain[a.place, a.slot, a.component] * a.there, copies.shape], dim=1)

    def moved(self, flat: Tensor) -> Copies:
        a = self.amplitudes
        strain = torch.zeros_like(self.copies.strain)
        strain[a.place[a.there], a.slot[a.there], a.component[a.there]] = flat[:, :-SHAPES][a.there]
        return Copies(self.copies.material, strain, flat[:, -SHAPES:].contiguous())

    def limits(self, prior: Prior) -> tuple[Tensor, Tensor]:
        """Lower and upper bound of each, (B, T + 3)."""
        limit = prior.max_strain * self.amplitudes.there.to(self.copies.shape.dtype)
        shape = self.copies.shape.new_tensor(prior.shape).expand(len(limit), -1, -1)
        return torch.cat([-limit, shape[..., 0]], dim=1), torch.cat([limit, shape[..., 1]], dim=1)

    def evaluated(self, copies: Copies) -> tuple[Tensor, Tensor, Tensor]:
        """Coefficients, cost, and normal matrix of coefficients, strains, shape and residual."""
        rendered = self.model.render(copies)
        columns = rendered.columns
        coefficients, active = solve_non_negative(
            columns @ columns.mT, torch.einsum("bin,bn->bi", columns, self.seen), columns.shape[1]
        )
        residual = self.seen - torch.einsum("bi,bin->bn", coefficients, columns)
        rates = self.jacobian(copies, rendered, coefficients)
        everything = torch.cat([columns * active.unsqueeze(-1), rates, residual.unsqueeze(1)], dim=1)
        normal = everything @ everything.mT
        return coefficients, normal[:, -1, -1].clone(), normal

    def jacobian(self, copies: Copies, rendered: Rendered, coefficients: Tensor) -> Tensor:
        a = self.amplitudes
        # `rendered` has as many amplitudes as its patterns need, which may be fewer than here.
        by_strain = torch.nn.functional.pad(
            rendered.by_strain, (0, 0, 0, a.slot.shape[1] - rendered.by_strain.shape[1])
        )
        mass = coefficients.gather(1, a.slot) * a.there
        by_shape = self.model.by_shape(copies, rendered, coefficients)
        return torch.cat([by_strain * mass.unsqueeze(-1), by_shape], dim=1)


def linearised(model: PatternModel, seen: Tensor, fitted: Fitted) -> tuple[Tensor, Tensor]:
    """What a fit can change to first order: (B, P + 1 + T + 3, N), and the slot of each, -1: of none.

    Columns of the copies and the background, derivatives by strains and by shape; zero where there is none.
    """
    problem = _Problem(model, seen, fitted.copies)
    rendered = model.render(fitted.copies)
    rates = problem.jacobian(fitted.copies, rendered, fitted.coefficients)
    batch, slots = fitted.copies.material.shape
    none = torch.full((batch, 1), -1)
    owner = torch.cat(
        [torch.arange(slots).expand(batch, -1), none, problem.amplitudes.slot, none.expand(-1, SHAPES)], dim=1
    )
    return torch.cat([rendered.columns, rates], dim=1), owner


def _step(normal: Tensor, count: int, damping: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """(B, T + 3) change of strains and shape; `low` and `high` tell which are at a bound."""
    matrix, gradient = normal[:, :-1, :-1].double(), normal[:, count:-1, -1].double()
    linear, mixed, curvature = matrix[:, :count, :count], matrix[:, :count, count:], matrix[:, count:, count:]
    size = linear.diagonal(dim1=1, dim2=2)
    ridge = torch.diag_embed(1e-7 * size + (size <= 0))
    # The residual is orthogonal to the span of the columns: the gradient has no part there.
    curvature = curvature - mixed.mT @ torch.linalg.solve(linear + ridge, mixed)
    pressed = (low & (gradient < 0)) | (high & (gradient > 0))
    diagonal = curvature.diagonal(dim1=1, dim2=2).clamp_min(0)
    known = diagonal > 1e-12 * diagonal.amax(1, keepdim=True).clamp_min(1e-300)
    moving = (~pressed & known).double()
    scale = torch.where(known, diagonal, torch.ones_like(diagonal)).sqrt()
    curvature = curvature / (scale.unsqueeze(1) * scale.unsqueeze(2))
    curvature = curvature * moving.unsqueeze(1) * moving.unsqueeze(2)
    curvature = curvature + torch.diag_embed(1 - moving + damping.double().unsqueeze(-1))
    change: Tensor = torch.linalg.solve(curvature, gradient / scale * moving) / scale * moving
    return change.to(normal.dtype)
