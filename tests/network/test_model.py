from __future__ import annotations

import ast
import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import save_file

import mixrd
from mixrd.errors import ModelError
from mixrd.network import (
    Model,
    NetworkEstimator,
    Problem,
    build_network,
    build_trainable,
    load_estimator,
    unfit_for_scans,
)

PATTERNS = np.random.default_rng(0).poisson(50.0, (4, 500)).astype(np.float64)


@pytest.fixture
def saved(model: Model, tmp_path: Path) -> Path:
    path = tmp_path / "two.mixrd"
    model.save(path)
    return path


def rewritten(path: Path, header: object, *, drop: str | None = None) -> Path:
    """The model file with another header, or without one tensor."""
    with safe_open(path, framework="pt") as file:
        tensors = {key: file.get_tensor(key) for key in file.keys() if key != drop}  # noqa: SIM118
    target = path.with_name("changed.mixrd")
    text = header if isinstance(header, str) else json.dumps(header)
    save_file(tensors, target, metadata={"mixrd": text})
    return target


def header_of(path: Path) -> dict[str, object]:
    with safe_open(path, framework="pt") as file:
        header: dict[str, object] = json.loads(file.metadata()["mixrd"])
    return header


def test_round_trip_is_exact(model: Model, saved: Path) -> None:
    loaded = Model.load(saved)
    assert loaded.names == ("fluorite", "halite")
    assert loaded.recipe == model.recipe
    assert loaded.history == model.history
    assert loaded.problem.to_dict() == model.problem.to_dict()
    assert loaded.problem.crystals == model.problem.crystals
    assert loaded.problem.instrument == model.problem.instrument
    assert loaded.sha256 == model.sha256
    before, after = model.estimate(PATTERNS), loaded.estimate(PATTERNS)
    for name in ("fractions", "strain", "inverse_size"):
        assert torch.equal(getattr(before, name), getattr(after, name))


@pytest.mark.parametrize("architecture", ["compact", "compact-heads", "mlp"])
def test_other_architectures_survive_their_file(problem: Problem, tmp_path: Path, architecture: str) -> None:
    network = build_network(problem, architecture, seed=1).eval()
    model = Model(problem, network, {"seed": 1}, [], architecture=architecture)
    model.save(tmp_path / "other.mixrd")
    loaded = Model.load(tmp_path / "other.mixrd")
    assert loaded.architecture == architecture and loaded.sha256 == model.sha256
    before, after = model.estimate(PATTERNS), loaded.estimate(PATTERNS)
    assert torch.equal(before.fractions, after.fractions)
    assert before.fractions.sum(1).tolist() == pytest.approx([1.0] * 4, abs=1e-5)
    assert (before.strain is not None) is (architecture == "compact-heads")
    assert before.inverse_size is None
    # Any unit: the networks see the root of each pattern over its maximum.
    assert torch.allclose(model.estimate(1e3 * PATTERNS).fractions, before.fractions, atol=1e-4)


def test_a_file_of_before_there_was_a_choice(model: Model, saved: Path) -> None:
    """Names of tensors and parts of the header as mixrd 0.6 wrote them."""
    header = header_of(saved)
    assert set(header) == {"format", "mixrd", "problem", "recipe", "history", "intervals"}
    with safe_open(saved, framework="pt") as file:
        shapes = {key: tuple(file.get_tensor(key).shape) for key in file.keys()}  # noqa: SIM118
    heads = {"fractions": (2, 192), "strain": (2, 192), "size": (2, 192)}
    assert {name: shapes[f"{name}.weight"] for name in heads} == heads
    assert shapes["stem.0.weight"] == (16, 1, 15) and shapes["blocks.4.shortcut.weight"] == (64, 64, 3)
    assert shapes["trunk.1.weight"] == (192, 64 * 4)
    del header["intervals"]
    assert Model.load(rewritten(saved, header)).sha256 == model.sha256


