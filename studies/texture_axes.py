"""Textures: how often the axis is the right one, and the fraction with it.

``python studies/texture_axes.py`` simulates scans of two or three phases, one or two of them plates or
needles (March-Dollase r of 0.4 to 1.6), of hexagonal, tetragonal, orthorhombic and monoclinic crystals, and
analyses them. Writes studies/results/texture-axes.json; some three minutes on two cores.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import random
import time
from dataclasses import asdict
from pathlib import Path

from processes import mapped, options, output

from mixrd.analysis import analyze
from mixrd.errors import MixrdError
from mixrd.experiments.premises.sample import simulated_scan
from mixrd.experiments.texture_axes import TextureCase, texture_cases, texture_summary
from mixrd.mixture import ScanSettings
from mixrd.pattern import load_instrument
from mixrd.phases import load_phase

RESULTS = Path(__file__).parent / "results" / "texture-axes.json"
SEED, SCANS = 20, 192
RS = (0.4, 0.6, 0.66, 0.8, 1.25, 1.6)
#: Axes that crystals of these phases lie along: cleavage, habit, long edge.
AXES = {
    "hexagonal": {
        "brucite": ((0, 0, 1),), "zincite": ((0, 0, 1), (1, 0, 0)), "portlandite": ((0, 0, 1), (1, 0, 1)),
        "calcite": ((1, 0, 4), (0, 0, 1)), "corundum": ((0, 0, 1), (0, 1, 2)), "hematite": ((0, 0, 1),),
        "hydroxyapatite": ((1, 0, 0), (0, 0, 1)), "quartz": ((1, 0, 1), (1, 0, 0)),
    },
    "tetragonal": {
        "anatase": ((1, 0, 1), (0, 0, 1)), "rutile": ((1, 1, 0), (0, 0, 1)), "zircon": ((1, 0, 0), (1, 0, 1)),
        "zirconia-tetragonal": ((0, 0, 1), (1, 0, 1)),
    },
    "orthorhombic": {
        "barite": ((0, 0, 1), (2, 1, 0)), "aragonite": ((0, 1, 0), (1, 1, 0)),
        "goethite": ((0, 1, 0), (1, 1, 0)), "forsterite": ((0, 1, 0), (0, 0, 1)),
        "anhydrite": ((0, 1, 0), (0, 0, 1)), "boehmite": ((0, 1, 0),),
        "shcherbinaite": ((0, 0, 1), (0, 1, 0)),
    },
    "monoclinic": {
        "gypsum": ((0, 1, 0), (0, 0, 1)), "tenorite": ((0, 0, 1), (1, 1, 0)),
        "baddeleyite": ((0, 0, 1), (1, 0, 0)), "zabuyelite": ((0, 0, 1), (1, 1, 0)),
        "diopside": ((1, 1, 0), (0, 1, 0)), "brushite": ((0, 1, 0),),
    },
}  # fmt: skip
#: What they are mixed with: not textured, or textured as the second.
OTHERS = ("fluorite", "periclase", "halite", "spinel", "magnetite", "silicon")


@dataclasses.dataclass(frozen=True)
class Sample:
    """One scan to simulate."""

    number: int
    system: str
    r: float
    two: bool
    seed: int


def samples(each: int, seed: int) -> list[Sample]:
    """All of them: `each` of every system, r and number of textured phases."""
    kinds = itertools.product(range(each), AXES, RS, (False, True))
    return [Sample(number, system, r, two, seed) for number, (_, system, r, two) in enumerate(kinds)]


def cases_of(sample: Sample) -> list[TextureCase]:
    """Simulate and analyse."""
    chance = random.Random(f"{sample.seed} texture {sample.number}")
    first = chance.choice(list(AXES[sample.system]))
    textures = {first: (chance.choice(AXES[sample.system][first]), sample.r)}
    names = [first, chance.choice(OTHERS)]
    if sample.two:
        pool = {name: axes for phases in AXES.values() for name, axes in phases.items() if name != first}
        second = chance.choice(list(pool))
        textures[second] = (chance.choice(pool[second]), chance.choice(RS))
        names.insert(1, second)
    amounts = [chance.uniform(20, 60)]
    rest = [chance.uniform(0.3, 0.7) for _ in names[1:]]
    amounts += [(100 - amounts[0]) * share / sum(rest) for share in rest]
    machine = load_instrument("lab-cu")
    settings = ScanSettings(
        peak_counts=float(chance.choice((3_000, 10_000, 50_000))),
        graininess=chance.choice((0.01, 0.03)),
        texture=textures,
    )
    crystals = [load_phase(name) for name in names]
    measured = dataclasses.replace(machine, two_theta_range=(10.0, 80.0))
    scan = simulated_scan(crystals, amounts, measured, settings, sample.number)
    try:
        result = analyze(scan, crystals, machine)
    except MixrdError as error:
        print(f"{names}: refused, {error}", flush=True)
        return []
    shown = "+".join(f"{name}:{amount:.0f}" for name, amount in zip(names, amounts, strict=True))
    return texture_cases(shown, result, crystals, dict(zip(names, amounts, strict=True)), textures)


def show(groups: dict[str, list[TextureCase]]) -> None:
    """One table."""
    heads = (
        "textured",
        "found",
        "axis",
        "in 15 deg",
        "ln r off",
        "median",
        "mean",
        "worst",
        "hold",
        "silent",
    )
    print(f"{'':26}" + "".join(f"{head:>10}" for head in heads))
    for name, cases in groups.items():
        cells = [
            "" if v is None else v if isinstance(v, int) else f"{v:.2f}"
            for v in texture_summary(cases).values()
        ]
        print(f"{name:26}" + "".join(f"{cell:>10}" for cell in cells))


def main() -> None:
    """Simulate, analyse, write and print."""
    parser = options(__doc__, quick="12 scans", scans=f"so many scans (default {SCANS})", seed=SEED)
    asked = parser.parse_args()
    count = 12 if asked.quick else asked.scans or SCANS
    # Evenly from all kinds: a step that shares no factor with their number.
    every_kind = samples(-(-count // 48), asked.seed)
    chosen = [every_kind[(number * 37) % len(every_kind)] for number in range(count)]
    begin, cases = time.monotonic(), []
    for number, (sample, found) in enumerate(
        zip(chosen, mapped(cases_of, chosen, processes=asked.processes), strict=True), start=1
    ):
        cases += [(sample, index, case) for index, case in enumerate(found)]
        if number % 20 == 0:
            print(f"{number}/{len(chosen)}, {time.monotonic() - begin:.0f} s", flush=True)
    every = [case for _, _, case in cases]
    groups = {"all": every}
    groups |= {f"r = {r:g}": [case for case in every if case.r == r] for r in RS}
    groups |= {system: [c for s, index, c in cases if s.system == system and index == 0] for system in AXES}
    groups |= {
        "one textured phase": [case for sample, _, case in cases if not sample.two],
        "two textured phases": [case for sample, _, case in cases if sample.two],
    }
    out = output(asked, parser, RESULTS)
    if out is not None:
        summary = {name: texture_summary(given) for name, given in groups.items()}
        text = json.dumps({"summary": summary, "cases": [asdict(case) for case in every]}, indent=1)
        out.write_text(text + "\n", encoding="utf-8")
    show(groups)


if __name__ == "__main__":
    main()
