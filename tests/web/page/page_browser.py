"""A real browser at a real server, for the tests of the page."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

#: What `mixrd serve` does, with settings that its options do not offer.
_LAUNCH = """
import sys
from pathlib import Path
from mixrd.web.serving import serve
from mixrd.web.settings import ServerSettings
data, port, steps, cod = sys.argv[1:]
more = {"cod_url": cod} if cod else {}
settings = ServerSettings(Path(data), port=int(port), training_steps=int(steps), **more)
serve(settings, on_ready=lambda address: print(address, flush=True))
"""
#: Pictures to look at; ignored by git.
PICTURES = Path(__file__).resolve().parents[3] / "build" / "screenshots"
SECONDS = 60_000  # ms that an analysis may take on a busy machine


@dataclass
class Served:
    """A server in a process of its own."""

    process: subprocess.Popen[str]
    address: str

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(20)


@contextmanager
def serving(folder: Path, *, port: int = 0, steps: int = 8, cod: str = "") -> Iterator[Served]:
    """A server on the data of `folder`, ended afterwards."""
    process = subprocess.Popen(
        [sys.executable, "-c", _LAUNCH, str(folder / "data"), str(port), str(steps), cod],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "MIXRD_CACHE": str(folder / "cache"), "OMP_NUM_THREADS": "1"},
    )
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    assert address.startswith("http://"), "the server did not start"
    threading.Thread(target=process.stdout.read, daemon=True).start()
    served = Served(process, address)
    try:
        yield served
    finally:
        served.end()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("page")) as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium of the system. Of each module, because its event loop would stop asynchronous tests."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no chromium found; on Debian and Ubuntu: apt-get install chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield started
        started.close()


@dataclass
class Visit:
    """A person at the page, and what the browser complains of meanwhile."""

    page: Page
    address: str
    complaints: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)

    def open(self, place: str = "") -> Visit:
        self.page.goto(self.address + place)
        self.page.locator("#phase-option-0, #job-name").first.wait_for()
        return self

    def drop(self, *files: Path | str) -> None:
        self.page.set_input_files("#scans input[type=file]", [str(file) for file in files])

    def add_scans(self, *files: Path | str) -> None:
        self.drop(*files)
        self.page.locator("#scan-list .scan").nth(len(files) - 1).wait_for()

    def add_phases(self, *names: str) -> None:
        for name in names:
            self.page.fill("#phase-search", name)
            self.page.locator(f"#phase-option-0:has-text('{name}')").wait_for()
            self.page.press("#phase-search", "Enter")
            self.page.locator(f"#phase-chosen :text('{name}')").first.wait_for()

    def choose(self, instrument: str = "lab-cu", method: str = "refine") -> None:
        self.page.check(f"#instrument-{instrument}")
        if self.page.locator("#options-card[open]").count() == 0:
            self.page.click("#options-card > summary")
        self.page.check(f"#method-{method}")

    def run(self) -> str:
        """Start what is chosen; the id of the job."""
        self.page.click("#run-start")
        self.page.locator("#job-name").wait_for()
        return self.job

    @property
    def job(self) -> str:
        found = re.search(r"job=(\w+)", self.page.url)
        assert found, self.page.url
        return found[1]

    def until_state(self, state: str, *, seconds: float = 60) -> None:
        self.page.locator(f"#job-head .state.{state}").wait_for(timeout=1000 * seconds)

    def ask(self, path: str) -> Any:
        """What the interface answers, past the page."""
        answer = self.page.request.get(f"{self.address}api/{path}")
        assert answer.ok, answer.text()
        return answer.json()

    def picture(self, name: str) -> None:
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=PICTURES / f"{name}.png", full_page=True)


NewVisit = Callable[..., Visit]


@pytest.fixture
def visit(browser: Browser, served: Served) -> Iterator[NewVisit]:
    """Open the page as somebody new; afterwards nothing may have gone wrong in the browser unnoticed.

    What a test expects to be complained of, it takes out of `complaints`.
    """
    visits = []

    def new(address: str | None = None, *, width: int = 1366, height: int = 860, dark: bool = False) -> Visit:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
        )
        page = context.new_page()
        page.set_default_timeout(20_000)
        made = Visit(page, address or served.address)
        page.on("pageerror", lambda error: made.complaints.append(str(error)))
        page.on("console", lambda said: made.complaints.append(said.text) if said.type == "error" else None)
        page.on(
            "request",
            lambda r: None if r.url.startswith((made.address, "blob:")) else made.outside.append(r.url),
        )
        visits.append(made)
        return made

    yield new
    for made in visits:
        made.page.context.close()
        assert made.complaints == []
        assert made.outside == []


def wait_for(what: Callable[[], bool], seconds: float = 30) -> None:
    """Until it is so; a failure otherwise."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end
        time.sleep(0.05)
