"""Phases left out of the candidates in turn."""

from __future__ import annotations

from pathlib import Path

import pytest
from unstated import REASON, without_amounts

from mixrd.analysis import Analysis, AnalysisWarning
from mixrd.errors import UsageError
from mixrd.experiments import left_out
from mixrd.experiments.left_out import benchmark_left_out
from mixrd.scan import Scan


def test_a_refused_scan_says_that_something_is_missing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def analyze(scan: Scan, crystals: list, *_: object) -> Analysis:
        found = Analysis("ok", scan.path, (), None, None, None, None, {}, (), None, {})
        return found if "corundum" in {c.name for c in crystals} else without_amounts(found, "none")

    monkeypatch.setattr(left_out, "analyze", analyze)
    result = benchmark_left_out(folder)
    assert result.found == (1, 4) and result.false_alarms == (0, 3)
    assert f"no statement possible, because {REASON}" in [case.message for case in result.cases]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [
        "file,wt_pct",
        "one.xy,corundum=60;zincite=39;quartz=1",
        "two.xy,corundum=100",
        "gone.xy,corundum=5;zincite=95",
    ]
    (tmp_path / "compositions.csv").write_text("\n".join(rows), encoding="utf-8")
    for name in ("one.xy", "two.xy"):
        (tmp_path / name).write_text(
            "\n".join(f"{20 + 0.1 * i} {i % 7}" for i in range(400)), encoding="utf-8"
        )
    return tmp_path


def test_each_phase_is_left_out_and_warnings_are_counted(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, ...]] = []

    def analyze(scan: Scan, crystals: list, *_: object) -> Analysis:
        names = tuple(c.name for c in crystals)
        asked.append(names)
        warnings = ()
        if "corundum" not in names:
            warnings = (AnalysisWarning("UNEXPLAINED_LINES", "2.09 A"), AnalysisWarning("POOR_FIT", "?"))
        return Analysis("ok", scan.path, (), None, None, None, None, {}, warnings, None, {})

    monkeypatch.setattr(left_out, "analyze", analyze)
    result = benchmark_left_out(folder)
    # Quartz is too little to be missed; a single phase is not left out.
    assert asked == [
        ("corundum", "zincite", "quartz"),
        ("zincite", "quartz"),
        ("corundum", "quartz"),
        ("corundum",),
    ]
    assert result.found == (1, 4)
    assert result.false_alarms == (0, 3)
    messages = {(case.file, case.phase): case.message for case in result.cases}
    assert messages["one.xy", "corundum"] == "2.09 A"
    assert messages["gone.xy", "zincite"].startswith("failed: ")
    assert result.to_dict()["left_out"] == {"warned": 1, "of": 4}


def test_impurities_are_candidates_where_their_phase_is(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, ...]] = []

    def analyze(scan: Scan, crystals: list, *_: object) -> Analysis:
        asked.append(tuple(c.name for c in crystals))
        return Analysis("ok", scan.path, (), None, None, None, None, {}, (), None, {})

    monkeypatch.setattr(left_out, "analyze", analyze)
    benchmark_left_out(folder, impurities={"zincite": "rutile", "corundum": "quartz"})
    # Quartz was weighed into the first sample anyhow.
    assert asked == [
        ("corundum", "zincite", "quartz", "rutile"),
        ("zincite", "quartz", "rutile"),
        ("corundum", "quartz"),
        ("corundum", "quartz"),
    ]
    with pytest.raises(UsageError, match="an impurity of anatase, which was not weighed"):
        benchmark_left_out(folder, impurities={"anatase": "rutile"})
