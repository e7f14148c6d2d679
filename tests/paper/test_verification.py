"""The check on fresh patterns."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from mixrd.errors import ModelError, ParameterError
from mixrd.network import load_estimator, total_variation_distance
from mixrd.paper import Materials, paper_materials, run_grid, verify
from mixrd.paper.ship import main, ship
from mixrd.paper.verification import figure1_of


@pytest.fixture(scope="module")
def trained(cells, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("out")
    (cell,) = cells(architectures=["compact"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MIXRD_CACHE", str(folder / "cache"))
        run_grid([cell], folder)
    return folder / f"{cell.name}.safetensors"


@pytest.fixture
def model(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(trained, tmp_path))


def test_fresh_patterns_each_time_and_the_same_with_a_seed(model: Path) -> None:
    one, other = (verify(2, 2, model=model, patterns=50, with_refinement=False) for _ in range(2))
    assert one.seed != other.seed and one.network.mean != other.network.mean
    again = verify(2, 2, model=model, patterns=50, seed=one.seed, with_refinement=False)
    assert again.network == one.network
    plain = one.to_dict()
    assert plain["network"] == one.network.mean and plain["patterns"] == 50
    assert plain["refined"] is None and plain["bound"] is None


def test_refinement_and_noise_floor_of_the_same_patterns(model: Path) -> None:
    counted: list[int] = []
    found = verify(2, 2, model=model, patterns=20, seed=1, tell=counted.append)
    assert sum(counted) == 20
    alone = verify(2, 2, model=model, patterns=20, seed=1, with_refinement=False)
    assert found.network.mean == pytest.approx(alone.network.mean)
    assert 0 < found.bound < found.network.mean
    assert found.refined < 0.3 * found.network.mean and found.refined_told_phases < 0.3 * found.network.mean
    plain = found.to_dict()
    assert plain["details"]["refined"]["mean"] == plain["refined"] and plain["bound_capped"] == 0
    # Of these patterns, and not of the test after the training.
    other = verify(2, 2, model=model, patterns=20, seed=2)
    assert other.bound != found.bound and other.refined != found.refined
    assert verify(2, 2, model=model, patterns=20, seed=1).refined == found.refined


def test_judges_on_the_test_split(cells, model: Path) -> None:
    """The same as the network on mixtures of the test's own line lists, made without `verify`."""
    from mixrd.paper.dataset import build_dataset
    from mixrd.paper.figure1 import Figure1Sampler

    (cell,) = cells()
    dataset = build_dataset(cell.protocol.dataset(cell.crystals))
    sampler = Figure1Sampler(dataset.part("test"), cell.figure1())
    batch = sampler.draw(512, generator=torch.Generator().manual_seed(3))
    estimated = load_estimator(model).predict(batch.patterns)
    expected = total_variation_distance(estimated, batch.fractions).double().mean()
    found = verify(2, 2, model=model, patterns=512, seed=3, with_refinement=False)
    assert found.network.mean == pytest.approx(float(expected), rel=1e-6)


def test_agrees_with_the_test_of_the_training(model: Path) -> None:
    found = verify(2, 2, model=model, patterns=500, with_refinement=False)
    error = (found.network.standard_error**2 + found.recorded.standard_error**2) ** 0.5
    assert abs(found.network.mean - found.recorded.mean) < 5 * error


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"n": 2, "k": 3}, "k = 2"),
        ({"n": 3, "k": 2}, "n = 2"),
        ({"n": 2, "k": 2, "kind": "exactly_distinct"}, "k = 2"),
    ],
)
def test_another_setting_than_the_models(model: Path, arguments: dict, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        verify(**arguments, model=model)


def test_other_materials_than_the_models(model: Path) -> None:
    with pytest.raises(ModelError, match="other materials"):
        verify(2, 2, model=model, materials=paper_materials("stones"))


def test_where_none_ships_the_error_names_the_command() -> None:
    with pytest.raises(ModelError, match="mixrd paper run --n 13 --k 4"):
        verify(13, 4)
    with pytest.raises(ModelError, match="--kind exactly_distinct"):
        verify(20, 7)


@pytest.mark.parametrize("arguments", [{"patterns": 1}, {"patterns": 10**7}, {"seed": -1}])
def test_values_out_of_range(model: Path, arguments: dict) -> None:
    with pytest.raises(ParameterError, match=next(iter(arguments))):
        verify(2, 2, model=model, **arguments)


def test_a_shipped_network_is_found(model: Path, tmp_path: Path, monkeypatch) -> None:
    import importlib

    module = importlib.import_module("mixrd.paper.verification")
    (tmp_path / "data").mkdir()
    monkeypatch.setattr(module, "files", lambda package: tmp_path)
    path = ship(model)
    assert path == tmp_path / "data" / "paper-2-2.safetensors"
    first, second = (verify(2, 2, patterns=20, model=m, with_refinement=False) for m in (None, model))
    assert first.recorded == second.recorded
    assert main([str(model)]) == 0 and main([]) == 2 and main([str(tmp_path / "none")]) == 1


def test_a_network_that_is_no_better_than_its_word_ships_not(model: Path, monkeypatch) -> None:
    import importlib
    import json

    from safetensors import safe_open
    from safetensors.torch import save_file

    with safe_open(model, framework="pt") as file:
        header = json.loads(file.metadata()["mixrd-fractions"])
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    header["recipe"]["test"]["mean"] = 0.001
    save_file(tensors, model, metadata={"mixrd-fractions": json.dumps(header)})
    with pytest.raises(ModelError, match="fresh patterns"):
        ship(model)
    monkeypatch.setattr(importlib.import_module("mixrd.paper.ship"), "MOST_BYTES", 1000)
    with pytest.raises(ModelError, match="bytes"):
        ship(model)


def test_settings_survive_as_plain_data(cells) -> None:
    (cell,) = cells()
    assert figure1_of(cell.recipe["figure1"]) == cell.figure1()


def test_stones_are_seven_phases_of_the_catalog() -> None:
    stones = paper_materials("stones")
    assert isinstance(stones, Materials) and len(stones.crystals) == 7
    with pytest.raises(ParameterError, match="n = 8"):
        stones.first(8)
