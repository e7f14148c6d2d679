"""Batched Levenberg-Marquardt with variable projection: scales and background solved linearly inside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from mixrd.fit.linear_part import LinearPart, solve_linear
from mixrd.pattern import ForwardModel

#: Tried steps after which a fit that still improves is called unfinished.
MAX_STEPS = 80
#: Relative decrease of the cost below which an accepted step counts as the last.
RELATIVE_DECREASE = 1e-5
#: Relative decrease of the cost that may be left where a fit counts as settled though its steps ran out.
SETTLED = 1e-3
#: Damping below which a step is nearly the whole one: promising no more than that, it is not taken.
_LIGHT = 0.01
#: Damping above which a small gain is no sign of the end.
_HEAVY = 0.3
#: Share of a rough surface below which its depth means nothing.
_LEAST_SHARE = 0.02
#: Bounds that a step may meet.
_CORNERS = 6


@dataclass(frozen=True, eq=False)
class Priors:
    """What is known of the flat parameters before the scan is seen; each (T,).

    Attributes
    ----------
    mean, sigma : tensor
        Gaussian restraint; sigma 0 fixes a parameter at its start.
    lower, upper : tensor
        Hard bounds.
    """

    mean: Tensor
    sigma: Tensor
    lower: Tensor
    upper: Tensor


@dataclass(frozen=True, eq=False)
class Fit:
    """Result of `fit`.

    Attributes
    ----------
    flat : (B, T) tensor
        Non-linear parameters, as `Parameters.flat` orders them.
    linear : LinearPart
        At these parameters.
    jacobian : (B, N, T) tensor
        Weighted derivatives of the calculated pattern, masses fixed; zero for fixed parameters.
    cost : (B,) tensor
        Sum of squared weighted residuals and restraints.
    converged : (B,) bool tensor
    steps : int
        That were tried.
    """

    flat: Tensor
    linear: LinearPart
    jacobian: Tensor
    cost: Tensor
    converged: Tensor
    steps: int


def fit(
    model: ForwardModel,
    basis: Tensor,
    observed: Tensor,
    sigma: Tensor,
    start: Tensor,
    priors: Priors,
    *,
    enough: float = RELATIVE_DECREASE,
    on_step: Callable[[int, float], None] | None = None,
) -> Fit:
    """Fit a batch of patterns on the model's grid.

    Variable projection in Kaufman's form (Kaufman 1975, BIT 15, 49): for each trial of the non-linear
    parameters the linear ones are solved exactly, and the Jacobian is that of the fixed-mass pattern
    with its part in the span of the basis functions removed.

    Parameters
    ----------
    model : ForwardModel
    basis : (Q, N) tensor
        Background basis.
    observed, sigma : (B, N) tensor
    start : (B, T) tensor
        Flat parameters to start from.
    priors : Priors
    enough : float
        Relative decrease of the cost below which an accepted step is the last.
    on_step : callable, optional
        Called after each step with its number and the mean cost.

    Returns
    -------
    Fit
        `converged` is False where MAX_STEPS did not suffice and more than `SETTLED` of the cost is left.
    """
    free = priors.sigma > 0
    flat = torch.where(free, start.clamp(priors.lower, priors.upper), start)
    linear, cost = _evaluate(model, basis, observed, sigma, flat, priors)
    damping, growth = torch.full_like(cost, 1e-3), torch.full_like(cost, 2.0)
    done = torch.zeros_like(cost, dtype=torch.bool)
    jacobian = _jacobian(model, flat, linear, sigma, free)
    step = 0
    for step in range(1, MAX_STEPS + 1):
        change, promised = _step(jacobian, linear, flat, damping, priors)
        done = done | ((promised < enough * cost) & (damping < _LIGHT))
        if bool(done.all()):
            step -= 1
            break
        trial = _moved(model, flat, change, free).clamp(priors.lower, priors.upper)
        trial = torch.where(free & ~done.unsqueeze(-1), trial, flat)
        trial_linear, trial_cost = _evaluate(model, basis, observed, sigma, trial, priors)
        better = (trial_cost < cost) & ~done
        small = (cost - trial_cost < enough * cost) & (damping < _HEAVY)
        done = done | (better & small) | (~better & (damping > 1e6))
        # Nielsen 1999 (IMM-REP-1999-05, Lyngby): a model that foretold the gain well is trusted further.
        ratio = (cost - trial_cost) / promised.clamp_min(1e-30)
        damping = damping * torch.where(better, (1 - (2 * ratio - 1) ** 3).clamp(1 / 5, 2.0), growth)
        damping = damping.clamp(1e-9, 1e8)
        growth = torch.where(better, 2.0, 2 * growth)
        flat = torch.where(better.unsqueeze(-1), trial, flat)
        linear = _choose(better, trial_linear, linear)
        cost = torch.where(better, trial_cost, cost)
        if on_step:
            on_step(step, float(cost.mean()))
        if bool(better.any()):
            jacobian = _jacobian(model, flat, linear, sigma, free)
        if bool(done.all()):
            break
    if not bool(done.all()):
        # Whether the steps ran out just before the end or just after is chance: what is left to gain decides.
        _, promised = _step(jacobian, linear, flat, torch.full_like(cost, 1e-3), priors)
        done = done | (promised < SETTLED * cost)
    return Fit(flat, linear, jacobian, cost, done, step)


def _moved(model: ForwardModel, flat: Tensor, change: Tensor, free: Tensor) -> Tensor:
    """The parameters after a step; the two of the roughness along the bend of their valley.

    A scan tells the product of share and depth first, so a step changes that as it says to first order.
    """
    moved = flat + change
    where = model.columns_of("roughness")
    if bool(free[where].all()):
        (share, depth), (wider, deeper) = flat[:, where].unbind(1), change[:, where].unbind(1)
        product = share * depth + share * deeper + depth * wider
        moved[:, where.stop - 1] = product / (share + wider).clamp_min(_LEAST_SHARE)
    return moved


def _evaluate(
    model: ForwardModel, basis: Tensor, observed: Tensor, sigma: Tensor, flat: Tensor, priors: Priors
) -> tuple[LinearPart, Tensor]:
    linear = solve_linear(model.columns(model.from_flat(flat)), basis, observed, sigma)
    return linear, (linear.residual**2).sum(-1) + (_pull(flat, priors) ** 2).sum(-1)


def _pull(flat: Tensor, priors: Priors) -> Tensor:
    """Distance from the restraints' centres in units of their sigma (0 for fixed parameters)."""
    sigma = torch.where(priors.sigma > 0, priors.sigma, torch.ones_like(priors.sigma))
    return torch.where(priors.sigma > 0, (flat - priors.mean) / sigma, torch.zeros_like(flat))


