"""A small phase that nobody named should be noticed, and nothing where nothing is missing.

``python studies/left_out_simulated.py`` simulates scans of three phases of the catalog, the third of 2 to
5 wt%, with graininess and texture, on a laboratory diffractometer; each is analysed with all three and
without the third, whose strongest line lies anywhere, in every third scan below the first line of the others.
Writes studies/results/left-out-simulated.json; some five minutes on two cores.
"""

from __future__ import annotations

import dataclasses
import json
import random
import time
from pathlib import Path
from typing import Any

from mixrd.analysis import analyze
from mixrd.errors import MixrdError
from mixrd.experiments.left_out import MISSING_CODES
from mixrd.mixture import ScanSettings
from mixrd.pattern import load_instrument
from mixrd.phases import load_phase
from processes import keep, mapped, options, output
from wrong_premises.sample import HIGH_ANGLE, LOW_ANGLE, PLATES, simulated_scan

RESULTS = Path(__file__).parent / "results" / "left-out-simulated.json"
INSTRUMENT = "lab-cu"
RANGE_DEG = (10.0, 80.0)
SCANS = 200
SEED = 7
PHASES = (
    "albite", "anatase", "aragonite", "barite", "brucite", "calcite", "corundum", "dolomite", "fluorite",
    "gibbsite", "goethite", "gypsum", "halite", "hematite", "kaolinite", "magnetite",
    "periclase", "pyrite", "quartz", "rutile", "siderite", "spinel", "zincite",
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Sample:
    """What is simulated: the last of the phases is the one that is left out."""

    amounts: dict[str, float]
    settings: ScanSettings
    seed: int
    below: bool


def samples(count: int, seed: int) -> list[Sample]:
    """All of them; the same each time."""
    chance = random.Random(seed)
    drawn = []
    for number in range(count):
        below = number % 3 == 2
        first, second, small = chance.sample(PHASES, 3)
        if below:
            (first, second), small = chance.sample(HIGH_ANGLE, 2), chance.choice(LOW_ANGLE)
        little, share = chance.uniform(2, 5), chance.uniform(0.3, 0.7)
        rest = 100 - little
        settings = ScanSettings(
            graininess=chance.choice((0.01, 0.05, 0.1)),
            peak_counts=float(chance.choice((3_000, 10_000, 50_000))),
            texture={first: (PLATES.get(first, (0, 0, 1)), 0.85)} if chance.random() < 0.4 else {},
        )
        amounts = {first: share * rest, second: (1 - share) * rest, small: little}
        drawn.append(Sample(amounts, settings, number, below))
    return drawn


def case_of(sample: Sample) -> dict[str, Any]:
    """Simulate and analyse twice."""
    machine = load_instrument(INSTRUMENT)
    names = list(sample.amounts)
    crystals = [load_phase(name) for name in names]
    measured = dataclasses.replace(machine, two_theta_range=RANGE_DEG)
    scan = simulated_scan(crystals, list(sample.amounts.values()), measured, sample.settings, sample.seed)
    case: dict[str, Any] = {
        "weight_percent": sample.amounts,
        "settings": {
            "seed": sample.seed, "graininess": sample.settings.graininess,
            "peak_counts": sample.settings.peak_counts, "texture": dict(sample.settings.texture),
        },
        "below_the_others": sample.below,
    }  # fmt: skip
    for key, given in (("complete", crystals), ("left_out", crystals[:2])):
        try:
            result = analyze(scan, given, machine)
        except MixrdError as error:
            case |= {f"{key}_share_of_counts": None, f"{key}_warned": False, f"{key}_refused": str(error)}
            continue
        share = None if result.unexplained is None else result.unexplained.share_of_counts
        case[f"{key}_share_of_counts"] = share
        case[f"{key}_warned"] = any(w.code in MISSING_CODES for w in result.warnings)
        case[f"{key}_refused"] = result.statement.reason if result.statement.kind == "none" else ""
        case[f"{key}_codes"] = sorted({w.code for w in result.warnings})
    return case


def summary_of(cases: list[dict[str, Any]]) -> dict[str, Any]:
    """Noticed is what is warned of or refused."""

    def noticed(key: str, chosen: list[dict[str, Any]]) -> int:
        return sum(bool(case[f"{key}_warned"] or case[f"{key}_refused"]) for case in chosen)

    below = [case for case in cases if case["below_the_others"]]
    return {
        "scans": len(cases),
        "left_out_warned": noticed("left_out", cases),
        "complete_warned": noticed("complete", cases),
        "below_the_others": {"scans": len(below), "left_out_warned": noticed("left_out", below)},
        "refused": {
            key: sum(bool(case[f"{key}_refused"]) for case in cases) for key in ("left_out", "complete")
        },
    }


def main() -> None:
    """Simulate, analyse twice each, write and say what came out."""
    parser = options(__doc__, quick="12 scans", scans=f"so many scans (default {SCANS})", seed=SEED)
    asked = parser.parse_args()
    count = 12 if asked.quick else asked.scans or SCANS
    begin, cases = time.monotonic(), []
    for case in mapped(case_of, samples(count, asked.seed), processes=asked.processes):
        cases.append(case)
        mixture = [f"{name}:{amount:.1f}" for name, amount in case["weight_percent"].items()]
        said = [case[f"{key}_refused"] or case[f"{key}_warned"] for key in ("complete", "left_out")]
        print(f"{len(cases)}/{count}, {time.monotonic() - begin:.0f} s:", *mixture, *said, flush=True)
    summary = summary_of(cases)
    keep(output(asked, parser, RESULTS), summary, cases)
    print(json.dumps(summary))


if __name__ == "__main__":
    main()
