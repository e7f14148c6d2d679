"""How many candidates that are not there are called detected, and whether the stated limits hold.

``python studies/absent.py`` adds three phases of the catalog, drawn at random, to the candidates of each
weighed scan (ten draws each) and of 100 simulated ones, and writes studies/results/absent.json. Needs the
measured scans (MIXRD_DATA, default ../shared/data); some four minutes on two cores.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from functools import cache, partial
from pathlib import Path

from processes import data_folder, mapped

from mixrd.experiments.absent import AbsentAnalysis, absent_summary, analyze_with_absent
from mixrd.experiments.premises.sample import Draw, Sample, weighed_samples

RESULTS = Path(__file__).parent / "results" / "absent.json"
SEED, ABSENT = 20, 3
WEIGHED, DRAWS, SIMULATED = 14, 10, 100
#: What the simulated scans hold; their absent candidates come from the whole catalog, too.
DRAW = Draw(count=(2, 3))

_weighed = cache(lambda data: tuple(weighed_samples(data)))


def analysis(item: tuple[str, int, int], data: Path) -> AbsentAnalysis:
    """One of them: ("weighed", scan, draw) or ("simulated", number, 0)."""
    base, number, draw = item
    chance = random.Random(f"{SEED} absent {base} {number} {draw}")
    sample: Sample = _weighed(data)[number] if base == "weighed" else DRAW(chance)
    return analyze_with_absent(sample, ABSENT, chance)


def main() -> None:
    """Analyse, write and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="one draw for each weighed scan, 14 simulated")
    parser.add_argument(
        "--scans", type=int, help="so many simulated scans, a tenth of it draws a weighed one"
    )
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--output", type=Path, help="JSON file; short runs write none unless it is given")
    asked = parser.parse_args()
    simulated = 14 if asked.quick else asked.scans or SIMULATED
    draws = 1 if asked.quick else max(1, asked.scans // 10) if asked.scans else DRAWS
    short = asked.quick or asked.scans is not None
    items = [("weighed", scan, draw) for scan in range(WEIGHED) for draw in range(draws)]
    items += [("simulated", number, 0) for number in range(simulated)]
    begin = time.monotonic()
    found: dict[str, list[AbsentAnalysis]] = {"weighed": [], "simulated": []}
    work = partial(analysis, data=data_folder())
    results = zip(items, mapped(work, items, processes=asked.processes), strict=True)
    for number, (item, one) in enumerate(results):
        found[item[0]].append(one)
        for phase in one.absent:
            if phase.detected and not one.refused:
                print(f"{one.scan}: {phase.phase} detected, {phase.stated_percent:.2f} wt%, limit "
                      f"{phase.limit_percent:.2f}", *phase.codes, flush=True)  # fmt: skip
        if (number + 1) % 25 == 0:
            print(f"{number + 1}/{len(items)}, {time.monotonic() - begin:.0f} s", flush=True)
    summary = {base: absent_summary(analyses) for base, analyses in found.items()}
    out = asked.output or (None if short else RESULTS)
    if out is not None:
        cases = {base: [a.to_dict() for a in analyses] for base, analyses in found.items()}
        text = json.dumps({"summary": summary, "cases": cases}, indent=1)
        out.write_text(text + "\n", encoding="utf-8")
    print(json.dumps(summary, indent=1))


if __name__ == "__main__":
    main()