def _jacobian(model: ForwardModel, flat: Tensor, linear: LinearPart, sigma: Tensor, free: Tensor) -> Tensor:
    masses = linear.coefficients[:, : len(model.tables)]
    tangents = model.tangents(model.from_flat(flat), masses, free)
    return tangents / sigma.unsqueeze(-1)


def _step(
    jacobian: Tensor, linear: LinearPart, flat: Tensor, damping: Tensor, priors: Priors
) -> tuple[Tensor, Tensor]:
    """(B, T) change of the parameters and (B,) decrease of the cost that it promises."""
    design = linear.design * linear.active.unsqueeze(-1)
    norm = design.norm(dim=-1, keepdim=True).clamp_min(1e-30)
    design = design / norm
    gram = torch.einsum("bin,bjn->bij", design, design)
    gram = gram + 1e-10 * torch.eye(gram.shape[1], dtype=gram.dtype, device=gram.device)
    projected = jacobian - torch.einsum(
        "bin,bit->bnt", design, torch.linalg.solve(gram, torch.einsum("bin,bnt->bit", design, jacobian))
    )
    free = priors.sigma > 0
    weight = torch.where(free, torch.where(free, priors.sigma, torch.ones_like(priors.sigma)) ** -2, 1.0)
    gradient = torch.einsum("bnt,bn->bt", projected, linear.residual)
    gradient = gradient - torch.where(free, (flat - priors.mean) * weight, torch.zeros_like(flat))
    # A parameter pressed against its bound rests there for this step.
    pressed = ((flat <= priors.lower) & (gradient < 0)) | ((flat >= priors.upper) & (gradient > 0))
    moving = (free & ~pressed).to(flat.dtype)
    curvature = torch.einsum("bnt,bnu->btu", projected, projected) + torch.diag(weight)
    diagonal = curvature.diagonal(dim1=1, dim2=2)
    scale = diagonal.sqrt()
    curvature = curvature / (scale.unsqueeze(1) * scale.unsqueeze(2))
    curvature = curvature * moving.unsqueeze(1) * moving.unsqueeze(2) + torch.diag_embed(1 - moving)
    gradient = gradient / scale * moving
    damped = curvature + damping[:, None, None] * torch.eye(
        flat.shape[1], dtype=flat.dtype, device=flat.device
    )
    low, high = (priors.lower - flat) * scale, (priors.upper - flat) * scale
    change = _within(damped, gradient, low, high)
    promised = 2 * (change * gradient).sum(1) - torch.einsum("bt,btu,bu->b", change, curvature, change)
    return change / scale, promised


def _within(matrix: Tensor, gradient: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """(B, T): solution of the equations as far as the bounds let it go; what meets one rests there.

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


def _choose(better: Tensor, new: LinearPart, old: LinearPart) -> LinearPart:
    def pick(a: Tensor, b: Tensor) -> Tensor:
        return torch.where(better.view(-1, *[1] * (a.dim() - 1)), a, b)

    return LinearPart(*(pick(a, b) for a, b in zip(vars(new).values(), vars(old).values(), strict=True)))
