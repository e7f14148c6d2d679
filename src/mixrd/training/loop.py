"""The training loop: of any network, from any source of mixtures."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from mixrd.errors import RecipeError
from mixrd.network import fractions_from, total_variation_distance
from mixrd.training.batch_statistics import measured_statistics
from mixrd.training.batches import Batches, PatternSource
from mixrd.training.checkpoint import State, load_checkpoint, save_checkpoint
from mixrd.training.distributed import check_batch, joined, shared
from mixrd.training.interruption import Interruption
from mixrd.training.learning_curve import LearningPoint, Stopwatch, curve_steps
from mixrd.training.objective import Objective
from mixrd.training.precision import Arithmetic, half_the_processors
from mixrd.training.settings import TrainingSettings

#: Seconds of training between two checkpoints.
CHECKPOINT_SECONDS = 15.0
#: A checkpoint waits for this multiple of the time that the last one took.
_CHECKPOINT_REST = 20.0
#: Seconds between two reports of progress from a GPU: each makes it wait for the CPU.
_REPORT_SECONDS = 0.5


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


@dataclass(frozen=True, eq=False)
class TrainingResult:
    """A trained network and how it came about.

    Attributes
    ----------
    network : module
        In evaluation mode, on the CPU.
    curve : tuple of LearningPoint
    samples : int
        Mixtures seen.
    seconds : float
        As in `LearningPoint`, over all runs of a training that was interrupted.
    resumed_from : int
        Step that this run began at (0: from nothing).
    """

    network: nn.Module
    curve: tuple[LearningPoint, ...]
    samples: int
    seconds: float
    resumed_from: int


def train_network(
    build: Callable[[], nn.Module],
    source: PatternSource,
    *,
    settings: TrainingSettings,
    validation: PatternSource | None,
    checkpoint: Path,
    device: str | torch.device = "cpu",
    on_progress: Callable[[TrainingProgress], None] | None = None,
    seed_of_draw: Callable[[int], int] | None = None,
    curve_after: frozenset[int] | None = None,
) -> TrainingResult:
    """Train a network of patterns (B, N) to scores (B, M), or go on with a training.

    One with further heads (`StrainNetwork`) learns what they say as well; its source has to know that
    (`Mixtures`).

    Step n draws from generators seeded with (seed, n), so that a training that was killed and goes on
    gives what an uninterrupted one gives; on the CPU to the last bit. Started by `torchrun`, the processes
    share each batch, its gradients and its batch statistics, and the result is that of one process up
    to rounding.

    Parameters
    ----------
    build : callable
        Gives an untrained network, always the same one.
    source : PatternSource
    settings : TrainingSettings
    validation : PatternSource or None
        Of mixtures that the network is never trained on; of no use where no mixture comes twice.
    checkpoint : path
        State of the training. It stays when the training is done: whoever stores the result removes it,
        or asks for more samples and goes on (with a constant learning rate). All processes have to see it.
        A damaged file, and one of another network, counts as none.
    device : device
    on_progress : callable, optional
        Called in the first process after each step; on a GPU every half second.
    seed_of_draw : callable, optional
        As in `Batches`.
    curve_after : set of int, optional
        Steps after which the curve has a point; `curve_steps` unless given.

    Raises
    ------
    RecipeError
        If the settings do not fit the source or the processes, the checkpoint is that of other settings,
        or the training diverges.
    ModelError
        If the checkpoint cannot be written.
    KeyboardInterrupt
        On Ctrl-C, after the step and a checkpoint.
    """
    if validation and (source.points, source.materials) != (validation.points, validation.materials):
        raise RecipeError(
            f"training has {source.points} points and {source.materials} materials, "
            f"validation {validation.points} and {validation.materials}",
            remedy="Take both from one dataset",
        )
    with (
        half_the_processors(),
        joined(torch.device(device)) as ranks,
        Arithmetic(settings, ranks.device) as arithmetic,
    ):
        check_batch(settings.batch, ranks)
        state = State(build(), settings.fingerprint(source.points, source.materials)).to(ranks.device)
        objective = Objective(state.network, settings.loss)
        batches = Batches(source, validation, settings, ranks, objective.targets, seed_of_draw)
        run = _Run(state, objective, batches, arithmetic, Path(checkpoint), curve_after)
        run.train(on_progress if ranks.is_first else None)
        network = build()
        with run.evaluating():
            network.load_state_dict(run.state.network.state_dict())
        curve = tuple(LearningPoint(**entry) for entry in run.curve)
        samples = run.done * settings.batch
        return TrainingResult(network.eval(), curve, samples, run.watch.seconds, run.resumed_from)


class _Run:
    """One training on one device."""

    def __init__(
        self,
        state: State,
        objective: Objective,
        batches: Batches,
        arithmetic: Arithmetic,
        path: Path,
        curve_after: frozenset[int] | None,
    ) -> None:
        self.state, self.objective, self.batches = state, objective, batches
        self.settings, self.ranks = batches.settings, batches.ranks
        self.arithmetic, self.path = arithmetic, path
        fingerprint, kind = int(state.recipe), self.ranks.device.type
        self.optimizer = torch.optim.AdamW(
            state.network.parameters(),
            lr=self.settings.learning_rate,
            weight_decay=self.settings.weight_decay,
            # None leaves the choice to torch.
            fused=kind == "cuda" or (kind == "cpu" and self.settings.fused) or None,
        )
        self.done, self.curve = load_checkpoint(path, self.state, self.optimizer)
        self.resumed_from = self.done
        if int(self.state.recipe) != fingerprint:
            raise RecipeError(
                f"{path} holds the state of a training with other settings",
                remedy="Remove it, or give another path",
            )
        if not self.ranks.agree(self.done):
            raise RecipeError(
                "the processes found different states of the training",
                remedy=f"Keep {path} on storage that all of them see",
            )
        arithmetic.restore(self.state.scaler)
        self.curve_steps = curve_after or curve_steps(self.settings.steps)
        self.network = arithmetic.compiled(shared(objective.trained, self.ranks))

    def train(self, on_progress: Callable[[TrainingProgress], None] | None) -> None:
        self.watch = Stopwatch(float(self.state.seconds))
        saved = reported = time.monotonic()
        rest, begin = CHECKPOINT_SECONDS, self.watch.seconds
        pause = _REPORT_SECONDS if self.ranks.device.type == "cuda" else -1.0
        with Interruption(alone=self.ranks.world == 1) as interruption:
            while self.done < self.settings.steps:
                self._step(self.done)
                if self.done in self.curve_steps:
                    self._add_point()
                try:
                    due = time.monotonic() - reported > pause or self.done == self.settings.steps
                    if on_progress and due:
                        self._report(on_progress, begin)
                        reported = time.monotonic()
                    if self.ranks.any(interruption.requested):
                        raise KeyboardInterrupt
                except KeyboardInterrupt:
                    self._save()
                    raise
                now = time.monotonic()
                if now - saved > rest:
                    self._save()
                    saved = time.monotonic()
                    rest = max(CHECKPOINT_SECONDS, _CHECKPOINT_REST * (saved - now))
            if self.done > self.resumed_from:
                self._save()
            if interruption.requested:
                raise KeyboardInterrupt

    def _step(self, step: int) -> None:
        with torch.no_grad():
            patterns, *targets = self.batches.training(step)
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.learning_rate_at(step)
        self.network.train()
        with self.arithmetic.autocast():
            outputs = self.network(patterns)
        loss, scores = self.objective.of(outputs, tuple(targets))
        self.optimizer.zero_grad(set_to_none=True)
        self.arithmetic.descend(loss, self.optimizer, self.state.network, self.settings.largest_gradient)
        with torch.no_grad():
            estimated = fractions_from(scores.detach(), self.settings.loss)
            tvd = total_variation_distance(estimated, targets[0]).mean()
            self.state.sums += torch.stack([loss.detach(), tvd, torch.ones_like(tvd)]).double()
        self.done = step + 1

    def evaluating(self) -> AbstractContextManager[None]:
        """Where the network is used, not trained."""
        return measured_statistics(self.state.network, self.batches.statistics(), self.arithmetic.autocast)

    def _add_point(self) -> None:
        # Waits for a GPU, so that its work counts as training.
        loss, tvd, steps = self.ranks.mean(self.state.sums).tolist()
        self.state.sums.zero_()
        if not math.isfinite(loss):
            raise RecipeError(
                f"the loss is no number any more after step {self.done}",
                remedy="Lower learning_rate, give a largest_gradient, or take precision float32",
            )
        with self.watch.paused() as seconds:
            samples = self.done * self.settings.batch
            point = LearningPoint(samples, seconds, loss / steps, tvd / steps, self._validation_tvd())
            self.curve.append(dataclasses.asdict(point))

    @torch.no_grad()
    def _validation_tvd(self) -> float:
        """Every process takes all of it: the same number in each, and nothing to wait for."""
        if self.batches.validation is None:
            return math.nan
        total = torch.zeros((), dtype=torch.float64, device=self.ranks.device)
        with self.evaluating():
            for patterns, fractions in self.batches.validating():
                with self.arithmetic.autocast():
                    scores = self.state.network(patterns)
                estimated = fractions_from(scores, self.settings.loss)
                total += total_variation_distance(estimated, fractions).double().sum()
        return float(total) / self.settings.validation_samples

    def _report(self, on_progress: Callable[[TrainingProgress], None], begin: float) -> None:
        loss, tvd, steps = self.state.sums.tolist()
        if steps == 0:
            loss, tvd, steps = self.curve[-1]["loss"], self.curve[-1]["training_tvd"], 1.0
        rate = (self.watch.seconds - begin) / (self.done - self.resumed_from)
        left = rate * (self.settings.steps - self.done)
        means = loss / steps, tvd / steps
        on_progress(TrainingProgress(self.done, self.settings.steps, *means, left, self.resumed_from))

    def _save(self) -> None:
        if not self.ranks.is_first:
            return
        if self.ranks.device.type == "cuda":
            torch.cuda.synchronize(self.ranks.device)
        with self.watch.paused() as seconds:
            self.state.seconds.fill_(seconds)
            self.state.scaler.copy_(self.arithmetic.state())
            self.path.parent.mkdir(parents=True, exist_ok=True)
            save_checkpoint(self.path, self.state, self.optimizer, self.done, self.curve)
