"""A thousand simulated scans in one `mixrd analyze`: rate, memory, kill and resume; writes batch.json.

``python benchmarks/batch.py [--scans 1000] [--refined 100] [--jobs 2]``. The command runs as a user would
start it, in processes of one thread each; times are from its start to its end, loading and starting of
processes included. A rate on an idle machine follows from the processor time of a scan, which other programs
touch less. Memory is the share of each process in what it holds (PSS), summed, and the largest resident size
of any. Each mixture is measured ten times; one scan in a hundred is cut off. Before anything is told, the
fractions are compared with what was simulated.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"  # read when numpy and torch are imported

import numpy as np  # noqa: E402
import torch  # noqa: E402

from mixrd.analysis import Analysis  # noqa: E402
from mixrd.experiments.demo import COMPOSITION, demo_instrument  # noqa: E402
from mixrd.mixture import Composition, ScanSettings, simulate  # noqa: E402
from mixrd.phases import load_phase  # noqa: E402
from mixrd.scan import write_scan  # noqa: E402

RESULTS = Path(__file__).parent / "batch.json"
MODEL = Path(str(files("mixrd.experiments") / "demo" / "demo.mixrd"))
BROKEN_EVERY = 100
TIMES_MEASURED = 10
#: Mean absolute error (wt%) above which the results are wrong and no time is told.
TOLERANCE = {"network": 3.0, "refined": 1.0}
MIB = 2**20


@dataclass
class Watched:
    """A command while it runs: processor time and memory of all its processes, sampled.

    Attributes
    ----------
    seconds, cpu_seconds : float
    peak_pss, peak_rss : int
        Bytes, of all processes together and of the largest.
    pss : list of (scans done, bytes)
    """

    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_pss: int = 0
    peak_rss: int = 0
    pss: list[tuple[int, int]] = field(default_factory=list)

    def sample(self, root: int, done: int) -> None:
        """Look at the processes once."""
        processes = _tree(root)
        self.cpu_seconds = max(self.cpu_seconds, sum(_cpu_seconds(pid) for pid in processes))
        shares = [_memory(pid) for pid in processes]
        total = sum(pss for pss, _ in shares)
        self.pss.append((done, total))
        self.peak_pss = max(self.peak_pss, total)
        self.peak_rss = max(self.peak_rss, *(rss for _, rss in shares), 0)

    def grown(self, first: float = 0.2) -> float:
        """Bytes by which the processes grew from this share of the scans to the last ones."""
        scans = max(done for done, _ in self.pss)
        # What is told at the end, the table and its picture, is no part of the growth.
        early = [b for done, b in self.pss if first * scans <= done < (first + 0.1) * scans]
        late = [b for done, b in self.pss if 0.9 * scans <= done < scans]
        return float(np.median(late) - np.median(early)) if early and late else float("nan")


def run(arguments: list[str], out: Path, *, stop: Callable[[int], bool] | None = None) -> Watched:
    """Run `mixrd analyze` to its end, or kill it where `stop` says so of the number of scans done."""
    command = [sys.executable, "-m", "mixrd", "analyze", *arguments, "--out", str(out)]
    found, begin = Watched(), time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    ended = threading.Event()
    threading.Thread(target=lambda: (process.wait(), ended.set()), daemon=True).start()
    while not ended.wait(0.25):
        done = len(names_done(out))
        found.sample(process.pid, done)
        if stop is not None and stop(done):
            process.send_signal(signal.SIGKILL)
            ended.wait()
    found.seconds = time.perf_counter() - begin
    return found


def names_done(out: Path) -> list[str]:
    """Names of the scans that the journal says are done, in its order."""
    file = out / "batch.jsonl"
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    names = []
    for line in lines:
        try:
            names.append(json.loads(line)["done"]["name"])
        except (ValueError, KeyError):
            continue
    return names


def make_scans(folder: Path, count: int) -> dict[str, dict[str, float]]:
    """Simulate scans of changing composition; what each holds in wt%, by name, those cut off left out."""
    crystals = [load_phase(name) for name in COMPOSITION]
    random = np.random.default_rng(0)
    settings = ScanSettings(peak_counts=8000, background_counts=250, max_strain=0.001)
    truth: dict[str, dict[str, float]] = {}
    folder.mkdir(parents=True)
    for i in range(count):
        if i % TIMES_MEASURED == 0:
            shares = 0.02 + 0.94 * random.dirichlet(np.ones(len(crystals)))
            composition = Composition(tuple(c.name for c in crystals), tuple(float(x) for x in shares))
            generator = torch.Generator().manual_seed(i)
            made = simulate(crystals, composition, demo_instrument(), generator=generator, settings=settings)
        path = folder / f"scan{i}.xy"
        counts = random.poisson(made.expected).astype(np.float64)
        write_scan(dataclasses.replace(made.scan, counts=counts), path)
        if i % BROKEN_EVERY == BROKEN_EVERY - 1:
            path.write_text("\n".join(path.read_text().splitlines()[:15]), encoding="utf-8")
        else:
            total = float(shares.sum())
            truth[path.stem] = {c.name: 100 * float(x) / total for c, x in zip(crystals, shares, strict=True)}
    return truth


def checked_error(out: Path, truth: dict[str, dict[str, float]], method: str) -> float:
    """Mean absolute error in wt% of what was to be analysed; ends the benchmark where it is too large."""
    errors = []
    for name, weighed in truth.items():
        found = Analysis.from_json(out / f"{name}.json").fractions
        errors += [abs(found[phase] - value) for phase, value in weighed.items()]
    error = float(np.mean(errors))
    if error > TOLERANCE[method]:
        raise SystemExit(f"{method}: {error:.2g} wt% off on average: not timed")
    return error


def measure(scans: int, refined: int, jobs: int) -> dict[str, Any]:
    """All figures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        truth = make_scans(folder / "scans", scans)
        arguments = ["--model", str(MODEL), "--jobs", str(jobs)]
        network = [str(folder / "scans"), *arguments, "--no-refine"]
        whole = run(network, folder / "whole")
        subset = dict(list(truth.items())[:refined])
        few = [str(folder / "scans" / f"{name}.xy") for name in subset]
        fits = run([*few, *arguments, "--no-plots"], folder / "fits")
        results = {
            "scans": scans,
            "jobs": jobs,
            "network": _figures(whole, scans, checked_error(folder / "whole", truth, "network")),
            "refined": _figures(fits, len(subset), checked_error(folder / "fits", subset, "refined")),
            "help_seconds": help_seconds(),
            "resumed": _killed_and_resumed(network, folder / "parts", folder / "whole", scans),
        }
    return results


