"""Fits of scans on the forward model's grid: a `Problem` of the solver, with masses and background inside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from mixrd.fit.least_squares import RELATIVE_DECREASE, Ended, Evaluated, Priors, Solution, solve
from mixrd.fit.linear_part import LinearPart, solve_linear
from mixrd.pattern import ForwardModel

#: Scans that are fitted at once: more bring nothing, and take memory.
_TOGETHER = 16
#: Share of a rough surface below which its depth means nothing.
_LEAST_SHARE = 0.02


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
    ended : (B,) int tensor
        Why, see `mixrd.fit.least_squares.Ended`.
    steps : int
        That were tried.
    """

    flat: Tensor
    linear: LinearPart
    jacobian: Tensor
    cost: Tensor
    ended: Tensor
    steps: int

    @property
    def converged(self) -> Tensor:
        """(B,) bool: whether it ended before its steps ran out."""
        return self.ended != Ended.STEPS_RAN_OUT


@dataclass(frozen=True, eq=False)
class _Scans:
    """Scans (B, N) to be fitted: a `Problem`."""

    model: ForwardModel
    basis: Tensor
    observed: Tensor
    sigma: Tensor
    start: Tensor
    free: Tensor

    def flat(self, values: Tensor, rows: Tensor) -> Tensor:
        """(R, T) all parameters, from the free ones (R, F)."""
        flat = self.start[rows]
        flat[:, self.free] = values
        return flat

    def at(self, values: Tensor, rows: Tensor) -> Evaluated:
        """Masses and background solved at these parameters, and the Jacobian of the free ones."""
        sigma = self.sigma[rows]
        expanded = self.model.expanded(self.model.from_flat(self.flat(values, rows)), self.free)
        columns = expanded.columns()
        basis = self.basis[rows] if self.basis.ndim == 3 else self.basis
        linear = solve_linear(columns, basis, self.observed[rows], sigma)
        slopes = expanded.tangents(linear.coefficients[:, : columns.shape[1]])
        return Evaluated.of(linear, slopes / sigma.unsqueeze(1))

    def moved(self, values: Tensor, change: Tensor) -> Tensor:
        """The parameters after a step; the two of the roughness along the bend of their valley.

        A scan tells the product of share and depth first, so a step changes that as it says to first order.
        """
        moved = values + change
        where = self.model.columns_of("roughness")
        if bool(self.free[where].all()):
            first = int(self.free[: where.start].sum())
            share, depth = values[:, first], values[:, first + 1]
            wider, deeper = change[:, first], change[:, first + 1]
            product = share * depth + share * deeper + depth * wider
            moved[:, first + 1] = product / (share + wider).clamp_min(_LEAST_SHARE)
        return moved


def fit(
    model: ForwardModel,
    basis: Tensor,
    observed: Tensor,
    sigma: Tensor,
    start: Tensor,
    priors: Priors,
    *,
    enough: float | Tensor = RELATIVE_DECREASE,
    on_step: Callable[[int, float], None] | None = None,
) -> Fit:
    """Fit a batch of scans on the model's grid.

    Parameters
    ----------
    model : ForwardModel
    basis : (Q, N) or (B, Q, N) tensor
        Background basis, of all scans or of each.
    observed, sigma : (B, N) tensor
    start : (B, T) tensor
        Flat parameters to start from.
    priors : Priors
        (T,), or (B, T) for scans apart.
    enough : float or (B,) tensor
        Relative decrease of the cost below which an accepted step is the last.
    on_step : callable, optional
        Called after each step with its number and the mean cost.
    """
    own = priors.of(slice(None), len(start))
    enough = torch.as_tensor(enough, dtype=start.dtype).expand(len(start))
    free = (own.sigma > 0).any(dim=0)
    parts = []
    for low in range(0, len(start), _TOGETHER):
        rows = torch.arange(low, min(low + _TOGETHER, len(start)))
        some = basis[rows] if basis.ndim == 3 else basis
        scans = _Scans(model, some, observed[rows], sigma[rows], start[rows], free)
        limits = own.rows(rows).of(free, len(rows))
        parts.append(
            (scans, solve(scans, start[rows][:, free], limits, enough=enough[rows], on_step=on_step))
        )
    return _joined(parts)


def _joined(parts: list[tuple[_Scans, Solution]]) -> Fit:
    def joined(pieces: list[Tensor]) -> Tensor:
        return pieces[0] if len(pieces) == 1 else torch.cat(pieces)

    free = parts[0][0].free
    linear = [solution.at.linear for _, solution in parts]
    slopes = joined([solution.at.jacobian for _, solution in parts])
    jacobian = slopes.new_zeros(len(slopes), len(free), slopes.shape[-1])
    jacobian[:, free] = slopes
    return Fit(
        flat=joined([scans.flat(s.values, torch.arange(len(s.values))) for scans, s in parts]),
        linear=LinearPart(*(joined(list(x)) for x in zip(*(vars(p).values() for p in linear), strict=True))),
        jacobian=jacobian.transpose(1, 2),
        cost=joined([s.cost for _, s in parts]),
        ended=joined([s.ended for _, s in parts]),
        steps=max(s.steps for _, s in parts),
    )