def test_files_of_the_other_kind_are_refused_by_name(model: Model, tmp_path: Path) -> None:
    path = tmp_path / "paper.safetensors"
    network = build_trainable("mlp", points=500, materials=2)
    NetworkEstimator("mlp", network, loss="tvd", points=500, materials=2).save(path)
    assert_refused(path, "it is a file of `mixrd paper run`, no mixrd model")
    model.save(path)
    with pytest.raises(ModelError, match="it is a file of `mixrd train`, no estimator of fractions"):
        load_estimator(path)


@pytest.mark.parametrize("name", ["knn", "matched", "nnls"])
def test_what_cannot_be_used_for_scans_is_said(name: str) -> None:
    assert unfit_for_scans("compact-scan") is unfit_for_scans("table1") is None
    assert unfit_for_scans(name) in (
        "is not trained but fitted",
        "needs bases, lines, wavelength_angstrom, which only the paper's patterns have",
    )


def test_half_precision_is_close_and_small(model: Model, saved: Path, tmp_path: Path) -> None:
    model.save(tmp_path / "half.mixrd", half=True)
    loaded = Model.load(tmp_path / "half.mixrd")
    assert next(loaded.network.parameters()).dtype == torch.float32
    assert (tmp_path / "half.mixrd").stat().st_size < 0.6 * saved.stat().st_size
    difference = loaded.estimate(PATTERNS).fractions - model.estimate(PATTERNS).fractions
    assert difference.abs().max() < 0.005


def test_saving_leaves_nothing_else_behind_and_replaces(model: Model, saved: Path) -> None:
    model.save(saved)
    assert [p.name for p in saved.parent.iterdir()] == ["two.mixrd"]
    assert Model.load(saved).sha256 == model.sha256


