"""Fractions from refinements."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from mixrd.errors import ParameterError
from mixrd.network.pattern_estimate import PatternEstimate
from mixrd.paper.comparison import copies_told
from mixrd.paper.figure1_settings import Figure1Settings
from mixrd.paper.floor import NoiseFloor
from mixrd.paper.refinement import Refiner
from tests.paper.refinement.conftest import Setting, tvd


def estimate_of(setting: Setting, drawn, presence: torch.Tensor) -> PatternEstimate:
    """What a perfect network would say of strains and shape."""
    truth, components = setting.copies(drawn), setting.search.lines.components[:-1]
    strain = torch.zeros(len(presence), 4, setting.search.lines.most_components)
    for slot in range(truth.material.shape[1]):
        there = truth.material[:, slot] >= 0
        strain[there, truth.material[there, slot]] = truth.strain[there, slot]
    has = torch.arange(strain.shape[2]) < components.unsqueeze(1)
    one = torch.ones(len(presence))
    fractions = presence / presence.sum(1, keepdim=True)
    return PatternEstimate(
        fractions, presence=presence, fraction_sigma=0.05 * fractions,
        strain=strain[:, has], strain_sigma=0.01 * strain[:, has].abs(),
        log_size=truth.shape[:, 0], log_size_sigma=0.1 * one, eta=truth.shape[:, 1], eta_sigma=0.1 * one,
        level=0.1 * one, level_sigma=0.1 * one, log_decay=truth.shape[:, 2], log_decay_sigma=0.1 * one,
    )  # fmt: skip


def test_reaches_the_floor(setting: Setting) -> None:
    drawn = setting.drawn(48, seed=51)
    patterns = setting.sampler.make(drawn).patterns
    counted: list[int] = []
    refined = Refiner(setting.recipe, setting.settings).refine(patterns, tell=counted.append)
    assert sum(counted) == 48
    floor = NoiseFloor(setting.recipe, setting.settings).of(drawn).tvd
    error = tvd(setting, refined.fractions, drawn)
    assert error.mean() < 1.8 * floor.mean() and refined.sound.double().mean() > 0.9
    assert torch.allclose(refined.fractions.sum(1), torch.ones(48), atol=1e-5)
    assert ((refined.sigma > 0) == (refined.fractions > 0)).double().mean() > 0.95


def test_starts_where_the_network_says(setting: Setting) -> None:
    drawn = setting.drawn(6, seed=52)
    truth, refiner = setting.copies(drawn), Refiner(setting.recipe, setting.settings)
    presence = torch.nn.functional.one_hot(truth.material, 4).sum(1) * 0.9 + 0.05
    start = refiner.start(estimate_of(setting, drawn, presence))
    for row in range(6):
        expected = dict(zip(truth.material[row].tolist(), truth.strain[row], strict=True))
        for material, strain in zip(start.material[row].tolist(), start.strain[row], strict=True):
            assert torch.allclose(strain, expected[material])
    assert torch.allclose(start.shape, truth.shape)
    # A network that sees nothing: an empty start, and the search finds the phases all the same.
    blind = estimate_of(setting, drawn, torch.full((6, 4), 0.1))
    assert (refiner.start(blind).material == -1).all()
    refined = refiner.refine(setting.sampler.make(drawn).patterns, blind)
    assert tvd(setting, refined.fractions, drawn).median() < 0.05


def test_copies_of_one_material_are_added_up(replacement: Setting) -> None:
    drawn = replacement.drawn(200, seed=53)
    material = drawn.pattern // replacement.recipe.copies("test")
    twice = (material[:, 0] == material[:, 1]) & (drawn.fraction.amin(1) > 0.2)
    index = torch.nonzero(twice)[:6, 0]
    batch = replacement.sampler.make(drawn)
    patterns, fractions = batch.patterns[index], batch.fractions[index]
    told = copies_told(replacement.recipe, drawn)[index]
    assert (told.amax(1) == 2).all()
    refined = Refiner(replacement.recipe, replacement.settings).refine(patterns)
    assert (0.5 * (refined.fractions - fractions).abs().sum(1)).median() < 0.01
    assert (refined.fitted.copies.material.amin(1) >= 0).double().mean() > 0.5


def test_what_is_no_pattern_is_refused(setting: Setting) -> None:
    refiner = Refiner(setting.recipe, setting.settings)
    patterns = torch.rand(2, 2667)
    for wrong in (patterns[:, :100], patterns[0], patterns / 0 * 0):
        with pytest.raises(ParameterError, match="shape"):
            refiner.refine(wrong)


def test_noise_alone_and_nothing_at_all(setting: Setting) -> None:
    noise = 0.05 * torch.randn(3, 2667, generator=torch.Generator().manual_seed(1))
    noise[2] = 0
    refined = Refiner(setting.recipe, setting.settings).refine(noise)
    assert torch.allclose(refined.fractions.sum(1), torch.ones(3), atol=1e-5)
    assert refined.fractions.isfinite().all() and refined.sigma.isfinite().all()


@pytest.mark.parametrize("changed", [{"shape_per": "phase"}, {"normalisation": "range"}])
def test_what_cannot_be_refined_is_refused(setting: Setting, changed: dict[str, str]) -> None:
    settings: Figure1Settings = dataclasses.replace(setting.settings, **changed)
    with pytest.raises(ParameterError, match=next(iter(changed))):
        Refiner(setting.recipe, settings)
