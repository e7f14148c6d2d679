"""A whole analysis of the demonstration's scan: network and refinement."""

from __future__ import annotations

import statistics
from importlib.resources import as_file, files

from mixrd.analysis import analyze
from mixrd.experiments.demo import demo_instrument, demo_scan
from mixrd.network import Model


def whole_analysis(repeats: int = 5) -> dict[str, float]:
    """Median seconds of each of the two steps."""
    with as_file(files("mixrd.experiments") / "demo") as folder:
        scan, model = demo_scan(folder), Model.load(folder / "demo.mixrd")
    results = [analyze(scan, [], demo_instrument(), model=model) for _ in range(repeats)]
    return {f"{key}_s": statistics.median(r.seconds[key] for r in results) for key in ("network", "refined")}


if __name__ == "__main__":
    print(whole_analysis())
