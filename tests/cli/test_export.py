from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from mixrd.analysis import Analysis
from mixrd.export import export_formats

RESULT_FORMATS = [name for name, one in export_formats().items() if one.write_result is not None]


@pytest.fixture
def result(run, scan_file: Path) -> Path:
    shutil.copy(scan_file, ".")
    shown = run(
        "analyze", scan_file.name, "--phases", "fluorite", "halite", "--instrument", "lab-cu", "--no-network"
    )
    assert shown.code == 0
    return Path("mixrd-results/mixture.json")


def test_every_format(run, result: Path) -> None:
    for name in RESULT_FORMATS:
        shown = run("export", result, "--to", name)
        assert shown.code == 0, shown.err
        assert list(Path(f"mixrd-results/mixture-{name}").iterdir())
    refused = run("export", result, "--to", "topas")
    assert refused.code == 2 and "--force" in refused.err
    assert run("export", result, "--to", "topas", "--force").code == 0


def test_a_missing_scan(run, result: Path) -> None:
    Path("mixture.xy").unlink()
    shown = run("export", result, "--to", "cif")
    assert shown.code == 2 and "--scan" in shown.err
    assert not Path("mixrd-results/mixture-cif").exists()


def test_what_is_no_result(run) -> None:
    Path("a.json").write_text("{}", encoding="utf-8")
    shown = run("export", "a.json", "--to", "cif")
    assert shown.code == 2 and "not a mixrd result" in shown.err


@pytest.mark.slow
def test_a_second_opinion_beside_the_result(run, scan_file: Path) -> None:
    options = ("--phases", "fluorite", "halite", "--instrument", "lab-cu", "--no-network")
    shown = run("analyze", scan_file, *options, "--check", "rietx", "--json")
    assert shown.code == 0
    found = Analysis.from_json(shown.out)
    assert found.second_opinion is not None
    assert found.second_opinion.weight_percent == pytest.approx(found.fractions, abs=1.5)
    refused = run("analyze", scan_file, "--phases", "fluorite", "--check", "rietx", "--no-refine")
    assert refused.code == 2 and "--check" in refused.err


def test_regions_left_out_are_handed_over(run, result: Path) -> None:
    data = json.loads(result.read_text(encoding="utf-8"))
    data["provenance"]["preparation"]["excluded_deg"] = [[26.2, 27.1]]
    result.write_text(json.dumps(data), encoding="utf-8")
    shown = run("export", result, "--to", "cif")
    assert shown.code == 0
    text = (result.parent / "mixture-cif" / "mixture.cif").read_text(encoding="utf-8")
    assert "26.2 to 27.1 deg in 2theta" in text
