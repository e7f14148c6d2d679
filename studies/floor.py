"""To the noise floor: networks of the paper's settings, and the refinement that starts from them.

``python studies/floor.py`` repeats a shortened form in under 30 minutes on two cores (fewer mixtures, 40
patterns each) in build/study-floor; ``python studies/floor.py full`` the whole, with 1000 patterns each, in
studies/results/paper-floor, in some four hours. What is done is not done again. The commands are
a user's.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: How the matched network learns fastest on a processor.
FAST = ("--batch", "96", "--schedule", "cosine", "--largest-gradient", "1", "--precision", "bf16",
        "--seeds", "1", "--device", "cpu")  # fmt: skip


@dataclass(frozen=True)
class Part:
    """Of a training: mixtures of the whole and of the shortened one; each goes on from the one before."""

    architecture: str
    learning_rate: float
    samples: int
    shortened: int


@dataclass(frozen=True)
class Setting:
    """N, K, the parts of the training of a setting's network, and how many processes share it."""

    n: int
    k: int
    parts: tuple[Part, ...]
    processes: int = 1


def matched(samples: int, shortened: int) -> Part:
    """What every training begins with."""
    return Part("matched", 0.002, samples, shortened)


SETTINGS = (
    Setting(5, 3, (matched(150_000, 40_000),)),
    Setting(10, 3, (matched(240_000, 50_000),)),
    Setting(20, 3, (matched(450_000, 40_000),)),
    Setting(20, 7, (matched(600_000, 35_000), Part("matched-fits", 0.0015, 200_000, 8_000))),
    Setting(
        50,
        5,
        (
            matched(550_000, 25_000),
            Part("matched-fits-3", 0.0015, 900_000, 8_000),
        ),
        processes=2,
    ),
)
KIND = "exactly_distinct"


def mixrd(*arguments: str, processes: int = 1) -> None:
    """A command of mixrd's, on several cores started by torchrun; its progress goes to the terminal."""
    command = ["-m", "mixrd"]
    environment = dict(os.environ)
    if processes > 1:
        together = ["--standalone", "--nproc-per-node", str(processes)]
        command = ["-m", "torch.distributed.run", *together, "-m", "--", "mixrd"]
        environment["OMP_NUM_THREADS"] = "1"
    print("$ python", *command, *arguments, flush=True)
    subprocess.run([sys.executable, *command, *arguments], check=True, env=environment)


def train(setting: Setting, folder: Path, *, full: bool) -> None:
    """Train the network of a setting; all parts but the last have folders of their own."""
    start: tuple[str, ...] = ()
    for number, part in enumerate(setting.parts, 1):
        place = folder if number == len(setting.parts) else folder / f"part{number}"
        mixrd(
            "paper", "run", "--n", str(setting.n), "--k", str(setting.k), "--kind", KIND, *FAST,
            "--architecture", part.architecture, "--learning-rate", str(part.learning_rate),
            "--samples", str(part.samples if full else part.shortened), *start, "-o", str(place),
            processes=setting.processes,
        )  # fmt: skip
        if place != folder:
            (trained,) = place.glob(f"n{setting.n}-k{setting.k}-*.json")
            start = ("--start", str(trained))


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
