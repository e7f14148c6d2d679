"""A model that is complete: trained, and its intervals calibrated."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
from collections.abc import Callable
from pathlib import Path

import torch

from mixrd.analysis.interval_calibration import calibrate_network, calibrate_refinement
from mixrd.analysis.result.model_intervals import ModelIntervals, RefinementIntervals
from mixrd.errors import ModelError
from mixrd.network import Model
from mixrd.training import Recipe, TrainingProgress
from mixrd.training import train as train_network
from mixrd.training.cache import model_path, prepare_cache
from mixrd.training.loop import half_the_processors


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
    refinement_scans: int = 0,
    device: str | torch.device | None = None,
    on_progress: Callable[[TrainingProgress], None] | None = None,
    on_scan: Callable[[int, int], None] | None = None,
) -> Model:
    """Train a network and calibrate its intervals, or take from the cache what was done before.

    Parameters
    ----------
    recipe : Recipe
        The calibration is seeded from it: the same recipe gives the same intervals.
    refinement_scans : int
        Simulated scans to calibrate the intervals of refinements with, a second or two each; 0 leaves those
        as they are.
    device : optional
        Where to train; default a GPU where there is one.
    on_progress : callable, optional
        Called after each step of the training.
    on_scan : callable, optional
        Called after each simulated scan with how many are done, of how many.

    Returns
    -------
    Model
        With `Model.intervals`; the cache has it too.
    """
    model = train_network(recipe, device=device, on_progress=on_progress)
    found = ModelIntervals.of(model)
    done = 0 if found is None or found.refinement is None else found.refinement.scans
    if found is not None and done >= refinement_scans:
        return model
    with half_the_processors():
        if found is None:
            generator = _generator(recipe, "network")
            found = ModelIntervals(calibrate_network(model, recipe.ranges, generator=generator))
        if done < refinement_scans:
            calibrated = _refinement(recipe, refinement_scans, on_scan)
            found = dataclasses.replace(found, refinement=calibrated)
    model = dataclasses.replace(model, intervals=found.to_dict())
    # A cache that can be read but not written costs time at each call, nothing else.
    with contextlib.suppress(ModelError):
        prepare_cache()
        model.save(model_path(recipe))
    return model


def _refinement(
    recipe: Recipe, scans: int, on_scan: Callable[[int, int], None] | None
) -> RefinementIntervals:
    problem = recipe.problem()
    return calibrate_refinement(
        problem.crystals,
        problem.instrument,
        problem.two_theta,
        recipe.ranges,
        scans=scans,
        generator=_generator(recipe, "refinement"),
        on_scan=on_scan,
    )


def _generator(recipe: Recipe, purpose: str) -> torch.Generator:
    """Random numbers that follow from the recipe and are not those of its training."""
    digest = hashlib.sha256(f"{purpose} {recipe.sha256}".encode()).hexdigest()
    return torch.Generator().manual_seed(int(digest[:15], 16))