def help_seconds(repeats: int = 9) -> float:
    """Median time of `mixrd --help`."""
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        subprocess.run([sys.executable, "-m", "mixrd", "--help"], check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - begin)
    return float(np.median(times))


def _killed_and_resumed(arguments: list[str], parts: Path, whole: Path, scans: int) -> dict[str, Any]:
    run(arguments, parts, stop=lambda done: done >= scans // 2)
    before = names_done(parts)
    again = run(arguments, parts)
    names = names_done(parts)
    summaries = [(folder / "summary.csv").read_bytes() for folder in (parts, whole)]
    return {
        "killed_after": len(before),
        "done_after": len(names) - len(before),
        "done_twice": len(names) - len(set(names)),
        "same_summary": summaries[0] == summaries[1],
        "seconds_of_the_rest": again.seconds,
    }


def _figures(found: Watched, scans: int, error: float) -> dict[str, float]:
    return {
        "scans": scans,
        "seconds": found.seconds,
        "per_second": scans / found.seconds,
        "cpu_ms_per_scan": 1e3 * found.cpu_seconds / scans,
        "peak_memory_mib": found.peak_pss / MIB,
        "largest_process_mib": found.peak_rss / MIB,
        "grown_mib": found.grown() / MIB,
        "mean_error_wt": error,
    }


def report(results: dict[str, Any]) -> str:
    """What was measured, in lines, with the target."""
    lines = []
    for method, target in (("network", 20), ("refined", 2)):
        row = results[method]
        idle = 2e3 / row["cpu_ms_per_scan"]
        lines += [
            f"{method}: {row['scans']} scans in {row['seconds']:.0f} s with {results['jobs']} processes, "
            f"{row['per_second']:.3g} a second (target {target}); mean error {row['mean_error_wt']:.2f} wt%",
            f"  processor time {row['cpu_ms_per_scan']:.0f} ms a scan: {idle:.3g} a second on two idle cores",
            f"  memory {row['peak_memory_mib']:.0f} MiB in all, {row['largest_process_mib']:.0f} MiB the "
            f"largest process; grown by {row['grown_mib']:.0f} MiB from a fifth of the scans to the last",
        ]
    row = results["resumed"]
    lines.append(
        f"killed after {row['killed_after']} scans, the same command did {row['done_after']} more; "
        f"{row['done_twice']} done twice, summary {'the same' if row['same_summary'] else 'DIFFERENT'}"
    )
    lines.append(f"mixrd --help: {results['help_seconds']:.2f} s (target 0.5)")
    return "\n".join(lines)


def _tree(root: int) -> list[int]:
    """A process and all below it."""
    parents: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and (fields := _stat(int(folder.name))):
            parents.setdefault(int(fields[1]), []).append(int(folder.name))
    found, todo = [], [root]
    while todo:
        pid = todo.pop()
        found.append(pid)
        todo += parents.get(pid, [])
    return found


def _stat(pid: int) -> list[str]:
    """Fields of /proc/PID/stat after the name: state, parent ..."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _cpu_seconds(pid: int) -> float:
    fields = _stat(pid)
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK") if fields else 0.0


def _memory(pid: int) -> tuple[int, int]:
    """Bytes: proportional share (PSS) and resident size."""
    found = {"Pss:": 0, "Rss:": 0}
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            key, *rest = line.split()
            if key in found:
                found[key] = int(rest[0]) * 1024
    except OSError:
        pass
    return found["Pss:"], found["Rss:"]


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scans", type=int, default=1000)
    parser.add_argument("--refined", type=int, default=100)
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    torch.set_num_threads(1)
    results = measure(given.scans, given.refined, given.jobs)
    print(report(results))
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
