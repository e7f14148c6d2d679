"""How many candidates that are not there are called detected, and whether the stated limits hold.

``python studies/absent.py`` adds three phases of the catalog, drawn at random, to the candidates of each
weighed scan (ten draws each) and of 100 simulated ones, and writes studies/results/absent.json. Needs the
measured scans (MIXRD_DATA, default ../shared/data); some seven minutes on two cores.
"""

from __future__ import annotations

import json
import random
import time
from dataclasses import asdict
from functools import cache, partial
from pathlib import Path

from processes import data_folder, mapped, options, output

from mixrd.experiments.absent import AbsentAnalysis, absent_summary, analyze_with_absent
from mixrd.experiments.premises.sample import Draw, Sample, weighed_samples

RESULTS = Path(__file__).parent / "results" / "absent.json"
SEED, ABSENT = 20, 3
WEIGHED, DRAWS, SIMULATED = 14, 10, 100
#: What the simulated scans hold; their absent candidates come from the whole catalog, too.
DRAW = Draw(count=(2, 3))

_weighed = cache(lambda data: tuple(weighed_samples(data)))


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
    begin = time.monotonic()
    found: dict[str, list[AbsentAnalysis]] = {"weighed": [], "simulated": []}
    work = partial(analysis, data=data_folder(), seed=asked.seed)
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
    out = output(asked, parser, RESULTS)
    if out is not None:
        cases = {base: [asdict(a) for a in analyses] for base, analyses in found.items()}
        text = json.dumps({"summary": summary, "cases": cases}, indent=1)
        out.write_text(text + "\n", encoding="utf-8")
    print(json.dumps(summary, indent=1))


if __name__ == "__main__":
    main()
