"""A small phase that nobody named should be noticed, and nothing where nothing is missing.

``python studies/left_out_simulated.py`` simulates scans of three phases of the catalog, the third of 2 to
5 wt%, with graininess and texture, on a laboratory diffractometer; each is analysed with all three and
without the third. Writes studies/results/left-out-simulated.json; three minutes on one core.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from mixrd.analysis import analyze
from mixrd.crystal import load_phase
from mixrd.pattern import load_instrument
from mixrd.scan import read_scan

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "studies" / "results" / "left-out-simulated.json"
INSTRUMENT = "lab-cu"
SCANS = 60
SEED = 7
PHASES = (
    "albite", "anatase", "aragonite", "barite", "brucite", "calcite", "corundum", "dolomite", "fluorite",
    "gibbsite", "goethite", "gypsum", "halite", "hematite", "kaolinite", "magnetite",
    "periclase", "pyrite", "quartz", "rutile", "siderite", "spinel", "zincite",
)  # fmt: skip


@dataclass(frozen=True)
class Sample:
    """What is simulated: the last of the phases is the one that is left out."""

    amounts: dict[str, float]
    options: tuple[str, ...]


def samples() -> list[Sample]:
    """All of them; the same each time."""
    chance = random.Random(SEED)
    drawn = []
    for number in range(SCANS):
        first, second, small = chance.sample(PHASES, 3)
        little, share = chance.uniform(2, 5), chance.uniform(0.3, 0.7)
        rest = 100 - little
        options = ["--seed", str(number), "--graininess", str(chance.choice((0.01, 0.05, 0.1)))]
        options += ["--peak-counts", str(chance.choice((3_000, 10_000, 50_000)))]
        if chance.random() < 0.4:
            options += ["--texture", f"{first}:001:0.85"]
        amounts = {first: share * rest, second: (1 - share) * rest, small: little}
        drawn.append(Sample(amounts, tuple(options)))
    return drawn


def main() -> None:
    """Simulate, analyse twice each, write and say what came out."""
    machine = load_instrument(INSTRUMENT)
    cases = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scan.xy"
        for sample in samples():
            mixture = [f"{name}:{amount:.4f}" for name, amount in sample.amounts.items()]
            command = [sys.executable, "-m", "mixrd", "simulate", *mixture, "--instrument", INSTRUMENT]
            command += ["--range", "10", "80", *sample.options, "-o", str(path), "--force"]
            subprocess.run(command, check=True, capture_output=True)
            scan, names = read_scan(path), list(sample.amounts)
            case: dict[str, object] = {"weight_percent": sample.amounts, "options": sample.options}
            for key, given in (("complete", names), ("left_out", names[:2])):
                result = analyze(scan, [load_phase(name) for name in given], machine)
                assert result.unexplained is not None
                case[f"{key}_share_of_counts"] = result.unexplained.share_of_counts
                refused = result.statement.kind == "none"
                case[f"{key}_warned"] = refused or any(w.code == "UNEXPLAINED_LINES" for w in result.warnings)
            cases.append(case)
            print(*mixture, *sample.options, case["complete_warned"], case["left_out_warned"], flush=True)
    noticed, false = (sum(bool(case[f"{key}_warned"]) for case in cases) for key in ("left_out", "complete"))
    summary = {"scans": SCANS, "left_out_warned": noticed, "complete_warned": false}
    RESULTS.write_text(json.dumps({"summary": summary, "cases": cases}, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(summary))


if __name__ == "__main__":
    main()
