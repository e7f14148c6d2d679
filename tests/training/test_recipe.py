from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mixrd.crystal import Crystal
from mixrd.diffraction import radiation
from mixrd.errors import CrystalError, RadiationError, RecipeError
from mixrd.mixture import SampleRanges
from mixrd.network import Problem
from mixrd.pattern import DetectorRanges, ImpurityRanges, Profile, SpikeRanges, load_instrument
from mixrd.phases import load_phase
from mixrd.training import LEAD_DEG, Recipe, first_reflection_deg
from mixrd.training import recipe as recipe_module
from mixrd.training.recipe import FEWEST_POINTS, MOST_POINTS

LAB = load_instrument("lab-cu")
CUBIC = (load_phase("fluorite"), load_phase("halite"))


def changed(recipe: Recipe, **settings: Any) -> Recipe:
    return dataclasses.replace(recipe, **settings)


OTHERS: dict[str, dict[str, Any]] = {
    "phases": {"phases": CUBIC[:1]},
    "order": {"phases": CUBIC[::-1]},
    "cell": {"phases": (dataclasses.replace(CUBIC[0], cell=(5.47, 5.47, 5.47, 90.0, 90.0, 90.0)), CUBIC[1])},
    "two_theta_range": {"two_theta_range": (20.0, 59.0)},
    "steps": {"steps": 13},
    "batch": {"batch": 20},
    "learning_rate": {"learning_rate": 1e-3},
    "seed": {"seed": 1},
    "architecture": {"architecture": "mlp"},
    "radiation": {"instrument": dataclasses.replace(LAB, radiation=radiation("CoKa"))},
    "one line": {"instrument": dataclasses.replace(LAB, radiation=radiation("CuKa1"))},
    "monochromator": {"instrument": dataclasses.replace(LAB, monochromator_two_theta=26.6)},
    "radius": {"instrument": dataclasses.replace(LAB, goniometer_radius_mm=173.0)},
    "profile": {"instrument": dataclasses.replace(LAB, profile=Profile(w=0.0051))},
    "step": {"instrument": dataclasses.replace(LAB, step=0.021)},
    **{f.name: {"ranges": dataclasses.replace(SampleRanges(), **{f.name: value})} for f, value in zip(
        dataclasses.fields(SampleRanges),
        (0.011, (20.0, 900.0), 0.002, 1.4, 0.06, 0.2, 0.2, (0.003, 0.4), (1e3, 1e4), 0.2, 0.4, 0.1, 0.5,
         ImpurityRanges(), SpikeRanges(), DetectorRanges()),
        strict=True,
    )},
}  # fmt: skip


@pytest.mark.parametrize("what", OTHERS)
def test_every_setting_changes_the_hash(recipe: Recipe, what: str) -> None:
    base = changed(recipe, instrument=LAB)
    other = changed(base, **OTHERS[what])
    assert other.sha256 != base.sha256


def test_the_hash_is_that_of_the_content(recipe: Recipe) -> None:
    again = Recipe(
        tuple(load_phase(c.name) for c in recipe.phases),
        dataclasses.replace(recipe.instrument),
        steps=recipe.steps,
        batch=recipe.batch,
    )
    assert again is not recipe
    assert again.sha256 == recipe.sha256


