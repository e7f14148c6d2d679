"""`mixrd paper`: the whole experiment, small."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

SMALL = ("--n", "2", "--k", "2", "--strains", "30", "--test-strains", "10", "--test-patterns", "500",
         "--device", "cpu")  # fmt: skip
FAST = ("--batch", "32", "--learning-rate", "0.002", "--samples", "2400", "--seeds", "1")


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.slow
def test_experiment_from_end_to_end(run) -> None:
    """Run, table, sizes, figure, verification; the network is far better than a guess."""
    ran = run("paper", "run", *SMALL, *FAST, "--architecture", "compact", "nnls", "-o", "out")
    assert ran.code == 0
    assert "2 cells on cpu, 1 of them shortened" in ran.err and "shortened to 2400 samples" in ran.err

    again = run("paper", "run", *SMALL, *FAST, "--architecture", "compact", "nnls", "-o", "out")
    assert again.code == 0 and again.err.count("done before") == 2

    table = run("paper", "table", "out", "--json")
    rows = {r["architecture"]: r for r in json.loads(table.out)["rows"] if r["network"] is not None}
    compact = rows["compact"]
    assert (compact["n"], compact["k"], compact["samples"], compact["shortened"]) == (2, 2, 2400, True)
    assert compact["refined"] is None and compact["bound"] is None and compact["paper"] is None
    # Half to each: half the time there is one material alone (0.5 off), else 0.25 on average, or less where
    # both copies are of one material.
    assert compact["network"] < 0.2
    text = run("paper", "table", "out")
    assert "2400*" in text.out and "* shortened" in text.out

    sizes = run("paper", "sizes", "out", "--n", "2", "--k", "2")
    assert "compact" in sizes.out and "nnls" in sizes.out

    assert run("paper", "figure", "out", "-o", "fig3.png").code == 0
    assert Path("fig3.png").stat().st_size > 10_000
    assert run("paper", "figure", "out", "-o", "fig3.png").code == 2

    (model,) = Path("out").glob("*.safetensors")
    check = ("paper", "verify", "--n", "2", "--k", "2", "--model", model)
    found = json.loads(run(*check, "--patterns", "200", "--no-refine", "--json").out)
    assert found["patterns"] == 200 and found["bound"] is None and found["refined"] is None
    assert found["network"] == pytest.approx(compact["network"], abs=6 * found["network_standard_error"])
    shown = run(*check, "--patterns", "10")
    assert all(word in shown.out for word in ("recorded", "told the phases", "noise floor"))
    assert "--seed" in shown.err

    refined = run("paper", "refine", "out", "--patterns", "20", "--json")
    (measured,) = json.loads(refined.out)["refinements"]
    assert measured["refined"]["mean"] < 0.3 * measured["network"]["mean"]
    assert f"{measured['refined']['mean']:.4f}" in run("paper", "refine", "out", "--patterns", "20").out
    rows = json.loads(run("paper", "table", "out", "--json").out)["rows"]
    (row,) = [r for r in rows if r["architecture"] == "compact"]
    assert row["refined"] == measured["refined"]["mean"] and row["bound"] == measured["bound"]["mean"]


def test_list_runs_nothing(run) -> None:
    shown = run("paper", "run", "--seeds", "2", "--list", "-o", "out")
    assert shown.code == 0 and shown.out.count("table1-seed") == 24
    assert "n20-k7-up_to_replacement-table1-seed1" in shown.out and "*" not in shown.out
    one = run("paper", "run", "--list", "--only", "n20-k7-up_to_replacement-table1-seed1", "-o", "out")
    assert one.out.count("table1-seed") == 1
    assert not Path("out").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--n", "51", "--k", "3"], "n = 51"),
        (["--n", "2", "--k", "3", "--kind", "exactly_distinct"], "k = 3"),
        (["--n", "2", "--k", "2", "--architecture", "oracle"], "oracle"),
        (["--n", "2", "--k", "2", "--loss", "none"], "none"),
        (["--n", "2", "--k", "2", "--samples", "0"], "samples"),
        (["--n", "2", "--k", "2", "--batch", "1"], "batch"),
        (["--n", "2", "--k", "2", "--seeds", "0"], "seed"),
        (["--n", "2", "--k", "2", "--kind", "some"], "kind"),
        (["--n", "2", "--k", "2", "--pool", "none.json"], "none.json"),
        (["--n", "8", "--k", "2", "--pool", "stones"], "n = 8"),
        (["--n", "2", "--k", "2", "--only", "n3"], "n3"),
        (["--n", "2", "--k", "2", "--device", "abacus"], "abacus"),
        (["--n", "2", "--k", "2", "--precision", "fp16", "--device", "cpu", *SMALL[4:-2]], "fp16"),
        (["--n", "2", "--k", "2", "--test-patterns", "3"], "test_patterns"),
    ],
)
def test_wrong_input_is_exit_2(run, arguments: list[str], said: str) -> None:
    shown = run("paper", "run", *arguments, "-o", "out")
    assert shown.code == 2
    assert said in shown.err and "Traceback" not in shown.err
    assert not list(Path().glob("out/*.json"))


@pytest.mark.parametrize(
    "arguments",
    [
        ("table", "none"),
        ("figure", "none"),
        ("sizes", "none"),
        ("verify", "--n", "13", "--k", "4"),
        ("refine", "none"),
        ("verify", "--n", "2", "--k", "2", "--model", "none.safetensors"),
    ],
)
def test_what_is_not_there(run, arguments: tuple[str, ...]) -> None:
    shown = run("paper", *arguments)
    assert shown.code == 2 and shown.err.startswith("error: ")


def test_noise_floor(run) -> None:
    call = ("paper", "bound", "--n", "3", "--k", "2", "--kind", "exactly_distinct", "--test-strains", "4",
            "--patterns", "5", "-o", "out")  # fmt: skip
    (found,) = json.loads(run(*call, "--json").out)["bounds"]
    assert (found["n"], found["k"], found["kind"], found["patterns"]) == (3, 2, "exactly_distinct", 5)
    assert 0 < found["median"] < found["worst"] < 0.2
    (path,) = Path("out").glob("bound-*.json")
    before = path.stat().st_mtime_ns
    shown = run(*call)
    assert f"{found['bound']:.4f}" in shown.out and path.stat().st_mtime_ns == before
    refused = run("paper", "bound", "--n", "3", "--k", "2", "--patterns", "1", "-o", "out")
    assert refused.code == 2 and "patterns" in refused.err
