"""`mixrd analyze`."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest

from mixrd.analysis import Analysis

REFINE = ("--phases", "fluorite", "halite", "--instrument", "lab-cu", "--no-network")


@pytest.fixture
def two_scans(scan_file: Path, run) -> tuple[Path, Path]:
    """Scans of the same name in two folders below the current one."""
    paths = Path("monday/mixture.xy"), Path("tuesday/mixture.xy")
    for path in paths:
        path.parent.mkdir()
        shutil.copy(scan_file, path)
    return paths


def test_finds_what_was_simulated_and_writes_it(run, scan_file: Path) -> None:
    shown = run("analyze", scan_file, *REFINE)
    assert shown.code == 0
    assert "fluorite" in shown.out and "R_wp" in shown.out and "±" in shown.out
    folder = Path("mixrd-results")
    assert sorted(p.name for p in folder.iterdir()) == [
        "mixture.csv", "mixture.html", "mixture.json", "mixture.png",
    ]  # fmt: skip
    found = Analysis.from_json(folder / "mixture.json")
    assert found.fractions == pytest.approx({"fluorite": 60, "halite": 40}, abs=1.0)
    assert "mixrd-results" in shown.err


def test_phases_after_the_scans_and_before_other_options(run, scan_file: Path) -> None:
    shown = run(
        "analyze", "--instrument", "lab-cu", scan_file, "--phases", "halite", "fluorite", "--no-network"
    )
    assert shown.code == 0


def test_json_is_the_result_and_nothing_else(run, scan_file: Path) -> None:
    shown = run("analyze", scan_file, *REFINE, "--json")
    assert shown.code == 0
    found = Analysis.from_json(shown.out)
    assert [p.name for p in found.phases] == ["fluorite", "halite"]
    assert list(Path().iterdir()) == []


def test_json_with_a_folder_prints_and_writes_the_same(run, scan_file: Path) -> None:
    shown = run("analyze", scan_file, *REFINE, "--json", "--out", "results")
    assert json.loads(shown.out) == json.loads(Path("results/mixture.json").read_text(encoding="utf-8"))


def test_nothing_is_overwritten_without_force(run, scan_file: Path) -> None:
    arguments = ("analyze", scan_file, *REFINE, "--out", "results")
    assert run(*arguments).code == 0
    before = {p: p.stat().st_mtime_ns for p in Path("results").iterdir()}
    refused = run(*arguments)
    assert refused.code == 2
    assert "--force" in refused.err
    assert {p: p.stat().st_mtime_ns for p in Path("results").iterdir()} == before
    assert run(*arguments, "--force").code == 0


def test_batch_goes_on_after_a_failure(run, scan_file: Path) -> None:
    Path("empty.xy").write_text("", encoding="utf-8")
    shown = run("analyze", "empty.xy", scan_file, "missing.xy", *REFINE, "--out", "results")
    assert shown.code == 3
    assert "failed" in shown.out
    assert "Traceback" not in shown.err
    with Path("results/summary.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["result"], row["status"], row["phase"]) for row in rows] == [
        ("empty", "failed", ""),
        ("mixture", "ok", "fluorite"),
        ("mixture", "ok", "halite"),
        ("missing", "failed", ""),
    ]
    assert rows[0]["error"] and rows[3]["error"]


def test_batch_as_json_is_a_list(run, two_scans: tuple[Path, Path]) -> None:
    Path("empty.xy").write_text("", encoding="utf-8")
    shown = run("analyze", *two_scans, "empty.xy", *REFINE, "--json")
    assert shown.code == 3
    assert [result["status"] for result in json.loads(shown.out)] == ["ok", "ok", "failed"]


def test_scans_of_one_name_keep_their_results(run, two_scans: tuple[Path, Path]) -> None:
    shown = run("analyze", *two_scans, *REFINE, "--out", "results")
    assert shown.code == 0
    names = {p.stem for p in Path("results").glob("*.json")}
    assert names == {"monday-mixture-xy", "tuesday-mixture-xy"}


def test_one_candidate_needs_no_network(run, scan_file: Path) -> None:
    shown = run("analyze", scan_file, "--phases", "fluorite", "--instrument", "lab-cu", "--json")
    assert shown.code == 0
    found = Analysis.from_json(shown.out)
    # All of itself however little there is; and here there is halite, which it does not explain.
    assert found.statement.kind != "amounts" and found.fractions == {}
    assert "training" not in shown.err


def test_model_brings_phases_and_instrument(run, scan_file: Path, network_file: Path) -> None:
    shown = run("analyze", scan_file, "--model", network_file, "--json")
    assert shown.code == 0
    phases = Analysis.from_json(shown.out).phases
    assert [p.name for p in phases] == ["fluorite", "halite"]
    assert all(p.network_percent is not None and p.refined_percent is not None for p in phases)


def test_network_alone_says_that_nothing_was_refined(run, scan_file: Path, network_file: Path) -> None:
    shown = run("analyze", scan_file, "--model", network_file, "--no-refine")
    assert shown.code == 0
    assert "not refined" in shown.out
    assert not Path("mixrd-results/mixture.png").exists()


def test_network_stands_beside_the_refinement(run, scan_file: Path, network_file: Path) -> None:
    assert "network" in run("analyze", scan_file, "--model", network_file).out.splitlines()[1]


def test_without_a_model_one_is_trained_and_kept(
    run, scan_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mixrd import analysis

    whole = analysis.recipe_for
    monkeypatch.setattr(analysis, "recipe_for", lambda *a, **k: whole(*a, **k, steps=1))
    arguments = ("analyze", scan_file, "--phases", "fluorite", "halite", "--instrument", "lab-cu", "--json")
    first, second = run(*arguments), run(*arguments)
    assert (first.code, second.code) == (0, 0)
    assert "training one" in first.err
    assert "training" not in second.err
    estimates = [[p.network_percent for p in Analysis.from_json(r.out).phases] for r in (first, second)]
    assert estimates[0] == estimates[1]


def test_interrupted_batch_keeps_what_is_done(
    run, two_scans: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    from mixrd.batch import analyst

    whole, calls = analyst.analysis_steps, []

    def impatient(*arguments, **settings):
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return whole(*arguments, **settings)

    monkeypatch.setattr(analyst, "analysis_steps", impatient)
    shown = run("analyze", *two_scans, *REFINE, "--out", "results")
    assert shown.code == 130
    assert "1 of 2 scans" in shown.err and "results" in shown.err
    assert Path("results/monday-mixture-xy.json").exists()
    assert Path("results/summary.csv").exists()


@pytest.fixture
def empty_cif(run) -> Path:
    path = Path("empty.cif")
    path.write_text(
        "data_x\n_cell_length_a 5\n_cell_length_b 5\n_cell_length_c 5\n_cell_angle_alpha 90\n"
        "_cell_angle_beta 90\n_cell_angle_gamma 90\n_symmetry_space_group_name_H-M 'P 1'\n",
        encoding="utf-8",
    )
    return path


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--phases", "flourite", "--instrument", "lab-cu"], "Did you mean fluorite"),
        (["--phases", "fluorite", "halite", "fluorite", "--instrument", "lab-cu"], "same structure"),
        (["--phases", "empty.cif", "--instrument", "lab-cu"], "empty.cif"),
        (["--phases", "fluorite", "--instrument", "nowhere.toml"], "nowhere.toml"),
        (["--phases", "fluorite", "--instrument", "lab-co"], "1.54"),
        (["--phases", "fluorite", "--instrument", "lab-cu", "--scan", "3"], "scan"),
        (["--phases", "fluorite", "--model", "nowhere.mixrd"], "nowhere.mixrd"),
        (["--instrument", "lab-cu"], "--phases"),
        (["--phases", "fluorite", "--no-refine", "--no-network"], "nothing to do"),
        (["--phases", "fluorite", "--model", "a.mixrd", "--no-network"], "exclude"),
    ],
)
def test_wrong_input_is_exit_2(run, empty_cif, scan_file: Path, arguments: list[str], said: str) -> None:
    shown = run("analyze", scan_file, *arguments)
    assert shown.code == 2
    assert shown.err.startswith("error: ")
    assert said in shown.err
    assert "Traceback" not in shown.err
    assert shown.out == ""
    assert not Path("mixrd-results").exists()


def test_model_of_other_phases_is_refused(run, scan_file: Path, network_file: Path) -> None:
    shown = run("analyze", scan_file, "--model", network_file, "--phases", "fluorite", "quartz")
    assert shown.code == 2
    assert "fluorite, halite" in shown.err


def test_missing_wavelength_says_what_to_give(run, nameless_scan: Path) -> None:
    shown = run("analyze", nameless_scan, "--phases", "fluorite", "halite", "--no-network")
    assert shown.code == 2
    assert str(nameless_scan) in shown.err and "--radiation" in shown.err


def test_wrong_instrument_ends_a_batch_at_once(run, scan_file: Path) -> None:
    shown = run("analyze", scan_file, "other.xy", "--phases", "fluorite", "--instrument", "nowhere.toml")
    assert shown.code == 2
    assert shown.err.count("nowhere.toml") == 1


@pytest.mark.parametrize("command", ["analyze", "watch"])
def test_contradictions_are_told_before_any_file_is_looked_for(run, command: str) -> None:
    shown = run(command, "nowhere", "--phases", "halite", "--no-refine", "--exclude", "26-27")
    assert shown.code == 2
    assert "--exclude and --no-refine" in shown.err and "nowhere" not in shown.err


def test_missing_file(run) -> None:
    shown = run("analyze", "nowhere.xy", *REFINE)
    assert shown.code == 2
    assert "nowhere.xy" in shown.err


def test_folder_that_is_a_file(run, scan_file: Path) -> None:
    Path("results").write_text("mine", encoding="utf-8")
    shown = run("analyze", scan_file, *REFINE, "--out", "results")
    assert shown.code == 2
    assert "results" in shown.err
    assert Path("results").read_text(encoding="utf-8") == "mine"


def test_pole_figure_is_refused(run, data_dir: Path) -> None:
    shown = run("analyze", data_dir / "formats" / "uxd" / "maud_polefigure_bruker.UXD", *REFINE)
    assert shown.code == 2
    assert "maud_polefigure_bruker.UXD" in shown.err


def test_a_bare_number_is_decided_by_the_scan_and_said(run, scan_file: Path) -> None:
    shown = run(
        "analyze", scan_file, "--phases", "fluorite", "halite", "--no-network", "--radiation", "1.5406"
    )
    assert shown.code == 0
    found = Analysis.from_json("mixrd-results/mixture.json")
    (warning,) = [w for w in found.warnings if w.code == "KALPHA2_FROM_SCAN"]
    assert "1.5406 A is K alpha1 of a Cu tube" in warning.message
    assert "K alpha1 and K alpha2 was taken" in warning.message
    assert "KALPHA2_FROM_SCAN" in shown.out + shown.err
