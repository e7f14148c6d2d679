"""Real servers: started, stopped, killed, started again."""

from __future__ import annotations

import signal
import socket
import sqlite3
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from mixrd.web.serving import address_of
from mixrd.web.settings import ServerSettings

TOKEN = "a-token-of-some-length"


def _trains(job: dict[str, Any]) -> bool:
    assert job["state"] in ("queued", "analysing", "training"), job
    return job["state"] == "training" and job["progress"]["step"] is not None


def test_ctrl_c_stops_cleanly_though_a_job_is_watched(start, scan_file: Path) -> None:
    server = start("--training-steps", "100000")
    user = server.user()
    job = user.ask([user.upload(scan_file)["id"]])
    with user.http.stream("GET", f"/api/jobs/{job['id']}/events") as events:
        next(events.iter_lines())
        assert server.end(signal.SIGINT) == 0  # the training would have taken hours
    said = "".join(server.printed)
    assert "stopped" in said
    assert "Traceback" not in said


def test_from_other_computers_a_token_is_asked_for(start) -> None:
    server = start("--host", "0.0.0.0")
    address = httpx.URL(server.address)
    base = f"http://127.0.0.1:{address.port}"
    token = address.params["token"]
    assert len(token) >= 32
    assert httpx.get(f"{base}/api/jobs").status_code == 401
    assert httpx.get(f"{base}/api/jobs", headers={"Authorization": f"Bearer {token}"}).status_code == 200
    with httpx.Client(base_url=base, follow_redirects=True) as browser:
        page = browser.get(f"/?token={token}")
        assert page.status_code == 200
        assert "token" not in str(page.url)
        assert browser.get("/api/jobs").status_code == 200


def test_a_token_of_the_environment_counts_here_too(start) -> None:
    server = start(MIXRD_TOKEN=TOKEN)
    assert httpx.URL(server.address).params["token"] == TOKEN
    assert server.user().http.get("/api/health").status_code == 401
    assert server.user(Authorization=f"Bearer {TOKEN}").http.get("/api/health").status_code == 200


