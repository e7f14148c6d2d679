from __future__ import annotations

import pytest
import torch
from peak_source import Drawn, Peaks

from mixrd.training import TrainingSettings
from mixrd.training.batches import Batches
from mixrd.training.distributed import Ranks

CPU = torch.device("cpu")


def batches(rank: int = 0, world: int = 1, **settings: int) -> Batches:
    chosen = TrainingSettings(**{"samples": 100, "batch": 24, "validation_samples": 600, **settings})
    return Batches(Peaks(), Peaks(), chosen, Ranks(rank, world, CPU))


def rows(patterns: torch.Tensor) -> list[tuple[float, ...]]:
    return sorted(tuple(row.tolist()) for row in patterns)


@pytest.mark.parametrize(("world", "parts"), [(2, 1), (2, 2), (2, 8), (3, 2), (4, 4), (4, 2)])
def test_processes_share_one_batch(world: int, parts: int) -> None:
    """Together they have what one process has, each sample once, and each as many."""
    whole, fractions = batches(parts=parts).training(5)
    shares = [batches(rank, world, parts=parts).training(5) for rank in range(world)]
    assert {len(patterns) for patterns, _ in shares} == {24 // world}
    assert rows(torch.cat([patterns for patterns, _ in shares])) == rows(whole)
    assert rows(torch.cat([share for _, share in shares])) == rows(fractions)


def test_processes_draw_only_their_parts() -> None:
    class Counting(Peaks):
        counts: list[int] = []  # noqa: RUF012

        def draw(self, batch: int, *, generator: torch.Generator) -> Drawn:
            Counting.counts.append(batch)
            return super().draw(batch, generator=generator)

    settings = TrainingSettings(samples=100, batch=24, parts=4)
    Batches(Counting(), Peaks(), settings, Ranks(1, 2, CPU)).training(0)
    assert Counting.counts == [6, 6]


def test_steps_parts_and_seeds_are_all_different() -> None:
    one = [rows(batches(parts=2).training(step)[0]) for step in range(20)]
    patterns = {row for step in one for row in step}
    assert len(patterns) == 20 * 24
    assert rows(batches(parts=2).training(7)[0]) == one[7]
    assert rows(batches(parts=2, seed=1).training(7)[0]) != one[7]


def test_validation_is_the_same_whatever_the_batch_and_the_process() -> None:
    chunks = [p for p, _ in batches().validating()]
    assert sum(len(p) for p in chunks) == 600
    for other in (batches(batch=6), batches(1, 2), batches(parts=3)):
        assert all(torch.equal(a, b) for (a, _), b in zip(other.validating(), chunks, strict=True))
    trained = {row for step in range(10) for row in rows(batches().training(step)[0])}
    assert not trained & set(rows(torch.cat(chunks)))
