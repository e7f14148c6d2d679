"""`mixrd analyze` on folders and patterns: killed, resumed, one scan broken, much to do."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from mixrd.analysis import Analysis
from mixrd.batch.journal import JOURNAL_FILE
from mixrd.batch.work import MOST_WITH_PLOTS, Output
from mixrd.scan import read_scan, write_scan


def repeats(scan_file: Path, folder: Path, count: int) -> list[Path]:
    """Scans of one sample that differ by their noise."""
    import dataclasses

    folder.mkdir(parents=True)
    scan, random = read_scan(scan_file), np.random.default_rng(0)
    paths = [folder / f"s{i}.xy" for i in range(count)]
    for path in paths:
        write_scan(dataclasses.replace(scan, counts=random.poisson(scan.counts).astype(float)), path)
    return paths


def network_alone(network_file: Path) -> tuple[str, ...]:
    return "--model", str(network_file), "--no-refine"


def done(folder: Path) -> list[str]:
    """Names in the journal's lines of scans that are done."""
    lines = (folder / JOURNAL_FILE).read_text(encoding="utf-8").splitlines()
    return [line["done"]["name"] for line in map(json.loads, lines) if "done" in line]


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "summary.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_folder_gives_one_table_and_a_heat_map(run, scan_file: Path, network_file: Path) -> None:
    repeats(scan_file, Path("runs"), 12)
    Path("runs/s5.xy").write_text("# cut off\n20 1\n20.1 2\n", encoding="utf-8")
    shown = run("analyze", "runs", *network_alone(network_file), "--jobs", "1")
    assert shown.code == 3
    lines = shown.out.splitlines()
    assert [line.split()[0] for line in lines[2:14]] == [f"s{i}.xy" for i in range(12)]
    assert "too few" in lines[7]
    assert "11 scans analysed, 0 with warnings, 1 failed" in shown.out
    assert "failed: runs/s5.xy" in shown.err.replace(os.sep, "/")
    out = Path("mixrd-results")
    assert (out / "summary.png").read_bytes().startswith(b"\x89PNG")
    assert [row["result"] for row in rows(out) if row["phase"] != "halite"] == [f"s{i}" for i in range(12)]


def test_quoted_pattern_and_recursion(run, scan_file: Path, network_file: Path) -> None:
    for folder in ("runs/monday", "runs/tuesday"):
        repeats(scan_file, Path(folder), 2)
    arguments = network_alone(network_file)
    shown = run("analyze", "runs/*/s1.xy", *arguments, "--json")
    assert [Path(r["file"]).name for r in json.loads(shown.out)] == ["s1.xy", "s1.xy"]
    assert run("analyze", "runs", *arguments).code == 2
    assert run("analyze", "runs", "-r", *arguments).code == 0
    assert len(set(done(Path("mixrd-results")))) == 4


def test_same_command_repeats_nothing_and_says_so(run, scan_file: Path, network_file: Path) -> None:
    repeats(scan_file, Path("runs"), 3)
    first = run("analyze", "runs", *network_alone(network_file))
    written = {p: p.stat().st_mtime_ns for p in Path("mixrd-results").glob("s*.json")}
    again = run("analyze", "runs", *network_alone(network_file))
    assert (first.code, again.code) == (0, 0)
    assert "3 of 3 scans were done before" in again.err
    assert again.out == first.out
    assert {p: p.stat().st_mtime_ns for p in written} == written
    repeats(scan_file, Path("more"), 5)
    shutil.copy("more/s4.xy", "runs/s4.xy")
    run("analyze", "runs", *network_alone(network_file))
    assert done(Path("mixrd-results")) == ["s0", "s1", "s2", "s4"]


def test_other_request_does_not_mix_with_old_results(run, scan_file: Path, network_file: Path) -> None:
    repeats(scan_file, Path("runs"), 2)
    assert run("analyze", "runs", *network_alone(network_file)).code == 0
    before = rows(Path("mixrd-results"))
    changed = ("analyze", "runs", "--phases", "fluorite", "--instrument", "lab-cu", "--no-network")
    refused = run(*changed)
    assert refused.code == 2
    assert "phases" in refused.err and "--force" in refused.err
    assert rows(Path("mixrd-results")) == before
    assert run(*changed, "--force").code == 0
    assert {row["phase"] for row in rows(Path("mixrd-results"))} == {"fluorite"}


