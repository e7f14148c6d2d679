"""The exported graph with onnxruntime and numpy alone against torch."""

from __future__ import annotations

import builtins
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mixrd.errors import ModelError, UsageError
from mixrd.export.formats import onnx as onnx_format
from mixrd.export.formats.onnx import OUTPUTS, onnx_bytes
from mixrd.network import Model
from mixrd.pattern import load_instrument
from mixrd.phases import load_phase
from mixrd.training import Recipe, train

onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
pytest.importorskip("onnxscript", reason="onnxscript is not installed")


@pytest.fixture(scope="module")
def model() -> Model:
    recipe = Recipe(
        phases=(load_phase("corundum"), load_phase("fluorite"), load_phase("zincite")),
        instrument=load_instrument("lab-cu"),
        two_theta_range=(24.0, 62.0),
        steps=4,
        batch=8,
    )
    return train(recipe)


@pytest.fixture(scope="module")
def contents(model: Model) -> bytes:
    return onnx_bytes(model)


@pytest.fixture(scope="module")
def session(contents: bytes) -> Any:
    return onnxruntime.InferenceSession(contents, providers=["CPUExecutionProvider"])


@pytest.mark.parametrize("batch", [1, 3, 17])
def test_same_as_torch_on_fresh_patterns(model: Model, session: Any, batch: int) -> None:
    patterns = np.random.default_rng(batch).poisson(40, (batch, model.problem.points)).astype(np.float32)
    expected = model.estimate(patterns)
    found = dict(zip(OUTPUTS, session.run(None, {"patterns": patterns}), strict=True))
    assert found["fractions"] == pytest.approx(expected.fractions.numpy(), abs=1e-5)
    assert found["strain"] == pytest.approx(expected.strain.numpy(), abs=1e-5)
    assert found["inverse_size_per_nm"] == pytest.approx(expected.inverse_size.numpy(), abs=1e-5)
    assert found["fractions"].sum(axis=1) == pytest.approx(np.ones(batch), abs=1e-5)


def test_units_do_not_matter(model: Model, session: Any) -> None:
    patterns = np.random.default_rng(5).poisson(40, (2, model.problem.points)).astype(np.float32)
    (once,) = session.run(["fractions"], {"patterns": patterns})
    (scaled,) = session.run(["fractions"], {"patterns": 1000 * patterns})
    assert scaled == pytest.approx(once, abs=1e-5)


def test_metadata_say_how_to_use_it(model: Model, session: Any) -> None:
    said = json.loads(session.get_modelmeta().custom_metadata_map["mixrd"])
    assert [phase["name"] for phase in said["phases"]] == list(model.names)
    grid = said["input"]["two_theta_start_deg"] + said["input"]["two_theta_step_deg"] * np.arange(
        said["input"]["points"]
    )
    assert grid == pytest.approx(model.problem.two_theta)
    assert said["wavelengths_angstrom"][0] == pytest.approx(1.5405929)
    assert said["model_sha256"] == model.sha256
    assert session.get_inputs()[0].shape[1] == model.problem.points
    assert not isinstance(session.get_inputs()[0].shape[0], int)


def test_the_example_of_the_documentation(
    contents: bytes, model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The code block of docs/exports.md, run as it stands, against the estimate through mixrd."""
    from mixrd.scan import rebin

    page = (Path(__file__).resolve().parents[3] / "docs" / "exports.md").read_text(encoding="utf-8")
    block = page.split("<!-- onnx example -->", 1)[1].split("```python\n", 1)[1].split("```", 1)[0]
    assert "mixrd." not in block and "import mixrd" not in block
    angles = np.arange(20.0, 70.0, 0.013)
    counts = np.random.default_rng(2).poisson(50 + 900 * np.exp(-(((angles - 28.3) / 0.1) ** 2)))
    monkeypatch.chdir(tmp_path)
    np.savetxt("scan.xy", np.column_stack([angles, counts]))
    Path("model.onnx").write_bytes(contents)
    names: dict[str, Any] = {}
    exec(block, names)
    binned = rebin(angles, counts, model.problem.bin_edges).counts
    expected = model.estimate(binned[np.newaxis]).fractions[0].numpy()
    assert names["fractions"] == pytest.approx(expected, abs=1e-5)


@pytest.mark.slow
def test_a_graph_that_differs_is_refused(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_format, "TOLERANCE", -1.0)
    with pytest.raises(ModelError, match="differs"):
        onnx_bytes(model)


def test_without_the_extra(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    real: Callable[..., Any] = builtins.__import__

    def no_onnx(name: str, *rest: Any, **more: Any) -> Any:
        if name == "onnxruntime":
            raise ModuleNotFoundError("no", name=name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", no_onnx)
    with pytest.raises(UsageError, match=r"mixrd\[onnx\]"):
        onnx_bytes(model)
