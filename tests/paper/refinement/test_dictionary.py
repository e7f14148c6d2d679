"""What a fit leaves over is recognised."""

from __future__ import annotations

import torch

from mixrd.paper.refinement.copies import Copies
from mixrd.paper.refinement.dictionary import strains_of
from mixrd.paper.refinement.fitting import fit
from tests.paper.refinement.conftest import Setting


def test_proposes_what_is_missing(setting: Setting) -> None:
    drawn = setting.drawn(24, seed=41)
    patterns, truth, search = setting.sampler.make(drawn).patterns, setting.copies(drawn), setting.search
    large = drawn.fraction[:, 1] > 0.25
    patterns, truth = patterns[large], truth.rows(large)
    there = truth.material[:, 0]
    half = Copies(torch.stack([there, torch.full_like(there, -1)], dim=1), truth.strain, truth.shape)
    current = fit(search.sharp, patterns, half, search.prior, steps=8)
    dictionary = search.dictionaries[0]
    capacity = torch.ones(len(patterns), 4, dtype=torch.long)
    seen = dictionary.model.seen(patterns)
    proposals = dictionary.propose(seen, current, count=1, capacity=capacity)
    best = {int(p): int(m) for p, m in zip(proposals.pattern, proposals.material, strict=True)}
    right = [best[row] == int(truth.material[row, 1]) for row in range(len(patterns))]
    assert sum(right) >= 0.8 * len(right)
    assert (proposals.gain > 0).all()
    applied = proposals.applied(current.copies)
    row = torch.arange(len(proposals.pattern))
    assert torch.equal(applied.material[row, proposals.slot], proposals.material)


def test_capacity_is_kept(setting: Setting) -> None:
    drawn = setting.drawn(6, seed=42)
    patterns, truth, search = setting.sampler.make(drawn).patterns, setting.copies(drawn), setting.search
    current = fit(search.sharp, patterns, truth, search.prior, steps=3)
    seen = search.dictionaries[0].model.seen(patterns)
    capacity = torch.zeros(6, 4, dtype=torch.long)
    capacity[:, 2] = 1
    proposals = search.dictionaries[0].propose(seen, current, count=8, capacity=capacity)
    # Two that change places are as many as before.
    new = (proposals.gain > -torch.inf) & (proposals.other < 0)
    assert set(proposals.material[new].tolist()) <= {2}


def test_two_materials_change_places(setting: Setting) -> None:
    drawn = setting.drawn(12, seed=43)
    patterns, truth, search = setting.sampler.make(drawn).patterns, setting.copies(drawn), setting.search
    current = fit(search.sharp, patterns, truth, search.prior, steps=3)
    capacity = torch.ones(12, 4, dtype=torch.long)
    seen = search.dictionaries[0].model.seen(patterns)
    proposals = search.dictionaries[0].propose(seen, current, count=2, capacity=capacity)
    swaps = proposals.rows(proposals.other >= 0)
    assert len(swaps.pattern) == 12
    applied, before = swaps.applied(current.copies), truth.material[swaps.pattern]
    assert torch.equal(applied.material, before.flip(1))
    # They explain the pattern worse: the materials are where they belong.
    assert (swaps.gain < 0).double().mean() > 0.8


def test_strains_cover_the_range() -> None:
    for own in range(7):
        strains = strains_of(own, 6, 0.05, 0.15)
        assert strains.shape[1] == 6 and strains.abs().max() <= 0.05 + 1e-7
        assert not strains[:, own:].any()
        if own:
            assert strains[:, :own].std(0).min() > 0.02
    # Sharper patterns need a denser grid.
    assert len(strains_of(2, 2, 0.05, 0.05)) > len(strains_of(2, 2, 0.05, 0.15))


def test_what_may_not_stand_there_changes_nothing_for_the_others(setting: Setting) -> None:
    drawn = setting.drawn(6, seed=44)
    patterns, search = setting.sampler.make(drawn).patterns, setting.search
    dictionary = search.dictionaries[0]
    seen = dictionary.model.seen(patterns)
    nothing = fit(search.sharp, patterns, search.empty(6), search.prior, steps=1)
    anything = dictionary.propose(seen, nothing, count=4, capacity=torch.ones(6, 4, dtype=torch.long))
    only = torch.zeros(6, 4, dtype=torch.long)
    only[:, 1] = 1
    some = dictionary.propose(seen, nothing, count=4, capacity=only)
    some = some.rows(some.gain > -torch.inf)
    same = anything.rows(anything.material == 1)
    assert set(some.material.tolist()) == {1}
    assert torch.allclose(some.gain, same.gain, rtol=1e-4)
    assert torch.equal(some.strain, same.strain)
    none = dictionary.propose(seen, nothing, count=4, capacity=torch.zeros(6, 4, dtype=torch.long))
    assert not len(none.pattern)
