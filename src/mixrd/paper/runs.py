"""Running the grid: each cell is a unit of its own that can be interrupted, resumed and repeated."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from mixrd.network import NetworkEstimator
from mixrd.paper.cells import Cell
from mixrd.paper.dataset import LineDataset
from mixrd.paper.learning import learnt
from mixrd.paper.result import (
    Summary,
    device_name,
    is_done,
    result_of,
    result_path,
    scored,
    seed_of_test,
    versions,
    write_json,
)
from mixrd.paper.sources import CellSources, cached_dataset, drawn
from mixrd.training import TrainingProgress
from mixrd.training.distributed import Ranks, joined


@dataclass(frozen=True)
class GridProgress:
    """How far a grid is.

    Attributes
    ----------
    cell : Cell
        That is running.
    number, cells : int
        Its place among all cells of the grid, counted from 1, those done before included.
    training : TrainingProgress or None
        None where nothing is trained but fitted.
    share_done : float
        Of the work of this run, 0-1, in mixtures to be seen.
    seconds_left : float or None
        Of the whole grid, if that can be judged yet: each kind of network has its own speed.
    """

    cell: Cell
    number: int
    cells: int
    training: TrainingProgress | None
    share_done: float
    seconds_left: float | None


@dataclass(frozen=True)
class CellDone:
    """What became of a cell: its result's file, and whether it had been there before."""

    cell: Cell
    path: Path
    before: bool
    mean_tvd: float | None


def run_grid(
    cells: Sequence[Cell],
    folder: Path,
    *,
    device: str | torch.device = "cpu",
    keep_models: bool = True,
    on_dataset: Callable[[int, int], None] | None = None,
    on_progress: Callable[[GridProgress], None] | None = None,
    on_cell: Callable[[CellDone], None] | None = None,
) -> None:
    """Run all cells that have no result in `folder` yet.

    A cell's state is kept beside its result while it runs, so that after a kill or Ctrl-C the same call
    goes on, to the same result. Started by `torchrun`, the processes share each training.

    Parameters
    ----------
    cells : sequence of Cell
        From `grid`: of one pool and protocol.
    folder : path
        Is made if need be.
    device : device
    keep_models : bool
        Write each trained network beside its result, in half precision.
    on_dataset : callable, optional
        Told (materials simulated, materials) where the dataset is not in the cache.
    on_progress, on_cell : callable, optional
        Called in the first process.

    Raises
    ------
    RecipeError, ParameterError, CrystalError
        If a cell cannot be run with these materials or on this device.
    UsageError, ModelError
        If a file cannot be written.
    KeyboardInterrupt
        On Ctrl-C, after a checkpoint.
    """
    if not cells:
        return
    with joined(torch.device(device)) as ranks:
        largest = max(cells, key=lambda cell: cell.n)
        recipe = largest.protocol.dataset(largest.crystals)
        dataset = cached_dataset(recipe, on_dataset) if ranks.is_first else None
        # The others wait, and find it in the cache.
        ranks.agree(0)
        dataset = dataset or cached_dataset(recipe)
        work = _Work(cells, [is_done(folder, cell) for cell in cells])
        for number, cell in enumerate(cells):
            path = result_path(folder, cell)
            if ranks.any(is_done(folder, cell)):
                outcome = CellDone(cell, path, True, None)
            elif ranks.is_first or cell.is_trained:
                watch = work.watch(number, on_progress if ranks.is_first else None)
                result = run_cell(
                    cell, dataset, folder, ranks=ranks, keep_model=keep_models, on_progress=watch
                )
                work.finish(number)
                outcome = CellDone(cell, path, False, result["test"]["mean"] if result else None)
            else:
                continue
            if on_cell and ranks.is_first:
                on_cell(outcome)


def run_cell(
    cell: Cell,
    dataset: LineDataset,
    folder: Path,
    *,
    ranks: Ranks,
    keep_model: bool = True,
    on_progress: Callable[[TrainingProgress | None], None] | None = None,
) -> dict[str, Any] | None:
    """Run one cell and write its result; None in all processes but the first.

    Parameters
    ----------
    cell : Cell
    dataset : LineDataset
        Of its materials, and perhaps further ones behind them.
    folder : path
    ranks : Ranks
    keep_model : bool
    on_progress : callable, optional
        Called after each step of a training, and once with None where there is none.
    """
    sources = CellSources.of(cell, dataset, ranks.device)
    state = folder / f"{cell.name}.training"
    if not cell.is_trained and on_progress:
        on_progress(None)
    outcome = learnt(cell, sources, checkpoint=state, device=ranks.device, on_progress=on_progress)
    if not ranks.is_first:
        return None
    begin = time.monotonic()
    estimator = outcome.estimator
    patterns, fractions = drawn(sources.test, cell.protocol.test_patterns, seed_of_test(cell.recipe))
    tvd = scored(fractions, estimator.predict(patterns))
    measured = {
        "versions": versions(),
        "device": device_name(ranks.device),
        "processes": ranks.world,
        "compiled": cell.protocol.compile and cell.is_trained,
        "wall_seconds": outcome.seconds,
        "evaluation_seconds": time.monotonic() - begin,
        "learning_curve": outcome.curve,
        "test": Summary.of(tvd).to_dict(),
        "parameters": estimator.parameters_count,
        "size_bytes": estimator.size_bytes,
    }
    result = result_of(cell, measured)
    if keep_model and isinstance(estimator, NetworkEstimator):
        kept = {"cell": cell.recipe, "sha256": cell.sha256, "test": measured["test"]}
        folder.mkdir(parents=True, exist_ok=True)
        estimator.save(folder / f"{cell.name}.safetensors", recipe=kept, half=True)
    write_json(result_path(folder, cell), result)
    state.unlink(missing_ok=True)
    return result


class _Work:
    """Time that is left of a grid, from the speed of each architecture so far.

    A network that was not met yet counts like the one that is running.
    """

    def __init__(self, cells: Sequence[Cell], done: Sequence[bool]) -> None:
        self.cells = cells
        self.weights = [0 if d or not c.is_trained else c.samples for c, d in zip(cells, done, strict=True)]
        self.finished = 0
        self.speed: dict[str, float] = {}

    def watch(
        self, number: int, tell: Callable[[GridProgress], None] | None
    ) -> Callable[[TrainingProgress | None], None]:
        def update(now: TrainingProgress | None) -> None:
            if tell:
                tell(self._progress(number, now))

        return update

    def finish(self, number: int) -> None:
        self.finished += self.weights[number]

    def _progress(self, number: int, now: TrainingProgress | None) -> GridProgress:
        cell, left = self.cells[number], None
        seen = self.finished
        if now is not None:
            seen += self.weights[number] * now.step // now.steps
            if now.step < now.steps:
                unseen = cell.samples * (now.steps - now.step) / now.steps
                self.speed[cell.architecture] = now.seconds_left / unseen
            speed = self.speed.get(cell.architecture)
            if speed is not None:
                later = zip(self.cells[number + 1 :], self.weights[number + 1 :], strict=True)
                left = now.seconds_left + sum(w * self.speed.get(c.architecture, speed) for c, w in later)
        total = sum(self.weights)
        return GridProgress(cell, number + 1, len(self.cells), now, seen / total if total else 1.0, left)
