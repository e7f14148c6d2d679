"""Networks for scans: trained by their recipe, kept in the cache."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch

from mixrd.mixture import MixtureBatch, MixtureSampler
from mixrd.network import Model, build_network, shown
from mixrd.training.cache import cached_model, checkpoint_path, model_path, prepare_cache
from mixrd.training.distributed import Ranks, joined
from mixrd.training.loop import TrainingProgress, train_network
from mixrd.training.precision import best_device
from mixrd.training.recipe import Recipe

#: Steps whose mean goes into the history.
HISTORY_STEPS = 25


def train(
    recipe: Recipe,
    *,
    device: str | torch.device | None = None,
    on_progress: Callable[[TrainingProgress], None] | None = None,
) -> Model:
    """Train a network, or take it from the cache, or go on with a training that was interrupted.

    Every mixture is new: training and validation are the same distribution, and the history is that
    of patterns the network had not seen. Step n draws from a generator seeded with (seed, n), so an
    interrupted training that goes on gives what an uninterrupted one gives. Started by `torchrun`, the
    processes share each step. Where the device has bf16, layers are computed in it: trainings on other
    machines differ by its rounding.

    Parameters
    ----------
    recipe : Recipe
    device : optional
        "cpu", "cuda", ...; default a GPU where there is one.
    on_progress : callable, optional
        Called after each step; on a GPU every half second.

    Returns
    -------
    Model
        On the CPU.
    """
    with joined(torch.device(device or best_device())) as ranks:
        model = cached_model(recipe)
        if ranks.any(model is None):
            prepare_cache()
            model = _trained(recipe, ranks, on_progress)
            if ranks.is_first:
                model.save(model_path(recipe))
                checkpoint_path(recipe).unlink(missing_ok=True)
    assert model is not None
    return model


@dataclass(frozen=True)
class _Scans:
    """Mixtures of a sampler, as networks see them."""

    sampler: MixtureSampler
    points: int
    materials: int

    def draw(self, batch: int, *, generator: torch.Generator) -> MixtureBatch:
        drawn = self.sampler.draw(batch, generator=generator)
        return dataclasses.replace(drawn, patterns=shown(drawn.patterns))


def _trained(recipe: Recipe, ranks: Ranks, on_progress: Callable[[TrainingProgress], None] | None) -> Model:
    problem, settings = recipe.problem(), recipe.settings(ranks.device)
    sampler = MixtureSampler(
        problem.crystals, problem.instrument, problem.two_theta, recipe.ranges, device=ranks.device
    )
    result = train_network(
        partial(build_network, problem, recipe.architecture, recipe.seed),
        _Scans(sampler, problem.points, len(problem.crystals)),
        settings=settings,
        validation=None,
        checkpoint=checkpoint_path(recipe),
        device=ranks.device,
        on_progress=on_progress,
        seed_of_draw=lambda number: recipe.seed * 1_000_003 + number,
        curve_after=frozenset({*range(HISTORY_STEPS, recipe.steps, HISTORY_STEPS), recipe.steps}),
    )
    history: list[dict[str, float]] = [
        {"step": point.samples // settings.batch, "loss": point.loss, "tvd": point.training_tvd}
        for point in result.curve
    ]
    return Model(problem, result.network, recipe.to_dict(), history, architecture=recipe.architecture)
