"""Wrong premises: how often the answer is sure and wrong, how often a fine one is refused.

``python studies/premises.py`` analyses weighed and simulated scans whose phases, structures, axis, columns,
intensities, instrument or sample are not what they are taken for, and some that are, and writes
studies/results/premises.json. Needs the measured scans (MIXRD_DATA, default ../shared/data); some six minutes
on two cores.
"""

from __future__ import annotations

import argparse
import json
import time
from functools import partial
from pathlib import Path

from processes import data_folder, mapped

from mixrd.experiments.premises import KINDS, changes, run_task, summary, table, tasks_of

RESULTS = Path(__file__).parent / "results" / "premises.json"


def main() -> None:
    """Run, write and print."""
    asked = _options()
    begin = time.monotonic()
    tasks = tasks_of(
        weighed=asked.weighed, simulated=asked.simulated, controls=asked.controls, kinds=asked.kinds
    )
    outcomes = []
    work = partial(run_task, data=data_folder())
    for number, found in enumerate(mapped(work, tasks, processes=asked.processes), start=1):
        if found is None:
            continue
        outcomes.append(found)
        if asked.verbose or found.verdict in ("sure and wrong", "crashed"):
            off = "" if found.half_widths is None else f"{found.half_widths:.1f} half widths"
            error = "" if found.error_percent is None else f"{found.error_percent:.1f} wt%"
            told = (found.kind, found.base, found.sample, off, error, *found.codes, found.reason[:150])
            print(f"{number}/{len(tasks)} {found.verdict.upper()}:", *told, flush=True)
        elif number % 50 == 0:
            print(f"{number}/{len(tasks)}, {time.monotonic() - begin:.0f} s", flush=True)
    found = summary(outcomes)
    found["wall_seconds"] = round(time.monotonic() - begin, 1)
    out = asked.output or (None if asked.short else RESULTS)
    if out is not None:
        cases = [outcome.to_dict() for outcome in outcomes]
        out.write_text(json.dumps({"summary": found, "cases": cases}, indent=1) + "\n", encoding="utf-8")
    print(table(outcomes))
    if asked.before is not None:
        earlier = json.loads(asked.before.read_text(encoding="utf-8"))["cases"]
        print("\nother verdicts than before:", *changes(outcomes, earlier), sep="\n  ")
    print(json.dumps({k: v for k, v in found.items() if k != "by_kind"}, indent=1))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--quick", action="store_true", help="one weighed and one simulated scan of each kind"
    )
    parser.add_argument("--scans", type=int, help="so many of each kind and base")
    parser.add_argument("--kinds", nargs="+", help="these alone (a part of the name or group is enough)")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--output", type=Path, help="JSON file; short runs write none unless it is given")
    parser.add_argument("--before", type=Path, help="JSON of an earlier run: show what became of each case")
    parser.add_argument("--verbose", action="store_true", help="a line for each analysis")
    asked = parser.parse_args()
    asked.short = asked.quick or asked.scans is not None or asked.kinds is not None
    each = 1 if asked.quick else asked.scans
    asked.weighed, asked.simulated, asked.controls = (each,) * 3 if each else (3, 4, 20)
    if asked.kinds:
        asked.kinds = [
            name
            for name, kind in KINDS.items()
            if any(part in f"{kind.group}: {name}" for part in asked.kinds)
        ]
        if not asked.kinds:
            raise SystemExit("no kind has this name; there are " + ", ".join(KINDS))
    return asked


if __name__ == "__main__":
    main()
