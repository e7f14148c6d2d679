"""Batched Levenberg-Marquardt with variable projection: what a pattern is linear in is solved inside.

The one solver of mixrd: scans, batches of scans, calibrations and the paper's patterns are each a `Problem`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from enum import IntEnum
from typing import Protocol

import torch
from torch import Tensor

from mixrd.fit.linear_part import LinearPart

#: Tried steps after which a fit that still improves is called unfinished.
MAX_STEPS = 80
#: Relative decrease of the cost below which an accepted step counts as the last.
RELATIVE_DECREASE = 1e-5
#: Relative decrease of the cost that may be left where a fit counts as settled though its steps ran out.
SETTLED = 1e-3
#: Damping of the first step.
_DAMPING = 1e-3
#: Damping below which a step is nearly the whole one: promising no more than that, it is not taken.
_LIGHT = 0.01
#: Damping above which a small gain is no sign of the end, and above which no way leads down.
_HEAVY, _HOPELESS = 0.3, 1e6
#: Bounds that a step may meet.
_CORNERS = 6
#: Share of the largest curvature below which a parameter changes nothing.
_NOTHING = 1e-24


@dataclass(frozen=True, eq=False)
class Priors:
    """What is known of the parameters before a pattern is seen; each (T,), or (B, T) for patterns apart.

    Attributes
    ----------
    mean, sigma : tensor
        Gaussian restraint; sigma 0 fixes a parameter at its start, infinity leaves it free.
    lower, upper : tensor
        Hard bounds.
    """

    mean: Tensor
    sigma: Tensor
    lower: Tensor
    upper: Tensor

    def of(self, chosen: Tensor | slice, batch: int) -> Priors:
        """Those of some parameters, (B, F) each."""
        return Priors(*(x.expand(batch, -1)[:, chosen] for x in vars(self).values()))

    def rows(self, index: Tensor) -> Priors:
        """Those (B, T) of some patterns."""
        return Priors(*(x[index] for x in vars(self).values()))

    @property
    def weight(self) -> Tensor:
        """1 / sigma^2; 0 for fixed and free parameters."""
        return torch.where(self.sigma > 0, self.sigma, torch.inf) ** -2

    def cost(self, values: Tensor) -> Tensor:
        """(B,) sum of the squared distances from the restraints' centres, in units of their sigma."""
        off = torch.where(self.weight > 0, values - self.mean, torch.zeros_like(values))
        return (self.weight * off.square()).sum(-1)


@dataclass(frozen=True, eq=False)
class Evaluated:
    """Patterns at some parameters, their C linear ones solved. F parameters are not linear.

    Attributes
    ----------
    linear : LinearPart
    jacobian : (B, F, N) tensor
        Weighted derivatives of the calculated pattern, linear coefficients fixed.
    normal : (B, C + F + 1, C + F + 1) tensor
        Products of the design's active rows, the Jacobian's rows and the residual with each other.
    """

    linear: LinearPart
    jacobian: Tensor
    normal: Tensor

    @classmethod
    def of(cls, linear: LinearPart, jacobian: Tensor) -> Evaluated:
        """With the products calculated."""
        design = linear.design * linear.active.unsqueeze(-1)
        everything = torch.cat([design, jacobian, linear.residual.unsqueeze(1)], dim=1)
        return cls(linear, jacobian, everything @ everything.mT)

    def brief(self) -> Evaluated:
        """The same without anything as long as the patterns."""
        linear = replace(
            self.linear, design=self.linear.design[..., :0], residual=self.linear.residual[..., :0]
        )
        return Evaluated(linear, self.jacobian[..., :0], self.normal)

    def replaced(self, index: Tensor, other: Evaluated) -> Evaluated:
        """The same with the patterns of `other` in the rows `index`."""
        linear = LinearPart(
            *(
                getattr(self.linear, f.name).index_copy(0, index, getattr(other.linear, f.name))
                for f in fields(LinearPart)
            )
        )
        jacobian = self.jacobian.index_copy(0, index, other.jacobian)
        return Evaluated(linear, jacobian, self.normal.index_copy(0, index, other.normal))


class Problem(Protocol):
    """Patterns that are to be fitted, each with F parameters that it is not linear in."""

    def at(self, values: Tensor, rows: Tensor) -> Evaluated:
        """The patterns `rows` (R,) at these parameters (R, F)."""

    def moved(self, values: Tensor, change: Tensor) -> Tensor:
        """The parameters after a step; `values + change`, unless a valley is known to bend."""