def test_instrument_calibrated_anew_is_another_request(run, scan_file: Path) -> None:
    repeats(scan_file, Path("runs"), 2)
    text = run("instruments", "--show", "lab-cu").out
    Path("mine.toml").write_text(text, encoding="utf-8")
    arguments = ("analyze", "runs", "--phases", "fluorite", "--no-network", "--instrument", "mine.toml")
    assert run(*arguments).code == 0
    Path("mine.toml").write_text(text + "\n# calibrated again\n", encoding="utf-8")
    assert "instrument" in run(*arguments).err


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="sends SIGKILL")
def test_killed_and_started_again_gives_the_same_and_does_nothing_twice(
    run, scan_file: Path, network_file: Path
) -> None:
    scans = 60
    repeats(scan_file, Path("runs"), scans)
    arguments = ["analyze", "runs", *network_alone(network_file), "--jobs", "2"]
    assert run(*arguments, "--out", "whole").code == 0
    process = subprocess.Popen(
        [sys.executable, "-m", "mixrd", *arguments, "--out", "parts"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    parts = Path("parts")
    while not (parts / JOURNAL_FILE).exists() or len(done(parts)) < 5:
        assert process.poll() is None
        time.sleep(0.005)
    process.kill()
    process.wait()
    before = done(parts)
    assert 5 <= len(before) < scans, "it was to be killed on its way"
    written = {name: (parts / f"{name}.json").stat().st_mtime_ns for name in before}
    shown = run(*arguments, "--out", "parts")
    assert shown.code == 0
    assert f"{len(before)} of {scans} scans were done before" in shown.err
    assert sorted(done(parts)) == sorted(f"s{i}" for i in range(scans))
    assert {name: (parts / f"{name}.json").stat().st_mtime_ns for name in before} == written
    assert rows(parts) == rows(Path("whole"))
    assert not list(parts.glob(".*.part"))


def test_large_batches_have_no_plots_unless_asked() -> None:
    """The rule is told from the number of scans; what makes a plot is a refinement."""

    def plots(scans: int, wish: bool | None) -> bool | None:
        return Output(Path("out"), wish).for_scans(scans).plots

    assert plots(MOST_WITH_PLOTS, None) and not plots(MOST_WITH_PLOTS + 1, None)
    assert plots(1000, True) and not plots(2, False)


def test_no_plots_leaves_them_out(run, scan_file: Path) -> None:
    repeats(scan_file, Path("runs"), 2)
    arguments = ("analyze", "runs", "--phases", "fluorite", "--no-network", "--instrument", "lab-cu")
    assert run(*arguments, "--no-plots").code == 0
    assert [p.name for p in Path("mixrd-results").glob("*.png")] == ["summary.png"]


def test_json_of_a_resumed_batch_is_whole(run, scan_file: Path, network_file: Path) -> None:
    repeats(scan_file, Path("runs"), 3)
    arguments = ("analyze", "runs", *network_alone(network_file), "--json", "--out", "out")
    first, again = run(*arguments), run(*arguments)
    assert first.out == again.out
    results = [Analysis.from_json(json.dumps(item)) for item in json.loads(again.out)]
    assert [a.file for a in results] == ["s0.xy", "s1.xy", "s2.xy"]


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc")
def test_memory_stays_as_it_is(run, scan_file: Path, network_file: Path) -> None:
    """Peak memory of 200 scans is that of 50: nothing of a scan is kept."""
    repeats(scan_file, Path("few"), 50)
    repeats(scan_file, Path("many"), 200)
    code = (
        "import sys\nfrom mixrd.cli import main\nassert main(sys.argv[1:]) == 0\n"
        "print(next(l for l in open('/proc/self/status') if l.startswith('VmHWM')).split()[1])"
    )
    peaks = []
    for folder in ("few", "many"):
        arguments = ["analyze", folder, *network_alone(network_file), "--jobs", "1", "--out", f"{folder}-out"]
        command = [sys.executable, "-c", code, *arguments]
        told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        peaks.append(int(told.split()[-1]) / 1024)
    assert peaks[1] < peaks[0] + 12, f"MiB of 50 and of 200 scans: {peaks}"


def test_jobs_must_be_some(run) -> None:
    assert "--jobs" in run("analyze", "a.xy", "--phases", "quartz", "--jobs", "0").err
