"""Processes that share scans: one that dies costs its scan alone."""

from __future__ import annotations

import dataclasses
import os
import signal
from pathlib import Path

import pytest

from mixrd.analysis import Analysis, AnalysisRequest, Sources
from mixrd.batch.processes import FEWEST_FOR_PROCESSES, Processes, default_jobs, processors
from mixrd.batch.series import Batch
from mixrd.batch.work import Output, ScanJob
from mixrd.errors import UsageError
from mixrd.scan import Scan


class Traps(Sources):
    """Files, of which two have an effect of their own on the process that reads them."""

    def scan(self, name: str, number: int | None = None) -> Scan:
        if Path(name).stem == "killer":
            os.kill(os.getpid(), signal.SIGKILL)
        if Path(name).stem == "fault":
            raise ZeroDivisionError("a fault of ours")
        return super().scan(name, number)


@pytest.fixture(scope="module")
def request_() -> AnalysisRequest:
    return AnalysisRequest(("fluorite",), instrument="lab-cu", network=False)


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Scans so small that a fit of one phase takes a moment."""
    from mixrd.cli import main

    folder = tmp_path_factory.mktemp("scans")
    whole = folder / "a.xy"
    made = ("simulate", "fluorite:1", "--instrument", "lab-cu", "--range", "27", "34", "-o", str(whole))
    assert main(made) == 0
    for name in ("b", "killer", "fault", "c"):
        (folder / f"{name}.xy").write_bytes(whole.read_bytes())
    return [folder / f"{name}.xy" for name in ("a", "killer", "b", "fault", "c")]


@pytest.mark.skipif(os.name == "nt", reason="sends SIGKILL")
def test_dead_process_and_our_own_fault_cost_one_scan_each(
    scans: list[Path], request_: AnalysisRequest, tmp_path: Path
) -> None:
    jobs = [ScanJob(path, path.stem) for path in scans]
    with Batch(request_, Output(tmp_path, plots=False), sources=Traps()) as batch:
        found = {job.name: a for job, a in batch.run(jobs, 2)}
    assert {name for name, a in found.items() if a.status == "ok"} == {"a", "b", "c"}
    assert "died (signal 9)" in str(found["killer"].error)
    assert "fault of mixrd (ZeroDivisionError" in str(found["fault"].error)
    assert sorted(p.name for p in tmp_path.glob("*.json")) == ["a.json", "b.json", "c.json"]
    assert not list(tmp_path.glob(".*.part"))
    assert found["a"].curves is None
    assert Analysis.from_json(tmp_path / "a.json").to_dict() == found["a"].to_dict()


def test_folder_that_cannot_be_written_ends_the_batch(
    scans: list[Path], request_: AnalysisRequest, tmp_path: Path
) -> None:
    (tmp_path / "taken").write_text("mine", encoding="utf-8")
    jobs = [ScanJob(scans[0], "a"), ScanJob(scans[2], "b")]
    with pytest.raises(UsageError, match="cannot be written"):
        list(Batch(request_, Output(tmp_path / "taken")).run(jobs))


@pytest.mark.skipif(os.name == "nt", reason="sends SIGKILL")
def test_process_that_died_idle_is_replaced(scans: list[Path], request_: AnalysisRequest) -> None:
    workers = Processes(request_, Output(None), 1)
    try:
        process = workers._workers[0].process
        process.kill()
        process.join()
        outcomes = [*workers.run([ScanJob(scans[0], "a")]), *workers.run([ScanJob(scans[2], "b")])]
    finally:
        workers.close()
    states = [outcome.analysis.status for outcome in outcomes if outcome.analysis]
    assert states[-1] == "ok"


def test_network_that_is_missing_is_trained_here(
    scans: list[Path], request_: AnalysisRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIXRD_CACHE", str(tmp_path))
    asked = []
    request = dataclasses.replace(request_, network=True, refine=False)

    def train(recipe):
        asked.append(recipe)
        raise UsageError("no time", remedy="Wait")

    jobs = [ScanJob(scans[0], "a"), ScanJob(scans[2], "b")]
    results = dict(Batch(request, train=train).run(jobs, 2))
    assert [a.error for a in results.values()] == ["no time. Wait"] * 2
    assert asked


def test_few_scans_are_not_worth_processes() -> None:
    assert default_jobs(FEWEST_FOR_PROCESSES - 1) == 1
    assert default_jobs(1000) == processors()
