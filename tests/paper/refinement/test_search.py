"""From nothing to the phases of a pattern."""

from __future__ import annotations

import torch

from mixrd.paper.refinement.copies import Copies
from mixrd.paper.refinement.search import best_of_each
from tests.paper.refinement.conftest import Setting


def test_finds_the_phases_and_their_strains_from_nothing(setting: Setting) -> None:
    drawn = setting.drawn(16, seed=31)
    patterns, truth = setting.sampler.make(drawn).patterns, setting.copies(drawn)
    told: list[tuple[str, int, int]] = []
    found = setting.search.run(patterns, tell=lambda *what: told.append(what))
    assert told and all(taken <= tried for _, tried, taken in told)
    large = drawn.fraction > 0.1
    for row in range(16):
        expected = set(truth.material[row][large[row]].tolist())
        assert expected <= set(found.copies.material[row].tolist())
    for row, slot in torch.nonzero(large).tolist():
        material = truth.material[row, slot]
        place = found.copies.material[row].tolist().index(int(material))
        assert (found.copies.strain[row, place] - truth.strain[row, slot]).abs().max() < 0.02
    assert (setting.search.unexplained(patterns, found) < 0.5).all()


def test_a_wrong_start_is_overcome(setting: Setting) -> None:
    drawn = setting.drawn(8, seed=32)
    patterns, truth = setting.sampler.make(drawn).patterns, setting.copies(drawn)
    wrong = Copies((truth.material + 1) % 4, -truth.strain, truth.shape)
    found = setting.search.run(patterns, wrong)
    largest = truth.material.gather(1, drawn.fraction.argmax(1, keepdim=True))
    assert (found.copies.material == largest).any(1).all()


def test_told_phases_are_the_only_ones(setting: Setting) -> None:
    drawn = setting.drawn(6, seed=33)
    patterns, truth = setting.sampler.make(drawn).patterns, setting.copies(drawn)
    told = torch.nn.functional.one_hot(truth.material, 4).sum(1)
    found = setting.search.run(patterns, told=told)
    for row in range(6):
        there = set(found.copies.material[row].tolist()) - {-1}
        assert there <= set(truth.material[row].tolist())


def test_the_same_again(setting: Setting) -> None:
    patterns = setting.sampler.make(setting.drawn(4, seed=34)).patterns
    one, other = setting.search.run(patterns), setting.search.run(patterns)
    assert torch.equal(one.coefficients, other.coefficients)


def test_best_of_each_group() -> None:
    group = torch.tensor([3, 1, 3, 1, 3])
    cost = torch.tensor([5.0, 1.0, 2.0, 4.0, 3.0])
    assert sorted(best_of_each(group, cost, 1).tolist()) == [1, 2]
    assert sorted(best_of_each(group, cost, 2).tolist()) == [1, 2, 3, 4]
    assert best_of_each(group[:0], cost[:0], 1).numel() == 0
