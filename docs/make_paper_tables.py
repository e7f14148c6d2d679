"""Write the tables of docs/paper.md anew from studies/results/paper*/.

Usage: python docs/make_paper_tables.py
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mixrd.experiments.paper import paper_rows, read_bounds, read_results, size_rows
from mixrd.experiments.paper.cells import recipe_sha256
from mixrd.experiments.paper.floor_result import setting_of
from mixrd.experiments.paper.published import GREASLEY_TVD, published_tvd
from mixrd.report.numbers import duration_text

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "studies" / "results"
PAGE = ROOT / "docs" / "paper.md"
NOT_RUN = "Not run yet."


def results(name: str) -> list[dict[str, Any]]:
    """Results of one study; none where it was not run."""
    folder = RESULTS / name
    return read_results([folder]) if folder.is_dir() else []


def grid() -> str:
    """Every setting that was run, and the cells of the paper's grid that were not."""
    lines = ["| N | K | kind | network | samples | seeds | paper | ours | median | 95 % below | time |",
             "|---|---|---|---|---|---|---|---|---|---|---|"]  # fmt: skip
    for row in paper_rows(results("paper")):
        ours = ["not run", "", "", ""]
        if row.network is not None and row.wall_seconds is not None:
            spread = "" if row.network_std is None else f" ± {row.network_std:.4f}"
            ours = [
                f"{row.network:.4f}{spread}",
                f"{row.network_median:.4f}",
                f"{row.network_p95:.4f}",
                f"{duration_text(row.wall_seconds)}, {row.device}",
            ]
        samples = "" if row.samples is None else f"{row.samples}{'*' if row.shortened else ''}"
        paper = "" if row.paper is None else f"{row.paper:.2f}"
        cells = [
            str(row.n),
            str(row.k),
            row.kind,
            row.architecture,
            samples,
            str(len(row.seeds) or ""),
            paper,
        ]
        lines.append(f"| {' | '.join([*cells, *ours])} |")
    return "\n".join(lines)


def sizes() -> str:
    """Size against accuracy, after as many mixtures for each."""
    lines = ["| N, K | network | samples | TVD | parameters | MB | time |", "|---|---|---|---|---|---|---|"]
    found = results("paper-curves")
    for n, k in sorted({(r["n"], r["k"]) for r in found}):
        for row in size_rows(found, n=n, k=k):
            samples = f"{row.samples}{'*' if row.shortened else ''}"
            size = f"{row.parameters} | {row.size_bytes / 1e6:.2f} | {duration_text(row.wall_seconds)}"
            lines.append(f"| {n}, {k} | {row.architecture} | {samples} | {row.network:.4f} | {size} |")
    return "\n".join(lines) if found else NOT_RUN


def greasley() -> str:
    """N = 7, K = 2 beside what is published."""
    lines = ["| estimator | kind | samples | mean TVD |", "|---|---|---|---|"]
    low, high = GREASLEY_TVD
    lines.append(f"| published, best and worst | | | {low}, {high} |")
    found = sorted(results("paper-greasley"), key=lambda r: (r["kind"], r["test"]["mean"]))
    for r in found:
        samples = f"{r['samples']}{'*' if r['shortened'] else ''}"
        lines.append(f"| {r['architecture']} | {r['kind']} | {samples} | {r['test']['mean']:.4f} |")
    return "\n".join(lines) if found else NOT_RUN


def ablation() -> str:
    """(10, 3) with one choice at a time changed."""
    lines = ["| choice | samples | mean TVD | median |", "|---|---|---|---|"]
    folder = RESULTS / "paper-ablation"
    for variant in sorted(folder.iterdir()) if folder.is_dir() else []:
        for r in read_results([variant]):
            test = r["test"]
            name = variant.name.replace("-", " ")
            lines.append(f"| {name} | {r['samples']}* | {test['mean']:.4f} | {test['median']:.4f} |")
    return "\n".join(lines) if len(lines) > 2 else NOT_RUN


def floor() -> str:
    """The noise floor of each setting, and how far above it the best network is."""
    titles = ("N", "K", "kind", "patterns", "floor", "median", "95 % below", "worst", "network",
              "network ÷ floor", "paper ÷ floor")  # fmt: skip
    lines = [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
    best: dict[str, float] = {}
    for r in results("paper"):
        digest = recipe_sha256(setting_of(r["recipe"]))
        best[digest] = min(r["test"]["mean"], best.get(digest, 1.0))
    folder = RESULTS / "paper"
    found = read_bounds([folder]) if folder.is_dir() else {}
    for digest, b in sorted(found.items(), key=lambda item: (item[1]["kind"], item[1]["n"], item[1]["k"])):
        network, paper = best.get(digest), published_tvd(b["n"], b["k"])
        floors = [f"{b['bound']:.4f} ± {b['standard_error']:.4f}"]
        floors += [f"{b[name]:.4f}" for name in ("median", "p95", "worst")]
        ratios = ["not run", ""] if network is None else [f"{network:.4f}", f"{network / b['bound']:.1f}"]
        ratios.append("" if paper is None else f"{paper / b['bound']:.0f}")
        cells = [str(b["n"]), str(b["k"]), b["kind"], str(b["patterns"]), *floors, *ratios]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) if found else NOT_RUN


TABLES: dict[str, Callable[[], str]] = {
    "ablation": ablation,
    "floor": floor,
    "grid": grid,
    "greasley": greasley,
    "sizes": sizes,
}


def filled(page: str) -> str:
    """The page with its tables made anew."""
    for name, table in TABLES.items():
        mark = f"<!-- table {name} -->\n", f"\n<!-- end {name} -->"
        pattern = re.escape(mark[0]) + r".*?" + re.escape(mark[1])
        page, count = re.subn(pattern, lambda _, t=table, m=mark: m[0] + t() + m[1], page, flags=re.DOTALL)
        if count != 1:
            raise SystemExit(f"docs/paper.md has {count} places for the table {name}")
    return page


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
