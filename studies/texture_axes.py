"""Textures: how often the axis is the right one, and the fraction with it.

``python studies/texture_axes.py`` simulates scans of two or three phases, one or two of them plates or
needles (March-Dollase r of 0.4 to 1.6), of hexagonal, tetragonal, orthorhombic and monoclinic crystals, and
analyses them. Writes studies/results/texture-axes.json; some three minutes on two cores.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import gemmi
import numpy as np
from numpy.typing import NDArray

from mixrd.analysis import Analysis, analyze
from mixrd.crystal import Crystal
from mixrd.errors import MixrdError
from mixrd.mixture import ScanSettings
from mixrd.pattern import load_instrument
from mixrd.phases import load_phase
from processes import counted, keep, mapped, options, output
from wrong_premises.sample import simulated_scan

Axis = tuple[int, int, int]

RESULTS = Path(__file__).parent / "results" / "texture-axes.json"
SEED, SCANS = 20, 192
RS = (0.4, 0.6, 0.66, 0.8, 1.25, 1.6)
#: Axes that crystals of these phases lie along: cleavage, habit, long edge.
AXES: dict[str, dict[str, tuple[Axis, ...]]] = {
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


@dataclass(frozen=True)
class TextureCase:
    """One textured phase of one scan.

    Attributes
    ----------
    scan, phase, system : str
    axis, r : axis and March-Dollase r that were simulated
    found_axis, found_r : what was refined, None where no texture was
    angle_deg : float or None
        Between both axes, symmetry counted.
    error_percent, half_width_percent : float or None
        wt% of this phase off, and half its interval; None where amounts are not stated.
    codes : tuple of str
    """

    scan: str
    phase: str
    system: str
    axis: Axis
    r: float
    found_axis: Axis | None
    found_r: float | None
    angle_deg: float | None
    error_percent: float | None
    half_width_percent: float | None
    codes: tuple[str, ...]

    @property
    def right_axis(self) -> bool:
        """Whether the axis is the simulated one or equivalent to it."""
        return self.angle_deg is not None and self.angle_deg < 1.0


def axis_angle_deg(crystal: Crystal, one: Axis, other: Axis) -> float:
    """Smallest angle between the normals of two planes, among all that the point group makes of them."""
    to_cartesian = np.linalg.inv(crystal.lattice).T

    def normal(plane: NDArray[np.int64]) -> NDArray[np.float64]:
        vector = plane @ to_cartesian
        return np.asarray(vector / np.linalg.norm(vector))

    rotations = {tuple(np.ravel(gemmi.Op(op).rot)) for op in crystal.symmetry_operations}
    turned = [np.array(one) @ (np.array(r).reshape(3, 3) // gemmi.Op.DEN) for r in rotations]
    cosine = max(abs(float(normal(plane) @ normal(np.array(other)))) for plane in turned)
    return float(np.degrees(np.arccos(min(cosine, 1.0))))


def texture_cases(
    scan: str,
    result: Analysis,
    crystals: Sequence[Crystal],
    truth: dict[str, float],
    textures: dict[str, tuple[Axis, float]],
) -> list[TextureCase]:
    """What was found of each textured phase."""
    codes = tuple(sorted({w.code for w in result.warnings}))
    cases = []
    for crystal, phase in zip(crystals, result.phases, strict=True):
        if crystal.name not in textures:
            continue
        axis, r = textures[crystal.name]
        found = phase.texture
        error = None if phase.weight_percent is None else phase.weight_percent - truth[crystal.name]
        half = None if phase.interval_percent is None else 0.5 * float(np.diff(phase.interval_percent)[0])
        cases.append(
            TextureCase(
                scan, crystal.name, crystal.crystal_system, axis, r,
                None if found is None else found.axis, None if found is None else found.r,
                None if found is None else axis_angle_deg(crystal, axis, found.axis), error, half, codes,
            )
        )  # fmt: skip
    return cases


def texture_summary(cases: Sequence[TextureCase]) -> dict[str, Any]:
    """How often the axis is right, how far r and fraction are off."""
    found = [case for case in cases if case.found_axis is not None]
    right = [case for case in found if case.right_axis]
    stated = [case for case in cases if case.error_percent is not None]
    errors = [abs(case.error_percent or 0.0) for case in stated]
    held = [abs(c.error_percent or 0.0) <= (c.half_width_percent or 0.0) for c in stated]
    ratios = [abs(np.log(case.found_r / case.r)) for case in right if case.found_r]
    return {
        "textured": len(cases),
        "found": len(found),
        "axis_right": len(right),
        "within_15_deg": sum((case.angle_deg or 0.0) < 15 for case in found),
        "median_off_in_ln_r": float(np.median(ratios)) if ratios else None,
        "median_error_wt": float(np.median(errors)) if errors else None,
        "mean_error_wt": float(np.mean(errors)) if errors else None,
        "worst_error_wt": max(errors, default=None),
        "intervals_hold": float(np.mean(held)) if held else None,
        "off_by_two_and_no_doubt": sum(
            abs(c.error_percent or 0.0) > 2 * (c.half_width_percent or 0.0) and not c.codes for c in stated
        ),
    }


@dataclass(frozen=True)
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
    measured = replace(machine, two_theta_range=(10.0, 80.0))
    scan = simulated_scan(crystals, amounts, measured, settings, sample.number)
    try:
        result = analyze(scan, crystals, machine)
    except MixrdError as error:
        print(f"{names}: refused, {error}", flush=True)
        return []
    shown = "+".join(f"{name}:{amount:.0f}" for name, amount in zip(names, amounts, strict=True))
    return texture_cases(shown, result, crystals, dict(zip(names, amounts, strict=True)), textures)


def show(summary: dict[str, dict[str, Any]]) -> None:
    """One table."""
    heads = (
        "textured", "found", "axis", "in 15 deg", "ln r off", "median", "mean", "worst", "hold", "silent",
    )  # fmt: skip
    print(f"{'':26}" + "".join(f"{head:>10}" for head in heads))
    for name, row in summary.items():
        cells = ["" if v is None else v if isinstance(v, int) else f"{v:.2f}" for v in row.values()]
        print(f"{name:26}" + "".join(f"{cell:>10}" for cell in cells))


def main() -> None:
    """Simulate, analyse, write and print."""
    parser = options(__doc__, quick="12 scans", scans=f"so many scans (default {SCANS})", seed=SEED)
    asked = parser.parse_args()
    count = 12 if asked.quick else asked.scans or SCANS
    # Evenly from all kinds: a step that shares no factor with their number.
    every_kind = samples(-(-count // 48), asked.seed)
    chosen = [every_kind[(number * 37) % len(every_kind)] for number in range(count)]
    cases = []
    results = counted(mapped(cases_of, chosen, processes=asked.processes), count, every=20)
    for sample, found in zip(chosen, results, strict=True):
        cases += [(sample, index, case) for index, case in enumerate(found)]
    every = [case for _, _, case in cases]
    groups = {"all": every}
    groups |= {f"r = {r:g}": [case for case in every if case.r == r] for r in RS}
    groups |= {system: [c for s, index, c in cases if s.system == system and index == 0] for system in AXES}
    groups |= {
        "one textured phase": [case for sample, _, case in cases if not sample.two],
        "two textured phases": [case for sample, _, case in cases if sample.two],
    }
    summary = {name: texture_summary(given) for name, given in groups.items()}
    keep(output(asked, parser, RESULTS), summary, [asdict(case) for case in every])
    show(summary)


if __name__ == "__main__":
    main()
