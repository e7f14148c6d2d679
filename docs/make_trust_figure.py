"""Draw docs/images/trust.png anew from studies/results.

Usage: python docs/make_trust_figure.py
"""

from __future__ import annotations

import json
from pathlib import Path

from mixrd.report.trust_figure import plot_trust

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "studies" / "results"
SETS = (
    ("Round robin 1a, 1b, 1d, 1g, instrument calibrated on corundum", "weighed-cpd.json"),
    ("Oxides and carbonates, 8 min scans, generic instrument", "weighed-dara.json"),
)


def main() -> None:
    """Draw the figure."""
    found = [(title, json.loads((RESULTS / file).read_text(encoding="utf-8"))) for title, file in SETS]
    plot_trust(
        [(title, content["samples"]) for title, content in found], ROOT / "docs" / "images" / "trust.png"
    )


if __name__ == "__main__":
    main()
