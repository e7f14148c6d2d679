"""The cells of the paper's grid: one training each, with all that decides its result."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, get_args

from mixrd.crystal import Crystal
from mixrd.errors import ParameterError
from mixrd.network import architecture_named
from mixrd.paper.dataset_recipe import DatasetRecipe
from mixrd.paper.figure1_settings import DrawKind, Figure1Settings
from mixrd.paper.protocol import Protocol
from mixrd.paper.published import SAMPLES_PER_MATERIAL
from mixrd.training import TrainingSettings

#: Part of every recipe's hash: raise it with each change that gives other results.
RESULT_VERSION = 1
#: More mixtures without gradients would take more than 4 GB.
_MOST_FITTED = 400_000


@dataclass(frozen=True)
class Cell:
    """One training of the grid.

    Attributes
    ----------
    n : int
        Materials, from 2.
    k : int
        Phases that coexist at most, from 1.
    kind : {"up_to_replacement", "exactly_distinct"}
        What `k` means (`Figure1Settings`).
    architecture : str
        One of `mixrd.network.architectures`.
    seed : int
        Of first weights and mixtures.
    protocol : Protocol
    crystals : tuple of Crystal
        The n materials.
    """

    n: int
    k: int
    kind: DrawKind
    architecture: str
    seed: int
    protocol: Protocol
    crystals: tuple[Crystal, ...] = field(repr=False)

    def __post_init__(self) -> None:
        for name, value, low, high in (("n", self.n, 2, 1000), ("k", self.k, 1, 100)):
            if not low <= value <= high:
                raise ParameterError(f"{name} = {value}", remedy=f"Allowed: {low} to {high}")
        if self.kind not in get_args(DrawKind):
            raise ParameterError(f"kind = {self.kind!r}", remedy=f"Allowed: {', '.join(get_args(DrawKind))}")
        if self.kind == "exactly_distinct" and self.k > self.n:
            raise ParameterError(
                f"k = {self.k} different materials of n = {self.n} are asked for",
                remedy=f"Allowed with exactly_distinct: k = 1 to {self.n}",
            )
        if len(self.crystals) != self.n:
            raise ParameterError(
                f"{len(self.crystals)} materials are given for n = {self.n}", remedy="Give n crystals"
            )
        start = self.protocol.start
        if start and not (self.is_trained and start.dataset_sha256 == self.dataset.sha256):
            raise ParameterError(
                f"{start.network} is of other materials, or {self.architecture} is not trained",
                remedy="Give the n, pool and strains that it was trained on, and its architecture",
            )
        if self.is_trained:
            self.training()
        elif self.samples > _MOST_FITTED:
            raise ParameterError(
                f"samples = {self.samples} for {self.architecture}, which keeps them all in memory",
                remedy=f"Allowed: 1 to {_MOST_FITTED}",
            )

    @property
    def is_trained(self) -> bool:
        """Whether gradients train it."""
        return architecture_named(self.architecture).learns_by == "gradient"

    @property
    def full_samples(self) -> int:
        """Mixtures of a run that is not shortened."""
        if self.is_trained:
            return SAMPLES_PER_MATERIAL * self.n
        return architecture_named(self.architecture).samples

    @property
    def samples(self) -> int:
        """Mixtures to learn from; networks see whole batches."""
        if architecture_named(self.architecture).learns_by == "references":
            return 0
        if not self.is_trained:
            return self.protocol.samples or self.full_samples
        batch = self.protocol.batch
        return -(-(self.protocol.samples or self.full_samples) // batch) * batch

    @property
    def all_samples(self) -> int:
        """Mixtures seen when it is done, those of the network that it starts from included."""
        return self.samples + (self.protocol.start.samples if self.protocol.start else 0)

    @property
    def shortened(self) -> bool:
        """Whether there are fewer samples than in a full run."""
        return self.all_samples < self.full_samples

    @cached_property
    def dataset(self) -> DatasetRecipe:
        """Recipe of its dataset."""
        return self.protocol.dataset(self.crystals)

    def training(self) -> TrainingSettings:
        """Settings of the training loop."""
        p = self.protocol
        # What is seen after a start is not what was seen before.
        former = int(p.start.recipe_sha256[:8], 16) if p.start else 0
        return TrainingSettings(
            samples=self.samples,
            batch=p.batch,
            learning_rate=p.learning_rate,
            loss=p.loss,
            precision=p.precision,
            largest_gradient=p.largest_gradient,
            compile=p.compile,
            schedule=p.schedule,
            seed=self.seed + former,
        )

    def figure1(self) -> Figure1Settings:
        """Settings of the pipeline."""
        return dataclasses.replace(self.protocol.figure1, max_phases=self.k, kind=self.kind)

    @cached_property
    def recipe(self) -> dict[str, Any]:
        """All that decides the result, as plain data; neither device nor compilation."""
        training: dict[str, Any] = {"samples": self.samples}
        if self.is_trained:
            training = self.training().to_dict()
            del training["compile"], training["seed"]
        recipe: dict[str, Any] = {
            "version": RESULT_VERSION,
            "n": self.n,
            "k": self.k,
            "kind": self.kind,
            "architecture": self.architecture,
            "seed": self.seed,
            "training": training,
            "test_patterns": self.protocol.test_patterns,
            "figure1": dataclasses.asdict(self.figure1()),
            "dataset": {**self.dataset.to_dict(), "sha256": self.dataset.sha256},
        }
        if start := self.protocol.start:
            recipe["start"] = {"recipe_sha256": start.recipe_sha256, "samples": start.samples}
        plain: dict[str, Any] = json.loads(json.dumps(recipe))
        return plain

    @property
    def sha256(self) -> str:
        """Hash of the recipe."""
        return recipe_sha256(self.recipe)

    @property
    def name(self) -> str:
        """Name of its files: readable, and with the beginning of the hash, so that no two share one."""
        return f"n{self.n}-k{self.k}-{self.kind}-{self.architecture}-seed{self.seed}-{self.sha256[:8]}"


def recipe_sha256(recipe: dict[str, Any]) -> str:
    """Hash of a recipe."""
    return hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()


def grid(
    pool: Sequence[Crystal],
    *,
    n: Sequence[int],
    k: Sequence[int],
    kinds: Sequence[DrawKind] = ("up_to_replacement",),
    architectures: Sequence[str] = ("table1",),
    seeds: Sequence[int] = (0, 1, 2),
    protocol: Protocol | None = None,
) -> tuple[Cell, ...]:
    """All cells of a grid: the whole of it with the first seed, then with the next.

    Parameters
    ----------
    pool : sequence of Crystal
        A cell takes the first n.
    n, k, kinds, architectures, seeds : sequence
    protocol : Protocol, optional

    Raises
    ------
    ParameterError, RecipeError
        If a cell is impossible, before any is run.
    """
    if not (n and k and kinds and architectures and seeds):
        raise ParameterError("the grid is empty", remedy="Give at least one of each: n, k, kind, seed")
    if max(n) > len(pool):
        raise ParameterError(
            f"n = {max(n)} materials of a pool of {len(pool)}",
            remedy=f"Allowed: 2 to {len(pool)}; `mixrd cod sample` draws a larger pool",
        )
    chosen = protocol or Protocol()
    return tuple(
        Cell(materials, phases, kind, architecture, seed, chosen, tuple(pool[: max(materials, 0)]))
        for seed in dict.fromkeys(seeds)
        for materials in dict.fromkeys(n)
        for phases in dict.fromkeys(k)
        for kind in dict.fromkeys(kinds)
        for architecture in dict.fromkeys(architectures)
    )
