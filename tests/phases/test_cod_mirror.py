"""A folder of CIF files as a source of structures."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from cod_server import cif_text

from mixrd.errors import PhaseNotFoundError, UsageError
from mixrd.phases import CodMirror, CodQuery, cod_mirror, read_record


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two structures, one twice, one file without a number and one that is no CIF."""
    folder = tmp_path / "structures"
    (folder / "halides").mkdir(parents=True)
    (folder / "halides" / "salt.cif").write_text(cif_text(9000001), encoding="utf-8")
    (folder / "salt-again.cif").write_text(cif_text(9000001), encoding="utf-8")
    (folder / "sylvite.CIF").write_text(cif_text(9000003, "K Cl", "Sylvite", 6.29), encoding="utf-8")
    own = cif_text(9000009).replace("_cod_database_code               9000009\n", "")
    (folder / "own.cif").write_text(own, encoding="utf-8")
    (folder / "notes.txt").write_text("_cod_database_code 9000010", encoding="utf-8")
    return folder


def test_files_are_found_by_the_number_inside(folder: Path, tmp_path: Path) -> None:
    mirror = CodMirror(folder, index_folder=tmp_path / "index")
    assert mirror.numbers == (9000001, 9000003)
    assert (mirror.files, mirror.repeated) == (4, 1)
    assert mirror.cif(9000001) == folder / "halides" / "salt.cif", "the first by path"
    with pytest.raises(PhaseNotFoundError, match="9000009"):
        mirror.cif(9000009)


def test_index_is_made_once_and_notices_changes(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    whole = cod_mirror.read_record
    monkeypatch.setattr(cod_mirror, "read_record", lambda path: (read.append(path.name), whole(path))[1])
    told: list[tuple[int, int]] = []
    CodMirror(folder, index_folder=tmp_path / "i", on_progress=lambda *x: told.append(x))
    assert len(read) == 4
    assert told[-1] == (4, 4)
    read.clear()
    CodMirror(folder, index_folder=tmp_path / "i")
    assert read == []
    changed = folder / "own.cif"
    changed.write_text(cif_text(9000009), encoding="utf-8")
    (folder / "sylvite.CIF").unlink()
    mirror = CodMirror(folder, index_folder=tmp_path / "i")
    assert read == ["own.cif"]
    assert mirror.numbers == (9000001, 9000009)
    os.utime(changed, ns=(1, 1))
    CodMirror(folder, index_folder=tmp_path / "i")
    assert read == ["own.cif"] * 2


def test_index_goes_on_after_a_kill(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cod_mirror, "_SAVE_EVERY", 2)
    whole, read = cod_mirror.read_record, []

    def killed(path: Path) -> object:
        if len(read) == 3:
            raise KeyboardInterrupt
        read.append(path.name)
        return whole(path)

    monkeypatch.setattr(cod_mirror, "read_record", killed)
    with pytest.raises(KeyboardInterrupt):
        CodMirror(folder, index_folder=tmp_path / "i")
    again: list[str] = []
    monkeypatch.setattr(cod_mirror, "read_record", lambda path: (again.append(path.name), whole(path))[1])
    assert CodMirror(folder, index_folder=tmp_path / "i").files == 4
    assert len(again) == 2, "the two that were saved are not read again"


def test_damaged_index_is_made_anew(folder: Path, tmp_path: Path) -> None:
    CodMirror(folder, index_folder=tmp_path / "i")
    (index,) = (tmp_path / "i").iterdir()
    for damage in ("", "{", '{"version": 0, "files": {}}', '{"version": 1, "files": {"a": 3}}', "[]"):
        index.write_text(damage, encoding="utf-8")
        assert CodMirror(folder, index_folder=tmp_path / "i").numbers == (9000001, 9000003)


def test_folders_that_are_no_mirror(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such folder"):
        CodMirror(tmp_path / "nowhere", index_folder=tmp_path)
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(UsageError, match="none of its 0 CIF files"):
        CodMirror(empty, index_folder=tmp_path)


def test_record_of_a_file(folder: Path, tmp_path: Path) -> None:
    record = read_record(folder / "sylvite.CIF")
    assert record is not None
    assert (record.number, record.formula, record.mineral) == (9000003, "Cl K", "Sylvite")
    assert record.space_group == "F m -3 m"
    broken = tmp_path / "broken.cif"
    broken.write_text("data_x\n_cod_database_code 9000077\nloop_\n_a\n_b\n1 2 3\n", encoding="utf-8")
    found = read_record(broken)
    assert found is not None and (found.number, found.formula) == (9000077, "")
    assert not CodQuery(elements=("C",)).accepts(found)


def test_number_in_a_comment_text_does_not_count(tmp_path: Path) -> None:
    file = tmp_path / "a.cif"
    file.write_text("data_x\n_comment\n;\n see _cod_database_code 1011063\n;\n", encoding="utf-8")
    assert read_record(file) is None


def test_the_open_chemistry_collection(data_dir: Path, tmp_path: Path) -> None:
    folder = data_dir / "structures" / "openchemistry"
    if not folder.is_dir():
        pytest.skip(f"no structures at {folder}")
    mirror = CodMirror(folder, index_folder=tmp_path)
    assert (mirror.files, len(mirror.numbers), mirror.repeated) == (524, 306, 7)
    assert [r.mineral for r in mirror.search(CodQuery(mineral="whewellite"))] == ["Whewellite"]
    assert 9009668 in [r.number for r in mirror.search(CodQuery(formula="CaCO3"))]
