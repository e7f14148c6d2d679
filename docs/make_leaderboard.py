"""Write the entries of mixrd and rietx from what was measured, and the table of docs/leaderboard.md.

Usage: python docs/make_leaderboard.py      after `make study-real` or `make bench`
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from mixrd import __version__
from mixrd.experiments.leaderboard import markdown_table, read_entry, standings

ROOT = Path(__file__).resolve().parents[1]
PAGE = Path(__file__).parent / "leaderboard.md"
ENTRIES = ROOT / "studies" / "leaderboard"
PLAN = "mccusker_default"
HOW = {
    "cpd": "network and refinement, calibrated on pure corundum",
    "dara": "network and refinement, generic instrument",
}


def entries() -> dict[str, dict[str, Any]]:
    """Entries by file name, from the results of the studies and of the benchmark beside rietx."""
    made: dict[str, dict[str, Any]] = {}
    beside = json.loads((ROOT / "benchmarks" / "weighed-rietx.json").read_text(encoding="utf-8"))
    for name, how in HOW.items():
        study = json.loads(
            (ROOT / "studies" / "results" / f"weighed-{name}.json").read_text(encoding="utf-8")
        )
        found = {sample["file"]: sample["refined"] for sample in study["samples"] if sample["refined"]}
        made[f"mixrd-{name}"] = _entry("mixrd", __version__, name, how, "`make study-real`", found)
        run = beside[name][PLAN]
        found = {row["file"]: row["rietx"]["percent"] for row in run["rows"] if row["rietx"]["percent"]}
        version = run["versions"]["rietx"]
        made[f"rietx-{name}"] = _entry(
            "rietx", version, name, f"its guide with the plan {PLAN}", "`make bench`", found
        )
    return made


def _entry(
    program: str, version: str, set_name: str, how: str, by: str, found: dict[str, dict[str, float]]
) -> dict[str, Any]:
    rounded = {file: {phase: round(x, 3) for phase, x in row.items()} for file, row in found.items()}
    return {"program": program, "version": version, "set": set_name, "how": how, "by": by, "found": rounded}


def page() -> str:
    """The page with the standings of all entries that are there."""
    table = markdown_table(standings([read_entry(path) for path in sorted(ENTRIES.glob("*.json"))]))
    pattern = r"(<!-- standings -->\n\n).*?(\n\n<!-- /standings -->)"
    text = PAGE.read_text(encoding="utf-8")
    return re.sub(pattern, lambda m: m[1] + table + m[2], text, flags=re.DOTALL)


if __name__ == "__main__":
    for name, entry in entries().items():
        (ENTRIES / f"{name}.json").write_text(json.dumps(entry, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(page(), encoding="utf-8")
