"""The batches of a training, each from seeds of its own, shared out to the processes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Protocol

import torch
from torch import Tensor

from mixrd.training.distributed import Ranks
from mixrd.training.settings import TrainingSettings


class Mixtures(Protocol):
    """Patterns and the fractions behind them; what else networks learn may be there as well.

    That is `strain` (B, T), the strain amplitudes of all materials (None if they are not known),
    `inverse_size` (B, M) in 1/nm, and `shape` (B, 4): ln of the size in nm, eta, background level, ln of its
    decay in degrees.
    """

    @property
    def patterns(self) -> Tensor:
        """(B, N)."""

    @property
    def fractions(self) -> Tensor:
        """(B, M), rows of sum 1."""


class PatternSource(Protocol):
    """Where mixtures come from. What `draw` gives depends on nothing but its arguments."""

    @property
    def points(self) -> int:
        """N, length of the patterns."""

    @property
    def materials(self) -> int:
        """M, number of fractions."""

    def draw(self, batch: int, *, generator: torch.Generator) -> Mixtures:
        """`batch` mixtures, on the device of the generator."""


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
    source : PatternSource
    validation : PatternSource or None
    settings : TrainingSettings
    ranks : Ranks
    targets : callable
        The fractions, and what else a training needs, (B, ...) each.
    seed_of_draw : callable, optional
        Seed of a draw for the training, counted from 0; one that follows from the settings unless given.
    """

    def __init__(
        self,
        source: PatternSource,
        validation: PatternSource | None,
        settings: TrainingSettings,
        ranks: Ranks,
        targets: Targets = only_fractions,
        seed_of_draw: Callable[[int], int] | None = None,
    ) -> None:
        self.seed_of_draw = seed_of_draw
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
        assert self.validation is not None
        for number, first in enumerate(range(0, self.settings.validation_samples, _VALIDATION_CHUNK)):
            count = min(self.settings.validation_samples - first, _VALIDATION_CHUNK)
            drawn = self.validation.draw(count, generator=self._generator("validation", number))
            patterns, fractions = self._placed(drawn, only_fractions)
            yield patterns, fractions

    def _placed(self, drawn: Mixtures, targets: Targets) -> tuple[Tensor, ...]:
        return tuple(x.to(self.ranks.device) for x in (drawn.patterns, *targets(drawn)))

    def _generator(self, purpose: str, number: int) -> torch.Generator:
        if purpose == "training" and self.seed_of_draw:
            seed = self.seed_of_draw(number)
        else:
            # torch's generator on the CPU takes 32 bits: consecutive numbers never collide within a training.
            digest = hashlib.sha256(f"{purpose} {self.settings.seed}".encode()).digest()
            seed = (int.from_bytes(digest[:4], "little") + number) % 2**32
        return torch.Generator(device=self.ranks.device).manual_seed(seed)
