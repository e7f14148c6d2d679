"""Draw docs/images/trust.png and write the tables of docs/how-far-to-trust.md anew from studies/results.

Usage: python docs/make_trust_page.py

A table whose study has not been run (make study-premises, study-absent, study-missing, study-coverage,
study-textures) is left as it is.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from accuracy_figures import plot_trust

from mixrd.warning_texts import codes_that

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
#: Warnings that are no doubt of the answer.
INFORMATIVE = codes_that(lambda text: text.informative)
#: Warnings that say that fractions are less sure than the counts make them.
DOUBTS = {"MICROABSORPTION", "TEXTURE"}


def found(name: str) -> dict[str, Any]:
    """Content of a result file."""
    content: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return content


def row(*cells: str) -> str:
    """A row of a table."""
    return f"| {' | '.join(cells)} |"


def head(*cells: str) -> list[str]:
    """The first two rows of a table."""
    return [row(*cells), "|" + "---|" * len(cells)]


def shown(value: float | None, digits: int = 2, unit: str = " wt%") -> str:
    """A number with its unit, nothing for None."""
    return "" if value is None else f"{value:.{digits}f}{unit}"


def share(value: float | None) -> str:
    """A share (0-1) in percent."""
    return shown(None if value is None else 100 * value, 0, " %")


def premises() -> str:
    """Verdicts by group of premises."""
    cases = found("premises")["cases"]
    verdicts = [
        ("right", "right"), ("right, with warnings", "right with warnings"),
        ("wrong, with warnings", "wrong with warnings"), ("**sure and wrong**", "sure and wrong"),
        ("refused", "refused"), ("crashed", "crashed"),
    ]  # fmt: skip
    verdicts = [v for v in verdicts if v[1] != "crashed" or any(case["verdict"] == v[1] for case in cases)]
    lines = head("what is wrong", "analyses", *(title for title, _ in verdicts))
    groups: dict[str, list[dict[str, Any]]] = {}
    for case in cases:
        groups.setdefault(case["group"], []).append(case)
    for group, members in [*groups.items(), ("all", cases)]:
        counted = Counter(case["verdict"] for case in members)
        lines.append(row(group, str(len(members)), *(str(counted[verdict]) for _, verdict in verdicts)))
    return "\n".join(lines)


def sure_and_wrong() -> str:
    """The counts that matter, and which kinds were sure and wrong."""
    summary = found("premises")["summary"]
    far = next(key for key in summary if key.startswith("stated and off by more than"))
    by_base = summary["sure and wrong by base"]
    rows = [
        ("sure and wrong", f"{summary['sure and wrong']} of {summary['analyses']}"),
        ("of these weighed scans; simulated ones", f"{by_base['weighed']}; {by_base['simulated']}"),
        ("wrong, warned only of what the phases always bring", str(summary["wrong, standing doubts alone"])),
        ("amounts stated where none could be right", summary["stated where nothing could be right"]),
        (f"amounts {far}, with warnings or within their interval", str(summary[far])),
        ("refused though nothing was wrong", summary["refused though fine"]),
        ("refused though what was wrong is harmless", summary["refused though harmless"]),
    ]  # fmt: skip
    lines = head("", f"{summary['kinds']} kinds") + [row(*cells) for cells in rows]
    wrong = [
        f"{kind} ({line['sure and wrong']} of {line['analyses']}"
        + (f", worst {line['worst sure and wrong']})" if line["worst sure and wrong"] else ")")
        for kind, line in summary["by_kind"].items()
        if line["sure and wrong"]
    ]
    return "\n".join([*lines, "", f"Sure and wrong were: {'; '.join(wrong) if wrong else 'none'}."])


def refusals() -> str:
    """Which kinds of premises are refused, always and sometimes."""
    content = found("premises")
    group_of = {case["kind"]: case["group"] for case in content["cases"]}
    groups: dict[str, tuple[list[str], list[str]]] = {}
    for kind, line in content["summary"]["by_kind"].items():
        always, sometimes = groups.setdefault(group_of[kind], ([], []))
        if line["refused"] == line["analyses"]:
            always.append(kind)
        elif line["refused"]:
            sometimes.append(f"{kind} ({line['refused']} of {line['analyses']})")
    rows = [row(group, "; ".join(a), "; ".join(b)) for group, (a, b) in groups.items() if a or b]
    return "\n".join(head("what is wrong", "refused each time", "refused in some analyses") + rows)


def absent() -> str:
    """Candidates that are not there."""
    lines = head(
        "scans", "analyses (refused)", "absent candidates", "called detected", "of these without any warning",
        "largest called detected", "stay below the stated limit", "median limit", "intervals that hold 0",
        "phases from 2 wt% on called not found",
    )  # fmt: skip
    for base, s in found("absent")["summary"].items():
        cells = [
            base,
            f"{s['analyses']} ({s['refused']})",
            str(s["absent"]),
            f"{s['detected']} ({100 * s['detected_share']:.1f} %)",
            str(s["detected_without_doubt"]),
            shown(s["largest_detected_percent"] if s["detected"] else None, 1),
            share(s["limits_hold_share"]),
            shown(s["median_limit_percent"]),
            share(s["intervals_hold_share"]),
            str(s["present_lost"]),
        ]
        lines.append(row(*cells))
    return "\n".join(lines)


def left_out_simulated() -> str:
    """A small phase of simulated scans that nobody named."""
    s = found("left-out-simulated")["summary"]
    count = s["scans"]
    below, refused = s.get("below_the_others"), s.get("refused", {})
    lines = head("simulated scans", "noticed (warned of or refused)", "of these refused")
    left, complete = (str(refused[key]) if key in refused else "" for key in ("left_out", "complete"))
    lines.append(row("the small phase left out", f"{s['left_out_warned']} of {count}", left))
    if below:
        noticed = f"{below['left_out_warned']} of {below['scans']}"
        lines.append(row("of these: its strongest line below the first of the others", noticed, ""))
    lines.append(row("all phases given (false alarms)", f"{s['complete_warned']} of {count}", complete))
    return "\n".join(lines)


def coverage() -> str:
    """Intervals at several levels, by regime."""
    summary: Mapping[str, Any] = found("coverage")["summary"]
    levels = next(iter(summary.values()))["hold"]
    lines = head(
        "scans", "intervals", "refused", *(f"{100 * float(level):.0f} %" for level in levels),
        "median half-width", "median error", "off by two half-widths without a warning",
    )  # fmt: skip
    for name, s in summary.items():
        hold = [share(value) for value in s["hold"].values()]
        numbers = [shown(s["median_half_width_wt"]), shown(s["median_error_wt"])]
        silent = str(s["off_by_two_and_no_doubt"])
        lines.append(row(name, str(s["intervals"]), str(s["refused"]), *hold, *numbers, silent))
    return "\n".join(lines)


def textures() -> str:
    """Axes and fractions of plates and needles."""
    lines = head(
        "", "textured phases", "texture found", "axis right", "axis within 15°", "median error", "worst"
    )
    for name, s in found("texture-axes")["summary"].items():
        counts = [str(s[key]) for key in ("textured", "found", "axis_right", "within_15_deg")]
        lines.append(row(name, *counts, shown(s["median_error_wt"]), shown(s["worst_error_wt"])))
    return "\n".join(lines)


def doubted(samples: Sequence[Mapping[str, Any]], codes: set[str] | None = None) -> int:
    """How many samples carry one of the codes, or any that is a doubt."""
    given = [{w["code"] for w in s["warnings"]} for s in samples]
    return sum(bool(found & codes if codes else found - INFORMATIVE) for found in given)


def accuracy() -> str:
    """Errors and intervals of each set."""
    lines = head(
        "scans", "answer", "mean abs. error", "median", "worst phase", "intervals that hold",
        "median half-width", "s per scan",
    )  # fmt: skip
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
    lines = head(
        "mean abs. error of the sample",
        "samples",
        "with a warning of microabsorption or texture",
        "with any doubt",
    )
    samples = [s for name in SETS for s in found(name)["samples"] if s["refined"]]
    errors = [sum(abs(s["refined"][n] - w) for n, w in s["truth"].items()) / len(s["truth"]) for s in samples]
    for label, low, high in (("up to 1.5 wt%", 0.0, 1.5), ("1.5 to 3", 1.5, 3.0), ("above 3", 3.0, 100.0)):
        chosen = [s for s, error in zip(samples, errors, strict=True) if low <= error < high]
        lines.append(row(label, str(len(chosen)), str(doubted(chosen, DOUBTS)), str(doubted(chosen))))
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
        named = {"0": "not corrected", "mean": "mean over likely sizes (the answer)"}
        label = named.get(size, f"particles of {size} µm")
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
        "sure": sure_and_wrong, "premises": premises, "refusals": refusals, "absent": absent,
        "left-out-simulated": left_out_simulated, "coverage": coverage, "textures": textures,
        "accuracy": accuracy, "warnings": warnings, "left-out": left_out, "particles": particles,
        "widths": widths,
    }  # fmt: skip
    for name, make in tables.items():
        begin, end = f"<!-- table {name} -->\n", f"\n<!-- end {name} -->"
        if begin not in page or end not in page:
            raise SystemExit(f"{PAGE} has no table {name}")
        try:
            made = make()
        except FileNotFoundError as missing:
            print(f"table {name} left as it is: there is no {Path(missing.filename).name}")
            continue
        before, rest = page.split(begin)
        page = before + begin + made + end + rest.split(end)[1]
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
