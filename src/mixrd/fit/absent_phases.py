"""Candidates that are not in the sample: what they take from the others is given back."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mixrd.crystal import Crystal
from mixrd.fit.lockstep import Steps, carried_out
from mixrd.fit.presence import Presence, presence
from mixrd.fit.refinement import LEAST_TOTAL_SIGNIFICANCE, STAGES_DEG, Refinement
from mixrd.fit.staging import SampleRefinement, sample_steps
from mixrd.pattern import Instrument, shared_model

#: ln of the odds by its lines below which a phase is left out on trial.
DOUBTED_LOG_ODDS = 0.0
#: A phase whose removal raises R_wp by more than this part stays, whatever its lines say.
LARGEST_COST = 0.15

FloatArray = NDArray[np.float64]


def candidate_steps(
    crystals: Sequence[Crystal],
    instrument: Instrument,
    two_theta: FloatArray,
    counts: FloatArray,
    sigma: FloatArray,
    *,
    counted: bool,
    humps: Tensor | None = None,
    start: Tensor | None = None,
    stages_deg: Sequence[float] = STAGES_DEG,
) -> Steps[SampleRefinement]:
    """The steps of a scan's refinement, and of another without the phases that are not there.

    A phase that is not there takes up what others leave over: with its cell and its widths free it can come
    out at many percent, and the others too low. It is left out where its lines speak against it and the fit
    does without; arguments are those of `sample_steps`.
    """
    scan = partial(
        sample_steps,
        instrument=instrument,
        two_theta=two_theta,
        counts=counts,
        sigma=sigma,
        counted=counted,
        humps=humps,
    )
    sample = yield from scan(crystals, start=start, stages_deg=stages_deg)
    kept = sample.presence.log_odds >= DOUBTED_LOG_ODDS
    found = sample.refinement.significance >= LEAST_TOTAL_SIGNIFICANCE
    if kept.all() or not kept.any() or not found:
        return sample
    numbers = [int(n) for n in np.flatnonzero(kept)]
    remaining = [crystals[n] for n in numbers]
    first = _start(remaining, instrument, two_theta, sample.refinement, numbers)
    again = yield from scan(remaining, start=first, stages_deg=())
    if again.refinement.r_wp > (1 + LARGEST_COST) * sample.refinement.r_wp:
        return sample
    return _with_absent(again, crystals, kept, instrument, counts, sigma)


#: A refinement of one scan; arguments are those of `candidate_steps`.
refine_candidates = carried_out(candidate_steps)


def _start(
    crystals: Sequence[Crystal],
    instrument: Instrument,
    two_theta: FloatArray,
    refined: Refinement,
    numbers: Sequence[int],
) -> Tensor:
    """Where the fit of some of the phases begins: as they were with all."""
    reference = shared_model(crystals, instrument, two_theta).reference()
    strain = np.concatenate([refined.strain[n] for n in numbers])
    values = {
        "strain": strain,
        "inverse_size": refined.inverse_size_per_nm[numbers],
        "microstrain": refined.microstrain[numbers],
        "profile": refined.profile,
        "zero": np.array([refined.zero_deg]),
        "displacement": np.array([refined.displacement_mm]),
    }
    return reference.replace(**{name: torch.tensor(value)[None] for name, value in values.items()}).flat()


def _with_absent(
    sample: SampleRefinement,
    crystals: Sequence[Crystal],
    kept: NDArray[np.bool_],
    instrument: Instrument,
    counts: FloatArray,
    sigma: FloatArray,
) -> SampleRefinement:
    """A refinement of the phases that were kept, as one of all: the others with mass 0."""
    refined = sample.refinement
    grid = refined.two_theta
    model = shared_model(crystals, instrument, grid)
    place = model.reference().replace(
        zero=torch.tensor([[refined.zero_deg]], dtype=torch.float64),
        displacement=torch.tensor([[refined.displacement_mm]], dtype=torch.float64),
        profile=torch.tensor(refined.profile)[None],
    )
    patterns = model.columns(place)[0].numpy()
    masses = _spread(refined.masses, kept)
    held = np.flatnonzero(kept)
    patterns[held] = refined.contributions / np.maximum(refined.masses, 1e-300)[:, None]
    seen = presence(patterns, masses, counts - refined.background, sigma)
    odds = _spread(sample.presence.log_odds, kept, -np.inf)
    least = seen.least_seen.copy()
    least[held] = sample.presence.least_seen
    noise = np.array([_noise(pattern, sigma) for pattern in patterns])
    noise[held] = refined.noise_sigma
    return dataclasses.replace(
        sample,
        refinement=_expanded(refined, kept, model.strain_sizes, noise),
        shift=_spread(sample.shift, kept),
        presence=Presence(odds, least, seen.lines),
    )


def _noise(pattern: FloatArray, sigma: FloatArray) -> float:
    """Standard uncertainty by noise of a mass that is fitted alone."""
    return float(1 / max(np.sqrt(np.square(pattern / sigma).sum()), 1e-300))


def _expanded(
    refined: Refinement, kept: NDArray[np.bool_], strain_sizes: Sequence[int], noise: FloatArray
) -> Refinement:
    numbers = {int(n): i for i, n in enumerate(np.flatnonzero(kept))}

    def strains(values: list[FloatArray]) -> list[FloatArray]:
        return [values[numbers[p]] if p in numbers else np.zeros(size) for p, size in enumerate(strain_sizes)]

    def matrix(values: FloatArray) -> FloatArray:
        whole = np.zeros((len(kept), len(kept)))
        whole[np.ix_(kept, kept)] = values
        return whole

    contributions = np.zeros((len(kept), refined.contributions.shape[1]))
    contributions[kept] = refined.contributions
    changed: dict[str, Any] = {
        name: _spread(getattr(refined, name), kept)
        for name in ("weight_fractions", "inverse_size_per_nm", "inverse_size_sigma", "microstrain", "masses")
    }
    changed |= {
        name: _spread(getattr(refined, name), kept, filled)
        for name, filled in (("texture", 1.0), ("aspect", 1.0), ("texture_sigma", 0.0))
    }
    return dataclasses.replace(
        refined,
        **changed,
        covariance=matrix(refined.covariance),
        mass_covariance=matrix(refined.mass_covariance),
        strain=strains(refined.strain),
        strain_sigma=strains(refined.strain_sigma),
        noise_sigma=noise,
        contributions=contributions,
    )


def _spread(values: FloatArray, kept: NDArray[np.bool_], filled: float = 0.0) -> FloatArray:
    whole = np.full(len(kept), filled)
    whole[kept] = values
    return whole
