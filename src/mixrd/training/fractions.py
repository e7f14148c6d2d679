"""The training loop of networks that estimate fractions and nothing else, as the paper trains them."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from mixrd.errors import RecipeError
from mixrd.network import fractions_from, total_variation_distance
from mixrd.training.batch_statistics import measured_statistics
from mixrd.training.batches import Batches
from mixrd.training.checkpoint import load_checkpoint, save_checkpoint
from mixrd.training.distributed import Ranks, check_batch, joined, shared
from mixrd.training.fraction_settings import FractionTraining
from mixrd.training.interruption import Interruption
from mixrd.training.learning_curve import LearningPoint, Stopwatch, curve_steps
from mixrd.training.loop import TrainingProgress, half_the_processors
from mixrd.training.objective import Objective
from mixrd.training.pattern_source import PatternSource
from mixrd.training.precision import Arithmetic

#: Seconds of training between two checkpoints.
CHECKPOINT_SECONDS = 30.0
#: A checkpoint waits for this multiple of the time that the last one took.
_CHECKPOINT_REST = 20.0
#: Seconds between two reports of progress from a GPU: each makes it wait for the CPU.
_REPORT_SECONDS = 0.5


@dataclass(frozen=True, eq=False)
class FractionResult:
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


def train_fractions(
    build: Callable[[], nn.Module],
    source: PatternSource,
    *,
    settings: FractionTraining,
    validation: PatternSource,
    checkpoint: Path,
    device: str | torch.device = "cpu",
    on_progress: Callable[[TrainingProgress], None] | None = None,
) -> FractionResult:
    """Train a network of patterns (B, N) to scores (B, M), or go on with a training.

    One with further heads (`HeadedNetwork`) learns strains and shapes as well; its source has to know them
    (`HeadMixtures`).

    Step n draws from generators seeded with (seed, n), so that a training that was killed and goes on
    gives what an uninterrupted one gives; on the CPU to the last bit. Started by `torchrun`, the processes
    share each batch, its gradients and its batch statistics, and the result is that of one process up
    to rounding.

    Parameters
    ----------
    build : callable
        Gives an untrained network, always the same one.
    source : PatternSource
    settings : FractionTraining
    validation : PatternSource
        Of mixtures that the network is never trained on.
    checkpoint : path
        State of the training. It stays when the training is done: whoever stores the result removes it,
        or asks for more samples and goes on (with a constant learning rate). All processes have to see it.
        A damaged file, and one of another network, counts as none.
    device : device
    on_progress : callable, optional
        Called in the first process after each step; on a GPU every half second.

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
    if (source.points, source.materials) != (validation.points, validation.materials):
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
        run = _Run(build, source, validation, settings, arithmetic, ranks, Path(checkpoint))
        run.train(on_progress if ranks.is_first else None)
        network = build()
        with run.evaluating():
            network.load_state_dict(run.state.network.state_dict())
        curve = tuple(_as_point(entry) for entry in run.curve)
        return FractionResult(
            network.eval(), curve, run.done * settings.batch, run.watch.seconds, run.resumed_from
        )


class _State(nn.Module):
    """All that a checkpoint has to keep besides the optimizer: the network and a few numbers."""

    sums: Tensor
    seconds: Tensor
    scaler: Tensor
    recipe: Tensor

    def __init__(self, network: nn.Module, fingerprint: int) -> None:
        super().__init__()
        self.network = network
        # Loss and TVD since the last point of the curve, and the number of steps.
        self.register_buffer("sums", torch.zeros(3, dtype=torch.float64))
        self.register_buffer("seconds", torch.zeros((), dtype=torch.float64))
        self.register_buffer("scaler", torch.zeros(2, dtype=torch.float64))
        self.register_buffer("recipe", torch.tensor(fingerprint, dtype=torch.int64))


class _Run:
    """One training on one device."""

    def __init__(
        self,
        build: Callable[[], nn.Module],
        source: PatternSource,
        validation: PatternSource,
        settings: FractionTraining,
        arithmetic: Arithmetic,
        ranks: Ranks,
        path: Path,
    ) -> None:
        self.settings, self.arithmetic, self.ranks, self.path = settings, arithmetic, ranks, path
        fingerprint = settings.fingerprint(source.points, source.materials)
        self.state = _State(build(), fingerprint).to(ranks.device)
        self.objective = Objective(self.state.network, settings.loss)
        self.batches = Batches(source, validation, settings, ranks, self.objective.targets)
        parameters = self.state.network.parameters()
        self.optimizer = torch.optim.Adam(
            parameters, lr=settings.learning_rate, fused=ranks.device.type in ("cpu", "cuda")
        )
        self.done, self.curve = load_checkpoint(path, self.state, self.optimizer)
        self.resumed_from = self.done
        if int(self.state.recipe) != fingerprint:
            raise RecipeError(
                f"{path} holds the state of a training with other settings",
                remedy="Remove it, or give another path",
            )
        if not ranks.agree(self.done):
            raise RecipeError(
                "the processes found different states of the training",
                remedy=f"Keep {path} on storage that all of them see",
            )
        arithmetic.restore(self.state.scaler)
        self.curve_steps = curve_steps(settings.steps)
        self.network = arithmetic.compiled(shared(self.objective.trained, ranks))

    def train(self, on_progress: Callable[[TrainingProgress], None] | None) -> None:
        self.watch = Stopwatch(float(self.state.seconds))
        saved = reported = time.monotonic()
        rest, begin = CHECKPOINT_SECONDS, self.watch.seconds
        with Interruption(alone=self.ranks.world == 1) as interruption:
            while self.done < self.settings.steps:
                self._step(self.done)
                if self.done in self.curve_steps:
                    self._add_point()
                try:
                    if on_progress and self._report_is_due(time.monotonic() - reported):
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
            self.curve.append(
                {
                    "samples": self.done * self.settings.batch,
                    "seconds": seconds,
                    "loss": loss / steps,
                    "training_tvd": tvd / steps,
                    "validation_tvd": self._validation_tvd(),
                }
            )

    @torch.no_grad()
    def _validation_tvd(self) -> float:
        """Every process takes all of it: the same number in each, and nothing to wait for."""
        total = torch.zeros((), dtype=torch.float64, device=self.ranks.device)
        with self.evaluating():
            for patterns, fractions in self.batches.validating():
                with self.arithmetic.autocast():
                    scores = self.state.network(patterns)
                estimated = fractions_from(scores, self.settings.loss)
                total += total_variation_distance(estimated, fractions).double().sum()
        return float(total) / self.settings.validation_samples

    def _report_is_due(self, since: float) -> bool:
        waits = self.ranks.device.type == "cuda"
        return not waits or since > _REPORT_SECONDS or self.done == self.settings.steps

    def _report(self, on_progress: Callable[[TrainingProgress], None], begin: float) -> None:
        loss, tvd, steps = self.state.sums.tolist()
        if steps == 0:
            loss, tvd, steps = self.curve[-1]["loss"], self.curve[-1]["training_tvd"], 1.0
        rate = (self.watch.seconds - begin) / (self.done - self.resumed_from)
        left = rate * (self.settings.steps - self.done)
        on_progress(
            TrainingProgress(
                self.done, self.settings.steps, loss / steps, tvd / steps, left, self.resumed_from
            )
        )

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


def _as_point(entry: dict[str, float]) -> LearningPoint:
    samples, *rest = (entry[field.name] for field in dataclasses.fields(LearningPoint))
    return LearningPoint(int(samples), *rest)
