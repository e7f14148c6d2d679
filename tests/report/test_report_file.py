"""The report as a file, and reports of results that were kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mixrd.analysis import failed_analysis
from mixrd.errors import InputError, UsageError
from mixrd.report.files import write_batch, write_result
from mixrd.report.report_file import KeptResults, failed_scans, kept_files, report_of_kept, write_report


def test_written_once_and_again_by_force(make_analysis, tmp_path: Path) -> None:
    path = write_report([("a", make_analysis(curves=None))], tmp_path / "new" / "a.html")
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")
    with pytest.raises(UsageError, match="--force"):
        write_report([("a", make_analysis(curves=None))], path)
    write_report([("a", make_analysis(curves=None))], path, force=True)


def test_kept_results_say_what_the_fresh_one_says(make_analysis, tmp_path: Path) -> None:
    write_result(make_analysis(), tmp_path)
    report = report_of_kept([tmp_path], tmp_path / "again.html").read_text(encoding="utf-8")
    fresh = write_report([("made-up", make_analysis())], tmp_path / "f.html").read_text(encoding="utf-8")
    assert "data:image/png" in report
    assert report == fresh


def test_kept_results_are_loaded_when_asked_for(make_analysis, tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        write_result(make_analysis(curves=None), tmp_path, name=name)
    results = KeptResults(kept_files([tmp_path]))
    assert [name for name, _ in results] == ["a", "b", "c"]
    (tmp_path / "b.json").write_text("{}", encoding="utf-8")
    assert results[0][1].status == "ok" and len(results[2:]) == 1
    with pytest.raises(InputError):
        results[1]


def test_what_failed_in_a_batch_is_in_the_report_of_its_folder(make_analysis, tmp_path: Path) -> None:
    good, bad = make_analysis(curves=None), failed_analysis("scans/torn.xy", "torn.xy: it ends too early")
    write_result(good, tmp_path, name="good")
    write_batch([("good", good), ("torn", bad)], tmp_path)
    ((name, found),) = failed_scans([tmp_path, tmp_path, tmp_path / "good.json"])
    assert (name, found.to_dict()) == ("torn", bad.to_dict())
    results = KeptResults(kept_files([tmp_path]), failed_scans([tmp_path]))
    assert [(name, a.status) for name, a in results] == [("good", "ok"), ("torn", "failed")]
    text = report_of_kept([tmp_path], tmp_path / "all.html").read_text(encoding="utf-8")
    assert "it ends too early" in text and "torn.xy" in text
    (tmp_path / "summary.csv").write_text("somebody's,own\n1,2\n", encoding="utf-8")
    assert failed_scans([tmp_path]) == []
    assert "torn" not in report_of_kept([tmp_path / "good.json"], tmp_path / "one.html").read_text("utf-8")


def test_no_result_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no result"):
        kept_files([tmp_path])
    with pytest.raises(InputError, match="no result"):
        kept_files([tmp_path / "nowhere.json"])


def test_a_result_that_somebody_changed_is_refused(make_analysis, tmp_path: Path) -> None:
    write_result(make_analysis(curves=None), tmp_path)
    path = tmp_path / "made-up.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    data["phases"][0]["weight_percent"] = "<b>much</b>"
    path.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(InputError, match="never writes"):
        report_of_kept([path], tmp_path / "report.html")
    assert not (tmp_path / "report.html").exists()