def test_a_folder_that_does_not_exist_is_a_model_error(model: Model, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be written") as raised:
        model.save(tmp_path / "nowhere" / "two.mixrd")
    assert raised.value.file == str(tmp_path / "nowhere" / "two.mixrd")


def test_a_folder_in_the_place_of_the_file_is_a_model_error(model: Model, tmp_path: Path) -> None:
    (tmp_path / "two.mixrd").mkdir()
    with pytest.raises(ModelError, match="cannot be written"):
        model.save(tmp_path / "two.mixrd")
    assert [p.name for p in tmp_path.iterdir()] == ["two.mixrd"]


def test_the_hash_follows_weights_and_recipe(model: Model) -> None:
    other = Model(model.problem, model.network, {**model.recipe, "seed": 4}, model.history)
    assert other.sha256 != model.sha256
    before = model.sha256
    with torch.no_grad():
        model.network.fractions.bias[0] += 0.1
    assert model.sha256 != before
    with torch.no_grad():
        model.network.fractions.bias[0] -= 0.1


def test_grid_and_bins(problem: Problem) -> None:
    assert problem.two_theta[[0, -1]] == pytest.approx([25.0, 25.0 + 499 * 0.05])
    assert len(problem.bin_edges) == problem.points + 1
    assert (problem.bin_edges[1:] + problem.bin_edges[:-1]) / 2 == pytest.approx(problem.two_theta)


def assert_refused(path: Path, match: str | None = None) -> None:
    with pytest.raises(ModelError, match=match) as raised:
        Model.load(path)
    assert raised.value.file == str(path)
    assert raised.value.remedy
    assert raised.value.exit_code == 2


def test_no_file(tmp_path: Path) -> None:
    assert_refused(tmp_path / "none.mixrd", "no such file")


def test_a_folder(tmp_path: Path) -> None:
    assert_refused(tmp_path)


@pytest.mark.parametrize(
    "content",
    [b"", b"\x00" * 8, b"not a model", b"\xff" * 4000, b"PK\x03\x04" + bytes(100)],
    ids=["empty", "zeros", "text", "ones", "zip"],
)
def test_not_a_model(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.mixrd"
    path.write_bytes(content)
    assert_refused(path, "not a readable mixrd model")


@pytest.mark.parametrize("share", [0.001, 0.01, 0.5, 0.999])
def test_truncated(saved: Path, share: float) -> None:
    content = saved.read_bytes()
    saved.write_bytes(content[: int(share * len(content))])
    assert_refused(saved)


class Explosive:
    """Leaves a trace where it is unpickled."""

    def __init__(self, trace: str) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (Path(self.trace),)


def test_a_pickle_is_refused_and_not_executed(tmp_path: Path) -> None:
    trace = tmp_path / "executed"
    plain, torchs = tmp_path / "plain.mixrd", tmp_path / "torch.mixrd"
    plain.write_bytes(pickle.dumps(Explosive(str(trace))))
    torch.save({"weights": Explosive(str(trace))}, torchs)
    assert_refused(plain, "not a readable mixrd model")
    assert_refused(torchs, "not a readable mixrd model")
    assert not trace.exists()


def test_safetensors_of_something_else(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    save_file({"weight": torch.zeros(3)}, path)
    assert_refused(path, "not a readable mixrd model")


@pytest.mark.parametrize("version", [0, 2, "1", None])
def test_another_format_version(saved: Path, version: object) -> None:
    changed = rewritten(saved, {**header_of(saved), "format": version})
    assert_refused(changed, "format version")


@pytest.mark.parametrize("header", ["[]", "3", "null", '"text"', "{", "{}"])
def test_a_header_that_is_none(saved: Path, header: str) -> None:
    assert_refused(rewritten(saved, header))


@pytest.mark.parametrize("key", ["problem", "recipe", "history"])
@pytest.mark.parametrize("value", ["absent", None, 3, "text"])
def test_a_header_with_a_missing_or_wrong_part(saved: Path, key: str, value: object) -> None:
    header = header_of(saved)
    if value == "absent":
        del header[key]
    else:
        header[key] = value
    assert_refused(rewritten(saved, header))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("points", 100),
        ("points", -3),
        ("points", "many"),
        ("crystals", []),
        ("crystals", [1, 2]),
        ("crystals", None),
        ("instrument", {}),
        ("instrument", {"name": "x", "radiation": {"name": "unobtainium"}}),
        ("size_nm", None),
        ("size_nm", [1.0]),
        ("max_strain", "large"),
        ("start", None),
    ],
)
def test_a_problem_that_does_not_fit_the_weights(saved: Path, key: str, value: object) -> None:
    header = header_of(saved)
    header["problem"] = {**header["problem"], key: value}  # type: ignore[dict-item]
    assert_refused(rewritten(saved, header))


def test_one_tensor_less(saved: Path) -> None:
    for name in ("strain.weight", "fractions.bias"):
        assert_refused(rewritten(saved, header_of(saved), drop=name), "fit together")


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.floats(0, 1, exclude_max=True), st.integers(1, 255))
def test_any_flipped_byte_of_the_header_is_a_model_error_or_harmless(
    model: Model, tmp_path: Path, place: float, flip: int
) -> None:
    path = tmp_path / "flipped.mixrd"
    model.save(path)
    content = bytearray(path.read_bytes())
    length = int.from_bytes(content[:8], "little")
    content[int(place * (8 + length))] ^= flip
    path.write_bytes(content)
    try:
        loaded = Model.load(path)
    except ModelError as error:
        assert error.file == str(path)
    else:
        assert torch.isfinite(loaded.estimate(PATTERNS).fractions).all()


def test_no_pickle_is_loaded_anywhere() -> None:
    loaders = {"pickle", "dill", "joblib", "shelve", "cloudpickle"}
    for file in Path(mixrd.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                assert (node.value.id, node.attr) != ("torch", "load"), file
            if isinstance(node, ast.Import):
                assert not loaders & {a.name.split(".")[0] for a in node.names}, file
            if isinstance(node, ast.ImportFrom):
                assert (node.module or "").split(".")[0] not in loaders, file
            if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
                assert not getattr(node.value, "value", True), file
