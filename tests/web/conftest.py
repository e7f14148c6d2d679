"""A server in this process for most tests, and servers in processes of their own for those that end them."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from mixrd.cli import main
from mixrd.web.app import create_app
from mixrd.web.settings import ServerSettings

FINAL = ("done", "failed", "cancelled", "interrupted")
LIMIT = 1_000_000
#: As browsers send it; TestClient's own is a name that the server does not answer to.
ADDRESS = "http://127.0.0.1:8765"
#: Two cubic phases over a short range: quick to simulate, fit and train for.
PHASES = ["fluorite", "halite"]


@pytest.fixture(scope="session")
def scan_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated scan of fluorite and halite, 60 to 40 by weight."""
    path = tmp_path_factory.mktemp("scans") / "mixture.xy"
    mixture = ("fluorite:60", "halite:40", "--instrument", "lab-cu", "--range", "24", "62")
    assert main(["simulate", *mixture, "-o", str(path)]) == 0
    return path


@pytest.fixture(scope="session")
def nameless_scan(scan_file: Path) -> Path:
    """The same without a header: nothing says what the radiation was."""
    path = scan_file.with_name("nameless.xy")
    lines = scan_file.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(line for line in lines if not line.startswith("#")), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def pure_scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scan of fluorite alone, to calibrate on."""
    path = tmp_path_factory.mktemp("scans") / "fluorite.xy"
    sample = ("fluorite:1", "--instrument", "lab-cu", "--range", "24", "80", "--size-nm", "500")
    assert main(["simulate", *sample, "-o", str(path)]) == 0
    return path


@pytest.fixture(scope="session")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A client of a server that trains hardly at all and takes small files only."""
    folder = tmp_path_factory.mktemp("server")
    settings = ServerSettings(folder / "data", max_upload_bytes=LIMIT, training_steps=3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MIXRD_CACHE", str(folder / "cache"))
        patch.setenv("OMP_NUM_THREADS", "1")
        with TestClient(create_app(settings), base_url=ADDRESS, raise_server_exceptions=False) as made:
            yield made


@dataclass
class User:
    """What a user does, over the interface."""

    http: Any

    def upload(self, path: Path, name: str | None = None) -> dict[str, Any]:
        with path.open("rb") as file:
            answer = self.http.post("/api/scans", files={"file": (name or path.name, file)})
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def ask(self, scans: list[str], **more: Any) -> dict[str, Any]:
        answer = self.http.post(
            "/api/jobs", json={"kind": "analysis", "scans": scans, "phases": PHASES, **more}
        )
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def job(self, name: str) -> dict[str, Any]:
        answer = self.http.get(f"/api/jobs/{name}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def until(
        self, name: str, what: Callable[[dict[str, Any]], bool], seconds: float = 90.0
    ) -> dict[str, Any]:
        """The job once it is so; anything else is a failure."""
        end = time.monotonic() + seconds
        while not what(job := self.job(name)):
            assert time.monotonic() < end, job
            time.sleep(0.05)
        return job

    def finished(self, name: str) -> dict[str, Any]:
        return self.until(name, lambda job: job["state"] in FINAL)


@pytest.fixture(scope="session")
def user(client: TestClient) -> User:
    return User(client)


@pytest.fixture(scope="session")
def scan(user: User, scan_file: Path) -> dict[str, Any]:
    """The mixture, uploaded."""
    return user.upload(scan_file)


@pytest.fixture(scope="session")
def done(user: User, scan: dict[str, Any]) -> dict[str, Any]:
    """A finished analysis without network."""
    return user.finished(user.ask([scan["id"]], network=False)["id"])


@dataclass
class LiveServer:
    """`mixrd serve` in a process of its own."""

    process: subprocess.Popen[str]
    printed: list[str] = field(default_factory=list)

    @property
    def address(self) -> str:
        """What it printed to open, token included."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            found = re.search(r"http://\S+", "".join(self.printed))
            if found:
                return found[0]
            assert self.process.poll() is None, "".join(self.printed)
            time.sleep(0.02)
        raise AssertionError("the server printed no address")

    def user(self, **headers: str) -> User:
        base = self.address.partition("?")[0]
        return User(httpx.Client(base_url=base, headers=headers, timeout=30))

    def follow(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.printed.append(line)

    def end(self, how: signal.Signals) -> int:
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(20)


Start = Callable[..., LiveServer]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start servers on one folder of data, one after the other; what still runs is ended."""
    started: list[LiveServer] = []

    def run(*options: str, **environment: str) -> LiveServer:
        command = [sys.executable, "-m", "mixrd", "serve", "--no-browser"]
        if "--port" not in options:
            command += ["--port", "0"]
        if "--data" not in options:
            command += ["--data", str(tmp_path / "data")]
        process = subprocess.Popen(
            [*command, *options],
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "MIXRD_CACHE": str(tmp_path / "cache"), "OMP_NUM_THREADS": "1", **environment},
        )
        server = LiveServer(process)
        threading.Thread(target=server.follow, daemon=True).start()
        started.append(server)
        return server

    yield run
    for server in started:
        server.end(signal.SIGKILL)
