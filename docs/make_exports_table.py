"""Write the measured rows of docs/exports.md from studies/results/exports.json.

Usage: python docs/make_exports_table.py
"""

from __future__ import annotations

import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = Path(__file__).parent / "exports.md"
RESULTS = ROOT / "studies" / "results" / "exports.json"
READERS = {
    "topas": "rietx (TOPAS reader)",
    "fullprof": "rietx (FullProf reader)",
    "gsas2": "GSAS-II",
    "bgmn": "nobody: BGMN could not be had",
    "rietx": "rietx",
    "cif": "gemmi, rietx",
}
PHASES = ("corundum", "fluorite", "zincite")


def table() -> str:
    """The rows between the marks of the page."""
    document = json.loads(RESULTS.read_text(encoding="utf-8"))
    ours = " | ".join(f"{document['mixrd'][phase]:.2f}" for phase in PHASES)
    lines = [
        "| format | read and refined by | corundum | fluorite | zincite | largest difference |",
        "|---|---|---|---|---|---|",
        f"| (mixrd) | | {ours} | |",
    ]
    for name, reader in READERS.items():
        found = document["formats"].get(name)
        if found is None:
            lines.append(f"| `{name}` | {reader} | | | | |")
            continue
        values = " | ".join(f"{found['wt_percent'][phase]:.2f}" for phase in PHASES)
        lines.append(f"| `{name}` | {reader} | {values} | {found['largest_difference']:.2f} |")
    return "\n".join(lines)


def page() -> str:
    """The page with its table as measured."""
    text = PAGE.read_text(encoding="utf-8")
    pattern = r"(<!-- measured -->\n\n).*?(\n\n<!-- /measured -->)"
    return re.sub(pattern, lambda m: m[1] + table() + m[2], text, flags=re.DOTALL)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
