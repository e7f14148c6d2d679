"""`mixrd demo`: what becomes of its files; the analysis itself is tested with the experiments."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mixrd.analysis import Analysis, PhaseResult
from mixrd.experiments import demo


@pytest.fixture(autouse=True)
def quick_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    phase = PhaseResult("quartz", "SiO2", 99.0, 0.5, 98.0, 99.0, None, None, None, 2.65)
    result = Analysis("ok", "demo.xy", (phase,), 0.1, 0.09, 0.0, 0.0, {"network": 0.1}, (), None, {})
    monkeypatch.setattr(demo, "run_demo", lambda **_: demo.Demo(result, {"quartz": 97.53}))


def test_truth_stands_beside_the_result_and_the_scan_is_called_synthetic(run) -> None:
    shown = run("demo")
    assert shown.code == 0
    assert "97.53" in shown.out and "99.00" in shown.out
    assert "synthetic" in shown.out


def test_second_demo_replaces_the_first(run) -> None:
    assert run("demo").code == 0
    assert run("demo").code == 0


def test_folder_of_the_user_is_not_overwritten(run) -> None:
    Path("mine").mkdir()
    Path("mine/demo.json").write_text("mine", encoding="utf-8")
    assert run("demo", "--out", "mine").code == 2
    assert Path("mine/demo.json").read_text(encoding="utf-8") == "mine"


def test_json_has_result_and_truth(run) -> None:
    shown = json.loads(run("demo", "--json").out)
    assert Analysis.from_json(json.dumps(shown["analysis"])).fractions == {"quartz": 99.0}
    assert shown["true_weight_percent"] == {"quartz": 97.53}
