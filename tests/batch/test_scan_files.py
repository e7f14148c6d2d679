"""Files, folders and patterns: which scans they stand for, in which order."""

from __future__ import annotations

from pathlib import Path

import pytest

from mixrd.batch.journal import JOURNAL_FILE
from mixrd.batch.scan_files import find_scans, natural_key
from mixrd.errors import UsageError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("s10.xy", "s2.xy", "S1.XRDML", ".s3.xy", "notes.txt", "table.csv", "quartz.cif",
                 "deep/s4.xy", "deep/er/s5.raw"):  # fmt: skip
        path = tmp_path / "runs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("1 2\n", encoding="utf-8")
    (tmp_path / "runs" / "not-a-scan.xy").mkdir()
    return tmp_path / "runs"


def _names(*named: str, **settings: bool) -> list[str]:
    return [path.as_posix() for path in find_scans(named, **settings).paths]


def test_folder_stands_for_its_scans_in_natural_order(folder: Path) -> None:
    assert _names("runs") == ["runs/S1.XRDML", "runs/s2.xy", "runs/s10.xy"]


def test_folders_in_it_only_if_asked(folder: Path) -> None:
    found = _names("runs", recursive=True)
    assert set(found) == {*_names("runs"), "runs/deep/s4.xy", "runs/deep/er/s5.raw"}


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("runs/*.xy", ["runs/s2.xy", "runs/s10.xy"]),
        ("runs/*.csv", ["runs/table.csv"]),
        ("runs/**/*.xy", ["runs/deep/s4.xy", "runs/s2.xy", "runs/s10.xy"]),
        ("runs/s[12].*", ["runs/s2.xy"]),
    ],
)
def test_pattern_takes_what_it_names(folder: Path, pattern: str, names: list[str]) -> None:
    found = find_scans([pattern])
    assert [path.as_posix() for path in found.paths] == names
    assert found.series, "a pattern is a series even if it matches one file"


def test_file_whose_name_looks_like_a_pattern_is_that_file(folder: Path) -> None:
    Path("a[1].xy").write_text("1 2\n", encoding="utf-8")
    found = find_scans(["a[1].xy"])
    assert found.paths == (Path("a[1].xy"),) and not found.series


def test_order_of_a_shell_becomes_natural_and_one_of_a_person_stays(folder: Path) -> None:
    assert _names("s1.xy", "s10.xy", "s2.xy") == ["s1.xy", "s2.xy", "s10.xy"]
    assert _names("s2.xy", "s10.xy", "s1.xy") == ["s2.xy", "s10.xy", "s1.xy"]


def test_no_scan_comes_twice(folder: Path) -> None:
    assert _names("runs", "runs/s2.xy", "runs/*.xy") == _names("runs")


def test_results_of_a_batch_are_no_scans(folder: Path) -> None:
    (folder / "deep" / JOURNAL_FILE).write_text("", encoding="utf-8")
    assert "runs/deep/s4.xy" not in _names("runs/**/*.xy")


@pytest.mark.parametrize(("name", "said"), [("runs/*.brml", "no file matches"), ("empty", "--recursive")])
def test_nothing_found_says_what_to_do(folder: Path, name: str, said: str) -> None:
    Path("empty").mkdir()
    with pytest.raises(UsageError, match=said):
        find_scans([name])


def test_file_that_is_missing_is_told_later(folder: Path) -> None:
    assert find_scans(["nowhere.xy"]).paths == (Path("nowhere.xy"),)


def test_natural_order() -> None:
    names = ["b1", "a10b2", "a2", "A1", "a10b10", "a"]
    assert sorted(names, key=natural_key) == ["a", "A1", "a2", "a10b2", "a10b10", "b1"]
