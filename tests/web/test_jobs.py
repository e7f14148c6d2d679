from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mixrd.web.database import Database
from mixrd.web.jobs import MOST_ATTEMPTS, Job, Jobs


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Jobs]:
    database = Database(tmp_path)
    yield Jobs(database)
    database.close()


def _add(jobs: Jobs, title: str = "job", *, quick: bool = False) -> Job:
    return jobs.add("analysis", title, {"scans": ["a", "b"], "phases": ["x"]}, ["a.xy", "b.xy"], quick=quick)


def test_the_oldest_job_is_taken_first(jobs: Jobs) -> None:
    first, second = _add(jobs), _add(jobs)
    taken = [jobs.take(quick_only=False), jobs.take(quick_only=False), jobs.take(quick_only=False)]
    assert [job and job.id for job in taken] == [first.id, second.id, None]
    assert [job.id for job in jobs.newest(10)] == [second.id, first.id]


def test_what_trains_nothing_does_not_wait_for_trainings(jobs: Jobs) -> None:
    _add(jobs)
    quick = _add(jobs, quick=True)
    taken = jobs.take(quick_only=True)
    assert taken is not None
    assert taken.id == quick.id
    assert jobs.take(quick_only=True) is None


def test_a_job_ends_once(jobs: Jobs) -> None:
    job = _add(jobs)
    jobs.take(quick_only=False)
    assert jobs.finish(job.id, "cancelled")
    assert not jobs.finish(job.id, "done")
    jobs.report(job.id, "training", {**job.progress, "step": 3})
    found = jobs.get(job.id)
    assert found is not None
    assert (found.state, found.progress["step"]) == ("cancelled", None)


def test_what_ran_when_the_server_stopped_is_queued_again_but_not_for_ever(jobs: Jobs) -> None:
    job = _add(jobs)
    for _ in range(MOST_ATTEMPTS):
        assert jobs.take(quick_only=False) is not None
        jobs.resume()
    found = jobs.get(job.id)
    assert found is not None
    assert found.state == "interrupted"
    assert found.error is not None
    assert jobs.take(quick_only=False) is None
    assert jobs.restart(job.id)
    assert jobs.take(quick_only=False) is not None


def test_a_restart_keeps_what_succeeded(jobs: Jobs) -> None:
    job = _add(jobs)
    jobs.take(quick_only=False)
    jobs.add_result(job.id, 0)
    jobs.add_result(job.id, 1, error={"code": "SCAN"})
    assert not jobs.restart(job.id)
    jobs.finish(job.id, "failed")
    assert jobs.restart(job.id)
    assert [row["number"] for row in jobs.results(job.id)] == [0]
    found = jobs.get(job.id)
    assert found is not None
    assert (found.state, found.progress["scans_done"], found.finished) == ("queued", 1, None)


def test_a_deleted_job_leaves_nothing(jobs: Jobs) -> None:
    job = _add(jobs)
    folder = jobs.database.results_folder(job.id)
    folder.mkdir()
    (folder / "0.json").write_text("{}")
    jobs.add_result(job.id, 0)
    assert jobs.uses(["a", "c"]) == {"a"}
    jobs.delete(job.id)
    assert jobs.get(job.id) is None
    assert jobs.results(job.id) == []
    assert jobs.uses(["a", "c"]) == set()
    assert not folder.exists()
    jobs.add_result(job.id, 1)
    assert jobs.results(job.id) == []
