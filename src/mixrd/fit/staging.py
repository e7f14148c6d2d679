"""The refinement of one real scan: what a careful expert would free, in which order, and only if asked for.

First the scales, cells, widths and shifts on a blurred scan, then on the scan itself; then a background as
wavy as the data ask for; then losses at low angles and texture, each only where the residual calls for it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mixrd.crystal import Crystal
from mixrd.fit.background_degree import chosen_degree
from mixrd.fit.coarse_fit import COARSE_DECREASE, CoarseScan
from mixrd.fit.covariance import at_least, covariance, misfit_covariance
from mixrd.fit.earned_restraints import Earned
from mixrd.fit.least_squares import RELATIVE_DECREASE, Priors
from mixrd.fit.lockstep import FitRequest, Steps, carried_out
from mixrd.fit.pattern_fit import Fit
from mixrd.fit.presence import Presence, presence
from mixrd.fit.refinement import (
    BACKGROUND_DEGREE,
    LEAST_TOTAL_SIGNIFICANCE,
    STAGES_DEG,
    Refinement,
    collect,
    first_parameters,
    significance,
)
from mixrd.fit.residual_score import wanted
from mixrd.fit.restraints import Restraints, make_priors
from mixrd.fit.scan_part import ScanPart, points_to_merge
from mixrd.fit.texture_trials import TextureTrials
from mixrd.pattern import Axis, ForwardModel, Instrument, background_basis, shared_model

#: Relative decrease of the cost at which a fit before the last has done its work.
STAGE_DECREASE = 3e-3
#: Times that the residual is asked what else to free.
ROUNDS = 2
#: Of the background beside amorphous humps.
DEGREE_BESIDE_HUMPS = 5


@dataclass(frozen=True)
class Freed:
    """What was freed besides scales, cells, widths, shifts and background.

    Attributes
    ----------
    background_degree : int
    losses : tuple of str
        At low angles, by the names of `mixrd.pattern.Loss`; one at most.
    texture_axes : dict
        (h, k, l) by phase name.
    """

    background_degree: int
    losses: tuple[str, ...] = ()
    texture_axes: Mapping[str, Axis] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class SampleRefinement:
    """A refinement and what it freed.

    Attributes
    ----------
    refinement : Refinement
        Its background has the humps in it.
    freed : Freed
    hump_amounts, hump_sigma : (E,) array
        Coefficients of the humps and their standard uncertainties.
    shift : (P,) array
        Weight fractions less those before texture and losses at low angles were freed.
    presence : Presence
    """

    refinement: Refinement
    freed: Freed
    hump_amounts: NDArray[np.float64]
    hump_sigma: NDArray[np.float64]
    shift: NDArray[np.float64]
    presence: Presence


def sample_steps(
    crystals: Sequence[Crystal],
    instrument: Instrument,
    two_theta: NDArray[np.float64],
    counts: NDArray[np.float64],
    sigma: NDArray[np.float64],
    *,
    counted: bool,
    humps: Tensor | None = None,
    start: Tensor | None = None,
    stages_deg: Sequence[float] = STAGES_DEG,
) -> Steps[SampleRefinement]:
    """The steps of a refinement that frees what the residual asks for.

    The covariance is that of left-out parts of the scan (`misfit_covariance`) where it is larger than that
    of the noise.

    Parameters
    ----------
    crystals : sequence of Crystal
    instrument : Instrument
    two_theta : (N,) array
        Degrees.
    counts, sigma : (N,) array
        Scan and its standard uncertainties.
    counted : bool
        Whether `counts` are Poisson counts: they are weighted by what is calculated then, because weights
        by what was observed favour the low counts.
    humps : (E, N) tensor, optional
        Shapes of amorphous humps, fitted beside the background.
    start : (1, T) tensor, optional
        Flat parameters to start from; default the instrument's, unstrained.
    stages_deg : sequence of float
        Blur of the coarse fits.
    """
    stage = _Stage(crystals, instrument, two_theta, counts, sigma, humps)
    flat = stage.first() if start is None else start.to(torch.float64)
    for blur in stages_deg:
        flat = yield from stage.coarse(flat, blur)
    result = yield stage.sharp(flat, STAGE_DECREASE)
    if counted:
        stage.weigh_by(result)
    stage.earn(result)
    stage.choose_background(result)
    # The wavier background first: where it stood, texture and low angles are not asked to make up for it.
    result = plain = yield stage.sharp(result.flat, STAGE_DECREASE)
    stage.earn(result)
    for _ in range(ROUNDS):
        freed = stage.free_more(result)
        if freed is None:
            break
        result = yield stage.sharp(freed, STAGE_DECREASE)
    stage.take_all_points(result, counted=counted)
    result = yield stage.sharp(result.flat, stage.enough(result))
    return stage.finished(result, plain)


#: A refinement of one scan; arguments are those of `sample_steps`.
refine_sample = carried_out(sample_steps)


class _Stage:
    """The model, its restraints and weights as they stand."""

    def __init__(
        self,
        crystals: Sequence[Crystal],
        instrument: Instrument,
        two_theta: NDArray[np.float64],
        counts: NDArray[np.float64],
        sigma: NDArray[np.float64],
        humps: Tensor | None,
    ) -> None:
        self.crystals, self.instrument = crystals, instrument
        grid = torch.tensor(two_theta)
        none = torch.empty(0, len(grid), dtype=torch.float64)
        self.whole = ScanPart(
            grid, torch.tensor(counts)[None], torch.tensor(sigma)[None], none if humps is None else humps
        )
        alike = _alike(tuple(crystals), instrument, two_theta.tobytes())
        self.whole_model, self.trials, self._priors = alike.model, alike.trials, alike.priors
        # All fits but the last take fewer points: enough to find where the last begins.
        self.part = self.whole.merged(alike.points_to_merge)
        self.model = self.whole_model.on_grid(self.part.two_theta.numpy())
        self.earned = Earned.nothing(self.model)
        self.freed = Freed(DEGREE_BESIDE_HUMPS if len(self.part.humps) else BACKGROUND_DEGREE)

    @property
    def priors(self) -> Priors:
        held = self._priors.sigma.clone()
        for quantity in self.model.quantities:
            demand, place = quantity.on_demand, self.model.columns_of(quantity.name)
            if demand.loss is not None and demand.loss.name in self.freed.losses:
                held[place] = demand.restraint
            elif quantity.name == "texture":
                free = [float(c.name in self.freed.texture_axes) for c in self.crystals]
                held[place] = demand.restraint * held.new_tensor(free)
        return dataclasses.replace(self._priors, sigma=self.earned.applied(held, self.model))

    @property
    def basis(self) -> Tensor:
        """(E + Q, N): humps, then the smooth background."""
        smooth = background_basis(self.model.two_theta, degree=self.freed.background_degree)
        return torch.cat([self.part.humps, smooth])

    def first(self) -> Tensor:
        return first_parameters(self.model, 1, self.priors)

    def coarse(self, flat: Tensor, blur_deg: float) -> Steps[Tensor]:
        """Flat parameters of a fit of the blurred scan."""
        counts, sigma = self.whole.observed.numpy(), self.whole.sigma.numpy()
        grid = self.whole.two_theta.numpy()
        scan = CoarseScan.of(self.model, grid, counts, sigma, self.priors, blur_deg)
        found = yield FitRequest(
            self._key(scan.model),
            scan.model,
            scan.basis,
            scan.observed,
            scan.sigma,
            flat + scan.widening,
            scan.priors,
            COARSE_DECREASE,
        )
        return found.flat - scan.widening

    def sharp(self, flat: Tensor, enough: float) -> FitRequest:
        """A fit of the scan as it is."""
        part = self.part
        return FitRequest(
            self._key(self.model),
            self.model,
            self.basis,
            part.observed,
            part.sigma,
            flat,
            self.priors,
            enough,
        )

    def _key(self, model: ForwardModel) -> Hashable:
        axes = tuple(sorted(self.freed.texture_axes.items()))
        return tuple(self.crystals), self.instrument, model.two_theta.numpy().tobytes(), axes

    def enough(self, result: Fit) -> float:
        """Decrease of the cost at which the last fit ends: a fit that is worth little need not be exact."""
        if significance(result, len(self.crystals), 0) < LEAST_TOTAL_SIGNIFICANCE:
            return STAGE_DECREASE
        reduced = float(result.linear.residual.square().mean())
        return min(RELATIVE_DECREASE * max(reduced, 1.0), STAGE_DECREASE)

    def weigh_by(self, result: Fit) -> None:
        calculated = self.part.observed - result.linear.residual * self.part.sigma
        self.part = self.part.weighed_by(calculated)

    def take_all_points(self, result: Fit, *, counted: bool) -> None:
        """From here on the scan on its own grid, weighted by what `result` calculates there."""
        phases = len(self.crystals)
        background = result.linear.coefficients[0, phases:] @ self.basis
        self.part, grid = self.whole, self.model.two_theta.numpy()
        self.model = self.whole_model.with_texture_axes(self.crystals, self.freed.texture_axes)
        if counted:
            lines = self.model.columns(self.model.from_flat(result.flat))[0]
            smooth = np.interp(self.model.two_theta.numpy(), grid, background.numpy())
            calculated = result.linear.coefficients[0, :phases] @ lines + torch.tensor(smooth)
            self.part = self.part.weighed_by(calculated[None])

    def earn(self, result: Fit) -> None:
        """Weigh the restraints by what `result` deserves."""
        self.earned = self.earned.after(result, self.priors, self.model)

    def choose_background(self, result: Fit) -> None:
        """Take the degree that the data ask for; beside humps it stays low, or it would follow them."""
        if len(self.part.humps):
            return
        phases, sigma = len(self.crystals), self.part.sigma[0]
        background = result.linear.coefficients[0, phases:] @ self.basis
        degree = chosen_degree(result, self.priors, self.model.two_theta, sigma, background, phases=phases)
        self.freed = dataclasses.replace(self.freed, background_degree=degree)

    def free_more(self, result: Fit) -> Tensor | None:
        """Where a fit begins that frees what the residual asks for; None if it asks for nothing."""
        found = wanted(
            self.model,
            self.trials,
            result,
            self.priors,
            self.part.sigma,
            low_angles=not self.freed.losses,
            phases={c.name: p for p, c in enumerate(self.crystals) if c.name not in self.freed.texture_axes},
        )
        if not found:
            return None
        axes = {one.phase: one.axis for one in found if one.phase is not None and one.axis is not None}
        flat = result.flat.clone()
        first = self.model.columns_of("texture").start
        for number, crystal in enumerate(self.crystals):
            flat[:, first + number] = next(
                (x.r for x in found if x.phase == crystal.name), flat[0, first + number]
            )
        for one in found:
            for name, value in one.start.items():
                flat[:, self.model.columns_of(name)] = value
        self.freed = dataclasses.replace(
            self.freed,
            losses=(*self.freed.losses, *(one.loss for one in found if one.loss)),
            texture_axes={**self.freed.texture_axes, **axes},
        )
        self.model = self.model.with_texture_axes(self.crystals, self.freed.texture_axes)
        return flat

    def finished(self, result: Fit, plain: Fit) -> SampleRefinement:
        # A mass that was held at zero has an uncertainty too.
        whole = dataclasses.replace(result.linear, active=torch.ones_like(result.linear.active))
        open_ended = dataclasses.replace(result, linear=whole)
        noise = covariance(open_ended, self.priors)
        misfit = misfit_covariance(open_ended, self.priors, self.model.two_theta)
        spread = at_least(misfit, noise)
        refined = collect(
            self.model, self.basis, result, spread, noise, self.part.observed, self.part.sigma, 0
        )
        place = slice(len(self.crystals), len(self.crystals) + len(self.part.humps))
        amounts = result.linear.coefficients[0, place]
        deviations = spread[0].diagonal()[place].clamp_min(0).sqrt()
        before = plain.linear.coefficients[0, : len(self.crystals)]
        shift = refined.weight_fractions - (before / before.sum().clamp_min(1e-30)).numpy()
        error = self.part.sigma[0]
        patterns = result.linear.design[0, : len(self.crystals)] * error
        there = presence(
            patterns.numpy(),
            refined.masses,
            self.part.observed[0].numpy() - refined.background,
            error.numpy(),
            refined.strain,
        )
        return SampleRefinement(refined, self.freed, amounts.numpy(), deviations.numpy(), shift, there)


@dataclass(frozen=True, eq=False)
class _Alike:
    """What scans of a series share."""

    model: ForwardModel
    trials: TextureTrials
    priors: Priors
    points_to_merge: int


@lru_cache(maxsize=4)
def _alike(crystals: tuple[Crystal, ...], instrument: Instrument, grid: bytes) -> _Alike:
    """Made once for all scans of these crystals on this grid (the bytes of its angles in float64)."""
    two_theta = np.frombuffer(grid)
    model = shared_model(crystals, instrument, two_theta)
    count = points_to_merge(torch.tensor(two_theta), instrument)
    return _Alike(model, TextureTrials(model, crystals), make_priors(model, Restraints(), ()), count)
