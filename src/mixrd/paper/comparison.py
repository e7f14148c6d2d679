"""Network, refinement and noise floor on the same patterns."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from mixrd.network import FractionEstimator, HeadedNetwork, NetworkEstimator
from mixrd.network.pattern_estimate import PatternEstimate
from mixrd.paper.dataset_recipe import DatasetRecipe
from mixrd.paper.figure1 import Figure1Sampler
from mixrd.paper.figure1_draw import Figure1Draw
from mixrd.paper.floor import NoiseFloor
from mixrd.paper.refinement import Refined, Refiner
from mixrd.paper.result import Summary, scored
from mixrd.paper.sources import chunks_drawn
from mixrd.pattern import take_rows
from mixrd.training.precision import half_the_processors

#: What is summarised of all patterns.
JUDGED = ("network", "refined", "answer", "told", "bound")
#: Sigmas of fractions are not trusted below this; differences of more than this many sigmas disagree.
_LEAST_SIGMA, _DISAGREE = 1e-3, 3.0
#: Patterns of one step; progress is told after each.
_BLOCK = 128


@dataclass(frozen=True, eq=False)
class Comparison:
    """Of B patterns: total variation distances (B,), and how they came about.

    Attributes
    ----------
    network, refined, answer, told : tensor
        Of the network; of the refinement that starts from it; of the better founded of the two (`answered`);
        and of the refinement that is told which phases are there.
    bound : tensor
        Of an efficient estimator that knows the phases.
    capped : (B,) bool tensor
        As in `Floor`.
    unexplained : (B,) tensor
        As in `Refined`.
    sound : (B,) bool tensor
        As in `Refined`.
    disagreement : (B,) tensor
        As `disagreement` gives it; 0 where the network states no uncertainty.
    true, found : (B, M) tensor
        Fractions of the patterns, and of the refinement.
    seconds : float
        Processor time of the refinement, all patterns together; that of the network counts.
    """

    network: Tensor
    refined: Tensor
    answer: Tensor
    told: Tensor
    bound: Tensor
    capped: Tensor
    unexplained: Tensor
    sound: Tensor
    disagreement: Tensor
    true: Tensor
    found: Tensor
    seconds: float

    @classmethod
    def joined(cls, parts: list[Comparison]) -> Comparison:
        """Several batches as one."""
        names = [field.name for field in dataclasses.fields(cls) if field.name != "seconds"]
        values = {name: torch.cat([getattr(part, name) for part in parts]) for name in names}
        return cls(**values, seconds=sum(part.seconds for part in parts))


def compared(
    estimator: FractionEstimator,
    recipe: DatasetRecipe,
    sampler: Figure1Sampler,
    patterns: int,
    seed: int,
    *,
    tell: Callable[[int], None] | None = None,
) -> Comparison:
    """Judge a network and the refinement on the patterns that `drawn` gives for this seed.

    Parameters
    ----------
    estimator : FractionEstimator
        The refinement starts from what it says of strains and sizes, or from nothing where it does not.
    recipe : DatasetRecipe
        Of the dataset.
    sampler : Figure1Sampler
        Of its test split.
    patterns : int
    seed : int
    tell : callable, optional
        Told how many patterns were judged since it was called last.

    Raises
    ------
    ParameterError
        If the patterns cannot be refined.
    """
    floor = NoiseFloor(recipe, sampler.settings)
    parts = []
    with half_the_processors():
        refiner = Refiner(recipe, sampler.settings)
        for chunk, count in chunks_drawn(sampler, patterns, seed):
            for low in range(0, count, _BLOCK):
                some = take_rows(chunk, slice(low, min(low + _BLOCK, count)))
                parts.append(_compared(estimator, refiner, floor, sampler, some))
                if tell:
                    tell(len(some.pattern))
    return Comparison.joined(parts)


def summarised(found: Comparison) -> dict[str, Any]:
    """Summaries of all that is judged, and what else a comparison says of its patterns as a whole."""
    summaries = {}
    for name in JUDGED:
        values = getattr(found, name)
        summaries[name] = {**Summary.of(values).to_dict(), "worst": float(values.max())}
    # Zero where no pattern holds two materials: a few fresh ones of N = 2 may be so.
    bound = max(float(found.bound.mean()), 1e-12)
    there, taken = found.true > 0, found.found > 0
    apart = found.disagreement > _DISAGREE
    return {
        **summaries,
        "refined_over_bound": float(found.refined.mean()) / bound,
        "told_over_bound": float(found.told.mean()) / bound,
        "capped_patterns": int(found.capped.sum()),
        "sound_share": float(found.sound.double().mean()),
        # Network and refinement differ by more than their uncertainties: how often, and how far off both are.
        "disagreeing_share": float(apart.double().mean()),
        "network_where_disagreeing": float(found.network[apart].double().mean()) if apart.any() else None,
        "refined_where_disagreeing": float(found.refined[apart].double().mean()) if apart.any() else None,
        # Of materials that are not there, how many were taken to be; of those that are, how many were missed.
        "false_positive_rate": _share(taken & ~there, ~there),
        "patterns_with_false_positives": float((taken & ~there).any(1).double().mean()),
        "missed_share": _share(there & ~taken, there),
        "missed_fraction": float((found.true * (there & ~taken)).sum(1).double().mean()),
    }


def _share(some: Tensor, of: Tensor) -> float:
    return float(some.sum()) / max(1, int(of.sum()))


def answered(network: Tensor, refined: Refined) -> Tensor:
    """(B, M) fractions to go by: of the refinement, or the network where that failed by its own measure."""
    return torch.where(refined.sound.unsqueeze(1), refined.fractions, network)


def disagreement(estimate: PatternEstimate, refined: Refined) -> Tensor:
    """(B,) largest difference of network and refinement in a fraction, in units of both their sigmas."""
    sigma = (estimate.fraction_sigma.square() + refined.sigma.square()).sqrt().clamp_min(_LEAST_SIGMA)
    largest: Tensor = ((estimate.fractions - refined.fractions).abs() / sigma).amax(1)
    return largest


def copies_told(recipe: DatasetRecipe, drawn: Figure1Draw) -> Tensor:
    """(B, M) number of copies of each material in patterns of the test split."""
    material = drawn.pattern // recipe.copies("test")
    outputs = torch.nn.functional.one_hot(material, len(recipe.crystals))
    counts: Tensor = (outputs * (drawn.fraction > 0).unsqueeze(-1)).sum(1)
    return counts


def _compared(
    estimator: FractionEstimator,
    refiner: Refiner,
    floor: NoiseFloor,
    sampler: Figure1Sampler,
    drawn: Figure1Draw,
) -> Comparison:
    batch = sampler.make(drawn)
    begin = time.process_time()
    network = estimator.predict(batch.patterns)
    estimate = None
    if isinstance(estimator, NetworkEstimator) and isinstance(estimator.network, HeadedNetwork):
        estimate = estimator.estimate(batch.patterns)
    refined = refiner.refine(batch.patterns, estimate)
    seconds = time.process_time() - begin
    told = refiner.refine(batch.patterns, estimate, told=copies_told(floor.recipe, drawn))
    limit = floor.of(drawn)
    return Comparison(
        network=scored(batch.fractions, network),
        refined=scored(batch.fractions, refined.fractions),
        answer=scored(batch.fractions, answered(network, refined)),
        told=scored(batch.fractions, told.fractions),
        bound=limit.tvd,
        capped=limit.capped,
        unexplained=refined.unexplained,
        sound=refined.sound,
        disagreement=torch.zeros(len(network)) if estimate is None else disagreement(estimate, refined),
        true=batch.fractions,
        found=refined.fractions,
        seconds=seconds,
    )
