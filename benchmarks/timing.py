"""What all benchmarks share: how a time is taken."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable


def median_seconds(run: Callable[[], object], repeats: int = 7, *, warm_up: bool = True) -> float:
    """Median wall-clock time of `run`, by default after one call that is not counted."""
    if warm_up:
        run()
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        run()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)
