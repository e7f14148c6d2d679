"""Fits of many patterns at once."""

from __future__ import annotations

import itertools

import pytest
import torch

from mixrd.paper.figure1_settings import Figure1Settings
from mixrd.paper.floor import NoiseFloor
from mixrd.paper.refinement.copies import Copies
from mixrd.paper.refinement.fitting import Prior, fit
from tests.paper.refinement.conftest import Setting


def disturbed(copies: Copies, components: torch.Tensor, size: float) -> Copies:
    generator = torch.Generator().manual_seed(1)
    noise = size * torch.randn(copies.strain.shape, generator=generator)
    noise = noise * (torch.arange(noise.shape[2]) < components[copies.material].unsqueeze(-1))
    return Copies(copies.material, copies.strain + noise, copies.shape + 0.1)


def test_finds_back_and_scatters_as_the_bound_says(setting: Setting) -> None:
    drawn = setting.drawn(64, seed=11)
    batch, truth, search = setting.sampler.make(drawn), setting.copies(drawn), setting.search
    start = disturbed(truth, search.lines.components, 1e-3)
    found = fit(search.sharp, batch.patterns, start, search.prior, steps=20)
    assert found.converged.double().mean() > 0.9
    part = drawn.fraction[:, 0].float()
    share = found.coefficients[:, 0] / found.coefficients[:, :2].sum(1)
    # With two phases the TVD is the error of either fraction.
    floor = NoiseFloor(setting.recipe, setting.settings).of(drawn)
    assert float((share - part).abs().mean()) < 1.3 * float(floor.tvd.mean())
    assert (found.copies.strain - truth.strain).abs().median() < 1e-3
    assert torch.allclose((found.cost / 2667).sqrt(), drawn.noise.sigma.flatten().float(), rtol=0.1)
    # Its own uncertainty: about two thirds within one sigma.
    total = found.coefficients[:, :2].sum(1)
    slope = torch.stack([1 - share, -share], dim=1) / total.unsqueeze(1)
    sigma = torch.einsum("bi,bij,bj->b", slope, found.spread, slope).sqrt()
    assert 0.5 < float(((share - part).abs() < sigma).double().mean()) < 0.85


def test_a_pattern_does_not_depend_on_its_batch(setting: Setting) -> None:
    drawn = setting.drawn(5, seed=2)
    batch, search = setting.sampler.make(drawn), setting.search
    start = disturbed(setting.copies(drawn), search.lines.components, 1e-3)
    together = fit(search.sharp, batch.patterns, start, search.prior, steps=6)
    alone = fit(search.sharp, batch.patterns[3:4], start.rows(slice(3, 4)), search.prior, steps=6)
    assert torch.allclose(together.cost[3:4], alone.cost, rtol=1e-4)
    assert torch.allclose(together.coefficients[3:4], alone.coefficients, atol=1e-3)


def test_stays_within_the_ranges_that_patterns_are_drawn_from(setting: Setting) -> None:
    drawn = setting.drawn(8, seed=4)
    batch, search = setting.sampler.make(drawn), setting.search
    wrong = disturbed(setting.copies(drawn), search.lines.components, 0.2)
    found = fit(search.levels[0], search.levels[0].seen(batch.patterns), wrong, search.prior, steps=8)
    assert found.copies.strain.abs().max() <= search.prior.max_strain + 1e-6
    for column, (low, high) in enumerate(search.prior.shape):
        value = found.copies.shape[:, column]
        assert (value >= low - 1e-5).all() and (value <= high + 1e-5).all()
    assert (found.coefficients >= 0).all()


def test_cost_never_rises(setting: Setting) -> None:
    drawn = setting.drawn(8, seed=6)
    batch, search = setting.sampler.make(drawn), setting.search
    start = disturbed(setting.copies(drawn), search.lines.components, 5e-3)
    costs = [
        fit(search.sharp, batch.patterns, start, search.prior, steps=steps).cost for steps in (1, 3, 6, 12)
    ]
    for former, later in itertools.pairwise(costs):
        assert (later <= former * (1 + 1e-5)).all()


def test_prior_of_the_number_of_copies() -> None:
    distinct = Prior.of(Figure1Settings(max_phases=3, kind="exactly_distinct"), 0.05, 10)
    # Eight could stand in the place of each.
    assert distinct.by_number == pytest.approx((0, 2.773, 5.545, 8.318), abs=1e-3)
    assert distinct.fraction_width == 0
    drawn = Prior.of(Figure1Settings(max_phases=3), 0.05, 10)
    # N^k / (k! (k - 1)!): 10, 50, 83.3
    assert drawn.by_number == pytest.approx((0, 4.605, 7.824, 8.846), abs=1e-3)
