"""How quickly the page of `mixrd serve` answers while a network is trained.

Starts a server on empty folders, analyses the example scan without a network, begins a training of the usual
length and asks 100 times for what the page asks for. Writes benchmarks/serve.json.
"""

from __future__ import annotations

import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

RESULTS = Path(__file__).parent / "serve.json"
REQUESTS = 100
#: Seconds that the median must stay below.
TARGET = 0.2
PHASES = ["corundum", "fluorite", "zincite"]


@contextmanager
def running_server(folder: Path) -> Iterator[httpx.Client]:
    """A server with nothing in it."""
    environment = {**os.environ, "MIXRD_CACHE": str(folder / "cache")}
    environment.pop("MIXRD_TOKEN", None)
    command = [sys.executable, "-m", "mixrd", "serve", "--no-browser", "--port", "0"]
    process = subprocess.Popen(
        [*command, "--data", str(folder / "data")], stderr=subprocess.PIPE, text=True, env=environment
    )
    assert process.stderr is not None
    try:
        found = re.search(r"http://\S+", process.stderr.readline())
        if found is None:
            raise SystemExit("the server did not start")
        with httpx.Client(base_url=found[0], timeout=60) as client:
            yield client
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def ask(client: httpx.Client, scan: str, *, network: bool) -> str:
    """Id of a new job."""
    request = {
        "kind": "analysis",
        "scans": [scan],
        "phases": PHASES,
        "instrument": "lab-cu",
        "network": network,
    }
    return str(client.post("/api/jobs", json=request).raise_for_status().json()["id"])


def wait(client: httpx.Client, job: str, state: str, *, steps: int = 0) -> dict[str, Any]:
    """The job once it is so far."""
    while True:
        found = dict(client.get(f"/api/jobs/{job}").raise_for_status().json())
        if found["state"] == state and (found["progress"]["step"] or 0) >= steps:
            return found
        if found["state"] in ("failed", "cancelled", "interrupted"):
            raise SystemExit(f"the job failed: {found['error']}")
        time.sleep(0.2)


def answer_times(client: httpx.Client, paths: dict[str, str]) -> dict[str, list[float]]:
    """Seconds of each of `REQUESTS` requests, the paths in turn, a little apart as a page's are."""
    times: dict[str, list[float]] = {name: [] for name in paths}
    for number in range(REQUESTS):
        name = list(paths)[number % len(paths)]
        begin = time.perf_counter()
        client.get(paths[name]).raise_for_status()
        times[name].append(time.perf_counter() - begin)
        time.sleep(0.05)
    return times


def measure(client: httpx.Client) -> dict[str, Any]:
    """Times while a network is trained."""
    scan = client.post("/api/scans/example").raise_for_status().json()["id"]
    done = ask(client, scan, network=False)
    wait(client, done, "done")
    training = ask(client, scan, network=True)
    wait(client, training, "training", steps=2)
    paths = {
        "page": "/",
        "phases": "/api/phases",
        "jobs": "/api/jobs",
        "running job": f"/api/jobs/{training}",
        "finished job": f"/api/jobs/{done}",
        "curves": f"/api/jobs/{done}/results/0/curves",
    }
    times = answer_times(client, paths)
    trained = wait(client, training, "training")["progress"]["step"]
    every = [x for some in times.values() for x in some]
    return {
        "requests": len(every),
        "median_ms": 1e3 * statistics.median(every),
        "worst_ms": 1e3 * max(every),
        "median_ms_by_request": {name: 1e3 * statistics.median(some) for name, some in times.items()},
        "training_steps_meanwhile": trained,
        "processors": os.cpu_count(),
        "load": os.getloadavg()[0],
    }


def main() -> None:
    """Measure, print, keep, and fail above the target."""
    with tempfile.TemporaryDirectory() as folder, running_server(Path(folder)) as client:
        found = measure(client)
    print(
        f"{found['requests']} requests while a network is trained: median {found['median_ms']:.1f} ms, worst "
        f"{found['worst_ms']:.0f} ms (target of the median: {1e3 * TARGET:.0f} ms); "
        f"load {found['load']:.1f} on {found['processors']} processors"
    )
    for name, ms in found["median_ms_by_request"].items():
        print(f"  {name}: {ms:.1f} ms")
    RESULTS.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    if found["median_ms"] > 1e3 * TARGET:
        raise SystemExit("the page is too slow")


if __name__ == "__main__":
    main()
