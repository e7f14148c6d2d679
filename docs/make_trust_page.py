"""Draw docs/images/trust.png and write the tables of docs/how-far-to-trust.md anew from studies/results.

Usage: python docs/make_trust_page.py
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from mixrd.report.trust_figure import plot_trust

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "studies" / "results"
PAGE = ROOT / "docs" / "how-far-to-trust.md"
SETS = {
    "weighed-cpd": "Round robin 1a, 1b, 1d, 1g, instrument calibrated on corundum",
    "weighed-dara": "Oxides and carbonates, 8 min scans, generic instrument",
    "weighed-dara-2min": "the same, 2 min scans",
}
#: The same in a word.
SHORT = {"weighed-cpd": "round robin", "weighed-dara": "oxides 8 min", "weighed-dara-2min": "oxides 2 min"}
#: Warnings that say that fractions are less sure than the counts make them.
DOUBTS = {"MICROABSORPTION", "TEXTURE"}


def found(name: str) -> dict[str, Any]:
    """Content of a result file."""
    content: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return content


def row(*cells: str) -> str:
    """A row of a table."""
    return f"| {' | '.join(cells)} |"


def accuracy() -> str:
    """Errors and intervals of each set."""
    lines = ["| scans | answer | mean abs. error | median | worst phase | intervals that hold | median half-width | "
             "s per scan |", "|---|---|---|---|---|---|---|---|"]  # fmt: skip
    for name, title in SETS.items():
        summary = found(name)["summary"]
        for method in ("network", "refined"):
            if (errors := summary.get(method)) is None:
                continue
            cover = summary["coverage"] if method == "refined" else None
            cells = [
                title,
                method,
                *(f"{errors[key]:.2f} wt%" for key in ("mae_wt", "median_wt", "worst_wt")),
                f"{100 * cover['covered']:.0f} % of {cover['intervals']}" if cover else "",
                f"{cover['median_half_width_wt']:.2f} wt%" if cover else "",
                f"{errors['seconds_per_scan']:.2g}",
            ]
            lines.append(row(*cells))
    return "\n".join(lines)


def warnings() -> str:
    """How often a warning of microabsorption or texture stands by a sample, by how far it is off."""
    lines = [
        "| mean abs. error of the sample | samples | with a warning of microabsorption or texture |",
        "|---|---|---|",
    ]
    samples = [s for name in SETS for s in found(name)["samples"] if s["refined"]]
    errors = [sum(abs(s["refined"][n] - w) for n, w in s["truth"].items()) / len(s["truth"]) for s in samples]
    for label, low, high in (("up to 1.5 wt%", 0.0, 1.5), ("1.5 to 3", 1.5, 3.0), ("above 3", 3.0, 100.0)):
        chosen = [s for s, error in zip(samples, errors, strict=True) if low <= error < high]
        warned = sum(bool(DOUBTS & {w["code"] for w in s["warnings"]}) for s in chosen)
        lines.append(row(label, str(len(chosen)), str(warned)))
    return "\n".join(lines)


def left_out() -> str:
    """How often a missing phase is noticed."""
    lines = ["| scans | a phase left out: warned | all weighed phases given: warned |", "|---|---|---|"]
    for name, title in (("left-out-cpd", SETS["weighed-cpd"]), ("left-out-dara", SETS["weighed-dara"])):
        content = found(name)
        cells = [f"{content[key]['warned']} of {content[key]['of']}" for key in ("left_out", "complete")]
        lines.append(row(title, *cells))
    silent = [c for name in ("left-out-cpd", "left-out-dara") for c in found(name)["cases"]
              if c["phase"] is not None and not c["warned"]]  # fmt: skip
    alarms = [c for name in ("left-out-cpd", "left-out-dara") for c in found(name)["cases"]
              if c["phase"] is None and c["warned"]]  # fmt: skip
    for case in silent:
        lines.append(f"\nNot noticed: {case['phase']} ({case['weighed_percent']:.1f} wt%) in {case['file']}.")
    for case in alarms:
        lines.append(f"\nWarned though all were given: {case['file']}: {case['message']}")
    return "\n".join(lines)


def particles() -> str:
    """Errors as if all particles of a scan had one size."""
    content = found("particles")
    lines = [
        "| | round robin: mean | worst | oxides 8 min: mean | median | worst | oxides 2 min: mean | median |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for size in content["weighed-cpd"]["errors"]:
        label = {"0": "as answered", "mean": "mean over all sizes"}.get(size, f"particles of {size} µm")
        cells = [
            f"{content[name]['errors'][size][f'{key}_wt']:.2f}"
            for name, keys in (
                ("weighed-cpd", ("mean", "worst")),
                ("weighed-dara", ("mean", "median", "worst")),
                ("weighed-dara-2min", ("mean", "median")),
            )
            for key in keys
        ]
        lines.append(row(label, *cells))
    return "\n".join(lines)


def widths() -> str:
    """What narrower intervals would hold."""
    lines = [
        "| scans | intervals | hold | median half-width | over the median error |",
        "|---|---|---|---|---|",
    ]
    for name in SETS:
        for label, width in found("particles")[name]["widths"].items():
            covered, half = f"{100 * width['covered']:.0f} %", f"{width['median_half_width_wt']:.2f} wt%"
            lines.append(row(SHORT[name], label, covered, half, f"{width['over_median_error']:.1f}"))
    return "\n".join(lines)


def main() -> None:
    """Draw the figure, write the tables."""
    drawn = [(title, found(name)["samples"]) for name, title in SETS.items() if name != "weighed-dara-2min"]
    plot_trust(drawn, ROOT / "docs" / "images" / "trust.png")
    page = PAGE.read_text(encoding="utf-8")
    tables = {
        "accuracy": accuracy, "warnings": warnings, "left-out": left_out, "particles": particles,
        "widths": widths,
    }  # fmt: skip
    for name, make in tables.items():
        begin, end = f"<!-- table {name} -->\n", f"\n<!-- end {name} -->"
        page = re.sub(
            f"({re.escape(begin)}).*?({re.escape(end)})",
            lambda m, t=make(): m[1] + t + m[2],
            page,
            flags=re.S,
        )
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
