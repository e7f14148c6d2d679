"""All architectures through the one interface."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import candidates
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from mixrd.errors import ModelError, ParameterError
from mixrd.network import (
    FittedEstimator,
    FractionEstimator,
    NetworkEstimator,
    architectures,
    build,
    build_trainable,
    fractions_from,
    load_estimator,
)

POINTS, MATERIALS = 1500, 3
NAMES = [a.name for a in architectures()]
NETWORKS = [a.name for a in architectures() if a.learns_by == "gradient"]
#: Sizes that build in a blink.
OPTIONS: dict[str, dict[str, Any]] = {
    "table1": {"hidden": 8},
    "compact-scan": {"size_nm": (10.0, 400.0)},
    "matched": candidates.SMALL,
    "matched-fits": candidates.SMALL,
    "matched-fits-3": candidates.SMALL,
    "random_forest": {"trees": 7},
}


def references() -> Tensor:
    """(M, N) peaks of three materials, at other places each."""
    grid = torch.arange(POINTS, dtype=torch.float32)
    centres = 100 + 130 * torch.arange(9).view(MATERIALS, 3) + 20 * torch.arange(3).view(3, 1)
    return torch.exp(-0.5 * ((grid - centres.unsqueeze(-1)) / 6) ** 2).sum(1)


def mixtures(number: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    fractions = -torch.rand(number, MATERIALS, generator=generator).log()
    fractions = fractions / fractions.sum(1, keepdim=True)
    patterns = fractions @ references()
    return patterns + 0.01 * torch.randn(patterns.shape, generator=generator), fractions


def ready(name: str) -> FractionEstimator:
    """An estimator of that architecture, fitted where it has to be."""
    options = OPTIONS.get(name, {})
    built = build(name, points=POINTS, materials=MATERIALS, seed=1, **options)
    if isinstance(built, nn.Module):
        return NetworkEstimator(
            name, built, loss="tvd", points=POINTS, materials=MATERIALS, options=dict(options)
        )
    if name == "nnls":
        built.fit(references(), torch.eye(MATERIALS))
    else:
        built.fit(*mixtures(60))
    return built


def test_names() -> None:
    assert NAMES == [
        "compact", "compact-heads", "compact-scan", "knn", "matched", "matched-fits", "matched-fits-3", "mlp",
        "nnls", "random_forest", "table1",
    ]  # fmt: skip
    assert sorted({*NAMES} - {*NETWORKS}) == ["knn", "nnls", "random_forest"]
    assert all(len(a.description) < 80 for a in architectures())
    page = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text(encoding="utf-8")
    (row,) = (line for line in page.splitlines() if line.startswith("| `--architecture` |"))
    # The last needs the range of sizes, which patterns of the paper do not have.
    assert {name for name in NAMES if f"`{name}`" not in row} == {"compact-scan"}
    with pytest.raises(ParameterError, match="needs size_nm") as raised:
        build("compact-scan", points=POINTS, materials=MATERIALS)
    assert "compact, compact-heads, mlp, table1" in raised.value.remedy


@pytest.mark.parametrize("name", NAMES)
def test_every_estimator_has_the_interface_and_survives_its_file(name: str, tmp_path: Path) -> None:
    estimator = ready(name)
    assert isinstance(estimator, FractionEstimator)
    assert (estimator.name, estimator.points, estimator.materials) == (name, POINTS, MATERIALS)
    patterns, _ = mixtures(5, seed=9)
    before = estimator.predict(patterns)
    assert before.shape == (5, MATERIALS) and before.dtype == torch.float32
    assert (before >= 0).all() and torch.allclose(before.sum(1), torch.ones(5), atol=1e-5)
    path = tmp_path / "estimator.safetensors"
    estimator.save(path, recipe={"n": 3})
    assert list(tmp_path.iterdir()) == [path], "nothing is left beside it"
    loaded = load_estimator(path)
    assert torch.equal(loaded.predict(patterns), before)
    assert loaded.parameters_count == estimator.parameters_count > 0
    assert 0 < path.stat().st_size - estimator.size_bytes < 30_000
    with safe_open(path, framework="pt") as file:
        header = json.loads(file.metadata()["mixrd-fractions"])
    assert header["recipe"] == {"n": 3} and header["architecture"] == name


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(4, POINTS - 1), (POINTS,), (2, 1, POINTS)])
def test_patterns_of_another_shape_are_refused(name: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(ParameterError, match="do not fit"):
        ready(name).predict(torch.rand(shape))


@pytest.mark.parametrize("name", NETWORKS)
def test_the_seed_decides_the_first_weights(name: str) -> None:
    def weights(seed: int) -> Tensor:
        network = build_trainable(
            name, points=POINTS, materials=MATERIALS, seed=seed, **OPTIONS.get(name, {})
        )
        return torch.cat([p.flatten() for p in network.parameters()])

    torch.manual_seed(5)
    state = torch.random.get_rng_state()
    one = weights(1)
    assert torch.equal(torch.random.get_rng_state(), state)
    torch.manual_seed(6)
    assert torch.equal(one, weights(1))
    assert not torch.equal(one, weights(2))


@pytest.mark.parametrize("name", ["compact", "mlp"])
@pytest.mark.parametrize("factor", [1e-3, 1e5])
def test_the_unit_of_the_pattern_does_not_matter(name: str, factor: float) -> None:
    estimator = ready(name)
    patterns, _ = mixtures(3)
    assert torch.allclose(estimator.predict(patterns), estimator.predict(factor * patterns), atol=1e-4)


@pytest.mark.parametrize("name", NETWORKS)
def test_half_precision_halves_the_file(name: str, tmp_path: Path) -> None:
    estimator = ready(name)
    assert isinstance(estimator, NetworkEstimator)
    whole, half = tmp_path / "whole", tmp_path / "half"
    estimator.save(whole)
    estimator.save(half, half=True)
    assert half.stat().st_size < 0.52 * whole.stat().st_size + 20_000
    patterns, _ = mixtures(4)
    assert torch.allclose(load_estimator(half).predict(patterns), estimator.predict(patterns), atol=5e-3)


def test_a_network_predicts_as_its_scores_say() -> None:
    network = build_trainable("mlp", points=POINTS, materials=MATERIALS).eval()
    patterns, _ = mixtures(700)
    for loss in ("tvd", "dirichlet"):
        estimator = NetworkEstimator("mlp", network, loss=loss, points=POINTS, materials=MATERIALS)
        with torch.no_grad():
            expected = fractions_from(network(patterns), loss)
        assert torch.allclose(estimator.predict(patterns), expected, atol=1e-6)


def test_unknown_names_and_options() -> None:
    with pytest.raises(ParameterError, match="compact, compact-heads"):
        build("transformer", points=POINTS, materials=3)
    with pytest.raises(ParameterError, match="widths"):
        build("compact", points=POINTS, materials=3, depth=3)
    with pytest.raises(ParameterError, match="from 1"):
        build("mlp", points=POINTS, materials=0)
    with pytest.raises(
        ParameterError,
        match="Trained are: compact, compact-heads, compact-scan, matched, matched-fits, matched-fits-3, mlp",
    ):
        build_trainable("knn", points=POINTS, materials=3)


def changed(path: Path, *, header: dict[str, object], drop: str | None = None) -> Path:
    with safe_open(path, framework="pt") as file:
        tensors = {key: file.get_tensor(key) for key in file.keys() if key != drop}  # noqa: SIM118
        content = json.loads(file.metadata()["mixrd-fractions"])
    target = path.with_name("changed")
    save_file(tensors, target, metadata={"mixrd-fractions": json.dumps({**content, **header})})
    return target


@pytest.mark.parametrize("name", ["mlp", "knn", "random_forest", "nnls"])
def test_damaged_files_are_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / "estimator"
    ready(name).save(path)
    with safe_open(path, framework="pt") as file:
        tensors = list(file.keys())
    wrong: list[dict[str, object]] = [
        {"architecture": "no such"},
        {"architecture": None},
        {"materials": 4},
        {"points": 1499},
        {"options": {"no_such": 1}},
        {"options": None},
        {"format": 0},
    ]
    if name == "random_forest":
        # Nothing in a forest says how many points lie beyond the last that it compares.
        wrong.remove({"points": 1499})
    for header in wrong:
        with pytest.raises(ModelError) as raised:
            load_estimator(changed(path, header=header))
        assert raised.value.file is not None, header
    for tensor in tensors:
        if tensor.endswith("num_batches_tracked"):
            continue  # counts the steps of a training; torch does without
        with pytest.raises(ModelError):
            load_estimator(changed(path, header={}, drop=tensor))
    for content in (b"", path.read_bytes()[:100], pickle.dumps({"a": 1})):
        path.write_bytes(content)
        with pytest.raises(ModelError, match="not a readable"):
            load_estimator(path)
    with pytest.raises(ModelError, match="no such file"):
        load_estimator(tmp_path / "none")


def test_a_file_in_no_folder(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be written"):
        ready("mlp").save(tmp_path / "no" / "folder")


@pytest.mark.parametrize("name", ["knn", "random_forest", "nnls"])
def test_what_was_not_fitted_says_so(name: str, tmp_path: Path) -> None:
    estimator = build(name, points=POINTS, materials=MATERIALS)
    assert isinstance(estimator, FittedEstimator)
    with pytest.raises(ModelError, match="not fitted"):
        estimator.predict(torch.rand(1, POINTS))
    with pytest.raises(ModelError, match="not fitted"):
        estimator.save(tmp_path / "empty")
    for fractions in (torch.rand(4, MATERIALS + 1), torch.rand(3, MATERIALS)):
        with pytest.raises(ParameterError, match="do not fit"):
            estimator.fit(torch.rand(4, POINTS), fractions)
