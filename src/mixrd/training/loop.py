"""The training loop."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

from mixrd.mixture import MixtureSampler
from mixrd.network import CompactNetwork, Model, build_network, estimate_loss, total_variation_distance
from mixrd.training.cache import cached_model, checkpoint_path, model_path, prepare_cache
from mixrd.training.checkpoint import load_checkpoint, save_checkpoint
from mixrd.training.precision import has_bfloat16
from mixrd.training.recipe import Recipe

#: Seconds between two checkpoints.
CHECKPOINT_SECONDS = 15.0
#: Steps whose mean goes into the history.
HISTORY_STEPS = 25
_WARM_UP = 0.05
_WEIGHT_DECAY = 1e-4


@dataclass(frozen=True)
class TrainingProgress:
    """How far a training is.

    Attributes
    ----------
    step, steps : int
    loss, tvd : float
        Running means; `tvd` is the mean total variation distance (0-1) of fresh mixtures.
    seconds_left : float
    resumed_from : int
        Step that this run began at (0: from nothing).
    """

    step: int
    steps: int
    loss: float
    tvd: float
    seconds_left: float
    resumed_from: int


def train(
    recipe: Recipe,
    *,
    out: str | Path | None = None,
    device: str | torch.device | None = None,
    on_progress: Callable[[TrainingProgress], None] | None = None,
) -> Model:
    """Train a network, or take it from the cache.

    Every mixture is new: training and validation are the same distribution, and the history is that
    of patterns the network had not seen. Step n draws from a generator seeded with (seed, n), so an
    interrupted training that goes on gives what an uninterrupted one gives. Where the device has bf16, layers
    are computed in it: trainings on other machines differ by its rounding.

    Parameters
    ----------
    recipe : Recipe
    out : path, optional
        Where to write the model besides the cache.
    device : optional
        "cpu", "cuda", ...; default a GPU where there is one.
    on_progress : callable, optional
        Called after each step.

    Returns
    -------
    Model
        On the CPU.
    """
    model = cached_model(recipe)
    if model is None:
        prepare_cache()
        with half_the_processors():
            model = _run(recipe, torch.device(device or best_device()), on_progress)
        model.save(model_path(recipe))
        checkpoint_path(recipe).unlink(missing_ok=True)
    if out is not None:
        model.save(out)
    return model


def best_device() -> str:
    """Name of the device to train on: "cuda" where a GPU is found, else "cpu"."""
    return "cuda" if torch.cuda.is_available() else "cpu"


@contextmanager
def half_the_processors() -> Iterator[None]:
    """As many threads as there are physical cores, at most those allowed before.

    Two threads on one core bring nothing, and where another program runs they wait for each other: a
    training then takes ten times as long.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(max(1, min(threads, (os.cpu_count() or 2) // 2)))
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _run(
    recipe: Recipe, device: torch.device, on_progress: Callable[[TrainingProgress], None] | None
) -> Model:
    problem = recipe.problem()
    sampler = MixtureSampler(
        problem.crystals, problem.instrument, problem.two_theta, recipe.ranges, device=device
    )
    network = _initial_network(recipe, sum(sampler.model.strain_sizes)).to(device)
    optimizer = torch.optim.AdamW(network.parameters(), lr=recipe.learning_rate, weight_decay=_WEIGHT_DECAY)
    path = checkpoint_path(recipe)
    first, history = load_checkpoint(path, network, optimizer)
    watch = _Watch(recipe.steps, first, history, on_progress)
    for step in range(first, recipe.steps):
        loss, tvd = _one_step(recipe, step, sampler, network, optimizer)
        if watch.after(step, loss, tvd):
            save_checkpoint(path, network, optimizer, step + 1, history)
    network.eval().to("cpu")
    return Model(problem, network, recipe.to_dict(), history)


def _initial_network(recipe: Recipe, strain_components: int) -> CompactNetwork:
    with torch.random.fork_rng():
        torch.manual_seed(recipe.seed)
        return build_network(recipe.problem(), strain_components)


def _one_step(
    recipe: Recipe,
    step: int,
    sampler: MixtureSampler,
    network: CompactNetwork,
    optimizer: torch.optim.Optimizer,
) -> tuple[float, float]:
    device = sampler.model.two_theta.device
    generator = torch.Generator(device=device).manual_seed(recipe.seed * 1_000_003 + step)
    with torch.no_grad():
        batch = sampler.draw(recipe.batch, generator=generator)
    for group in optimizer.param_groups:
        group["lr"] = recipe.learning_rate * _schedule(step, recipe.steps)
    network.train()
    # Nearly twice as fast where there is bf16; weights, their gradients and the heads stay in float32.
    with torch.autocast(device.type, dtype=torch.bfloat16, enabled=has_bfloat16(device)):
        features = network.features(batch.patterns)
    estimate = network.said(features.float())
    phase_of_strain = torch.repeat_interleave(
        torch.arange(len(sampler.model.tables)), torch.tensor(sampler.model.strain_sizes)
    ).to(device)
    loss = estimate_loss(
        estimate,
        fractions=batch.fractions,
        strain=batch.strain,
        inverse_size=batch.inverse_size,
        max_strain=recipe.ranges.max_strain,
        phase_of_strain=phase_of_strain,
    )
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimizer.step()
    tvd = total_variation_distance(estimate.fractions.detach(), batch.fractions).mean()
    return float(loss.detach()), float(tvd)


def _schedule(step: int, steps: int) -> float:
    warm = max(1, round(_WARM_UP * steps))
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))


class _Watch:
    """Keeps the history, reports progress and says when a checkpoint is due."""

    def __init__(
        self,
        steps: int,
        first: int,
        history: list[dict[str, float]],
        on_progress: Callable[[TrainingProgress], None] | None,
    ) -> None:
        self.steps, self.first, self.history, self.on_progress = steps, first, history, on_progress
        self.begin = self.saved = time.monotonic()
        self.recent: list[tuple[float, float]] = []

    def after(self, step: int, loss: float, tvd: float) -> bool:
        now = time.monotonic()
        self.recent.append((loss, tvd))
        done = step + 1
        means = [sum(x) / len(self.recent) for x in zip(*self.recent, strict=True)]
        if self.on_progress:
            rate = (now - self.begin) / (done - self.first)
            left = rate * (self.steps - done)
            self.on_progress(TrainingProgress(done, self.steps, means[0], means[1], left, self.first))
        if done % HISTORY_STEPS == 0 or done == self.steps:
            self.history.append({"step": done, "loss": means[0], "tvd": means[1]})
            self.recent.clear()
            # Only at these steps, so that a resumed history has the same entries.
            if now - self.saved > CHECKPOINT_SECONDS:
                self.saved = now
                return True
        return False
