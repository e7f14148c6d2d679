"""Files that are still being written, renamed or taken away while their folder is watched."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mixrd.batch.folder_watch import FolderWatch


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def watch(tmp_path: Path, clock: Clock) -> FolderWatch:
    folder = tmp_path / "runs"
    folder.mkdir()
    return FolderWatch(folder, 5.0, clock=clock)


def _write(path: Path, text: str, *, at: int) -> Path:
    path.write_text(text, encoding="utf-8")
    os.utime(path, ns=(at * 10**9, at * 10**9))
    return path


def test_file_is_complete_once_it_rests(watch: FolderWatch, clock: Clock) -> None:
    path = _write(watch.folder / "a.xy", "1", at=1)
    assert watch.complete() == []
    clock.now = 4.9
    assert watch.complete() == [] and watch.changed == 0
    clock.now = 5.0
    assert watch.complete() == [path]
    watch.give(path)
    assert watch.complete() == []


def test_each_piece_that_is_written_begins_the_wait_anew(watch: FolderWatch, clock: Clock) -> None:
    path = watch.folder / "a.xy"
    for step in range(5):
        _write(path, "1" * (step + 1), at=step)
        clock.now = 4.0 * step
        assert watch.complete() == []
    assert watch.changed == clock.now
    clock.now += 5
    assert watch.complete() == [path]


def test_same_size_but_written_again_counts_as_change(watch: FolderWatch, clock: Clock) -> None:
    path = _write(watch.folder / "a.xy", "1", at=1)
    watch.complete()
    clock.now = 5
    assert watch.complete() == [path]
    watch.give(path)
    _write(path, "2", at=2)
    assert watch.complete() == []
    clock.now = 10
    assert watch.complete() == [path]


def test_empty_files_wait_for_content(watch: FolderWatch, clock: Clock) -> None:
    _write(watch.folder / "a.xy", "", at=1)
    watch.complete()
    clock.now = 100
    assert watch.complete() == []


def test_other_files_are_none_of_its_business(watch: FolderWatch, clock: Clock) -> None:
    for name in ("a.tmp", "notes.txt", ".a.xy.part"):
        _write(watch.folder / name, "1", at=1)
    watch.complete()
    clock.now = 100
    assert watch.complete() == []


def test_file_that_gets_its_name_at_the_end(watch: FolderWatch, clock: Clock) -> None:
    part = _write(watch.folder / "a.tmp", "1", at=1)
    clock.now = 100
    watch.complete()
    path = part.rename(watch.folder / "a.xy")
    watch.complete()
    clock.now = 105
    assert watch.complete() == [path]


def test_folder_that_goes_away_and_comes_back(watch: FolderWatch, clock: Clock) -> None:
    path = _write(watch.folder / "a.xy", "1", at=1)
    watch.complete()
    away = watch.folder.rename(watch.folder.with_name("away"))
    clock.now = 10
    assert watch.complete() == [] and watch.trouble
    away.rename(watch.folder)
    watch.complete()
    clock.now = 20
    assert watch.complete() == [path] and watch.trouble is None


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root reads everything")
def test_file_that_is_locked_is_not_complete(watch: FolderWatch, clock: Clock) -> None:
    path = _write(watch.folder / "a.xy", "1", at=1)
    path.chmod(0)
    watch.complete()
    clock.now = 10
    assert watch.complete() == []
    path.chmod(0o600)
    assert watch.complete() == [path]
