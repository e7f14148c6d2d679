"""Results as rows, and what stands beside them."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from mixrd.errors import UsageError
from mixrd.paper import paper_rows, read_bounds, read_results, results_folders, size_rows
from mixrd.paper.result import Summary, result_path


def test_mean_and_deviation_over_seeds(cells, write_result, tmp_path: Path) -> None:
    for cell, mean in zip(cells(n=[5], k=[3], seeds=[0, 1, 2]), (0.05, 0.06, 0.10), strict=True):
        write_result(tmp_path, cell, mean)
    row = paper_rows(read_results([tmp_path]))[0]
    assert (row.n, row.k, row.kind, row.architecture) == (5, 3, "up_to_replacement", "mlp")
    assert row.network == pytest.approx(0.07) and row.seeds == (0, 1, 2)
    # sqrt(((0.02)^2 + (0.01)^2 + (0.03)^2) / 2)
    assert row.network_std == pytest.approx(0.0264575, abs=1e-6)
    assert row.paper == 0.06 and row.shortened and row.samples == 64
    assert row.refined is None and row.refined_told_phases is None and row.bound is None


def test_cells_that_were_not_run_are_there_with_nulls(cells, write_result, tmp_path: Path) -> None:
    (cell,) = cells(n=[20], k=[7], architectures=["table1"])
    write_result(tmp_path, cell, 0.3)
    rows = paper_rows(read_results([tmp_path]))
    assert len(rows) == 12
    by_cell = {(row.n, row.k): row for row in rows}
    assert by_cell[20, 7].network == 0.3 and by_cell[20, 7].network_std is None
    assert {cell: row.paper for cell, row in by_cell.items() if row.paper} == {
        (5, 3): 0.06, (10, 3): 0.10, (20, 7): 0.32,
    }  # fmt: skip
    not_run = by_cell[5, 5].to_dict()
    assert all(not_run[name] is None for name in ("samples", "paper", "network", "refined", "bound"))
    json.dumps(not_run, allow_nan=False)


def test_different_settings_are_different_rows(cells, small, write_result, tmp_path: Path) -> None:
    (one,) = cells()
    (other,) = cells(protocol=dataclasses.replace(small, loss="mse"))
    write_result(tmp_path, one, 0.1)
    write_result(tmp_path, other, 0.2)
    rows = [row for row in paper_rows(read_results([tmp_path])) if row.network]
    assert sorted((row.options["loss"], row.network) for row in rows) == [("mse", 0.2), ("tvd", 0.1)]


def test_later_columns_are_read_from_results(cells, write_result, tmp_path: Path) -> None:
    for cell, bound in zip(cells(seeds=[0, 1]), (0.01, 0.03), strict=True):
        write_result(tmp_path, cell, 0.1, bound=bound)
    row = paper_rows(read_results([tmp_path]))[0]
    assert row.bound == pytest.approx(0.02) and row.refined is None


def test_the_same_result_in_two_folders_counts_once(cells, write_result, tmp_path: Path) -> None:
    (cell,) = cells()
    for name in ("a", "b"):
        write_result(tmp_path / name, cell, 0.1)
    assert len(read_results([tmp_path / "a", tmp_path / "b"])) == 1


def test_changed_and_damaged_files_are_refused(cells, write_result, tmp_path: Path) -> None:
    (cell,) = cells()
    result = write_result(tmp_path, cell, 0.1)
    (tmp_path / "notes.json").write_text('{"mine": 1}', encoding="utf-8")
    assert len(read_results([tmp_path])) == 1
    result["recipe"]["training"]["samples"] = 10**9
    result_path(tmp_path, cell).write_text(json.dumps(result), encoding="utf-8")
    with pytest.raises(UsageError, match="hash"):
        read_results([tmp_path])
    result_path(tmp_path, cell).write_text("{", encoding="utf-8")
    with pytest.raises(UsageError, match="readable"):
        read_results([tmp_path])
    with pytest.raises(UsageError, match="no such folder"):
        read_results([tmp_path / "none"])


def test_committed_results_are_found_in_a_checkout() -> None:
    folder = Path(__file__).resolve().parents[2] / "studies" / "results" / "paper"
    if folder.is_dir():
        assert results_folders()[0] == folder and all(found.is_dir() for found in results_folders())
        assert read_results([folder]) or read_bounds([folder])
    else:
        with pytest.raises(UsageError, match="checkout"):
            results_folders()


def test_sizes_at_one_cell(cells, write_result, tmp_path: Path) -> None:
    for cell in cells(architectures=["mlp", "knn"], seeds=[0, 1]):
        write_result(tmp_path, cell, 0.1, parameters=10 if cell.architecture == "knn" else 20)
    rows = size_rows(read_results([tmp_path]), n=2, k=2)
    assert [(row.architecture, row.parameters, row.size_bytes) for row in rows] == [
        ("mlp", 20, 4000),
        ("knn", 10, 4000),
    ]
    with pytest.raises(UsageError, match="n = 9"):
        size_rows(read_results([tmp_path]), n=9, k=2)


def test_summary_of_known_distances() -> None:
    import torch

    summary = Summary.of(torch.arange(101, dtype=torch.float32) / 100)
    assert (summary.mean, summary.median, summary.p95) == pytest.approx((0.5, 0.5, 0.95))
    # Variance of 0..100 with n - 1: 101 * 102 / 12.
    assert summary.std == pytest.approx((101 * 102 / 12) ** 0.5 / 100)
    assert summary.standard_error == pytest.approx(summary.std / 101**0.5)
