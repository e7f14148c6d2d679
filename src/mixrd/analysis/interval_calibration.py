"""Intervals that hold: learnt from simulated scans of the very problem, whose fractions are known.

Split conformal prediction (Papadopoulos et al. 2002, ECML, 345; Lei et al. 2018, J. Am. Stat. Assoc. 113,
1094): the errors on n scans that an estimator has not seen bound its next error with a probability that
needs no model of the errors, only that the next scan is drawn like the n. For a network that is done apart
for classes of like estimates (Mondrian: Vovk et al. 2005, Algorithmic Learning in a Random World, ch. 4).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import stdtrit
from torch import Tensor

from mixrd.analysis.inputs.setup import part_of
from mixrd.analysis.result.intervals import DEGREES_OF_FREEDOM, LEVEL, STRUCTURE_SIGMA, quantities
from mixrd.analysis.result.model_intervals import NetworkIntervals, RefinementIntervals
from mixrd.crystal import Crystal
from mixrd.errors import RefinementError, UsageError
from mixrd.fit.staging import refine_sample
from mixrd.mixture import MixtureSampler, SampleRanges
from mixrd.network import Model
from mixrd.pattern import Instrument
from mixrd.scan import Scan

#: Classes of estimated fractions, of as many patterns each but for the first and the last, which are divided
#: in three: there errors change most. With few patterns fewer classes, of this many patterns at least.
_CLASSES, _PATTERNS_PER_CLASS = 15, 60
#: Patterns drawn at once: they stay in the memory that a training needs anyway.
_AT_ONCE = 256


def conformal_quantile(scores: NDArray[np.float64], level: float) -> float:
    """The ceil((n + 1) level)-th smallest of n scores, the largest where that is beyond them."""
    rank = min(math.ceil((len(scores) + 1) * level), len(scores))
    return float(np.sort(scores)[rank - 1])


def calibrate_network(
    model: Model,
    ranges: SampleRanges,
    *,
    patterns: int = 8000,
    level: float = LEVEL,
    generator: torch.Generator,
) -> NetworkIntervals:
    """Learn the errors of a network from patterns that it has not seen.

    Parameters
    ----------
    model : Model
    ranges : SampleRanges
        From where its training drew.
    patterns : int
    level : float
    generator : torch.Generator

    Raises
    ------
    UsageError
        If there are too few patterns to learn from.
    """
    if patterns < _PATTERNS_PER_CLASS:
        raise UsageError(f"{patterns} patterns are too few", remedy=f"Give {_PATTERNS_PER_CLASS} or more")
    problem = model.problem
    sampler = MixtureSampler(
        problem.crystals, problem.instrument, problem.two_theta, ranges, mixtures_per_condition=1
    )
    estimated, true = [], []
    for first in range(0, patterns, _AT_ONCE):
        drawn, truth = simulated(sampler, min(_AT_ONCE, patterns - first), generator=generator)
        estimated.append(model.estimate(drawn).fractions.double().numpy())
        true.append(truth)
    fractions = np.concatenate(estimated)
    error = np.abs(fractions - np.concatenate(true))
    rows = [_widths(one, off, level) for one, off in zip(fractions.T, error.T, strict=True)]
    return NetworkIntervals(level, tuple(a for a, _ in rows), tuple(w for _, w in rows), patterns)


def calibrate_refinement(
    crystals: Sequence[Crystal],
    instrument: Instrument,
    two_theta: NDArray[np.float64],
    ranges: SampleRanges,
    *,
    scans: int = 40,
    generator: torch.Generator,
    on_scan: Callable[[int, int], None] | None = None,
) -> RefinementIntervals:
    """Learn by how much the intervals of refinements must be widened to hold.

    Parameters
    ----------
    crystals : sequence of Crystal
    instrument : Instrument
    two_theta : (N,) array
        Grid of the scans in degrees.
    ranges : SampleRanges
        From where they are drawn.
    scans : int
        A second or two each.
    generator : torch.Generator
    on_scan : callable, optional
        Called after each with how many are done, of how many.

    Raises
    ------
    RefinementError
        If no scan could be refined.
    """
    sampler = MixtureSampler(
        crystals, instrument, two_theta, ranges, mixtures_per_condition=1, precision="refinement"
    )
    scores: list[float] = []
    for number in range(scans):
        scores += _scores(crystals, instrument, sampler, generator)
        if on_scan:
            on_scan(number + 1, scans)
    if not scores:
        raise RefinementError(
            "no simulated scan of this problem could be refined", remedy="Give other phases or more counts"
        )
    found = np.array(scores)
    # A shorter interval than the refinement's own would trust the simulation more than the scan.
    widening = max(1.0, conformal_quantile(found, LEVEL))
    return RefinementIntervals(widening, scans, len(found), float((found <= 1).mean()))


def simulated(
    sampler: MixtureSampler, count: int, *, generator: torch.Generator
) -> tuple[Tensor, NDArray[np.float64]]:
    """Patterns (count, N) and their true fractions (count, P).

    Real crystals scatter a little more or less than the structures of the literature: by `STRUCTURE_SIGMA`,
    so true fractions differ that much from what the patterns are mixed of.
    """
    batch = sampler.draw(count, generator=generator)
    normal = torch.randn(batch.fractions.shape, generator=generator, dtype=torch.float64)
    masses = batch.fractions.double() * torch.exp(STRUCTURE_SIGMA * normal)
    return batch.patterns, (masses / masses.sum(1, keepdim=True)).numpy()


def _scores(
    crystals: Sequence[Crystal], instrument: Instrument, sampler: MixtureSampler, generator: torch.Generator
) -> list[float]:
    """Absolute errors of the phases detected in one more scan, over the half widths of their intervals."""
    patterns, truth = simulated(sampler, 1, generator=generator)
    two_theta = sampler.model.two_theta.double().numpy()
    scan = Scan(two_theta, np.round(patterns[0].double().numpy()))
    part = part_of(scan, (float(two_theta[0]), float(two_theta[-1])))
    try:
        sample = refine_sample(crystals, instrument, *part, counted=True)
        amounts = quantities(sample.refinement, sample.presence)
    except RefinementError:
        return []
    reach = stdtrit(DEGREES_OF_FREEDOM, 0.5 + LEVEL / 2) * amounts.sigma
    error = np.abs(amounts.fractions - truth[0])
    return [
        float(e / max(r, 1e-12))
        for e, r in zip(error[amounts.detected], reach[amounts.detected], strict=True)
    ]


def _widths(
    fractions: NDArray[np.float64], error: NDArray[np.float64], level: float
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Limits of classes, and half widths: conformal quantiles among like estimates; of one phase."""
    order = np.argsort(fractions, kind="stable")
    ranks = np.linspace(0, len(order), min(_CLASSES, len(order) // _PATTERNS_PER_CLASS) + 1)
    if len(order) >= 3 * _PATTERNS_PER_CLASS * _CLASSES:
        ends = np.linspace(0, ranks[1], 4)[1:3]
        ranks = np.sort(np.concatenate([ranks, ends, len(order) - ends]))
    groups = np.split(order, np.round(ranks[1:-1]).astype(int))
    limits = [0.5 * (fractions[a[-1]] + fractions[b[0]]) for a, b in itertools.pairwise(groups)]
    return tuple(map(float, limits)), tuple(conformal_quantile(error[group], level) for group in groups)
