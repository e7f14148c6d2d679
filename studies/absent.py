"""How many candidates that are not there are called detected, and whether the stated limits hold.

``python studies/absent.py`` adds three phases of the catalog, drawn at random, to the candidates of each
weighed scan (ten draws each) and of 100 simulated ones, and writes studies/results/absent.json. Needs the
measured scans (MIXRD_DATA, default ../shared/data); some seven minutes on two cores.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from mixrd.analysis import Analysis, analyze
from mixrd.crystal import Crystal
from mixrd.errors import MixrdError
from mixrd.phases import catalog_names, load_phase
from mixrd.phases.catalog import same_structure
from processes import counted, data_folder, keep, mapped, options, output
from wrong_premises.sample import Draw, Sample, weighed_samples

RESULTS = Path(__file__).parent / "results" / "absent.json"
SEED, ABSENT = 20, 3
WEIGHED, DRAWS, SIMULATED = 14, 10, 100
#: What the simulated scans hold; their absent candidates come from the whole catalog, too.
DRAW = Draw(count=(2, 3))

_weighed = cache(lambda data: tuple(weighed_samples(data)))


@dataclass(frozen=True)
class AbsentPhase:
    """What was said of a candidate that is not in the sample.

    Attributes
    ----------
    scan, phase : str
    detected : bool
    stated_percent : float or None
        wt% in the answer, None where no amounts are stated.
    refined_percent : float or None
        wt% that the refinement gives it.
    limit_percent : float or None
        The stated detection limit.
    interval_percent : (low, high) or None
    codes : tuple of str
        Warnings of the analysis.
    """

    scan: str
    phase: str
    detected: bool
    stated_percent: float | None
    refined_percent: float | None
    limit_percent: float | None
    interval_percent: tuple[float, float] | None
    codes: tuple[str, ...]

    @property
    def below_limit(self) -> bool | None:
        """Whether what it was given stays below the stated limit; None where one is not stated."""
        amount = self.refined_percent if self.refined_percent is not None else self.stated_percent
        if amount is None or self.limit_percent is None:
            return None
        return amount <= self.limit_percent


@dataclass(frozen=True)
class AbsentAnalysis:
    """One analysis with candidates that are not there.

    Attributes
    ----------
    scan : str
    refused : str
        Why no amounts are stated; "" where they are.
    absent : tuple of AbsentPhase
    present_lost : tuple of str
        Phases of 2 wt% or more that are there and not called detected.
    error_percent : float or None
        Largest error of a phase that is there, in wt%.
    """

    scan: str
    refused: str
    absent: tuple[AbsentPhase, ...]
    present_lost: tuple[str, ...] = ()
    error_percent: float | None = None


#: Thousands of reflections: an analysis with one of them takes a minute.
_COSTLY = ("alpha-tcp", "octacalcium-phosphate")
#: Phases of at least this much (wt%) should be seen.
SEEN_PERCENT = 2.0


def absent_candidates(present: Sequence[Crystal], count: int, chance: random.Random) -> list[Crystal]:
    """Phases of the catalog, any but those that are in the sample."""
    names = [name for name in catalog_names() if name not in _COSTLY]
    chance.shuffle(names)
    found: list[Crystal] = []
    for name in names:
        crystal = load_phase(name)
        if not any(c.name == name or same_structure(c, crystal) for c in (*present, *found)):
            found.append(crystal)
        if len(found) == count:
            break
    return found


def analyze_with_absent(sample: Sample, count: int, chance: random.Random) -> AbsentAnalysis:
    """Analyse a sample with `count` further candidates."""
    absent = absent_candidates(sample.crystals, count, chance)
    names = {crystal.name for crystal in absent}
    try:
        result = analyze(sample.scan, [*sample.crystals, *absent], sample.instrument)
    except MixrdError as error:
        return AbsentAnalysis(sample.name, str(error), ())
    return judged_absent(sample, result, names)


def judged_absent(sample: Sample, result: Analysis, names: set[str]) -> AbsentAnalysis:
    """What `result` says of the candidates `names`, which are not there, and of those that are."""
    refused = (
        "" if result.statement.kind == "amounts" else f"{result.statement.kind}: {result.statement.reason}"
    )
    codes = tuple(sorted({w.code for w in result.warnings}))
    said = tuple(
        AbsentPhase(
            sample.name, p.name, bool(p.detected), p.weight_percent, p.refined_percent,
            p.detection_limit_percent, p.interval_percent, codes,
        )
        for p in result.phases
        if p.name in names
    )  # fmt: skip
    there = [p for p in result.phases if p.name not in names]
    lost = tuple(p.name for p in there if p.detected is False and sample.truth[p.name] >= SEEN_PERCENT)
    errors = [abs(p.weight_percent - sample.truth[p.name]) for p in there if p.weight_percent is not None]
    return AbsentAnalysis(sample.name, refused, said, lost, max(errors, default=None))


def absent_summary(analyses: Sequence[AbsentAnalysis]) -> dict[str, Any]:
    """How many are called detected, how much they are given, whether the limits hold."""
    stated = [a for a in analyses if not a.refused]
    phases = [p for a in stated for p in a.absent]
    held = [p.below_limit for p in phases if p.below_limit is not None]
    given = np.array([p.stated_percent for p in phases if p.stated_percent is not None])
    limits = np.array([p.limit_percent for p in phases if p.limit_percent is not None])
    wrong = [p for p in phases if p.detected]
    holds = [p.interval_percent[0] <= 0 for p in phases if p.interval_percent is not None]
    return {
        "analyses": len(analyses),
        "refused": len(analyses) - len(stated),
        "absent": len(phases),
        "detected": len(wrong),
        "detected_share": len(wrong) / max(len(phases), 1),
        "detected_without_doubt": sum(not p.codes for p in wrong),
        "largest_detected_percent": max((p.stated_percent or 0.0 for p in wrong), default=0.0),
        "given_percent_95": float(np.quantile(given, 0.95)) if given.size else None,
        "limits_hold_share": float(np.mean(held)) if held else None,
        "median_limit_percent": float(np.median(limits)) if limits.size else None,
        "intervals_hold_share": float(np.mean(holds)) if holds else None,
        "present_lost": sum(len(a.present_lost) for a in stated),
        "median_error_percent": float(
            np.median([a.error_percent for a in stated if a.error_percent is not None])
        )
        if stated
        else None,
    }


def analysis(item: tuple[str, int, int], data: Path, seed: int) -> AbsentAnalysis:
    """One of them: ("weighed", scan, draw) or ("simulated", number, 0)."""
    base, number, draw = item
    chance = random.Random(f"{seed} absent {base} {number} {draw}")
    sample: Sample = _weighed(data)[number] if base == "weighed" else DRAW(chance)
    return analyze_with_absent(sample, ABSENT, chance)


def main() -> None:
    """Analyse, write and print."""
    parser = options(
        __doc__,
        quick="one draw for each weighed scan, 14 simulated",
        scans="so many simulated scans, a tenth of it draws for each weighed one",
        seed=SEED,
    )
    asked = parser.parse_args()
    simulated = 14 if asked.quick else asked.scans or SIMULATED
    draws = 1 if asked.quick else max(1, asked.scans // 10) if asked.scans else DRAWS
    items = [("weighed", scan, draw) for scan in range(WEIGHED) for draw in range(draws)]
    items += [("simulated", number, 0) for number in range(simulated)]
    found: dict[str, list[AbsentAnalysis]] = {"weighed": [], "simulated": []}
    work = partial(analysis, data=data_folder(), seed=asked.seed)
    results = counted(mapped(work, items, processes=asked.processes), len(items), every=25)
    for item, one in zip(items, results, strict=True):
        found[item[0]].append(one)
        for phase in one.absent:
            if phase.detected and not one.refused:
                print(f"{one.scan}: {phase.phase} detected, {phase.stated_percent:.2f} wt%, limit "
                      f"{phase.limit_percent:.2f}", *phase.codes, flush=True)  # fmt: skip
    summary = {base: absent_summary(analyses) for base, analyses in found.items()}
    cases = {base: [asdict(a) for a in analyses] for base, analyses in found.items()}
    keep(output(asked, parser, RESULTS), summary, cases)
    print(json.dumps(summary, indent=1))


if __name__ == "__main__":
    main()
