"""What the report shows of a batch: a table shaded by fraction, a heat map, what each phase ranges over."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mixrd.report.colours import phase_style
from mixrd.report.numbers import NOTHING, amount_text, counted, percent

if TYPE_CHECKING:
    from mixrd.analysis import Analysis

#: What is said of a phase, and its wt% where amounts are stated.
_Amount = tuple[str, float | None]
#: Shades of the heat map, from none of a phase to nothing else.
SHADES = 20


@dataclass(frozen=True)
class Batch:
    """All scans together.

    Attributes
    ----------
    names : sequence of str
        Of the phases.
    rows : sequence of dict
        The scans in the table; a cell has the amount of a phase and how dark it is (0-1).
    strips : sequence of dict
        The phases in the heat map, with an SVG path for each shade that occurs.
    codes : sequence of (code, number of scans)
    failed : int
    """

    names: Sequence[str]
    rows: Sequence[dict[str, Any]]
    strips: Sequence[dict[str, Any]]
    codes: Sequence[tuple[str, int]]
    failed: int

    @property
    def sentence(self) -> str:
        """How many scans there are, how many failed, and of how many nothing can be stated."""
        done = len(self.rows) - self.failed
        said = f"{counted(done, 'scan')} {'was' if done == 1 else 'were'} analysed."
        if self.failed:
            said += f" {self.failed} could not be: the reasons stand in the table."
        if refused := sum(bool(row["unstated"]) for row in self.rows):
            said += (
                f" Of {counted(refused, 'scan')} no amounts can be stated: the reasons stand in the table."
            )
        return said


def batch_of(results: Iterable[tuple[str, Analysis]]) -> Batch:
    """The batch; each result is looked at once and not kept."""
    amounts: list[dict[str, _Amount]] = []
    rows: list[dict[str, Any]] = []
    for number, (name, analysis) in enumerate(results, 1):
        stated = analysis.statement
        amounts.append({p.name: (amount_text(p, stated), p.weight_percent) for p in analysis.phases})
        rows.append(
            {
                "number": number,
                "name": name,
                "codes": list(dict.fromkeys(w.code for w in analysis.warnings)),
                "agreement": "" if analysis.r_wp is None else percent(analysis.r_wp),
                "error": analysis.error or "",
                "unstated": stated.sentence if stated.kind == "none" else "",
                "failed": analysis.status == "failed",
            }
        )
    names = list(dict.fromkeys(name for found in amounts for name in found))
    for row, found in zip(rows, amounts, strict=True):
        row["cells"] = [_cell(found.get(name)) for name in names]
    strips = [_strip(name, phase_style(k)[0], amounts) for k, name in enumerate(names)]
    codes = Counter(code for row in rows for code in row["codes"])
    return Batch(names, rows, strips, codes.most_common(), sum(row["failed"] for row in rows))


def _cell(found: _Amount | None) -> dict[str, Any]:
    text, value = found or ("", None)
    return {"text": text, "shade": round(_share(value), 3)}


def _share(value: float | None) -> float:
    """A percentage as 0-1; what is no number is 0."""
    return 0.0 if value is None or value != value else min(max(value / 100, 0.0), 1.0)


def _strip(name: str, colour: str, amounts: Sequence[dict[str, _Amount]]) -> dict[str, Any]:
    """One row of the heat map: scan i is the unit square at x = i."""
    squares: dict[int, list[str]] = {}
    for i, found in enumerate(amounts):
        if name in found:
            shade = round(SHADES * _share(found[name][1]))
            squares.setdefault(shade, []).append(f"M{i} 0h1v1h-1z")
    paths = [(shade / SHADES, "".join(squares[shade])) for shade in sorted(squares) if shade]
    values = [v for found in amounts if name in found and (v := found[name][1]) is not None and v == v]
    strip: dict[str, Any] = {"name": name, "colour": colour, "paths": paths, "scans": len(values)}
    for key, of in (("lowest", min), ("median", statistics.median), ("highest", max)):
        strip[key] = f"{of(values):.1f}" if values else NOTHING
    return strip
