"""Wrong premises: how often the answer is sure and wrong, how often a fine one is refused.

``python studies/premises.py`` analyses weighed and simulated scans whose phases, structures, axis, columns,
intensities, instrument or sample are not what they are taken for, and some that are, and writes
studies/results/premises.json. Needs the measured scans (MIXRD_DATA, default ../shared/data); some eight
minutes on two cores.
"""

from __future__ import annotations

import argparse
import json
import time
from functools import partial
from pathlib import Path

from processes import counted, data_folder, keep, mapped, options, output
from wrong_premises import KINDS, changes, run_task, summary, table, tasks_of
from wrong_premises.battery import SEED

RESULTS = Path(__file__).parent / "results" / "premises.json"
#: Of each kind; scans with nothing wrong of either base (weighed ones are 14).
WEIGHED, SIMULATED, CONTROLS = 1, 3, 40


def main() -> None:
    """Run, write and print."""
    asked, out = _options()
    begin = time.monotonic()
    tasks = tasks_of(
        weighed=asked.weighed,
        simulated=asked.simulated,
        controls=asked.controls,
        kinds=asked.kinds,
        seed=asked.seed,
    )
    outcomes = []
    work = partial(run_task, data=data_folder())
    results = counted(mapped(work, tasks, processes=asked.processes), len(tasks), every=50)
    for number, found in enumerate(results, start=1):
        if found is None:
            continue
        outcomes.append(found)
        if asked.verbose or found.verdict in ("sure and wrong", "crashed"):
            off = "" if found.half_widths is None else f"{found.half_widths:.1f} half widths"
            error = "" if found.error_percent is None else f"{found.error_percent:.1f} wt%"
            told = (found.kind, found.base, found.sample, off, error, *found.codes, found.reason[:150])
            print(f"{number}/{len(tasks)} {found.verdict.upper()}:", *told, flush=True)
    total = summary(outcomes)
    total["wall_seconds"] = round(time.monotonic() - begin, 1)
    keep(out, total, [outcome.to_dict() for outcome in outcomes])
    print(table(outcomes))
    if asked.before is not None:
        earlier = json.loads(asked.before.read_text(encoding="utf-8"))["cases"]
        print("\nother verdicts than before:", *changes(outcomes, earlier), sep="\n  ")
    print(json.dumps({k: v for k, v in total.items() if k != "by_kind"}, indent=1))


def _options() -> tuple[argparse.Namespace, Path | None]:
    parser = options(
        __doc__,
        quick="one weighed and one simulated scan of each kind",
        scans="so many of each kind and base",
        seed=SEED,
    )
    parser.add_argument("--kinds", nargs="+", help="these alone (a part of the name or group is enough)")
    parser.add_argument("--before", type=Path, help="JSON of an earlier run: show what became of each case")
    parser.add_argument("--verbose", action="store_true", help="a line for each analysis")
    asked = parser.parse_args()
    out = output(asked, parser, RESULTS)
    each = 1 if asked.quick else asked.scans
    asked.weighed, asked.simulated, asked.controls = (each,) * 3 if each else (WEIGHED, SIMULATED, CONTROLS)
    if asked.kinds:
        asked.kinds = [
            name
            for name, kind in KINDS.items()
            if any(part in f"{kind.group}: {name}" for part in asked.kinds)
        ]
        if not asked.kinds:
            raise SystemExit("no kind has this name; there are " + ", ".join(KINDS))
    return asked, out


if __name__ == "__main__":
    main()
