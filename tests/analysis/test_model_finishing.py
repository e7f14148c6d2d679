from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

import mixrd
from mixrd.analysis import model_finishing as module
from mixrd.analysis.interval_calibration import calibrate_network
from mixrd.analysis.model_finishing import finished_model
from mixrd.analysis.result.model_intervals import ModelIntervals
from mixrd.crystal import Crystal
from mixrd.errors import ModelError
from mixrd.mixture import Composition, simulate
from mixrd.network import Model
from mixrd.pattern import Instrument
from mixrd.training import Recipe, TrainingProgress, cached_model, train
from mixrd.training.cache import model_path


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MIXRD_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Few patterns; the list of what was calibrated."""
    done: list[str] = []

    def network(*arguments: object, **settings: object) -> object:
        done.append("network")
        return calibrate_network(*arguments, patterns=200, **settings)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "calibrate_network", network)
    yield done


@pytest.fixture(scope="module")
def recipe(crystals: list[Crystal], instrument: Instrument) -> Recipe:
    coarse = dataclasses.replace(instrument, step=0.08)
    return Recipe(tuple(crystals), coarse, two_theta_range=(21.0, 59.0), steps=4, batch=16)


def of(model: Model) -> ModelIntervals:
    found = ModelIntervals.of(model)
    assert found is not None
    return found


def test_trained_calibrated_and_kept(recipe: Recipe, quick: list[str]) -> None:
    steps: list[TrainingProgress] = []
    model = finished_model(recipe, device="cpu", on_progress=steps.append)
    assert [p.step for p in steps] == [1, 2, 3, 4]
    assert quick == ["network"] and of(model).widening == 1
    cached = cached_model(recipe)
    assert cached is not None and cached.intervals == model.intervals and of(cached) == of(model)
    again = finished_model(recipe, device="cpu", on_progress=steps.append)
    assert len(steps) == 4 and quick == ["network"]
    assert again.intervals == model.intervals and again.sha256 == model.sha256


def test_the_packages_train_gives_intervals(recipe: Recipe, quick: list[str], tmp_path: Path) -> None:
    model = mixrd.train(recipe, device="cpu", out=tmp_path / "two.mixrd")
    assert quick == ["network"] and model.intervals is not None
    names = tuple(crystal.name for crystal in recipe.phases)
    equal = Composition(names, (1.0,) * len(names))
    made = simulate(recipe.phases, equal, recipe.instrument, generator=torch.Generator().manual_seed(1))
    for one in (model, Model.load(tmp_path / "two.mixrd")):
        found = mixrd.analyze(made.scan, [], model=one, refine=False)
        assert found.interval_level == 0.9
        assert all(phase.interval_percent is not None for phase in found.phases)


def test_the_hash_is_that_of_recipe_and_weights(recipe: Recipe) -> None:
    assert train(recipe, device="cpu").sha256 == finished_model(recipe, device="cpu").sha256


def test_a_model_without_intervals_gets_them(recipe: Recipe, quick: list[str]) -> None:
    plain = train(recipe, device="cpu")
    assert plain.intervals is None and ModelIntervals.of(plain) is None
    stale = dataclasses.replace(plain, intervals={"version": 0})
    for before in (plain, stale):
        before.save(model_path(recipe))
        quick.clear()
        finished_model(recipe, device="cpu")
        assert quick == ["network"]


def test_a_model_that_widens_intervals_of_refinements_stays_as_it_is(
    recipe: Recipe, quick: list[str]
) -> None:
    model = finished_model(recipe, device="cpu")
    older = {"widening": 1.2, "scans": 2, "intervals": 4, "covered": 0.75}
    dataclasses.replace(model, intervals={**(model.intervals or {}), "refinement": older}).save(
        model_path(recipe)
    )
    again = finished_model(recipe, device="cpu")
    assert again.intervals is not None and again.intervals["refinement"] == older
    assert of(again) == dataclasses.replace(of(model), widening=1.2)
    assert quick == ["network"]


def test_same_recipe_same_intervals(recipe: Recipe, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = finished_model(recipe, device="cpu")
    monkeypatch.setenv("MIXRD_CACHE", str(cache / "other"))
    assert finished_model(recipe, device="cpu").intervals == first.intervals
    other = finished_model(dataclasses.replace(recipe, seed=1), device="cpu")
    assert other.intervals != first.intervals


def test_a_cache_that_cannot_be_written(recipe: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    train(recipe, device="cpu")

    def refuses(*_: object, **__: object) -> None:
        raise ModelError("no space", remedy="Make room")

    monkeypatch.setattr(Model, "save", refuses)
    assert of(finished_model(recipe, device="cpu")).network.level == 0.9


@pytest.mark.parametrize("wrong", [3, "text", [1, 2]])
def test_intervals_that_are_none_make_a_bad_file(recipe: Recipe, wrong: object, tmp_path: Path) -> None:
    model = dataclasses.replace(train(recipe, device="cpu"), intervals=wrong)  # type: ignore[arg-type]
    model.save(tmp_path / "bad.mixrd")
    with pytest.raises(ModelError, match="fit together"):
        Model.load(tmp_path / "bad.mixrd")
