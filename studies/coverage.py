"""How many intervals hold at 50, 68, 80, 90 and 95 %, and how wide they are.

``python studies/coverage.py`` analyses the round robin, the oxides (8 and 2 minutes) and simulated scans of
several regimes: good samples, grains of 20 um, one phase of 2 nm crystallites, strong textures. Widths stand
beside those of the last full study of the weighed scans (studies/results/weighed-*.json). Writes
studies/results/coverage.json; needs the measured scans (MIXRD_DATA, default ../shared/data); some four
minutes on two cores.
"""

from __future__ import annotations

import json
import random
import time
from dataclasses import asdict
from functools import cache, partial
from pathlib import Path
from typing import Any

from processes import data_folder, mapped, options, output

from mixrd.analysis import analyze
from mixrd.errors import MixrdError
from mixrd.experiments.interval_coverage import LEVELS, IntervalCase, cases_of, coverage
from mixrd.experiments.premises.battery import KINDS
from mixrd.experiments.premises.sample import Draw, Sample, calibrated_cpd, samples_of_folder

FOLDER = Path(__file__).parent / "results"
SEED = 20
#: Simulated regimes, as the kinds of `mixrd.experiments.premises` draw them.
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
    begin = time.monotonic()
    cases: dict[str, list[IntervalCase]] = {name: [] for name in names}
    refused = dict.fromkeys(names, 0)
    work = partial(analysed, data=data_folder(), seed=asked.seed)
    results = zip(items, mapped(work, items, processes=asked.processes), strict=True)
    for number, ((name, _), found) in enumerate(results, start=1):
        if isinstance(found, str):
            refused[name] += 1
            print(f"{name}: refused, {found[:150]}", flush=True)
        else:
            cases[name] += found
        if number % 20 == 0:
            print(f"{number}/{len(items)}, {time.monotonic() - begin:.0f} s", flush=True)
    table = {
        name: {**coverage(cases[name]), "refused": refused[name], "before_half_width_wt": before(name)}
        for name in names
    }
    every = [case for name in names for case in cases[name]]
    table["all"] = {**coverage(every), "refused": sum(refused.values()), "before_half_width_wt": None}
    out = output(asked, parser, FOLDER / "coverage.json")
    if out is not None:
        rows = {name: [asdict(case) for case in given] for name, given in cases.items()}
        out.write_text(json.dumps({"summary": table, "cases": rows}, indent=1) + "\n", encoding="utf-8")
    show(table)


if __name__ == "__main__":
    main()