@pytest.mark.parametrize("name", ["FORWARD_MODEL_VERSION", "SAMPLER_VERSION", "NETWORK_VERSION"])
def test_what_it_is_trained_with_is_part_of_the_hash(
    name: str, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = recipe.sha256
    monkeypatch.setattr(recipe_module, name, getattr(recipe_module, name) + 1)
    assert recipe.sha256 != before


def test_as_plain_data(recipe: Recipe) -> None:
    data = json.loads(json.dumps(recipe.to_dict(), allow_nan=False))
    assert data["steps"] == 12
    assert [Crystal.from_dict(c) for c in data["phases"]] == list(recipe.phases)


def test_the_hash_is_as_before_there_was_a_choice(recipe: Recipe) -> None:
    assert "architecture" not in recipe.to_dict()
    assert (Recipe(CUBIC, LAB).batch, Recipe(CUBIC, LAB).learning_rate) == (192, 3e-3)
    assert Recipe(CUBIC, LAB, architecture="mlp").to_dict()["architecture"] == "mlp"


def test_settings_suit_the_architecture(recipe: Recipe) -> None:
    chosen = Recipe(CUBIC, LAB, steps=100, architecture="mlp", seed=3).settings(torch.device("cpu"))
    assert (chosen.batch, chosen.learning_rate, chosen.steps, chosen.seed) == (64, 2e-3, 100, 3)
    usual = recipe.settings(torch.device("cpu"))
    assert (usual.weight_decay, usual.schedule, usual.largest_gradient) == (1e-4, "cosine", 1.0)
    assert chosen.weight_decay == 0


@pytest.mark.parametrize(
    ("name", "said"), [("matched", "needs bases, lines"), ("knn", "not trained but fitted")]
)
def test_architectures_that_scans_cannot_have(recipe: Recipe, name: str, said: str) -> None:
    with pytest.raises(RecipeError, match=said) as raised:
        changed(recipe, architecture=name)
    assert "compact, compact-heads, compact-scan, mlp, table1" in raised.value.remedy


@pytest.mark.parametrize(
    "wrong",
    [
        {"phases": ()},
        {"steps": 0},
        {"batch": 7},
        {"learning_rate": 0.0},
        {"learning_rate": float("nan")},
        {"seed": -1},
        {"seed": 2**62},
        {"two_theta_range": (60.0, 20.0)},
        {"two_theta_range": (30.0, 30.0)},
        {"two_theta_range": (float("nan"), 60.0)},
        {"two_theta_range": (10.0, 200.0)},
        {"two_theta_range": (-5.0, 60.0)},
    ],
)
def test_recipes_that_cannot_be(recipe: Recipe, wrong: dict[str, Any]) -> None:
    with pytest.raises(RecipeError) as raised:
        changed(recipe, **wrong)
    assert raised.value.remedy and raised.value.exit_code == 2


def test_the_same_structure_twice_is_refused(recipe: Recipe) -> None:
    twin = dataclasses.replace(CUBIC[0], name="fluorspar")
    with pytest.raises(CrystalError, match="same structure"):
        changed(recipe, phases=(CUBIC[0], twin))


def test_a_phase_without_a_reflection_in_the_range_is_refused(recipe: Recipe) -> None:
    with pytest.raises(RadiationError, match="halite has no reflection"):
        changed(recipe, two_theta_range=(28.0, 31.0)).problem()


def test_a_range_of_a_few_points_is_refused(recipe: Recipe) -> None:
    with pytest.raises(RecipeError, match="points"):
        changed(recipe, two_theta_range=(27.0, 32.2)).problem()


def assert_sound(problem: Problem, low: float, high: float) -> None:
    assert FEWEST_POINTS <= problem.points <= MOST_POINTS
    # Whole bins lie within the range, so that a scan of the range fills every one.
    assert problem.bin_edges[0] >= low
    assert problem.bin_edges[-1] <= high
    # Hardly anything of the range is left out at its end.
    assert high - problem.bin_edges[-1] < 3 * problem.step + problem.instrument.step


@settings(max_examples=60, deadline=None)
@given(
    st.floats(3, 24),
    st.floats(50, 155),
    st.sampled_from([0.004, 0.0109, 0.02, 0.0435, 0.1]),
    st.integers(0, 2),
)
def test_the_grid_lies_within_the_range(low: float, high: float, step: float, which: int) -> None:
    phases = [CUBIC, CUBIC[:1], (load_phase("corundum"),)][which]
    instrument = dataclasses.replace(LAB, step=step)
    recipe = Recipe(phases, instrument, two_theta_range=(low, high))
    problem = recipe.problem()
    assert_sound(problem, low, high)
    assert problem.step >= step
    first = first_reflection_deg(phases, instrument, (low, high))
    assert problem.two_theta[0] < first - 0.5, "the first reflection is inside"
    assert problem.two_theta[0] >= first - LEAD_DEG - 1e-6, "and hardly anything before it"


def test_the_problem_repeats_the_recipe(recipe: Recipe) -> None:
    problem = changed(recipe, ranges=SampleRanges(max_strain=0.02, size_nm=(5.0, 50.0))).problem()
    assert problem.crystals == recipe.phases
    assert problem.instrument == recipe.instrument
    assert (problem.max_strain, problem.size_nm) == (0.02, (5.0, 50.0))


def test_ranges_that_differ_by_less_than_a_step_share_a_grid(recipe: Recipe) -> None:
    grids = [changed(recipe, two_theta_range=(20.0 + x, 60.0)).problem().two_theta for x in (0.0, 0.03)]
    assert np.array_equal(*grids)


def test_first_reflection_by_hand() -> None:
    # Halite 111: d = 5.6402 / sqrt(3) angstrom; fluorite 111: d = 5.4638 / sqrt(3) angstrom
    first = first_reflection_deg(CUBIC, LAB, (10.0, 90.0))
    expected = 2 * np.degrees(np.arcsin(1.5405929 * np.sqrt(3) / 2 / CUBIC[1].cell[0]))
    assert first == pytest.approx(expected, abs=0.01)
    assert first_reflection_deg(CUBIC, LAB, (28.0, 90.0)) == pytest.approx(28.3, abs=0.1)
