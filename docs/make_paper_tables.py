"""Write the tables of docs/paper.md anew from studies/results/paper*/.

Usage: python docs/make_paper_tables.py
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mixrd.paper import paper_rows, read_bounds, read_refinements, read_results, size_rows
from mixrd.paper.cells import recipe_sha256
from mixrd.paper.measured import setting_of
from mixrd.paper.published import GREASLEY_TVD, published_tvd
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


def refined() -> str:
    """Network, refinement, refinement told the phases and noise floor, on the same patterns."""
    titles = ("N", "K", "kind", "network, mixtures, training", "paper", "network alone", "refined",
              "told the phases", "floor", "refined ÷ floor", "refined ÷ told", "median", "95 % below",
              "worst", "patterns", "time of each")  # fmt: skip
    lines = [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
    for f, trained in refinements():
        paper = published_tvd(f["n"], f["k"])
        means = [f["network"]["mean"], f["refined"]["mean"], f["told"]["mean"], f["bound"]["mean"]]
        cells = [
            f["n"], f["k"], f["kind"],
            f"{f['architecture']}, {trained['samples']}, {duration_text(trained['wall_seconds'])}",
            "" if paper is None else f"{paper:.2f}",
            *(f"{mean:.4f}" for mean in means),
            f"{f['refined_over_bound']:.2f}", f"{means[1] / means[2]:.2f}",
            *(f"{f['refined'][name]:.4f}" for name in ("median", "p95", "worst")),
            f["patterns"], f"{1000 * f['seconds_a_pattern']:.0f} ms",
        ]  # fmt: skip
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines) if len(lines) > 2 else NOT_RUN


def decisions() -> str:
    """What the refinement takes to be there and is not, and what it misses."""
    titles = ("N", "K", "kind", "patterns with a phase too many", "found, of the absent phases",
              "missed, of the present phases", "their mean share of a pattern",
              "fits that leave more than noise", "TVD with the network's answer for those")  # fmt: skip
    lines = [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
    for f, _ in refinements():
        cells = [
            f["n"], f["k"], f["kind"], f"{100 * f['patterns_with_false_positives']:.1f} %",
            f"{100 * f['false_positive_rate']:.2f} %", f"{100 * f['missed_share']:.1f} %",
            f"{100 * f['missed_fraction']:.2f} %", f"{100 * (1 - f['sound_share']):.1f} %",
            f"{f['answer']['mean']:.4f}",
        ]  # fmt: skip
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines) if len(lines) > 2 else NOT_RUN


def refinements() -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """All refinements and the result of the network that each starts from."""
    folders = [RESULTS / name for name in ("paper-floor", "paper") if (RESULTS / name).is_dir()]
    networks = {r["recipe_sha256"]: r for r in read_results(folders)}
    found = read_refinements(folders)
    pairs = [(content, networks[digest]) for digest, content in found.items() if digest in networks]
    return sorted(pairs, key=lambda pair: (pair[0]["kind"], pair[0]["n"], pair[0]["k"]))


def designs() -> str:
    """Networks with heads side by side."""
    titles = ("design", "time", "mixtures", "parameters", "mean TVD", "median", "presence right",
              "mean strain error", "within 0.003")  # fmt: skip
    lines = [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
    folder = RESULTS / "paper-designs"
    files = sorted(folder.glob("*.json")) if folder.is_dir() else []
    for d in sorted((json.loads(path.read_text()) for path in files), key=lambda d: -d["test"]["mean_tvd"]):
        test = d["test"]
        cells = [
            d["design"], duration_text(d["seconds"]), d["training"]["samples"], d["parameters"],
            f"{test['mean_tvd']:.4f}", f"{test['median_tvd']:.4f}", f"{100 * test['presence_right']:.1f} %",
            f"{test['mean_strain_error']:.4f}", f"{100 * test['strain_within_0.003']:.0f} %",
        ]  # fmt: skip
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines) if files else NOT_RUN


def losses() -> str:
    """The paper's network with two losses, and how often it names one phase alone."""
    path = RESULTS / "paper-losses" / "saturation.json"
    if not path.is_file():
        return NOT_RUN
    titles = ("loss", "mixtures", "TVD", "estimates with a phase above 0.99", "mixtures that have one",
              "largest phase right", "TVD of naming the largest phase alone")  # fmt: skip
    lines = [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
    asked = json.loads(path.read_text(encoding="utf-8"))
    for r in sorted(results("paper-losses"), key=lambda r: -r["test"]["mean"]):
        loss = r["recipe"]["training"]["loss"]
        if loss not in asked:
            lines.append(f"| {loss} | {r['samples']} | {r['test']['mean']:.3f} | not measured | | | |")
            continue
        found = asked[loss]
        shares = ("share_of_estimates_above_0.99", "share_of_mixtures_above_0.99", "largest_phase_right")
        alone = f"{found['mean_tvd_of_the_largest_phase_alone']:.3f}"
        percent = (f"{100 * found[share]:.0f} %" for share in shares)
        cells = [loss, r["samples"], f"{r['test']['mean']:.3f}", *percent, alone]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


TABLES: dict[str, Callable[[], str]] = {
    "ablation": ablation,
    "decisions": decisions,
    "designs": designs,
    "floor": floor,
    "grid": grid,
    "greasley": greasley,
    "losses": losses,
    "refined": refined,
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
