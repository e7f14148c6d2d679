"""Fits of many of the paper's patterns at once: a `Problem` of the solver, copies and background linear."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mixrd.fit.least_squares import Ended, Evaluated, Priors, solve
from mixrd.fit.linear_part import LinearPart, solve_non_negative
from mixrd.paper.figure1_settings import Figure1Settings
from mixrd.paper.refinement.copies import SHAPES, Amplitudes, Copies, amplitudes_of
from mixrd.paper.refinement.evidence import evidence
from mixrd.paper.refinement.pattern_model import PatternModel, Rendered

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
    found = solve(problem, problem.flat(), problem.priors(prior), enough=enough, most_steps=steps)
    coefficients = found.at.linear.coefficients
    score, spread = evidence(
        found.at.normal,
        coefficients,
        found.cost,
        problem.amplitudes,
        max_strain=prior.max_strain,
        by_number=torch.tensor(prior.by_number, dtype=torch.float64),
        fraction_width=prior.fraction_width,
        points=int(model.counted.sum()),
    )
    converged = found.ended != Ended.STEPS_RAN_OUT
    return Fitted(problem.copies_at(found.values), coefficients, found.cost, score, spread, converged)


class _Problem:
    """Some patterns and the copies in them, whose strains and shape are one flat vector (B, T + 3) each.

    A `Problem` of the solver.
    """

    def __init__(
        self, model: PatternModel, seen: Tensor, copies: Copies, amplitudes: Amplitudes | None = None
    ) -> None:
        self.model, self.seen, self.copies = model, seen, copies
        self.amplitudes = amplitudes or amplitudes_of(copies, model.lines.components)

    def at(self, values: Tensor, rows: Tensor) -> Evaluated:
        """Coefficients of copies and background solved, and the Jacobian; only their products are kept."""
        own = _Problem(self.model, self.seen[rows], self.copies.rows(rows), self.amplitudes.rows(rows))
        copies = own.copies_at(values)
        rendered = self.model.render(copies, own.amplitudes)
        columns = rendered.columns
        coefficients, active = solve_non_negative(
            columns @ columns.mT, torch.einsum("bin,bn->bi", columns, own.seen), columns.shape[1]
        )
        residual = own.seen - torch.einsum("bi,bin->bn", coefficients, columns)
        linear = LinearPart(coefficients, active, columns, residual)
        jacobian = _jacobian(self.model, copies, own.amplitudes, rendered, coefficients)
        return Evaluated.of(linear, jacobian).brief()

    def moved(self, values: Tensor, change: Tensor) -> Tensor:
        """Strains and shape after a step."""
        return values + change

    def flat(self) -> Tensor:
        """(B, T + 3) strains and shape of the copies."""
        a = self.amplitudes
        strain = self.copies.strain[a.place, a.slot, a.component] * a.there
        return torch.cat([strain, self.copies.shape], dim=1)

    def copies_at(self, flat: Tensor) -> Copies:
        """The copies with these strains and shape."""
        a = self.amplitudes
        strain = torch.zeros_like(self.copies.strain)
        strain[a.place[a.there], a.slot[a.there], a.component[a.there]] = flat[:, :-SHAPES][a.there]
        return Copies(self.copies.material, strain, flat[:, -SHAPES:].contiguous())

    def priors(self, prior: Prior) -> Priors:
        """Bounds of each, (B, T + 3); within them nothing is preferred."""
        there = self.amplitudes.there
        limit = prior.max_strain * there.to(self.copies.shape.dtype)
        shape = self.copies.shape.new_tensor(prior.shape).expand(len(limit), -1, -1)
        lower, upper = (
            torch.cat([x * limit, y], dim=1) for x, y in zip((-1, 1), shape.unbind(-1), strict=True)
        )
        free = torch.nn.functional.pad(there, (0, SHAPES), value=True)
        sigma = torch.where(free, torch.inf, torch.zeros_like(lower))
        return Priors(torch.zeros_like(lower), sigma, lower, upper)


def _jacobian(
    model: PatternModel, copies: Copies, amplitudes: Amplitudes, rendered: Rendered, coefficients: Tensor
) -> Tensor:
    """(B, T + 3, N) derivatives of the patterns."""
    mass = coefficients.gather(1, amplitudes.slot) * amplitudes.there
    by_shape = model.by_shape(copies, rendered, coefficients)
    return torch.cat([rendered.by_strain * mass.unsqueeze(-1), by_shape], dim=1)


def linearised(model: PatternModel, fitted: Fitted) -> tuple[Tensor, Tensor]:
    """What a fit can change to first order: (B, P + 1 + T + 3, N), and the slot of each, -1: of none.

    Columns of the copies and the background, derivatives by strains and by shape; zero where there is none.
    """
    amplitudes = amplitudes_of(fitted.copies, model.lines.components)
    rendered = model.render(fitted.copies, amplitudes)
    rates = _jacobian(model, fitted.copies, amplitudes, rendered, fitted.coefficients)
    batch, slots = fitted.copies.material.shape
    none = torch.full((batch, 1), -1)
    owner = torch.cat(
        [torch.arange(slots).expand(batch, -1), none, amplitudes.slot, none.expand(-1, SHAPES)], dim=1
    )
    return torch.cat([rendered.columns, rates], dim=1), owner
