"""A model that is complete: trained, and its intervals calibrated."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
from collections.abc import Callable
from pathlib import Path

import torch

from mixrd.analysis.interval_calibration import calibrate_network
from mixrd.analysis.result.model_intervals import ModelIntervals
from mixrd.errors import ModelError
from mixrd.network import Model
from mixrd.training import Recipe, TrainingProgress
from mixrd.training import train as train_network
from mixrd.training.cache import model_path, prepare_cache
from mixrd.training.precision import half_the_processors


def train(
    recipe: Recipe,
    *,
    out: str | Path | None = None,
    device: str | torch.device | None = None,
    on_progress: Callable[[TrainingProgress], None] | None = None,
) -> Model:
    """Train a network and calibrate its intervals, as `mixrd train` does; or take it from the cache.

    Parameters
    ----------
    recipe : Recipe
    out : path, optional
        Where to write the model besides the cache.
    device : optional
        "cpu", "cuda", ...; default a GPU where there is one.
    on_progress : callable, optional
        Called after each step of the training.

    Returns
    -------
    Model
        On the CPU, with `Model.intervals`: without refinement, too, what it estimates has intervals.
    """
    model = finished_model(recipe, device=device, on_progress=on_progress)
    if out is not None:
        model.save(out)
    return model


def finished_model(
    recipe: Recipe,
    *,
    device: str | torch.device | None = None,
    on_progress: Callable[[TrainingProgress], None] | None = None,
) -> Model:
    """Train a network and calibrate its intervals, or take from the cache what was done before.

    Parameters
    ----------
    recipe : Recipe
        The calibration is seeded from it: the same recipe gives the same intervals.
    device : optional
        Where to train; default a GPU where there is one.
    on_progress : callable, optional
        Called after each step of the training.

    Returns
    -------
    Model
        With `Model.intervals`; the cache has it too.
    """
    model = train_network(recipe, device=device, on_progress=on_progress)
    if ModelIntervals.of(model) is not None:
        return model
    with half_the_processors():
        found = ModelIntervals(calibrate_network(model, recipe.ranges, generator=_generator(recipe)))
    model = dataclasses.replace(model, intervals=found.to_dict())
    # A cache that can be read but not written costs time at each call, nothing else.
    with contextlib.suppress(ModelError):
        prepare_cache()
        model.save(model_path(recipe))
    return model


def _generator(recipe: Recipe) -> torch.Generator:
    """Random numbers that follow from the recipe and are not those of its training."""
    digest = hashlib.sha256(f"network {recipe.sha256}".encode()).hexdigest()
    return torch.Generator().manual_seed(int(digest[:15], 16))
