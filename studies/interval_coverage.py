"""How many intervals hold at 50, 68, 80, 90 and 95 %, and how wide they are.

``python studies/interval_coverage.py`` analyses the round robin, the oxides (8 and 2 minutes) and simulated
scans of several regimes: good samples, grains of 20 um, one phase of 2 nm crystallites, strong textures.
Widths stand beside those of the last full study of the weighed scans (studies/results/weighed-*.json). Writes
studies/results/coverage.json; needs the measured scans (MIXRD_DATA, default ../shared/data); some four
minutes on two cores.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import stdtrit

from mixrd.analysis import LEVEL, Analysis, analyze
from mixrd.analysis.result.intervals import DEGREES_OF_FREEDOM
from mixrd.errors import MixrdError
from processes import counted, data_folder, keep, mapped, options, output
from wrong_premises.battery import KINDS
from wrong_premises.sample import Draw, Sample, calibrated_cpd, samples_of_folder

FOLDER = Path(__file__).parent / "results"
SEED = 20
LEVELS = (0.5, 0.68, 0.8, 0.9, 0.95)
#: Simulated regimes, as the kinds of `wrong_premises` draw them.
REGIMES = {
    "simulated, good": Draw(),
    "simulated, 20 um grains": KINDS["grains of 20 um"].draw,
    "simulated, one phase 2 nm": KINDS["one phase of 2 nm"].draw,
    "simulated, plates r 0.5": KINDS["all phases plates, r = 0.5"].draw,
}
#: What was weighed, and the study whose widths are those of before.
WEIGHED = {
    "round robin": ("cpd", None, "weighed-cpd"),
    "oxides, 8 min": ("dara", {"scan": "8min"}, "weighed-dara"),
    "oxides, 2 min": ("dara", {"scan": "2min"}, "weighed-dara-2min"),
}


@dataclass(frozen=True)
class IntervalCase:
    """One interval beside the truth.

    Attributes
    ----------
    scan, phase : str
    true_percent, stated_percent, low_percent, high_percent : float
    detected : bool
    codes : tuple of str
        Warnings of the analysis.
    """

    scan: str
    phase: str
    true_percent: float
    stated_percent: float
    low_percent: float
    high_percent: float
    detected: bool
    codes: tuple[str, ...] = ()

    @property
    def half_width_percent(self) -> float:
        """Of the side on which the truth lies; of the longer side where 0 or 100 cuts one."""
        below = self.stated_percent - self.low_percent
        above = self.high_percent - self.stated_percent
        if self.low_percent <= 0 or self.high_percent >= 100:
            return max(below, above)
        return above if self.true_percent > self.stated_percent else below

    @property
    def off(self) -> float:
        """Distance of the truth in half widths of the interval at its own level; 1 is its end."""
        distance = abs(self.true_percent - self.stated_percent)
        half = self.half_width_percent
        return distance / half if half > 0 else (0.0 if distance < 1e-9 else np.inf)


def cases_of(scan: str, result: Analysis, truth: Mapping[str, float]) -> list[IntervalCase]:
    """The intervals of one analysis; none where no amounts are stated."""
    if result.statement.kind != "amounts":
        return []
    codes = tuple(sorted({w.code for w in result.warnings}))
    return [
        IntervalCase(
            scan, p.name, truth[p.name], p.weight_percent, *p.interval_percent, bool(p.detected), codes
        )
        for p in result.phases
        if p.weight_percent is not None and p.interval_percent is not None
    ]


def stated_ratio(level: float) -> float:
    """Half width at `level` over that at `mixrd.analysis.LEVEL`, for errors of the shape that is stated."""
    ends = stdtrit(DEGREES_OF_FREEDOM, np.array([0.5 + level / 2, 0.5 + LEVEL / 2]))
    return float(ends[0] / ends[1])


def coverage(cases: Sequence[IntervalCase]) -> dict[str, Any]:
    """Share of the intervals that hold at each of `LEVELS`, and their widths in wt%."""
    off = np.array([case.off for case in cases])
    half = np.array([case.half_width_percent for case in cases])
    error = np.array([abs(case.true_percent - case.stated_percent) for case in cases])
    return {
        "intervals": len(cases),
        "hold": {
            f"{level:g}": float((off <= stated_ratio(level)).mean()) if off.size else None for level in LEVELS
        },
        "median_half_width_wt": float(np.median(half)) if half.size else None,
        "median_error_wt": float(np.median(error)) if error.size else None,
        "mean_error_wt": float(error.mean()) if error.size else None,
        "off_by_two_half_widths": int((off > 2).sum()),
        "off_by_two_and_no_doubt": int(sum(case.off > 2 and not case.codes for case in cases)),
    }


@cache
def weighed(name: str, data: Path) -> tuple[Sample, ...]:
    """The scans of a set."""
    folder, select, _ = WEIGHED[name]
    instrument = calibrated_cpd(data) if folder == "cpd" else None
    return tuple(samples_of_folder(data / "measured" / folder, instrument, select))


def analysed(item: tuple[str, int], data: Path, seed: int) -> list[IntervalCase] | str:
    """The intervals of one scan, or why there are none."""
    name, number = item
    sample = (
        weighed(name, data)[number]
        if name in WEIGHED
        else REGIMES[name](random.Random(f"{seed} {name} {number}"))
    )
    try:
        result = analyze(sample.scan, sample.crystals, sample.instrument)
    except MixrdError as error:
        return str(error)
    return cases_of(sample.name, result, sample.truth) or result.statement.reason or "no amounts are stated"


def before(name: str) -> float | None:
    """Median half width in wt% of the last full study."""
    path = FOLDER / f"{WEIGHED[name][2]}.json" if name in WEIGHED else None
    if path is None or not path.is_file():
        return None
    return float(json.loads(path.read_text(encoding="utf-8"))["summary"]["coverage"]["median_half_width_wt"])


def show(found: dict[str, dict[str, Any]]) -> None:
    """One table."""
    columns = [f"{100 * level:.0f} %" for level in LEVELS]
    heads = ("of", "refused", *columns, "half", "before", "error", "> 2", "silent")
    print(f"{'':28}" + "".join(f"{head:>9}" for head in heads))
    for name, row in found.items():
        hold = ["" if share is None else f"{100 * share:.0f}" for share in row["hold"].values()]
        numbers = [row["median_half_width_wt"], row["before_half_width_wt"], row["median_error_wt"]]
        shown = ["" if number is None else f"{number:.2f}" for number in numbers]
        cells = [row["intervals"], row["refused"], *hold, *shown]
        cells += [row["off_by_two_half_widths"], row["off_by_two_and_no_doubt"]]
        print(f"{name:28}" + "".join(f"{cell:>9}" for cell in cells))


def main() -> None:
    """Analyse, write and print."""
    parser = options(
        __doc__,
        quick="five simulated scans of each regime",
        scans="so many simulated scans of each regime (default 40)",
        seed=SEED,
    )
    parser.add_argument("--sets", nargs="+", choices=[*WEIGHED, *REGIMES])
    asked = parser.parse_args()
    simulated = 5 if asked.quick else asked.scans or 40
    counts = {"round robin": 4, "oxides, 8 min": 10, "oxides, 2 min": 10} | dict.fromkeys(REGIMES, simulated)
    names = [name for name in counts if not asked.sets or name in asked.sets]
    items = [(name, number) for name in names for number in range(counts[name])]
    cases: dict[str, list[IntervalCase]] = {name: [] for name in names}
    refused = dict.fromkeys(names, 0)
    work = partial(analysed, data=data_folder(), seed=asked.seed)
    results = counted(mapped(work, items, processes=asked.processes), len(items), every=20)
    for (name, _), found in zip(items, results, strict=True):
        if isinstance(found, str):
            refused[name] += 1
            print(f"{name}: refused, {found[:150]}", flush=True)
        else:
            cases[name] += found
    table = {
        name: {**coverage(cases[name]), "refused": refused[name], "before_half_width_wt": before(name)}
        for name in names
    }
    every = [case for name in names for case in cases[name]]
    table["all"] = {**coverage(every), "refused": sum(refused.values()), "before_half_width_wt": None}
    rows = {name: [asdict(case) for case in given] for name, given in cases.items()}
    keep(output(asked, parser, FOLDER / "coverage.json"), table, rows)
    show(table)


if __name__ == "__main__":
    main()
