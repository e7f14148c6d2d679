"""To the noise floor: networks of the paper's settings, and the refinement that starts from them.

``python studies/floor.py`` repeats a shortened form in under 30 minutes on two cores (fewer mixtures, 100
patterns each) in build/study-floor; ``python studies/floor.py full`` the whole, with 1000 patterns each, in
studies/results/paper-floor, in some four hours on one core. What is done is not done again. The commands are
a user's.
"""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: How the matched network learns fastest on a processor.
FAST = ("--architecture", "matched", "--batch", "96", "--learning-rate", "0.002", "--schedule", "cosine",
        "--largest-gradient", "1", "--precision", "bf16", "--seeds", "1", "--device", "cpu")  # fmt: skip


@dataclass(frozen=True)
class Setting:
    """N, K, and mixtures of the whole training and of the shortened one."""

    n: int
    k: int
    samples: int
    shortened: int


SETTINGS = (
    Setting(5, 3, 150_000, 60_000),
    Setting(10, 3, 240_000, 90_000),
    Setting(20, 3, 450_000, 80_000),
    Setting(20, 7, 600_000, 60_000),
    Setting(50, 5, 700_000, 40_000),
)
KIND = "exactly_distinct"


def mixrd(*arguments: str) -> None:
    """A command of mixrd's; its progress goes to the terminal."""
    print("$ mixrd", *arguments, flush=True)
    subprocess.run([sys.executable, "-m", "mixrd", *arguments], check=True)


def main() -> None:
    """Train, refine and tabulate."""
    full = sys.argv[1:] == ["full"]
    if sys.argv[1:] and not full:
        raise SystemExit(__doc__)
    folder = ROOT / ("studies/results/paper-floor" if full else "build/study-floor")
    begin = time.monotonic()
    for setting in SETTINGS:
        samples = setting.samples if full else setting.shortened
        cell = ("--n", str(setting.n), "--k", str(setting.k), "--kind", KIND)
        mixrd("paper", "run", *cell, "--samples", str(samples), *FAST, "-o", str(folder))
    mixrd("paper", "refine", str(folder), "--patterns", "1000" if full else "100")
    mixrd("paper", "table", str(folder))
    print(f"{time.monotonic() - begin:.0f} s", flush=True)


if __name__ == "__main__":
    main()
