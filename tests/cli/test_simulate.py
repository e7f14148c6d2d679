"""`mixrd simulate`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mixrd.scan import read_scan


def test_writes_scan_and_truth(scan_file: Path) -> None:
    scan = read_scan(scan_file)
    assert scan.two_theta[[0, -1]] == pytest.approx([24, 62])
    truth = json.loads(scan_file.with_suffix(".truth.json").read_text(encoding="utf-8"))
    assert truth["weight_percent"] == pytest.approx({"fluorite": 60, "halite": 40})
    assert truth["seed"] == 0


def test_same_seed_same_scan_other_seed_another(run) -> None:
    for name, seed in (("a.xy", "1"), ("b.xy", "1"), ("c.xy", "2")):
        arguments = ("--instrument", "lab-cu", "--range", "45", "50", "--seed", seed, "-o", name)
        assert run("simulate", "fluorite:1", *arguments).code == 0
    a, b, c = (Path(name).read_text(encoding="utf-8") for name in ("a.xy", "b.xy", "c.xy"))
    assert a == b
    assert a != c


def test_kind_of_fraction_is_converted(run) -> None:
    arguments = ("--radiation", "CoKa", "--range", "30", "40", "-o", "a.xy")
    assert run("simulate", "fluorite:1", "halite:1", "--kind", "mole", *arguments).code == 0
    truth = json.loads(Path("a.truth.json").read_text(encoding="utf-8"))
    # CaF2 78.07 g/mol, NaCl 58.44 g/mol
    assert truth["weight_percent"]["fluorite"] == pytest.approx(100 * 78.07 / (78.07 + 58.44), abs=0.05)


@pytest.mark.parametrize("existing", ["a.xy", "a.truth.json"])
def test_nothing_is_overwritten_without_force(run, existing: str) -> None:
    Path(existing).write_text("mine", encoding="utf-8")
    arguments = ("simulate", "fluorite:1", "--instrument", "lab-cu", "--range", "45", "50", "-o", "a.xy")
    refused = run(*arguments)
    assert refused.code == 2
    assert existing in refused.err and "--force" in refused.err
    assert Path(existing).read_text(encoding="utf-8") == "mine"
    assert run(*arguments, "--force").code == 0
    assert Path(existing).read_text(encoding="utf-8") != "mine"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["fluorite", "--instrument", "lab-cu"], "corundum:30"),
        (["fluorite:much", "--instrument", "lab-cu"], "corundum:30"),
        ([":3", "--instrument", "lab-cu"], "corundum:30"),
        (["fluorite:-1", "--instrument", "lab-cu"], "negative"),
        (["fluorite:1", "fluorite:2", "--instrument", "lab-cu"], "same structure"),
        (["flourite:1", "--instrument", "lab-cu"], "fluorite"),
        (["fluorite:1"], "--instrument"),
        (["fluorite:1", "--monochromator", "26.6"], "--radiation"),
        (["fluorite:1", "--instrument", "lab-cu", "--radiation", "CuKa"], "exclude"),
        (["fluorite:1", "--instrument", "lab-cu", "--peak-counts", "-3"], "peak_counts"),
        (["fluorite:1", "--radiation", "XyKa"], "CuKa"),
    ],
)
def test_wrong_input_is_exit_2(run, arguments: list[str], said: str) -> None:
    shown = run("simulate", *arguments, "-o", "a.xy")
    assert shown.code == 2
    assert said in shown.err
    assert "Traceback" not in shown.err
    assert list(Path().iterdir()) == []


def test_folder_that_is_not_there_is_exit_2(run) -> None:
    shown = run("simulate", "fluorite:1", "--instrument", "lab-cu", "--range", "45", "50", "-o", "no/a.xy")
    assert shown.code == 2
    assert "cannot be written" in shown.err
