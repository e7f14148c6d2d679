"""Scans written as columns of text: .xy, .xye, .csv, .txt, .dat, .prn and their relatives."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from mixrd.errors import ScanError
from mixrd.scan.axis_conversion import (
    SMALL_ANGLE_DEG,
    judge_unnamed_axis,
    order_of_columns,
    small_angle_error,
    two_theta_from_axis,
)
from mixrd.scan.axis_names import AxisName, judge_axis
from mixrd.scan.column_names import column_names, is_named_uncertainty, named_axis, pick_columns
from mixrd.scan.declared import judge_declared_range, text_declaration
from mixrd.scan.headers import EXPORT_AGAIN, X_RAYS_ONLY, Arrays, Doubts, Floats, ScanHeader, choose_scan
from mixrd.scan.opened_file import OpenedFile
from mixrd.scan.scan_format import LAST, Found, ScanFormat, register_format
from mixrd.scan.text_headers import text_facts
from mixrd.scan.third_column import judge_uncertainty

_SMALL_ANGLE = re.compile(r"u?saxs|sans\b|small[- _]?angle|desmear", re.IGNORECASE)
_POINT = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$|[+-]?(?:nan|inf)$", re.IGNORECASE)
_COMMA = re.compile(r"[+-]?(?:\d+,?\d*|,\d+)(?:[eE][+-]?\d+)?$|[+-]?(?:nan|inf)$", re.IGNORECASE)
#: A line of nothing but what numbers with a decimal point are written with: `float` judges those quicker.
_PLAIN = re.compile(r"[\d.eE+\-\s]+$", re.ASCII)
_COMMENT = re.compile(r"\s*(?:[#!;'\"%*]|//)")
_PROBE_LINES = 400


@dataclass(frozen=True)
class _Style:
    """How a line is split: separator (None for blanks) and decimal mark."""

    separator: str | None
    comma: bool

    def split(self, line: str) -> list[str]:
        fields = [field.strip() for field in line.strip().split(self.separator)]
        while fields and not fields[-1]:
            fields.pop()
        return fields

    def parse(self, line: str) -> list[float] | None:
        """Numbers of the line, None unless every field is one."""
        if self.separator is None and not self.comma and _PLAIN.match(line):
            try:
                return [float(field) for field in line.split()] or None
            except ValueError:
                return None
        fields = self.split(line)
        pattern = _COMMA if self.comma else _POINT
        if not fields or not all(pattern.match(field) for field in fields):
            return None
        return [float(field.replace(",", ".")) for field in fields]


_STYLES = (_Style(None, False), _Style(None, True), _Style(";", False), _Style(";", True), _Style(",", False))


def _matches(opened: OpenedFile) -> bool:
    """Asked last: whatever no other format knows."""
    return True


def _read(opened: OpenedFile, scan: int | None) -> Found:
    """Two or three columns: angle, intensity and, if it is one, the standard uncertainty.

    Separators are blanks, tabs, semicolons or commas; the decimal mark is a point or a comma, found from
    which reading explains most lines. Lines that begin with ``# ! ; ' " % * //`` are comments. In tables of
    more columns the names above them must say which is 2-theta and which the intensity.
    """
    choose_scan([ScanHeader()], scan)
    lines = opened.text.splitlines()
    even = _even_rows(lines)
    style = _STYLES[0] if even else _choose_style(lines)
    above, rows = even or _split_rows(lines, style)
    names = column_names(above, style.split, len(rows[0]))
    if "neutron" in " ".join(above).lower():
        raise ScanError("its header says that these are neutron data", remedy=X_RAYS_ONLY)
    table = np.array(rows, dtype=np.float64)
    order = order_of_columns(table) if not names else None
    x, y, third, doubts = (*order[:2], None, order[2]) if order else pick_columns(names, table.shape[1])
    rate = y < len(names) and bool(re.search(r"cps|count\w*\s*(/|per)\s*s", names[y].lower()))
    sigma = None
    if third is not None:
        named = is_named_uncertainty(names, third)
        sigma, doubt = judge_uncertainty(table[:, third], table[:, y], named=named)
        doubts += doubt
    facts = text_facts(above)
    two_theta, converted = _two_theta(table[:, x], named_axis(above, names, x), above, facts)
    points, declared = text_declaration(above, two_theta.size)
    step, incomplete = judge_declared_range(two_theta, declared)
    doubts += converted + incomplete + judge_axis(facts.axis)
    header = replace(facts, points=points, step=step, rate=rate, warnings=doubts)
    return Arrays(two_theta, table[:, y], sigma, "mixrd"), header


_OTHER_ENDINGS = (".csv", ".txt", ".dat", ".prn", ".asc")
register_format(ScanFormat("text columns", _matches, _read, (".xy", ".xye"), _OTHER_ENDINGS, LAST))


def _two_theta(
    x: Floats, axis: AxisName | None, above: Sequence[str], facts: ScanHeader
) -> tuple[Floats, Doubts]:
    """2-theta of the column of the axis, and what had to be done for it."""
    sign = _SMALL_ANGLE.search("\n".join(above))
    if sign and x.size and x.max() < SMALL_ANGLE_DEG:
        raise small_angle_error(f"its header says {sign[0]!r}, its axis ends at {x.max():.3g}")
    if axis is not None:
        return two_theta_from_axis(x, axis, facts.wavelength_angstrom)
    return judge_unnamed_axis(x, facts.wavelength_angstrom)


def _choose_style(lines: Sequence[str]) -> _Style:
    probe = [line for line in lines if line.strip() and not _COMMENT.match(line)]
    middle = len(probe) // 2
    probe = probe[:_PROBE_LINES] + probe[max(middle, _PROBE_LINES) :][:_PROBE_LINES]
    scores = []
    for style in _STYLES:
        scores.append(sum(len(style.parse(line) or ()) >= 2 for line in probe))
        if scores[-1] == len(probe):
            break
    best = int(np.argmax(scores))
    if scores[best] > 0:
        return _STYLES[best]
    singles = sum(len(_STYLES[0].parse(line) or ()) == 1 for line in probe)
    if singles > 0.8 * len(probe) and singles > 2:
        raise ScanError(
            "a single column of numbers: intensities without angles",
            remedy="Export two columns, 2-theta and counts.",
        )
    widths = {len(line.split()) for line in probe[1:]}
    if len(widths) == 1 and (width := widths.pop()) >= 4 and len(probe[0].split()) == width:
        raise ScanError(
            f"a table of {width} columns ({', '.join(probe[0].split()[:6])} ...), some of them not numbers",
            remedy="Keep two columns, 2-theta and counts, and save them as .xy.",
        )
    raise ScanError(
        "no table of angles and intensities in it, and no other format was recognised",
        remedy="Export the scan as .xy, .xye or .xrdml.",
    )


def _even_rows(lines: Sequence[str]) -> tuple[list[str], Floats] | None:
    """Comments and the table below them where there is nothing else; None where there is."""
    start = next((i for i, line in enumerate(lines) if line.strip() and not _COMMENT.match(line)), len(lines))
    columns = len(lines[start].split()) if start < len(lines) else 0
    body = "\n".join(lines[start:]).rstrip() + "\n"
    if columns < 2 or not _plain_table(columns).fullmatch(body):
        return None
    header = [line for line in lines[:start] if line.strip()]
    return header, np.array([float(field) for field in body.split()]).reshape(-1, columns)


@cache
def _plain_table(columns: int) -> re.Pattern[str]:
    """Lines of so many numbers between blanks; possessive, so that a line that is none costs no search."""
    number = r"[+-]?+(?>\d++\.?+\d*+|\.\d++)(?>[eE][+-]?+\d++)?+"
    return re.compile(rf"(?:[ \t]*+{number}(?:[ \t]++{number}){{{columns - 1}}}[ \t]*+\n)++", re.ASCII)


def _split_rows(lines: Sequence[str], style: _Style) -> tuple[list[str], list[list[float]]]:
    header: list[str] = []
    between: list[str] = []  # comments in the table speak of a point, those below it of the scan
    rows: list[list[float]] = []
    at: list[int] = []
    for i, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        values = None if _COMMENT.match(line) else style.parse(line)
        if values is not None and len(values) >= 2:
            rows.append(values)
            at.append(i)
            between.clear()
        elif _COMMENT.match(line) and rows:
            between.append(line)
        elif _COMMENT.match(line) or not rows:
            header.append(line)
        elif len(rows) == 1:  # a line of numbers among the header lines, such as start, step and stop
            header += [lines[at[0] - 1], *between, line]
            rows.clear()
            at.clear()
        else:
            raise ScanError(
                f"line {i} is not a row of numbers: {line.strip()[:40]!r}",
                remedy="The file is damaged, cut off or has a second table: repair it or export it again.",
            )
    if len(rows) > 2 and len(rows[0]) != len(rows[1]) == len(rows[2]):
        header.append(lines[at[0] - 1])
        rows, at = rows[1:], at[1:]
    for row, i in zip(rows, at, strict=True):
        if len(row) != len(rows[0]):
            raise ScanError(
                f"line {i} has {len(row)} columns where line {at[0]} has {len(rows[0])}",
                remedy="The file is cut off, or not a table of angle and intensity: export it again.",
            )
    if not rows:
        raise ScanError("no rows of numbers in it", remedy=EXPORT_AGAIN)
    return header + between, rows
