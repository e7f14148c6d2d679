"""Refinements of a kept network's test: measured once, and shown in the table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from mixrd.errors import ModelError, ParameterError, UsageError
from mixrd.network.pattern_estimate import PatternEstimate
from mixrd.paper import (
    measure_refinement,
    paper_rows,
    read_refinements,
    read_results,
    run_grid,
)
from mixrd.paper.comparison import answered, disagreement
from mixrd.paper.measured import refinement_path
from mixrd.paper.refinement import Refined


@pytest.fixture(scope="module")
def folder(cells, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("out")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MIXRD_CACHE", str(folder / "cache"))
        run_grid(cells(architectures=["compact"], kinds=["exactly_distinct"]), folder)
    return folder


@pytest.fixture(scope="module")
def measured(folder: Path) -> dict:
    (model,) = folder.glob("*.safetensors")
    return measure_refinement(model, patterns=12)


def test_what_is_measured(measured: dict) -> None:
    assert (measured["n"], measured["k"], measured["patterns"]) == (2, 2, 12)
    assert measured["refined"]["mean"] < measured["network"]["mean"]
    ratio = measured["refined"]["mean"] / measured["bound"]["mean"]
    assert measured["refined_over_bound"] == pytest.approx(ratio) and ratio < 3
    assert measured["false_positive_rate"] == 0  # both materials are there
    for name in ("network", "refined", "answer", "told", "bound", "unexplained"):
        assert len(measured["each"][name]) == 12
    worst = measured["worst_patterns"]
    assert worst[0]["refined"] == pytest.approx(measured["refined"]["worst"], abs=1e-5)
    assert sum(worst[0]["true"].values()) == pytest.approx(1, abs=2e-3)
    assert measured["seconds_a_pattern"] > 0


def test_measured_once(folder: Path, measured: dict) -> None:
    (model,) = folder.glob("*.safetensors")
    path = refinement_path(model)
    before = path.stat().st_mtime_ns
    assert measure_refinement(model, patterns=10) == json.loads(path.read_text())
    assert path.stat().st_mtime_ns == before
    assert measure_refinement(model, patterns=13)["patterns"] == 13


def test_the_table_shows_it_beside_its_network(folder: Path, measured: dict) -> None:
    rows = paper_rows(read_results([folder]), None, read_refinements([folder]))
    (row,) = [row for row in rows if row.architecture == "compact"]
    found = read_refinements([folder])
    (content,) = found.values()
    assert row.refined == content["refined"]["mean"]
    assert row.refined_told_phases == content["told"]["mean"] and row.bound == content["bound"]["mean"]


def test_damaged_or_wrong(folder: Path, tmp_path: Path, measured: dict) -> None:
    (model,) = folder.glob("*.safetensors")
    with pytest.raises(ParameterError, match="patterns"):
        measure_refinement(model, patterns=1)
    with pytest.raises(ModelError):
        measure_refinement(tmp_path / "none.safetensors")
    changed = dict(measured, setting={**measured["setting"], "version": 0})
    (tmp_path / "refined-x.json").write_text(json.dumps(changed))
    with pytest.raises(UsageError, match="setting"):
        read_refinements([tmp_path])


def test_the_network_stands_where_the_refinement_failed() -> None:
    network, fractions = torch.tensor([[0.6, 0.4], [0.6, 0.4]]), torch.tensor([[0.7, 0.3], [0.7, 0.3]])
    refined = Refined(fractions, fractions, torch.tensor([0.0, 5.0]), torch.tensor([True, True]), fitted=None)
    assert answered(network, refined).tolist() == [fractions[0].tolist(), network[1].tolist()]


def test_disagreement_counts_in_the_uncertainties_of_both() -> None:
    one = torch.ones(2)
    estimate = PatternEstimate(
        torch.tensor([[0.6, 0.4], [0.6, 0.4]]), presence=torch.ones(2, 2),
        fraction_sigma=torch.tensor([[0.03, 0.03], [0.3, 0.3]]),
        strain=torch.zeros(2, 2), strain_sigma=torch.zeros(2, 2), log_size=one, log_size_sigma=one,
        eta=one, eta_sigma=one, level=one, level_sigma=one, log_decay=one, log_decay_sigma=one,
    )  # fmt: skip
    fractions, sigma = torch.tensor([[0.8, 0.2], [0.8, 0.2]]), torch.full((2, 2), 0.04)
    refined = Refined(fractions, sigma, torch.zeros(2), torch.ones(2, dtype=torch.bool), fitted=None)
    assert disagreement(estimate, refined).tolist() == pytest.approx([4.0, 0.2 / 0.09165**0.5], rel=0.01)
