"""The targets for real scans beside what `studies/run.py` measured, as one table.

``python studies/targets.py`` reads studies/results; `studies/run.py` prints it at its end.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
SETS = {"weighed-cpd": "round robin", "weighed-dara": "oxides 8 min", "weighed-dara-2min": "oxides 2 min"}
#: Studies of what is not as it seems.
FURTHER = ("premises", "absent", "coverage")
#: Largest median half-width of the intervals over the median error.
WIDEST = 3.0

Row = tuple[str, str, str, bool]


def rows() -> list[Row]:
    """(what, measured, target, met) for each target whose results are there."""
    found = {
        p.stem: json.loads(p.read_text(encoding="utf-8"))
        for p in RESULTS.glob("*.json")
        if p.stem in SETS or p.stem in FURTHER or p.stem.startswith("left-out-")
    }
    table: list[Row] = []
    for name, title in SETS.items():
        if name in found:
            table += _errors(name, title, found)
            table += _intervals(title, found[name]["summary"]["coverage"])
            table += _times(title, found[name]["summary"].get("median_seconds", {}))
    counted = [found[name]["summary"].get("doubts") for name in SETS if name in found]
    table += _doubts([count for count in counted if count is not None])
    table += _left_out([found[n] for n in ("left-out-cpd", "left-out-dara") if n in found])
    return table + _sure(found)


def _errors(name: str, title: str, found: dict[str, Any]) -> list[Row]:
    summary = found[name]["summary"]
    refined = summary["refined"]
    mean, median, worst = (refined[key] for key in ("mae_wt", "median_wt", "worst_wt"))
    if name == "weighed-cpd":
        network = summary["network"]["mae_wt"]
        return [
            (f"{title}: mean error, refined", f"{mean:.2f} wt%", "<= 0.4", mean <= 0.4),
            (f"{title}: worst phase, refined", f"{worst:.2f} wt%", "<= 1.0", worst <= 1.0),
            (f"{title}: mean error, network alone", f"{network:.2f} wt%", "<= 1.2", network <= 1.2),
        ]
    if name == "weighed-dara":
        return [
            (f"{title}: median error", f"{median:.2f} wt%", "<= 1.5", median <= 1.5),
            (f"{title}: mean error", f"{mean:.2f} wt%", "<= 3.0", mean <= 3.0),
        ]
    longer = found.get("weighed-dara")
    if longer is None:
        return []
    more = mean / longer["summary"]["refined"]["mae_wt"] - 1
    return [(f"{title}: mean error over that of 8 min", f"{100 * more:+.0f} %", "<= +20 %", more <= 0.2)]


def _intervals(title: str, cover: dict[str, Any]) -> list[Row]:
    share = cover["covered"]
    ratio = cover["median_half_width_wt"] / cover["median_error_wt"]
    held = f"{100 * share:.0f} % of {cover['intervals']}"
    return [
        (f"{title}: intervals that hold", held, "80-100 %", share >= 0.8),
        (f"{title}: half-width over error, medians", f"{ratio:.1f}", f"<= {WIDEST:g}", ratio <= WIDEST),
    ]


def _times(title: str, seconds: dict[str, float | None]) -> list[Row]:
    table: list[Row] = []
    if (network := seconds.get("network")) is not None:
        table.append((f"{title}: network, s a scan", f"{network:.3f}", "<= 0.02", network <= 0.02))
    if (processor := seconds.get("processor")) is not None:
        table.append((f"{title}: analysis, processor s a scan", f"{processor:.2f}", "<= 1", processor <= 1))
    return table


def _doubts(counted: list[dict[str, Any]]) -> list[Row]:
    if not counted:
        return []

    def total(name: str) -> tuple[int, int]:
        return sum(c[name]["warned"] for c in counted), sum(c[name]["samples"] for c in counted)

    (warned, off), (alarms, close) = total("above"), total("within")
    return [
        ("off by > 3 wt%: texture or microabsorption", f"{warned} of {off}", "all", warned == off),
        ("within 1.5 wt%: the same", f"{alarms} of {close}", "<= a fifth", alarms <= close / 5),
    ]


def _left_out(contents: list[dict[str, Any]]) -> list[Row]:
    if not contents:
        return []
    counts = [
        sum(content[key][part] for content in contents)
        for key in ("left_out", "complete")
        for part in ("warned", "of")
    ]
    found, cases, alarms, complete = counts
    return [
        ("a phase left out: warned", f"{found} of {cases}", ">= 95 %", found >= 0.95 * cases),
        ("none left out: warned", f"{alarms} of {complete}", "<= 5 %", alarms <= 0.05 * complete),
    ]


def _sure(found: dict[str, Any]) -> list[Row]:
    """What is sure and wrong, missing, or not there."""
    table: list[Row] = []
    if "left-out-simulated" in found:
        row = found["left-out-simulated"]["summary"]
        count, noticed, false = (row[key] for key in ("scans", "left_out_warned", "complete_warned"))
        table.append(
            ("simulated, one left out: noticed", f"{noticed} of {count}", ">= 97 %", noticed >= 0.97 * count)
        )
        table.append(("simulated, none left out", f"{false} of {count}", "<= 3 %", false <= 0.03 * count))
    if "absent" in found:
        row = found["absent"]["summary"]["weighed"]
        called, of, held = row["detected"], row["absent"], row["limits_hold_share"]
        table.append(("absent: called detected", f"{called} of {of}", "<= 1 %", called <= 0.01 * of))
        table.append(("absent: stated limits hold", f"{100 * held:.0f} %", ">= 90 %", held >= 0.9))
    if "premises" in found:
        row = found["premises"]["summary"]
        wrong, of = row["sure and wrong"], row["analyses"]
        refused, fine = (int(x) for x in row["refused though fine"].split(" of "))
        table.append(("wrong premises: sure and wrong", f"{wrong} of {of}", "0", wrong == 0))
        table.append(("refused though fine", f"{refused} of {fine}", "<= 2 %", refused <= 0.02 * fine))
    if "coverage" in found:
        held = found["coverage"]["summary"]["all"]["hold"]["0.9"]
        shown = f"{100 * held:.0f} %"
        table.append(("90 % intervals over all regimes", shown, "85-95 %", 0.85 <= held <= 0.95))
    return table


def show() -> None:
    """Print the table."""
    table = [("what", "measured", "target", ""), *((*row[:3], "" if row[3] else "missed") for row in rows())]
    widths = [max(len(row[i]) for row in table) for i in range(3)]
    for row in table:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=False)) + "  " + row[3])


if __name__ == "__main__":
    show()
