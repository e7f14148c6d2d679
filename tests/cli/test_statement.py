"""What the commands say where a result states no amounts."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any, Literal

import pytest
from unstated import AMOUNTS, REASON, without_amounts

from mixrd.analysis import Analysis
from mixrd.batch import analyst
from mixrd.cli.watch import result_line
from mixrd.fit.lockstep import Steps

REFINE = ("--phases", "fluorite", "halite", "--instrument", "lab-cu", "--no-network")
NONE = f"no statement possible, because {REASON}"


def stating(monkeypatch: pytest.MonkeyPatch, kind: Literal["presence", "none"], only: str = "") -> None:
    """Let analyses of scans with this in their name state no amounts."""
    plain = analyst.analysis_steps

    def steps(scan: Any, *arguments: Any, **more: Any) -> Steps[Analysis]:
        found = yield from plain(scan, *arguments, **more)
        return without_amounts(found, kind) if only in Path(scan.path).name else found

    monkeypatch.setattr(analyst, "analysis_steps", steps)


def test_every_file_of_a_refused_scan(run, scan_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stating(monkeypatch, "none")
    shown = run("analyze", scan_file, *REFINE)
    assert shown.code == 0
    head, said, *rest = shown.out.splitlines()
    assert (head, said) == ("mixture.xy", NONE)
    assert not [word for word in AMOUNTS if word in "\n".join(rest)]
    folder = Path("mixrd-results")
    assert NONE[1:] in (folder / "mixture.html").read_text(encoding="utf-8")
    assert Analysis.from_json(folder / "mixture.json").statement.reason == REASON
    with (folder / "mixture.csv").open(encoding="utf-8", newline="") as file:
        assert {row["reason"] for row in csv.DictReader(file)} == {REASON}
    again = run("analyze", scan_file, *REFINE, "--json", "--out", "again")
    assert json.loads(again.out)["statement"] == {"kind": "none", "reason": REASON}


def test_one_candidate(run, scan_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stating(monkeypatch, "presence")
    shown = run("analyze", scan_file, "--phases", "halite", "--instrument", "lab-cu", "--no-network")
    assert f"one candidate alone: whether it is there, not how much; {REASON}" in shown.out
    (row,) = [line for line in shown.out.splitlines() if line.startswith("halite")]
    assert row.split()[:2] == ["halite", "there"]


def test_some_scans_of_a_batch(run, scan_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stating(monkeypatch, "none", only="b.xy")
    Path("runs").mkdir()
    for name in "abc":
        shutil.copy(scan_file, Path("runs") / f"{name}.xy")
    shown = run("analyze", "runs", *REFINE, "--jobs", "1")
    assert shown.code == 0
    row = next(line for line in shown.out.splitlines() if line.startswith("b.xy"))
    assert NONE in row and "±" not in row
    assert "3 scans analysed, 0 with warnings, 1 without a statement, 0 failed" in shown.out
    folder = Path("mixrd-results")
    with (folder / "summary.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["statement"] for row in rows] == ["amounts"] * 2 + ["none"] * 2 + ["amounts"] * 2
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "Of 1 scan no amounts can be stated" in page


def test_a_line_of_watch(monkeypatch: pytest.MonkeyPatch, run, scan_file: Path) -> None:
    run("analyze", scan_file, *REFINE)
    found = Analysis.from_json(Path("mixrd-results/mixture.json"))
    assert "wt%" in result_line(found).plain
    refused = result_line(without_amounts(found, "none")).plain
    assert NONE in refused and "wt%" not in refused
    alone = result_line(without_amounts(found, "presence", detected=False)).plain
    assert "fluorite: not found, halite: not found" in alone and "wt%" not in alone


@pytest.mark.parametrize("to", ["topas", "fullprof", "gsas2", "bgmn", "rietx", "cif"])
def test_export_goes_on_and_says_so(run, scan_file: Path, monkeypatch: pytest.MonkeyPatch, to: str) -> None:
    stating(monkeypatch, "none")
    assert run("analyze", scan_file, *REFINE).code == 0
    shown = run("export", "mixrd-results/mixture.json", "--to", to, "--scan", scan_file)
    assert shown.code == 0
    assert f"warning: {NONE}" in shown.err
    files = [path.read_text(encoding="utf-8") for path in Path(f"mixrd-results/mixture-{to}").iterdir()]
    assert any(NONE in text for text in files)
    assert not any("by mixrd\n" in text or "weight_percent" in text for text in files)


def test_no_second_opinion_of_what_is_not_stated(
    run, scan_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rietx = pytest.importorskip("rietx")
    stating(monkeypatch, "none")
    monkeypatch.setattr(rietx, "Refinement", None)  # whoever asks it, fails
    shown = run("analyze", scan_file, *REFINE, "--check", "rietx", "--json")
    data = json.loads(shown.out)
    assert data["second_opinion"]["weight_percent"] == {}
    assert "it was not asked" in data["second_opinion"]["remark"]
    assert [w["code"] for w in data["warnings"] if w["code"].startswith("SECOND")] == [
        "SECOND_OPINION_MISSING"
    ]
