"""To the noise floor: networks of the paper's settings, and the refinement that starts from them.

``python studies/floor.py`` repeats a shortened form in under 30 minutes on two cores (fewer mixtures, 40
patterns each) in build/study-floor; ``python studies/floor.py full`` the whole, with 1000 patterns each, in
studies/results/paper-floor, in some five hours on one core. What is done is not done again. The commands are
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
FAST = ("--batch", "96", "--schedule", "cosine", "--largest-gradient", "1", "--precision", "bf16",
        "--seeds", "1", "--device", "cpu")  # fmt: skip
FIRST = ("--architecture", "matched", "--learning-rate", "0.002")
#: How its training goes on with fits of the candidates behind it.
THEN = ("--architecture", "matched-fits", "--learning-rate", "0.0015")


@dataclass(frozen=True)
class Setting:
    """N, K, mixtures of the whole training and of the shortened one, and of what comes behind each."""

    n: int
    k: int
    samples: int
    shortened: int
    further: int = 0
    further_shortened: int = 0


SETTINGS = (
    Setting(5, 3, 150_000, 40_000),
    Setting(10, 3, 240_000, 50_000),
    Setting(20, 3, 450_000, 40_000),
    Setting(20, 7, 600_000, 35_000, 200_000, 8_000),
    Setting(50, 5, 700_000, 25_000, 480_000, 8_000),
)
KIND = "exactly_distinct"


def mixrd(*arguments: str) -> None:
    """A command of mixrd's; its progress goes to the terminal."""
    print("$ mixrd", *arguments, flush=True)
    subprocess.run([sys.executable, "-m", "mixrd", *arguments], check=True)


def train(setting: Setting, folder: Path, *, full: bool) -> None:
    """Train the network of a setting; the first part of one that goes on has a folder of its own."""
    samples, further = (
        (setting.samples, setting.further) if full else (setting.shortened, setting.further_shortened)
    )
    cell = ("paper", "run", "--n", str(setting.n), "--k", str(setting.k), "--kind", KIND, *FAST)
    first = folder / "start" if further else folder
    mixrd(*cell, *FIRST, "--samples", str(samples), "-o", str(first))
    if further:
        (start,) = first.glob(f"n{setting.n}-k{setting.k}-*.json")
        mixrd(*cell, *THEN, "--samples", str(further), "--start", str(start), "-o", str(folder))


def main() -> None:
    """Train, refine and tabulate."""
    full = sys.argv[1:] == ["full"]
    if sys.argv[1:] and not full:
        raise SystemExit(__doc__)
    folder = ROOT / ("studies/results/paper-floor" if full else "build/study-floor")
    begin = time.monotonic()
    for setting in SETTINGS:
        train(setting, folder, full=full)
    mixrd("paper", "refine", str(folder), "--patterns", "1000" if full else "40")
    mixrd("paper", "table", str(folder))
    print(f"{time.monotonic() - begin:.0f} s", flush=True)


if __name__ == "__main__":
    main()
