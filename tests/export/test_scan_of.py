from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mixrd.analysis import Analysis
from mixrd.errors import InputError
from mixrd.export import find_scan


@pytest.fixture
def result(analysis: Analysis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A result in a folder of its own, nothing else near."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "data" / "mixrd-results"
    folder.mkdir(parents=True)
    path = folder / "mixture.json"
    path.write_text(analysis.to_json(), encoding="utf-8")
    return path


def test_beside_above_or_here(analysis: Analysis, result: Path, scan_file: Path) -> None:
    for place in (result.parent, result.parent.parent, Path()):
        copy = shutil.copy(scan_file, place / scan_file.name)
        assert find_scan(analysis, result).sha256 == analysis.provenance["scan_sha256"]
        Path(copy).unlink()


def test_absent(analysis: Analysis, result: Path) -> None:
    with pytest.raises(InputError, match="--scan"):
        find_scan(analysis, result)


def test_other_contents_are_passed_over_or_said(analysis: Analysis, result: Path, scan_file: Path) -> None:
    changed = scan_file.read_text(encoding="utf-8").replace("22.00", "22.01", 1)
    (result.parent / scan_file.name).write_text(changed, encoding="utf-8")
    with pytest.raises(InputError, match="other contents"):
        find_scan(analysis, result)
    shutil.copy(scan_file, result.parent.parent)
    assert find_scan(analysis, result).sha256 == analysis.provenance["scan_sha256"]


def test_a_named_scan_is_taken(analysis: Analysis, result: Path, scan_file: Path) -> None:
    assert find_scan(analysis, result, scan_file).path == str(scan_file)
