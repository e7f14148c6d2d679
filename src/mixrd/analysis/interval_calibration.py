"""Intervals that hold: learnt from simulated scans of the very problem, whose fractions are known.

Split conformal prediction (Papadopoulos et al. 2002, ECML, 345; Lei et al. 2018, J. Am. Stat. Assoc. 113,
1094): the errors on n scans that an estimator has not seen bound its next error with a probability that
needs no model of the errors, only that the next scan is drawn like the n. For a network that is done apart
for classes of like estimates (Mondrian: Vovk et al. 2005, Algorithmic Learning in a Random World, ch. 4).
"""

from __future__ import annotations

import itertools
import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mixrd.analysis.result.intervals import LEVEL, STRUCTURE_SIGMA
from mixrd.analysis.result.model_intervals import NetworkIntervals
from mixrd.errors import UsageError
from mixrd.mixture import MixtureSampler, SampleRanges
from mixrd.network import Model

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
