"""What was expected beside what was found."""

from __future__ import annotations

import torch

from mixrd.paper.refinement.copies import Copies
from mixrd.paper.refinement.expectation import Expected, named, surprise
from tests.paper.refinement.conftest import Setting


def test_surprise_is_the_share_of_what_was_not_expected(setting: Setting) -> None:
    drawn = setting.drawn(6, seed=35)
    patterns, truth = setting.sampler.make(drawn).patterns, setting.copies(drawn)
    found = setting.search.polished(patterns, truth)
    there = torch.nn.functional.one_hot(found.copies.material + 1, 5)[..., 1:].sum(1).clamp_max(1).float()
    assert torch.allclose(surprise(found, there), torch.zeros(6))
    mass = found.coefficients[:, :-1]
    for row in range(6):
        slot = int(mass[row].argmax())
        without = there[row : row + 1].clone()
        without[0, found.copies.material[row, slot]] = 0.25
        share = (
            mass[row][found.copies.material[row] == found.copies.material[row, slot]].sum() / mass[row].sum()
        )
        assert torch.allclose(surprise(found.rows(torch.tensor([row])), without), 0.75 * share, atol=1e-6)


def test_what_was_expected_is_tried_where_it_was(setting: Setting) -> None:
    drawn = setting.drawn(6, seed=36)
    patterns, truth = setting.sampler.make(drawn).patterns, setting.copies(drawn)
    # The fainter phase taken out, and expected where it was.
    faint = drawn.fraction.argmin(1, keepdim=True)
    without = Copies(truth.material.scatter(1, faint, -1), truth.strain, truth.shape)
    state = setting.search.polished(patterns, without)
    presence = torch.zeros(6, 4).scatter(1, truth.material.gather(1, faint), 0.4)
    strain = torch.zeros(6, 4, truth.strain.shape[2])
    rows = torch.arange(6)
    strain[rows, truth.material[rows, faint[:, 0]]] = truth.strain[rows, faint[:, 0]]
    found = named(state, Expected(presence, strain))
    assert set(found.pattern.tolist()) == set(range(6))
    for number, row in enumerate(found.pattern.tolist()):
        assert found.material[number] == truth.material[row, faint[row, 0]]
        assert torch.equal(found.strain[number], strain[row, found.material[number]])
    # A free slot, and the place of what is there.
    slots = found.slot[found.pattern == 0].tolist()
    assert sorted(slots) == [0, 1]
    nobody = named(state, Expected(torch.zeros(6, 4), strain))
    assert not len(nobody.pattern)
