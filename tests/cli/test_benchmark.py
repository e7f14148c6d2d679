"""`mixrd benchmark weighed`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest


@pytest.fixture
def folder(scan_file: Path, tmp_path: Path) -> Path:
    """Two scans of known composition, of which one is no scan."""
    shutil.copy(scan_file, tmp_path / "good.xy")
    (tmp_path / "bad.xy").write_text("", encoding="utf-8")
    (tmp_path / "compositions.csv").write_text(
        "file,wt_pct,scan\ngood.xy,fluorite=60;halite=40,long\nbad.xy,fluorite=60;halite=40,short\n",
        encoding="utf-8",
    )
    return tmp_path


def test_table_states_errors(run, folder: Path) -> None:
    arguments = ("--instrument", "lab-cu", "--no-network", "--select", "scan=long")
    shown = run("benchmark", "weighed", folder, *arguments)
    assert shown.code == 0
    assert "good.xy" in shown.out and "mean abs. error" in shown.out
    assert "bad.xy" not in shown.out


def test_json_counts_a_failed_sample_and_exits_with_3(run, folder: Path) -> None:
    shown = run("benchmark", "weighed", folder, "--instrument", "lab-cu", "--no-network", "--json")
    assert shown.code == 3
    result = json.loads(shown.out)
    assert result["schema"] == 2
    assert [sample["refined"] is None for sample in result["samples"]] == [False, True]
    assert result["summary"]["refined"]["mae_wt"] < 1.0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--select", "scan"], "COLUMN=VALUE"),
        (["--select", "weather=fine"], "weather"),
        (["--no-refine", "--no-network"], "neither"),
        (["--phases", "flourite"], "fluorite"),
    ],
)
def test_wrong_input_is_exit_2(run, folder: Path, arguments: list[str], said: str) -> None:
    shown = run("benchmark", "weighed", folder, "--instrument", "lab-cu", *arguments)
    assert shown.code == 2
    assert said in shown.err


def test_folder_without_table(run, tmp_path: Path) -> None:
    shown = run("benchmark", "weighed", tmp_path / "nowhere")
    assert shown.code == 2
    assert "compositions.csv" in shown.err
