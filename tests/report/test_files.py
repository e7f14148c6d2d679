"""The files of a result: names, contents, refusal to overwrite."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from mixrd.analysis import Analysis
from mixrd.errors import UsageError
from mixrd.report.files import CSV_COLUMNS, output_names, result_files, write_batch, write_result


@pytest.mark.parametrize(
    ("scans", "names"),
    [
        (["a.xy", "b.xy"], ["a", "b"]),
        (["a.xy", "a.xye"], ["a-xy", "a-xye"]),
        (["a.xy", "A.xye"], ["a-xy", "A-xye"]),
        (["one/a.xy", "two/a.xy"], ["one-a-xy", "two-a-xy"]),
        (["a.xy", "two/a.xy"], ["here-a-xy", "two-a-xy"]),
        (["1/x/a.xy", "2/x/a.xy"], ["x-a-xy", "x-a-xy-2"]),
        (["a.xy", "a.xy"], ["a", "a-2"]),
        (["a.xy", "a.xye", "a-xy.txt"], ["here-a-xy", "a-xye", "a-xy-txt"]),
        (["summary.xy"], ["summary-xy"]),
    ],
)
def test_names_differ_where_stems_do_not(scans: list[str], names: list[str]) -> None:
    assert output_names(scans) == names
    assert len({name.lower() for name in names}) == len(names)


def test_names_that_are_taken_get_a_number() -> None:
    assert output_names(["a.xy", "b.xy"], taken={"A", "a-2"}) == ["a-3", "b"]


def test_nothing_is_left_half_written(make_analysis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Analysis, "to_json", full)
    with pytest.raises(UsageError, match="No space left"):
        write_result(make_analysis(curves=None), tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["made-up.csv"], "the result itself comes last"


def test_plots_may_be_left_out(make_analysis, tmp_path: Path) -> None:
    written = write_result(make_analysis(), tmp_path, plots=False)
    assert [p.suffix for p in written] == [".json", ".csv"]


def test_result_comes_back_from_its_json(make_analysis, tmp_path: Path) -> None:
    written = write_result(make_analysis(), tmp_path / "new" / "folder")
    assert [p.name for p in written] == ["made-up.json", "made-up.csv", "made-up.png"]
    back = Analysis.from_json(written[0])
    assert back.to_dict() == make_analysis().to_dict()


def test_csv_has_a_row_for_each_phase(make_analysis, tmp_path: Path) -> None:
    write_result(make_analysis(), tmp_path)
    with (tmp_path / "made-up.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == list(CSV_COLUMNS)
    assert [row["phase"] for row in rows] == ["phase-0", "phase-1", "phase-2"]
    assert float(rows[0]["weight_percent"]) == 100 / 3
    assert (rows[0]["crystallite_size_nm"], rows[1]["crystallite_size_nm"]) == ("151.6", "")
    assert float(rows[0]["c_angstrom"]) == 12.9925
    assert rows[0]["warnings"] == "POOR_FIT"


def test_result_without_fit_has_no_plot(make_analysis, tmp_path: Path) -> None:
    write_result(make_analysis(curves=None), tmp_path)
    assert sorted(p.suffix for p in tmp_path.iterdir()) == [".csv", ".json"]


@pytest.mark.parametrize("ending", [".json", ".csv", ".png"])
def test_refuses_before_it_writes_anything(make_analysis, tmp_path: Path, ending: str) -> None:
    mine = tmp_path / f"made-up{ending}"
    mine.write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match="--force"):
        write_result(make_analysis(), tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == [mine.name]
    write_result(make_analysis(), tmp_path, force=True)
    assert mine.read_bytes() != b"mine"


def test_batch_holds_failures(make_analysis, failed_analysis: Analysis, tmp_path: Path) -> None:
    path, picture = write_batch([("one", make_analysis(2)), ("two", failed_analysis)], tmp_path)
    assert picture.read_bytes().startswith(b"\x89PNG")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["result"], row["status"], row["phase"]) for row in rows] == [
        ("one", "ok", "phase-0"),
        ("one", "ok", "phase-1"),
        ("two", "failed", ""),
    ]
    assert rows[2]["error"] == "no data. Export it again"
    with pytest.raises(UsageError, match="--force"):
        write_batch([("one", make_analysis(2))], tmp_path)


def test_list_of_files_is_what_is_written(make_analysis, tmp_path: Path) -> None:
    names = ["one", "two"]
    for name in names:
        write_result(make_analysis(), tmp_path, name=name)
    write_batch([(name, make_analysis()) for name in names], tmp_path)
    assert set(tmp_path.iterdir()) == set(result_files(tmp_path, names))


def test_folder_that_cannot_be_made(make_analysis, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match="cannot be written"):
        write_result(make_analysis(), tmp_path / "taken")
