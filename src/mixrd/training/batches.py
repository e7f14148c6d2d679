"""The batches of a training, each from seeds of its own, shared out to the processes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from mixrd.training.distributed import Ranks
from mixrd.training.fraction_settings import FractionTraining
from mixrd.training.pattern_source import Mixtures, PatternSource

#: What of a batch a training takes besides its patterns.
Targets = Callable[[Mixtures], tuple[Tensor, ...]]

#: Mixtures that a validation draws at once: one number, so that batches of any length see the same ones.
_VALIDATION_CHUNK = 256


def only_fractions(drawn: Mixtures) -> tuple[Tensor, ...]:
    """The targets of a network without further heads."""
    return (drawn.fractions,)


class Batches:
    """Draws what one process needs.

    Parameters
    ----------
    source, validation : PatternSource
    settings : FractionTraining
    ranks : Ranks
    targets : callable
        The fractions, and what else a training needs, (B, ...) each.
    """

    def __init__(
        self,
        source: PatternSource,
        validation: PatternSource,
        settings: FractionTraining,
        ranks: Ranks,
        targets: Targets = only_fractions,
    ) -> None:
        self.source, self.validation, self.targets = source, validation, targets
        self.settings, self.ranks = settings, ranks

    def training(self, step: int) -> tuple[Tensor, ...]:
        """Patterns and targets of this process in a step, counted from 0."""
        return self._shared("training", step)

    def statistics(self) -> Iterator[Tensor]:
        """Patterns of this process in the batches that statistics are measured on."""
        for number in range(-(-self.settings.statistics_samples // self.settings.batch)):
            yield self._shared("statistics", number)[0]

    def _shared(self, purpose: str, step: int) -> tuple[Tensor, ...]:
        """The samples of this process in one batch of the training source.

        Its own parts of the batch; where parts cannot be shared out, all are drawn and some samples taken.
        """
        parts, rank, world = self.settings.parts, self.ranks.rank, self.ranks.world
        own, samples = range(parts), slice(rank, None, world)
        if parts % world == 0:
            own, samples = range(rank * parts // world, (rank + 1) * parts // world), slice(None)
        each = self.settings.batch // parts
        drawn = [
            self._placed(
                self.source.draw(each, generator=self._generator(purpose, step * parts + part)), self.targets
            )
            for part in own
        ]
        return tuple(torch.cat(x)[samples] for x in zip(*drawn, strict=True))

    def validating(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Patterns and fractions to validate on: the same ones each time, and in every process."""
        for number, first in enumerate(range(0, self.settings.validation_samples, _VALIDATION_CHUNK)):
            count = min(self.settings.validation_samples - first, _VALIDATION_CHUNK)
            drawn = self.validation.draw(count, generator=self._generator("validation", number))
            patterns, fractions = self._placed(drawn, only_fractions)
            yield patterns, fractions

    def _placed(self, drawn: Mixtures, targets: Targets) -> tuple[Tensor, ...]:
        return tuple(x.to(self.ranks.device) for x in (drawn.patterns, *targets(drawn)))

    def _generator(self, purpose: str, number: int) -> torch.Generator:
        # torch's generator on the CPU takes 32 bits: consecutive numbers never collide within a training.
        digest = hashlib.sha256(f"{purpose} {self.settings.seed}".encode()).digest()
        seed = (int.from_bytes(digest[:4], "little") + number) % 2**32
        return torch.Generator(device=self.ranks.device).manual_seed(seed)
