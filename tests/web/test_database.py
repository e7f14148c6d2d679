from __future__ import annotations

import sqlite3
import stat
import sys
from pathlib import Path

import pytest

from mixrd.errors import UsageError
from mixrd.web.database import Database


def test_a_second_server_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    first = Database(tmp_path / "data")
    with pytest.raises(UsageError, match="another"):
        Database(tmp_path / "data")
    first.close()
    Database(tmp_path / "data").close()


def test_what_is_undone_leaves_nothing(tmp_path: Path) -> None:
    database = Database(tmp_path)
    with pytest.raises(ZeroDivisionError), database.transaction() as connection:
        connection.execute("INSERT INTO scans VALUES ('a', 0, '{}')")
        raise ZeroDivisionError
    assert database.rows("SELECT * FROM scans") == []
    database.close()


def test_half_uploads_of_an_earlier_server_are_swept_away(tmp_path: Path) -> None:
    Database(tmp_path).close()
    (tmp_path / "uploads" / "half").write_bytes(b"half")
    Database(tmp_path).close()
    assert list((tmp_path / "uploads").iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="no POSIX permissions")
def test_others_on_this_computer_cannot_look_in(tmp_path: Path) -> None:
    Database(tmp_path / "data").close()
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700


def test_data_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    (tmp_path / "mixrd.sqlite").write_bytes(b"no database at all" * 100)
    with pytest.raises(UsageError, match="cannot be read"):
        Database(tmp_path)


def test_data_of_another_version_are_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "mixrd.sqlite") as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(UsageError, match="another version"):
        Database(tmp_path)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be made"):
        Database(tmp_path / "file" / "data")
