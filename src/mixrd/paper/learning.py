"""How a cell learns: by gradients, from known mixtures, or from references."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from mixrd.errors import ModelError
from mixrd.network import (
    FittedEstimator,
    FractionEstimator,
    NetworkEstimator,
    architecture_named,
    build,
    build_trainable,
)
from mixrd.network.model_file import ESTIMATOR
from mixrd.paper.cells import Cell
from mixrd.paper.network_options import network_options
from mixrd.paper.result import scored
from mixrd.paper.sources import CellSources, drawn, unstrained_references
from mixrd.training import TrainingProgress, train_network

#: Mixtures that a fitted estimator is validated on.
_VALIDATION_PATTERNS = 1024
#: Seeds of what is fitted and validated start here, away from each other.
_FIT_SEED, _VALIDATION_SEED = 1_000_003, 2_000_003


@dataclass(frozen=True, eq=False)
class Learnt:
    """An estimator, and how it came about.

    Attributes
    ----------
    estimator : FractionEstimator
    curve : list of dict
        Points of the learning curve as in `mixrd.training.LearningPoint`; a single one where nothing is
        trained, without loss.
    seconds : float
        Of drawing and learning.
    """

    estimator: FractionEstimator
    curve: list[dict[str, Any]]
    seconds: float


def learnt(
    cell: Cell,
    sources: CellSources,
    *,
    checkpoint: Path,
    device: torch.device,
    on_progress: Callable[[TrainingProgress], None] | None = None,
) -> Learnt:
    """Train or fit a cell's estimator, or go on with a training from its checkpoint."""
    if cell.is_trained:
        return _trained(cell, sources, checkpoint, device, on_progress)
    return _fitted(cell, sources)


def _trained(
    cell: Cell,
    sources: CellSources,
    checkpoint: Path,
    device: torch.device,
    on_progress: Callable[[TrainingProgress], None] | None,
) -> Learnt:
    points, materials, options = sources.training.points, cell.n, network_options(cell)
    build = partial(
        build_trainable, cell.architecture, points=points, materials=materials, seed=cell.seed, **options
    )
    start = cell.protocol.start
    result = train_network(
        partial(_going_on, build, start.network) if start else build,
        sources.training,
        settings=cell.training(),
        validation=sources.validation,
        checkpoint=checkpoint,
        device=device,
        on_progress=on_progress,
    )
    estimator = NetworkEstimator(
        cell.architecture,
        result.network.to(device),
        loss=cell.protocol.loss,
        points=points,
        materials=materials,
        options=options,
    )
    seen, before = (start.samples, start.wall_seconds) if start else (0, 0.0)
    curve = [
        dataclasses.replace(point, samples=point.samples + seen, seconds=point.seconds + before)
        for point in result.curve
    ]
    return Learnt(estimator, [dataclasses.asdict(point) for point in curve], result.seconds + before)


def _going_on(build: Callable[[], nn.Module], start: Path) -> nn.Module:
    """An untrained network with the layers of a trained one."""
    network = build()
    _, former = ESTIMATOR.read(start)
    own = network.state_dict()
    if any(name not in own or own[name].shape != value.shape for name, value in former.items()):
        raise ModelError(
            "its layers are not among those of the network that is to be trained",
            remedy="Take the architecture of that network, or one that has layers behind it",
            file=start,
        )
    network.load_state_dict({**own, **{name: value.to(own[name].dtype) for name, value in former.items()}})
    return network


def _fitted(cell: Cell, sources: CellSources) -> Learnt:
    begin = time.monotonic()
    estimator = build(cell.architecture, points=sources.training.points, materials=cell.n, seed=cell.seed)
    assert isinstance(estimator, FittedEstimator)
    if architecture_named(cell.architecture).learns_by == "references":
        estimator.fit(*unstrained_references(cell))
    else:
        estimator.fit(*drawn(sources.training, cell.samples, _FIT_SEED + cell.seed))
    seconds = time.monotonic() - begin
    patterns, fractions = drawn(sources.validation, _VALIDATION_PATTERNS, _VALIDATION_SEED)
    tvd = float(scored(fractions, estimator.predict(patterns)).mean())
    point = {"samples": cell.samples, "seconds": seconds, "validation_tvd": tvd}
    return Learnt(estimator, [point], seconds)
