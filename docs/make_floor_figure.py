"""Draw docs/images/floor.png anew from studies/results.

Usage: python docs/make_floor_figure.py
"""

from __future__ import annotations

import json
from pathlib import Path

from accuracy_figures import plot_floor

from mixrd.paper import read_refinements
from mixrd.paper.published import published_tvd

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "studies" / "results"


def main() -> None:
    """Draw the figure."""
    found = read_refinements([RESULTS / "paper-floor"]).values()
    chosen = sorted((f for f in found if f["kind"] == "exactly_distinct"), key=lambda f: (f["k"], f["n"]))
    laboratory = RESULTS / "laboratory-floor.json"
    points = json.loads(laboratory.read_text(encoding="utf-8"))["times"] if laboratory.is_file() else []
    published = {(f["n"], f["k"]): published_tvd(f["n"], f["k"]) for f in chosen}
    known = {setting: tvd for setting, tvd in published.items() if tvd is not None}
    plot_floor(chosen, points, ROOT / "docs" / "images" / "floor.png", published=known)


if __name__ == "__main__":
    main()