def test_a_port_that_is_taken_and_a_folder_in_use_are_told(start, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        server = start("--port", str(taken.getsockname()[1]))
        assert server.process.wait(30) == 2
    assert "cannot listen" in "".join(server.printed)
    first = start()
    assert first.address
    second = start()
    assert second.process.wait(30) == 2
    assert "another `mixrd serve`" in "".join(second.printed)


@pytest.mark.slow
def test_a_training_is_cancelled_and_restarted(start, scan_file: Path) -> None:
    server = start("--training-steps", "100000")
    user = server.user()
    scan = user.upload(scan_file)["id"]
    job, waiting = user.ask([scan]), user.ask([scan])
    user.until(job["id"], _trains)
    assert user.job(waiting["id"])["state"] == "queued"
    assert user.http.post(f"/api/jobs/{waiting['id']}/cancel").json()["state"] == "cancelled"
    user.http.post(f"/api/jobs/{job['id']}/cancel")
    assert user.finished(job["id"])["state"] == "cancelled"
    quick = user.ask([scan], network=False)
    assert user.finished(quick["id"])["state"] == "done"
    assert user.http.post(f"/api/jobs/{job['id']}/restart").json()["state"] in ("queued", "analysing")
    user.until(job["id"], _trains)
    assert user.http.delete(f"/api/jobs/{job['id']}").status_code == 204
    assert user.http.get(f"/api/jobs/{job['id']}").status_code == 404
    assert server.end(signal.SIGTERM) == 0


@pytest.mark.slow
def test_a_refinement_does_not_wait_for_a_training(start, scan_file: Path) -> None:
    server = start("--training-steps", "100000")
    user = server.user()
    scan = user.upload(scan_file)["id"]
    training = user.ask([scan])
    user.until(training["id"], _trains)
    quick = user.ask([scan], network=False)
    assert user.finished(quick["id"])["state"] == "done"
    assert user.job(training["id"])["state"] == "training"


@pytest.mark.slow
def test_jobs_survive_a_server_that_was_killed(start, scan_file: Path, tmp_path: Path) -> None:
    server = start("--training-steps", "100000")
    user = server.user()
    scan = user.upload(scan_file)["id"]
    finished = user.finished(user.ask([scan], network=False)["id"])
    training, waiting = user.ask([scan]), user.ask([scan], phases=["halite"])
    user.until(training["id"], _trains)
    server.end(signal.SIGKILL)
    _no_process_is_left(tmp_path / "data")

    again = start("--training-steps", "4").user()
    assert again.job(finished["id"]) == finished
    done = again.finished(training["id"])
    assert (done["state"], done["progress"]["steps"]) == ("done", 4), done
    assert again.finished(waiting["id"])["state"] == "done"


def _no_process_is_left(folder: Path) -> None:
    """The worker notices that its server has gone: nothing trains on unseen."""
    if sys.platform != "linux":
        return
    end = time.monotonic() + 15
    while time.monotonic() < end:
        working = [
            path
            for path in Path("/proc").glob("[0-9]*")
            if _cpu_of_worker(path, folder.parent / "cache") is not None
        ]
        if not working:
            return
        time.sleep(0.1)
    raise AssertionError(f"still there: {working}")


def _cpu_of_worker(process: Path, cache: Path) -> str | None:
    """The command line of a worker of this test, told by its environment."""
    try:
        command = (process / "cmdline").read_bytes()
        environment = (process / "environ").read_bytes()
    except OSError:
        return None
    ours = b"mixrd.web." in command and f"MIXRD_CACHE={cache}".encode() in environment
    return command.decode() if ours else None


@pytest.mark.slow
def test_a_worker_that_dies_fails_its_job_alone(start, scan_file: Path, tmp_path: Path) -> None:
    import os

    server = start("--training-steps", "100000")
    user = server.user()
    scan = user.upload(scan_file)["id"]
    job = user.ask([scan])
    user.until(job["id"], _trains)
    for path in Path("/proc").glob("[0-9]*"):
        command = _cpu_of_worker(path, tmp_path / "cache")
        if command is not None and "mixrd.web.work" in command:
            os.kill(int(path.name), signal.SIGKILL)
    failed = user.finished(job["id"])
    assert (failed["state"], failed["error"]["code"]) == ("failed", "WORKER")
    assert "signal 9" in failed["error"]["message"]
    assert user.finished(user.ask([scan], network=False)["id"])["state"] == "done"
    user.http.post(f"/api/jobs/{job['id']}/restart")
    user.until(job["id"], _trains)


def test_what_was_tried_often_is_marked_interrupted(start, scan_file: Path, tmp_path: Path) -> None:
    server = start("--training-steps", "100000")
    user = server.user()
    job = user.ask([user.upload(scan_file)["id"]])
    user.until(job["id"], lambda found: found["state"] == "analysing" or _trains(found))
    server.end(signal.SIGKILL)
    with sqlite3.connect(tmp_path / "data" / "mixrd.sqlite") as database:
        database.execute("UPDATE jobs SET attempts = 3")
    found = start("--training-steps", "100000").user().job(job["id"])
    assert found["state"] == "interrupted"
    assert found["error"]["remedy"]


@pytest.mark.parametrize(
    ("settings", "address"),
    [
        ({}, "http://127.0.0.1:8765/"),
        ({"host": "localhost"}, "http://localhost:8765/"),
        ({"host": "::1"}, "http://[::1]:8765/"),
        ({"host": "10.1.2.3", "token": TOKEN}, f"http://10.1.2.3:8765/?token={TOKEN}"),
        ({"host": "0.0.0.0", "token": TOKEN}, f"http://{socket.gethostname()}:8765/?token={TOKEN}"),
    ],
)
def test_the_address_to_open(settings: dict[str, str], address: str) -> None:
    assert address_of(ServerSettings(Path("data"), **settings), 8765) == address  # type: ignore[arg-type]
