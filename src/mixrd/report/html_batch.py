"""What the report shows of a batch: a table shaded by fraction, a heat map, what each phase ranges over."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mixrd.report.colours import phase_style
from mixrd.report.numbers import NOTHING, amount_text, counted, percent

if TYPE_CHECKING:
    from mixrd.analysis import Analysis

#: What is said of a phase, and its wt% where amounts are stated.
_Amount = tuple[str, float | None]
#: Shades of the heat map, from none of a phase to nothing else.
SHADES = 20


@dataclass(frozen=True)
class BatchCell:
    """Amount of a phase in a scan, and how dark its cell is (0-1)."""

    text: str
    shade: float


@dataclass(frozen=True)
class BatchRow:
    """A scan in the table."""

    number: int
    name: str
    file: str
    cells: tuple[BatchCell, ...]
    agreement: str
    codes: tuple[str, ...]
    error: str
    unstated: str = ""


@dataclass(frozen=True)
class Strip:
    """A phase in the heat map: an SVG path for each shade that occurs."""

    name: str
    colour: str
    paths: tuple[tuple[float, str], ...]
    lowest: str
    median: str
    highest: str
    scans: int


@dataclass(frozen=True)
class Batch:
    """All scans together."""

    names: tuple[str, ...]
    rows: tuple[BatchRow, ...]
    strips: tuple[Strip, ...]
    codes: tuple[tuple[str, int], ...]
    failed: int

    @property
    def sentence(self) -> str:
        """How many scans there are, how many failed, and of how many nothing can be stated."""
        done = len(self.rows) - self.failed
        said = f"{counted(done, 'scan')} {'was' if done == 1 else 'were'} analysed."
        if self.failed:
            said += f" {self.failed} could not be: the reasons stand in the table."
        refused = sum(bool(row.unstated) for row in self.rows)
        if refused:
            said += (
                f" Of {counted(refused, 'scan')} no amounts can be stated: the reasons stand in the table."
            )
        return said


def batch_of(results: Iterable[tuple[str, Analysis]]) -> Batch:
    """The batch; each result is looked at once and not kept."""
    names: dict[str, None] = {}
    amounts: list[dict[str, _Amount]] = []
    rows: list[BatchRow] = []
    codes: Counter[str] = Counter()
    failed = 0
    for name, analysis in results:
        stated = analysis.statement
        found = {p.name: (amount_text(p, stated), p.weight_percent) for p in analysis.phases}
        names.update(dict.fromkeys(found))
        amounts.append(found)
        mine = tuple(dict.fromkeys(w.code for w in analysis.warnings))
        codes.update(mine)
        failed += analysis.status == "failed"
        agreement = "" if analysis.r_wp is None else percent(analysis.r_wp)
        unstated = stated.sentence if stated.kind == "none" else ""
        number, error = len(rows) + 1, analysis.error or ""
        rows.append(BatchRow(number, name, analysis.file, (), agreement, mine, error, unstated))
    table = tuple(
        replace(row, cells=tuple(_cell(found.get(n)) for n in names))
        for row, found in zip(rows, amounts, strict=True)
    )
    strips = tuple(_strip(n, phase_style(k)[0], amounts) for k, n in enumerate(names))
    return Batch(tuple(names), table, strips, tuple(codes.most_common()), failed)


def _cell(found: _Amount | None) -> BatchCell:
    if found is None:
        return BatchCell("", 0.0)
    text, value = found
    return BatchCell(text, round(_share(value), 3))


def _share(value: float | None) -> float:
    """A percentage as 0-1; what is no number is 0."""
    return 0.0 if value is None or value != value else min(max(value / 100, 0.0), 1.0)


def _strip(name: str, colour: str, amounts: Sequence[dict[str, _Amount]]) -> Strip:
    """One row of the heat map: scan i is the unit square at x = i."""
    squares: dict[int, list[str]] = {}
    for i, found in enumerate(amounts):
        if name in found:
            shade = round(SHADES * _share(found[name][1]))
            squares.setdefault(shade, []).append(f"M{i} 0h1v1h-1z")
    paths = tuple((shade / SHADES, "".join(squares[shade])) for shade in sorted(squares) if shade)
    values = [v for found in amounts if name in found and (v := found[name][1]) is not None and v == v]
    if not values:
        return Strip(name, colour, paths, NOTHING, NOTHING, NOTHING, 0)
    low, middle, high = min(values), statistics.median(values), max(values)
    return Strip(name, colour, paths, f"{low:.1f}", f"{middle:.1f}", f"{high:.1f}", len(values))
