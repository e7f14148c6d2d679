"""`mixrd watch`: files written in pieces, broken, mended, renamed; Ctrl-C and another start."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from threading import Thread

import pytest

from mixrd.analysis import Analysis

OUT = Path("mixrd-results")


@pytest.fixture
def arguments(network_file: Path) -> tuple[str, ...]:
    return "watch", "runs", "--model", str(network_file), "--no-refine", "--settle", "600ms"


@pytest.fixture
def text(scan_file: Path, run) -> str:
    Path("runs").mkdir()
    return scan_file.read_text(encoding="utf-8")


def _beside(work: Callable[[], None]) -> Thread:
    thread = Thread(target=work, daemon=True)
    thread.start()
    return thread


def _wait_for(what: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it does not come"
        time.sleep(0.05)


def _rows() -> list[dict[str, str]]:
    with (OUT / "summary.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _files() -> set[str]:
    return {row["file"] for row in _rows()}


def test_file_written_in_pieces_is_analysed_once_and_whole(run, text: str, arguments) -> None:
    whole = Path("other.xy")
    whole.write_text(text, encoding="utf-8")
    pieces = 6

    def instrument() -> None:
        size = len(text) // pieces + 1
        with Path("runs/a.xy").open("a", encoding="utf-8") as file:
            for i in range(pieces):
                file.write(text[i * size : (i + 1) * size])
                file.flush()
                time.sleep(0.25)

    thread = _beside(instrument)
    shown = run(*arguments, "--stop-after", "3s")
    thread.join()
    assert shown.code == 0
    assert shown.out.count("a.xy") == 1
    alone = run("analyze", whole, "--model", arguments[3], "--no-refine", "--json")
    found = Analysis.from_json(OUT / "a.json")
    assert found.fractions == Analysis.from_json(alone.out).fractions
    assert [row["phase"] for row in _rows()] == ["fluorite", "halite"]


def test_broken_mended_renamed_and_removed_files(run, text: str, arguments) -> None:
    Path("runs/good.xy").write_text(text, encoding="utf-8")
    Path("runs/bad.xy").write_text("# broken\n1 2\n", encoding="utf-8")
    Path("runs/gone.xy").write_text(text + "# of its own\n", encoding="utf-8")
    Path("runs/empty.xy").write_text("", encoding="utf-8")

    def operator() -> None:
        Path("runs/gone.xy").unlink()
        _wait_for(lambda: (OUT / "summary.csv").exists() and _files() == {"good.xy", "bad.xy"})
        failures.append([row["status"] for row in _rows() if row["file"] == "bad.xy"])
        Path("runs/bad.xy").write_text(text + "# mended\n", encoding="utf-8")
        Path("runs/good.xy").rename("runs/better.xy")

    failures: list[list[str]] = []
    thread = _beside(operator)
    shown = run(*arguments, "--stop-after", "4s")
    thread.join()
    assert shown.code == 0
    assert failures == [["failed"]]
    assert shown.out.count("good.xy") == 1 and "better.xy" not in shown.out, "it was done before"
    assert {row["result"] for row in _rows()} == {"good", "bad"}
    assert {row["status"] for row in _rows()} == {"ok"}
    report = (OUT / "report.html").read_text(encoding="utf-8")
    assert "good.xy" in report and "bad.xy" in report and "gone.xy" not in report


def test_changed_scan_is_analysed_again_under_another_name(run, text: str, arguments) -> None:
    scan = Path("runs/a.xy")
    scan.write_text(text, encoding="utf-8")
    assert run(*arguments, "--stop-after", "2s").code == 0
    scan.write_text(text + "# measured longer\n", encoding="utf-8")
    assert run(*arguments, "--stop-after", "2s").code == 0
    assert (OUT / "a.json").exists()
    assert {row["result"] for row in _rows()} == {"a-2"}


def test_results_are_shared_with_analyze_and_as_json_lines(run, text: str, arguments) -> None:
    for name in ("a", "b"):
        Path(f"runs/{name}.xy").write_text(text + f"# {name}\n", encoding="utf-8")
    shown = run(*arguments, "--stop-after", "2s", "--json")
    lines = [Analysis.from_json(line) for line in shown.out.splitlines()]
    assert [a.file for a in lines] == ["a.xy", "b.xy"]
    assert json.loads(shown.out.splitlines()[0]) == json.loads((OUT / "a.json").read_text(encoding="utf-8"))
    again = run("analyze", "runs", *arguments[2:5])
    assert again.code == 0
    assert "2 of 2 scans were done before" in again.err


@pytest.mark.skipif(os.name == "nt", reason="sends SIGINT")
def test_ctrl_c_keeps_all_and_another_start_goes_on(run, text: str, arguments) -> None:
    command = [sys.executable, "-m", "mixrd", *arguments]

    def start() -> subprocess.Popen[str]:
        return subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
        )  # fmt: skip

    Path("runs/a.xy").write_text(text, encoding="utf-8")
    first = start()
    _wait_for(lambda: (OUT / "summary.csv").exists())
    first.send_signal(signal.SIGINT)
    out, err = first.communicate(timeout=60)
    assert first.returncode == 0, err
    assert "Traceback" not in err and "1 scan in" in err
    assert out.count("a.xy") == 1
    Path("runs/b.xy").write_text(text + "# b\n", encoding="utf-8")
    second = start()
    _wait_for(lambda: _files() == {"a.xy", "b.xy"})
    second.send_signal(signal.SIGINT)
    out, err = second.communicate(timeout=60)
    assert second.returncode == 0
    assert "1 scan was done before" in err
    assert "a.xy" not in out and "b.xy" in out


def test_folder_that_is_not_there(run, arguments) -> None:
    shown = run(*arguments)
    assert shown.code == 2 and "no such folder" in shown.err


def test_time_that_is_none(run, text: str, arguments) -> None:
    assert "--settle" in run(*arguments[:-1], "soon").err
    assert "--stop-after" in run(*arguments, "--stop-after", "late").err
