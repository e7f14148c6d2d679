"""The journal: what is done stays done, and nothing of another request or another's files is touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from mixrd.analysis import Analysis
from mixrd.batch.journal import JOURNAL_FILE, Journal, content_hash
from mixrd.errors import UsageError

ASKED = {"phases": ["a", "b"], "refinement": True}


@pytest.fixture
def scans(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / "scans" / f"s{i}.xy" for i in range(3)]
    paths[0].parent.mkdir()
    for path in paths:
        path.write_text(f"scan {path.name}\n", encoding="utf-8")
    return paths


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def _result(path: Path, error: str | None = None) -> Analysis:
    status = "failed" if error else "ok"
    origin = {} if error else {"scan_sha256": content_hash(path)}
    return Analysis(status, path.name, (), None, None, None, None, {}, (), error, origin)


def _do(journal: Journal, path: Path, error: str | None = None) -> str:
    name = journal.plan([path])[path]
    if error is None:
        (journal.folder / f"{name}.json").write_text("{\n}\n", encoding="utf-8")
    journal.finish(journal.entry(path, name, _result(path, error)))
    return name


def test_what_is_done_is_not_planned_again(scans: list[Path], out: Path) -> None:
    with Journal(out, ASKED) as journal:
        assert list(journal.plan(scans).values()) == ["s0", "s1", "s2"]
        _do(journal, scans[1])
    with Journal(out, ASKED) as journal:
        assert journal.plan(scans) == {scans[0]: "s0", scans[2]: "s2"}
        assert [entry.name for entry in journal.entries] == ["s1"]


def test_line_cut_off_by_a_kill_loses_that_scan_alone(scans: list[Path], out: Path) -> None:
    with Journal(out, ASKED) as journal:
        _do(journal, scans[0])
        _do(journal, scans[1])
    file = out / JOURNAL_FILE
    file.write_bytes(file.read_bytes()[:-20])
    with Journal(out, ASKED) as journal:
        assert list(journal.plan(scans[:2])) == [scans[1]]
        _do(journal, scans[1])
    with Journal(out, ASKED) as journal:
        assert journal.plan(scans[:2]) == {}


def test_failure_is_done_until_the_file_changes(scans: list[Path], out: Path) -> None:
    with Journal(out, ASKED) as journal:
        _do(journal, scans[0], error="broken")
        assert journal.plan(scans[:1]) == {}
        scans[0].write_text("mended\n", encoding="utf-8")
        assert journal.plan(scans[:1]) == {scans[0]: "s0"}


def test_changed_scan_gets_a_new_name_and_the_old_result_stays(scans: list[Path], out: Path) -> None:
    with Journal(out, ASKED) as journal:
        _do(journal, scans[0])
        scans[0].write_text("measured longer\n", encoding="utf-8")
        assert _do(journal, scans[0]) == "s0-2"
        assert [entry.name for entry in journal.entries] == ["s0-2"]
    assert (out / "s0.json").exists()
    with Journal(out, ASKED) as journal:
        assert journal.plan(scans[:1]) == {}
        assert [entry.name for entry in journal.entries] == ["s0-2"]


def test_renamed_scan_is_done(scans: list[Path], out: Path) -> None:
    with Journal(out, ASKED) as journal:
        _do(journal, scans[0])
    moved = scans[0].rename(scans[0].with_name("quartz.xy"))
    for _ in range(2):
        with Journal(out, ASKED) as journal:
            assert journal.plan([moved]) == {}
            assert [(e.name, journal.path_of(e)) for e in journal.entries] == [("s0", moved)]


def test_copy_of_a_scan_is_a_scan_of_its_own(scans: list[Path], out: Path) -> None:
    twin = scans[0].with_name("twin.xy")
    twin.write_bytes(scans[0].read_bytes())
    with Journal(out, ASKED) as journal:
        _do(journal, scans[0])
        assert journal.plan([twin]) == {twin: "twin"}


def test_result_that_was_deleted_is_made_again(scans: list[Path], out: Path) -> None:
    with Journal(out, ASKED) as journal:
        _do(journal, scans[0])
        (out / "s0.json").unlink()
        assert journal.plan(scans[:1]) == {scans[0]: "s0"}


@pytest.mark.parametrize("left", [b"", b"{\n  }\n", b"{\n\0\0"])
def test_result_that_a_loss_of_power_cut_off_is_made_again(scans: list[Path], out: Path, left: bytes) -> None:
    with Journal(out, ASKED) as journal:
        for scan in scans[:2]:
            _do(journal, scan)
        (out / "s0.json").write_bytes(left)
        assert journal.plan(scans[:2]) == {scans[0]: "s0"}


def test_scans_and_results_may_move_together(scans: list[Path], out: Path, tmp_path: Path) -> None:
    with Journal(out, ASKED) as journal:
        _do(journal, scans[0])
    there = tmp_path / "elsewhere"
    there.mkdir()
    for folder in (scans[0].parent, out):
        folder.rename(there / folder.name)
    with Journal(there / "out", ASKED) as journal:
        assert journal.plan([there / "scans" / "s0.xy"]) == {}


def test_another_request_is_refused_and_says_what_differs(scans: list[Path], out: Path) -> None:
    with Journal(out, ASKED) as journal:
        _do(journal, scans[0])
    with pytest.raises(UsageError, match=r"differently \(refinement\)"):
        Journal(out, {**ASKED, "refinement": False})
    with Journal(out, {**ASKED, "refinement": False}, force=True) as journal:
        assert journal.plan(scans[:1]) == {scans[0]: "s0"}
    with pytest.raises(UsageError, match="differently"):
        Journal(out, ASKED)


def test_files_of_others_are_not_overwritten(scans: list[Path], out: Path) -> None:
    out.mkdir()
    (out / "s1.png").write_text("mine", encoding="utf-8")
    with Journal(out, ASKED) as journal, pytest.raises(UsageError, match="--force"):
        journal.plan(scans)
    assert not (out / JOURNAL_FILE).exists()
    (out / "summary.csv").write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match="--force"):
        Journal(out, ASKED)


def test_one_process_at_a_time(out: Path) -> None:
    with Journal(out, ASKED), pytest.raises(UsageError, match="another mixrd"):
        Journal(out, ASKED)
    Journal(out, ASKED).close()