class Ended(IntEnum):
    """Why a fit came to its end."""

    STEPS_RAN_OUT = 0
    PROMISED_LITTLE = 1
    GAINED_LITTLE = 2
    NO_WAY_DOWN = 3
    SETTLED_ENOUGH = 4


@dataclass(frozen=True, eq=False)
class Solution:
    """Result of `solve`.

    Attributes
    ----------
    values : (B, F) tensor
    at : Evaluated
        At these.
    cost : (B,) tensor
        Sum of squared weighted residuals and restraints.
    ended : (B,) int tensor
        `Ended`, for each pattern.
    steps : int
        That were tried.
    """

    values: Tensor
    at: Evaluated
    cost: Tensor
    ended: Tensor
    steps: int


def solve(
    problem: Problem,
    start: Tensor,
    priors: Priors,
    *,
    enough: float | Tensor = RELATIVE_DECREASE,
    most_steps: int = MAX_STEPS,
    on_step: Callable[[int, float], None] | None = None,
) -> Solution:
    """Fit a batch of patterns; those that are done leave the batch.

    Variable projection in Kaufman's form (Kaufman 1975, BIT 15, 49): for each trial of the non-linear
    parameters the linear ones are solved exactly, and the Jacobian is that of the pattern with fixed linear
    ones, with its part in the span of the design removed.

    Parameters
    ----------
    problem : Problem
    start : (B, F) tensor
    priors : Priors
        (B, F) each.
    enough : float or (B,) tensor
        Relative decrease of the cost below which an accepted step is the last.
    most_steps : int
    on_step : callable, optional
        Called after each step with its number and the mean cost.

    Returns
    -------
    Solution
        `STEPS_RAN_OUT` where the steps did not suffice and more than `SETTLED` of the cost is left.
    """
    left = torch.arange(len(start), device=start.device)
    values = torch.where(priors.sigma > 0, start.clamp(priors.lower, priors.upper), start)
    at = problem.at(values, left)
    cost = at.normal[:, -1, -1] + priors.cost(values)
    damping, growth = torch.full_like(cost, _DAMPING), torch.full_like(cost, 2.0)
    enough = torch.as_tensor(enough, dtype=cost.dtype, device=cost.device).expand_as(cost)
    ended = torch.zeros_like(left)
    if not values.shape[1]:
        ended[:] = Ended.PROMISED_LITTLE
        left = left[:0]
    step = 0
    while len(left) and step < most_steps:
        change, promised = _step(at.normal[left], values[left], damping[left], priors.rows(left))
        little = (promised < (enough * cost)[left]) & (damping[left] < _LIGHT)
        ended[left[little]] = Ended.PROMISED_LITTLE
        change, promised, left = change[~little], promised[~little], left[~little]
        if not len(left):
            break
        step += 1
        own = priors.rows(left)
        trial = problem.moved(values[left], change).clamp(own.lower, own.upper)
        trial = torch.where(own.sigma > 0, trial, values[left])
        tried = problem.at(trial, left)
        trial_cost = tried.normal[:, -1, -1] + own.cost(trial)
        gain, before = cost[left] - trial_cost, damping[left]
        better = gain > 0
        # Nielsen 1999 (IMM-REP-1999-05, Lyngby): a model that foretold the gain well is trusted further.
        ratio = gain / promised.clamp_min(1e-30)
        eased = (1 - (2 * ratio - 1) ** 3).clamp(1 / 5, 2.0)
        damping[left] = (before * torch.where(better, eased, growth[left])).clamp(1e-9, 1e8)
        growth[left] = torch.where(better, 2.0, 2 * growth[left])
        ended[left[better & (gain < (enough * cost)[left]) & (before < _HEAVY)]] = Ended.GAINED_LITTLE
        ended[left[~better & (before > _HOPELESS)]] = Ended.NO_WAY_DOWN
        at = _accepted(at, tried, left, better)
        values[left[better]], cost[left[better]] = trial[better], trial_cost[better]
        left = left[ended[left] == Ended.STEPS_RAN_OUT]
        if on_step:
            on_step(step, float(cost.mean()))
    if len(left):
        # Whether the steps ran out just before the end or just after is chance: what is left to gain decides.
        light = torch.full_like(cost[left], _DAMPING)
        _, promised = _step(at.normal[left], values[left], light, priors.rows(left))
        ended[left[promised < SETTLED * cost[left]]] = Ended.SETTLED_ENOUGH
    return Solution(values, at, cost, ended, step)


