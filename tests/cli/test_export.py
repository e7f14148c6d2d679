from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mixrd.export import FORMATS


@pytest.fixture
def result(run, scan_file: Path) -> Path:
    shutil.copy(scan_file, ".")
    shown = run(
        "analyze", scan_file.name, "--phases", "fluorite", "halite", "--instrument", "lab-cu", "--no-network"
    )
    assert shown.code == 0
    return Path("mixrd-results/mixture.json")


def test_every_format(run, result: Path) -> None:
    for name in FORMATS:
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
