"""Patterns and derivatives against plain sums over lines, and blurred against sharp ones."""

from __future__ import annotations

import pytest
import torch

from mixrd.paper.floor import NoiseFloor
from mixrd.paper.refinement.copies import ETA, LOG_DECAY, LOG_SIZE, Copies, amplitudes_of
from mixrd.paper.refinement.pattern_model import PatternModel
from mixrd.pattern import take_rows
from tests.paper.refinement.conftest import Setting, relative_error


@pytest.mark.parametrize("row", range(4))
def test_agrees_with_a_plain_sum(setting: Setting, row: int) -> None:
    drawn = take_rows(setting.drawn(4, seed=3), slice(row, row + 1))
    exact = NoiseFloor(setting.recipe, setting.settings).model(drawn)
    copies, model = setting.copies(drawn), setting.search.sharp
    amplitudes = amplitudes_of(copies, model.lines.components)
    rendered = model.render(copies, amplitudes)
    assert relative_error(rendered.columns[0, :2].T, exact.by_mass) < 5e-3
    masses = exact.masses.float().unsqueeze(0)
    slot = amplitudes.slot[0]
    strains = rendered.by_strain[0] * masses[0, slot].unsqueeze(1)
    count = len(strains)
    assert relative_error(strains.T, exact.by_nuisance[:, :count]) < 1e-2
    level = drawn.background.level.view(1, 1).float()
    shape = model.by_shape(copies, rendered, torch.cat([masses, level], dim=1))[0]
    size, eta, _, decay = exact.by_nuisance[:, count:].T
    assert relative_error(shape[LOG_SIZE], size * float(drawn.size_nm)) < 1e-2
    assert relative_error(shape[ETA], eta) < 1e-2
    assert relative_error(shape[LOG_DECAY], decay * float(drawn.background.decay_deg)) < 1e-4


@pytest.mark.parametrize("level", range(3))
def test_a_blurred_model_sees_what_a_blurred_pattern_shows(setting: Setting, level: int) -> None:
    copies = setting.copies(setting.drawn(3, seed=5))
    model, sharp = setting.search.levels[level], setting.search.sharp
    blurred = model.render(copies).columns[:, :2].sum(1)
    seen = model.seen(sharp.render(copies).columns[:, :2].sum(1))
    inside = model.counted.bool()
    assert relative_error(blurred[:, inside], seen[:, inside]) < 3e-2
    assert not seen[:, ~inside].any() and not blurred[:, ~inside].any()


def test_an_empty_slot_is_a_column_of_zeros(setting: Setting) -> None:
    copies = setting.copies(setting.drawn(2))
    empty = Copies(torch.tensor([[-1, -1], [0, -1]]), copies.strain, copies.shape)
    sharp = setting.search.sharp
    rendered = sharp.render(empty, amplitudes_of(empty, sharp.lines.components))
    assert not rendered.columns[0, :2].any() and not rendered.columns[1, 1].any()
    assert rendered.columns[1, 0].any() and rendered.by_strain.shape[1] == 2


def test_what_is_off_the_grid_is_left_out(setting: Setting) -> None:
    model = PatternModel(setting.search.lines, setting.settings, blur_deg=0.0, every=1)
    drawn = setting.drawn(6, seed=7)
    rendered = model.render(setting.copies(drawn))
    table = setting.sampler._sticks[drawn.pattern]
    # The sum over a column is the area on the grid, but for tails and what crosses the ends.
    expected = table.sum(2) / setting.settings.step_deg
    assert torch.allclose(rendered.columns[:, :2].sum(2), expected, rtol=0.1)