def _accepted(at: Evaluated, tried: Evaluated, left: Tensor, better: Tensor) -> Evaluated:
    """What is kept after a step of the patterns `left`."""
    if bool(better.all()) and len(left) == len(at.normal):
        return tried
    if not bool(better.any()):
        return at
    linear = LinearPart(*(x[better] for x in vars(tried.linear).values()))
    return at.replaced(left[better], Evaluated(linear, tried.jacobian[better], tried.normal[better]))


def _step(normal: Tensor, values: Tensor, damping: Tensor, priors: Priors) -> tuple[Tensor, Tensor]:
    """(B, F) change of the parameters and (B,) decrease of the cost that it promises."""
    count = normal.shape[1] - values.shape[1] - 1
    curvature, gradient = _projected(normal, count)
    weight = priors.weight.to(curvature.dtype)
    off = torch.where(weight > 0, values - priors.mean, torch.zeros_like(values)).to(curvature.dtype)
    gradient = gradient - off * weight
    diagonal = curvature.diagonal(dim1=1, dim2=2).clamp_min(0) + weight
    # A parameter that changes nothing, or is pressed against its bound, rests for this step.
    known = diagonal > _NOTHING * diagonal.amax(1, keepdim=True).clamp_min(1e-290)
    pressed = ((values <= priors.lower) & (gradient < 0)) | ((values >= priors.upper) & (gradient > 0))
    moving = ((priors.sigma > 0) & ~pressed & known).to(curvature.dtype)
    scale = torch.where(known, diagonal, torch.ones_like(diagonal)).sqrt()
    curvature = (curvature + torch.diag_embed(weight)) / (scale.unsqueeze(1) * scale.unsqueeze(2))
    curvature = curvature * moving.unsqueeze(1) * moving.unsqueeze(2) + torch.diag_embed(1 - moving)
    gradient = gradient / scale * moving
    damped = curvature + torch.diag_embed(damping.to(curvature.dtype).unsqueeze(1).expand_as(scale))
    low, high = (priors.lower - values) * scale, (priors.upper - values) * scale
    change = _within(damped, gradient, low, high)
    promised = 2 * (change * gradient).sum(1) - torch.einsum("bt,btu,bu->b", change, curvature, change)
    return (change / scale).to(values.dtype), promised.to(values.dtype)


def _projected(normal: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """(B, F, F) curvature and (B, F) gradient with the part in the span of `count` linear columns removed."""
    ridge = 1e-10 if normal.dtype == torch.float64 else 1e-7
    normal = normal.double()
    linear, mixed = normal[:, :count, :count], normal[:, :count, count:]
    norm = linear.diagonal(dim1=1, dim2=2).sqrt().clamp_min(1e-30)
    linear = linear / (norm.unsqueeze(1) * norm.unsqueeze(2))
    mixed = mixed / norm.unsqueeze(2)
    unit = torch.eye(count, dtype=normal.dtype, device=normal.device)
    rest = normal[:, count:, count:] - mixed.mT @ torch.linalg.solve(linear + ridge * unit, mixed)
    return rest[:, :-1, :-1], rest[:, :-1, -1]


def _within(matrix: Tensor, gradient: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """(B, F): solution of the equations as far as the bounds let it go; what meets one rests there.

    Cutting single parameters off at their bounds instead may lead uphill, where others depend on them.
    """
    change = torch.zeros_like(gradient)
    moves = torch.ones_like(gradient)
    for _ in range(_CORNERS):
        right = (gradient - torch.einsum("btu,bu->bt", matrix, change)) * moves
        system = matrix * moves.unsqueeze(1) * moves.unsqueeze(2) + torch.diag_embed(1 - moves)
        direction = torch.linalg.solve(system, right)
        room = torch.where(direction > 0, high - change, low - change) / direction
        room = torch.where(direction * moves == 0, torch.inf, room).clamp_min(0.0)
        nearest = room.amin(dim=1, keepdim=True)
        change = change + nearest.clamp_max(1.0) * direction
        if bool((nearest >= 1).all()):
            break
        moves = torch.where((room <= nearest) & (nearest < 1), 0.0, moves)
    return change
