"""What makes a phase credible, and what a fit leaves over."""

from __future__ import annotations

import torch

from mixrd.paper.refinement.copies import Copies
from mixrd.paper.refinement.evidence import unexplained
from mixrd.paper.refinement.fitting import fit
from tests.paper.refinement.conftest import Setting


def test_noise_is_explained_and_a_peak_is_not() -> None:
    noise = 0.05 * torch.randn(40, 2667, generator=torch.Generator().manual_seed(0))
    plain = unexplained(noise)
    assert plain.abs().mean() < 0.15 and plain.abs().max() < 0.4
    point = torch.arange(2667.0)
    peak = 0.2 * torch.exp(-0.5 * ((point - 900) / 6) ** 2)
    assert (unexplained(noise + peak) > plain + 0.2).all()
    # The unit does not matter.
    assert torch.allclose(unexplained(1000 * noise), plain, atol=1e-3)


def test_a_copy_has_to_be_worth_its_parameters(setting: Setting) -> None:
    """A material that is not there lowers the cost, but not the score; one that is there lowers both."""
    drawn = setting.drawn(60, seed=21)
    batch, truth, search = setting.sampler.make(drawn), setting.copies(drawn), setting.search
    there = truth.material[:, 0]
    alone = Copies(torch.stack([there, torch.full_like(there, -1)], dim=1), truth.strain, truth.shape)
    with_both = fit(search.sharp, batch.patterns, truth, search.prior, steps=12)
    with_one = fit(search.sharp, batch.patterns, alone, search.prior, steps=12)
    large = drawn.fraction.amin(1) > 0.15
    assert (with_both.score < with_one.score)[large].all()
    # The noise of these patterns alone, and a pure phase: a second one is never credible.
    second = search.sharp.render(with_both.copies).columns[:, 1]
    pure = batch.patterns - second * with_both.coefficients[:, 1:2]
    one = fit(search.sharp, pure, alone, search.prior, steps=12)
    absent = (there + 1) % 4
    strain = truth.strain.clone()
    strain[:, 1] = 0
    more = Copies(torch.stack([there, absent], dim=1), strain, truth.shape)
    two = fit(search.sharp, pure, more, search.prior, steps=12)
    assert (two.cost <= one.cost * (1 + 1e-4)).double().mean() > 0.9
    assert (two.score < one.score - 0.5).double().mean() < 0.05
