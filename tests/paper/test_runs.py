"""Running a grid: results, restarts, kills."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from safetensors import safe_open

from mixrd.cli import main
from mixrd.errors import ModelError, ParameterError, UsageError
from mixrd.network import build_trainable, load_estimator
from mixrd.paper import CellDone, GridProgress, read_results, run_grid, runs
from mixrd.paper.result import is_done, result_path, start_of


def timeless(result: dict[str, Any]) -> dict[str, Any]:
    """A result without what depends on the clock."""
    rest = {key: value for key, value in result.items() if not key.endswith("_seconds")}
    rest["learning_curve"] = [{**point, "seconds": 0} for point in result["learning_curve"]]
    return rest


def test_a_result_says_how_it_came_about(cells, tmp_path: Path) -> None:
    (cell,) = cells()
    run_grid([cell], tmp_path / "out")
    result = json.loads(result_path(tmp_path / "out", cell).read_text(encoding="utf-8"))
    assert result["recipe"] == cell.recipe and result["recipe_sha256"] == cell.sha256
    assert (result["samples"], result["shortened"], result["seed"]) == (64, True, 0)
    assert result["versions"]["torch"] and result["device"] and result["wall_seconds"] > 0
    assert result["learning_curve"][-1]["samples"] == 64
    test = result["test"]
    assert 0 < test["mean"] < 1 and test["median"] <= test["p95"] <= 1 and test["patterns"] == 100
    assert result["refined"] is None and result["bound"] is None
    estimator = load_estimator(tmp_path / "out" / f"{cell.name}.safetensors")
    assert estimator.parameters_count == result["parameters"]
    # Float32 in training, half precision in the file.
    kept = (tmp_path / "out" / f"{cell.name}.safetensors").stat().st_size
    assert kept < 0.6 * result["size_bytes"]
    assert not (tmp_path / "out" / f"{cell.name}.training").exists()


def test_each_architecture_through_the_same_call(cells, tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    wanted = cells(architectures=["compact", "mlp", "knn", "random_forest", "nnls"])
    done: list[CellDone] = []
    run_grid(wanted, tmp_path, on_cell=done.append)
    assert [d.cell for d in done] == list(wanted) and not any(d.before for d in done)
    results = read_results([tmp_path])
    assert {r["architecture"] for r in results} == {cell.architecture for cell in wanted}
    assert all(0 <= r["test"]["mean"] <= 1 for r in results)
    # All are judged on the same patterns; what was fitted can be made again, and is not kept.
    assert {path.stem for path in tmp_path.glob("*.safetensors")} == {c.name for c in wanted[:2]}


def test_done_cells_are_not_done_again(cells, tmp_path: Path, monkeypatch) -> None:
    first, second = cells(seeds=[0, 1])
    run_grid([first], tmp_path)
    before = result_path(tmp_path, first).read_bytes()
    done: list[CellDone] = []
    run_grid([first, second], tmp_path, on_cell=done.append)
    assert [d.before for d in done] == [True, False]
    assert result_path(tmp_path, first).read_bytes() == before
    means = [r["test"]["mean"] for r in read_results([tmp_path])]
    assert means[0] != means[1]
    monkeypatch.setattr(runs, "run_cell", None)
    run_grid([first, second], tmp_path)


def test_a_training_goes_on_from_a_result(cells, small, tmp_path: Path) -> None:
    (first,) = cells(architectures=["mlp"])
    run_grid([first], tmp_path)
    start = start_of(result_path(tmp_path, first))
    assert (start.samples, start.recipe_sha256) == (64, first.sha256)
    (second,) = cells(architectures=["mlp"], protocol=dataclasses.replace(small, start=start))
    assert second.name != first.name and second.training().seed != first.training().seed
    run_grid([second], tmp_path)
    results = {r["recipe_sha256"]: r for r in read_results([tmp_path])}
    before, after = results[first.sha256], results[second.sha256]
    assert after["samples"] == 128 and after["recipe"]["start"]["recipe_sha256"] == first.sha256
    assert after["wall_seconds"] > before["wall_seconds"]
    assert after["learning_curve"][0]["samples"] > 64
    # It begins where the other ended: nearer to it than to any untrained network.
    one, other = (
        load_estimator(tmp_path / f"{cell.name}.safetensors").network.state_dict() for cell in (first, second)
    )
    fresh = load_estimator(tmp_path / f"{first.name}.safetensors")
    untrained = build_trainable("mlp", points=fresh.points, materials=2, seed=5).state_dict()
    name = next(n for n, v in one.items() if n.endswith("weight") and v.ndim == 2)
    assert (one[name] - other[name]).abs().mean() < 0.2 * (untrained[name] - other[name]).abs().mean()


def test_what_cannot_go_on_is_refused(cells, small, tmp_path: Path) -> None:
    (first,) = cells(architectures=["mlp"])
    run_grid([first], tmp_path)
    start = start_of(result_path(tmp_path, first))
    protocol = dataclasses.replace(small, start=start)
    with pytest.raises(ParameterError, match="other materials"):
        cells(n=[3], architectures=["mlp"], protocol=protocol)
    with pytest.raises(ParameterError, match="not trained"):
        cells(architectures=["knn"], protocol=protocol)
    (compact,) = cells(architectures=["compact"], protocol=protocol)
    with pytest.raises(ModelError, match="its layers are not among"):
        run_grid([compact], tmp_path)
    result_path(tmp_path, first).with_suffix(".safetensors").unlink()
    with pytest.raises(UsageError, match="no result"):
        start_of(result_path(tmp_path, first))


def test_damaged_or_foreign_results_count_as_none(cells, tmp_path: Path) -> None:
    (cell,) = cells()
    path = result_path(tmp_path, cell)
    for content in ("", "[1]", '{"recipe_sha256": "0"}'):
        path.write_text(content, encoding="utf-8")
        assert not is_done(tmp_path, cell)
    path.write_text(json.dumps({"recipe_sha256": cell.sha256}), encoding="utf-8")
    assert is_done(tmp_path, cell)


def test_a_cell_does_not_depend_on_the_grid_around_it(cells, tmp_path: Path) -> None:
    (alone,) = cells()
    run_grid([alone], tmp_path / "alone")
    run_grid(cells(n=[2, 3]), tmp_path / "both")
    one, two = (
        json.loads(result_path(tmp_path / name, alone).read_text(encoding="utf-8"))
        for name in ("alone", "both")
    )
    assert timeless(one) == timeless(two)


def test_progress_covers_the_grid(cells, tmp_path: Path) -> None:
    told: list[GridProgress] = []
    run_grid(cells(seeds=[0, 1], architectures=["mlp", "nnls"]), tmp_path, on_progress=told.append)
    shares = [now.share_done for now in told]
    assert shares == sorted(shares) and shares[0] == pytest.approx(1 / 8, abs=0.01) and shares[-1] == 1.0
    assert [now.number for now in told] == [1, 1, 1, 1, 2, 3, 3, 3, 3, 4]
    first, last = told[0], told[3]
    assert first.training is not None and first.seconds_left is not None
    # The second network's work is still to come when the first one's is done.
    assert first.seconds_left == pytest.approx(first.training.seconds_left * 7 / 3)
    assert last.seconds_left is not None and last.seconds_left > 0
    assert told[8].seconds_left == 0.0


def test_ctrl_c_goes_on(cells, tmp_path: Path) -> None:
    (cell,) = cells()
    run_grid([cell], tmp_path / "whole")

    def press(now: GridProgress) -> None:
        if now.training is not None and now.training.step == 2:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        run_grid([cell], tmp_path / "cut", on_progress=press)
    assert not is_done(tmp_path / "cut", cell)
    steps: list[int] = []
    run_grid([cell], tmp_path / "cut", on_progress=lambda now: steps.append(now.training.step))
    assert steps == [3, 4]
    whole, cut = (read_results([tmp_path / name])[0] for name in ("whole", "cut"))
    assert timeless(whole) == timeless(cut)


@pytest.mark.slow
def test_killed_and_resumed_is_as_uninterrupted(tmp_path: Path) -> None:
    """The command line, killed while it trains, then called again."""
    arguments = [
        "paper", "run", "--n", "2", "--k", "2", "--seeds", "1", "--architecture", "mlp", "--samples",
        "240", "--batch", "16", "--learning-rate", "0.001", "--strains", "10", "--test-strains", "4",
        "--test-patterns", "100", "--device", "cpu", "-o",
    ]  # fmt: skip
    script = textwrap.dedent(
        """
        import sys, time
        from mixrd.cli import main
        from mixrd.cli.progress import GridBar
        from mixrd.training import loop
        loop.CHECKPOINT_SECONDS, loop._CHECKPOINT_REST = -1.0, 0.0
        def show(self, now):
            print(now.training.step, flush=True)
            if now.training.step == 9:
                time.sleep(600)
        GridBar.running = show
        sys.exit(main(sys.argv[1:]))
        """
    )
    cut, whole = tmp_path / "cut", tmp_path / "whole"
    process = subprocess.Popen(
        [sys.executable, "-c", script, *arguments, str(cut)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if line.strip() == "9":
                break
    finally:
        os.kill(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    (state,) = cut.glob("*.training")
    with safe_open(state, framework="pt") as file:
        assert json.loads(file.metadata()["mixrd"])["step"] == 8
    assert not list(cut.glob("*.json"))
    for folder in (cut, whole):
        assert main([*arguments, str(folder)]) == 0
    results = [read_results([folder])[0] for folder in (cut, whole)]
    assert timeless(results[0]) == timeless(results[1])
    assert len(results[0]["learning_curve"]) == 3
    models = [next(folder.glob("*.safetensors")).read_bytes() for folder in (cut, whole)]
    assert models[0] == models[1]
