"""Scans written as columns of text: .xy, .xye, .csv, .txt, .dat, .prn and their relatives."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from os import PathLike

import numpy as np
from numpy.typing import NDArray

from mixrd.errors import ScanError
from mixrd.scan.axis_names import AxisName
from mixrd.scan.axis_shape import order_of_columns
from mixrd.scan.column_names import column_names, is_named_uncertainty, named_axis, pick_columns
from mixrd.scan.third_column import judge_uncertainty

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


_STYLES = (
    _Style(None, False),
    _Style(None, True),
    _Style(";", False),
    _Style(";", True),
    _Style(",", False),
)


@dataclass(frozen=True, eq=False)
class Columns:
    """A table of numbers with the lines above it.

    Attributes
    ----------
    first : (N,) array
        The column of the axis as it stands: 2-theta, or what `axis` says.
    intensity : (N,) array
    sigma : (N,) array or None
    axis : AxisName or None
        What the file calls the axis, None where it says nothing.
    header : list of str
        Lines above the table, and comments below it.
    rate : bool
        The intensity column is named as counts per second.
    warnings : tuple of (code, message)
    """

    first: NDArray[np.float64]
    intensity: NDArray[np.float64]
    sigma: NDArray[np.float64] | None
    axis: AxisName | None
    header: list[str]
    rate: bool
    warnings: tuple[tuple[str, str], ...]


def read_columns(text: str, file: str | PathLike[str]) -> Columns:
    """Read two or three columns: angle, intensity and, if it is one, the standard uncertainty.

    Separators are blanks, tabs, semicolons or commas; the decimal mark is a point or a comma, found from
    which reading explains most lines. Lines that begin with ``# ! ; ' " % * //`` are comments. In tables of
    more columns the names above them must say which is 2-theta and which the intensity.

    Raises
    ------
    ScanError
        If the lines are no table, the header speaks of neutrons, or the columns are ambiguous.
    """
    lines = text.splitlines()
    even = _even_rows(lines)
    style = _STYLES[0] if even else _choose_style(lines, file)
    header, rows = even or _split_rows(lines, style, file)
    names = column_names(header, style.split, len(rows[0]))
    _refuse_neutrons(header, file)
    table = np.array(rows, dtype=np.float64)
    order = order_of_columns(table) if not names else None
    x, y, third, warnings = (
        (*order[:2], None, order[2]) if order else pick_columns(names, table.shape[1], file)
    )
    rate = y < len(names) and bool(re.search(r"cps|count\w*\s*(/|per)\s*s", names[y].lower()))
    sigma = None
    if third is not None:
        named = is_named_uncertainty(names, third)
        sigma, doubt = judge_uncertainty(table[:, third], table[:, y], named=named)
        warnings += doubt
    return Columns(table[:, x], table[:, y], sigma, named_axis(header, names, x), header, rate, warnings)


def _refuse_neutrons(header: Sequence[str], file: str | PathLike[str]) -> None:
    if "neutron" in " ".join(header).lower():
        raise ScanError(
            "its header says that these are neutron data",
            remedy="mixrd analyses X-ray powder scans only.",
            file=file,
        )


def _choose_style(lines: Sequence[str], file: str | PathLike[str]) -> _Style:
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
            file=file,
        )
    widths = {len(line.split()) for line in probe[1:]}
    if len(widths) == 1 and (width := widths.pop()) >= 4 and len(probe[0].split()) == width:
        raise ScanError(
            f"a table of {width} columns ({', '.join(probe[0].split()[:6])} ...), some of them not numbers",
            remedy="Keep two columns, 2-theta and counts, and save them as .xy.",
            file=file,
        )
    raise ScanError(
        "no table of angles and intensities in it, and no other format was recognised",
        remedy="Export the scan as .xy, .xye or .xrdml.",
        file=file,
    )


def _even_rows(lines: Sequence[str]) -> tuple[list[str], NDArray[np.float64]] | None:
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


def _split_rows(
    lines: Sequence[str], style: _Style, file: str | PathLike[str]
) -> tuple[list[str], list[list[float]]]:
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
                file=file,
            )
    if len(rows) > 2 and len(rows[0]) != len(rows[1]) == len(rows[2]):
        header.append(lines[at[0] - 1])
        rows, at = rows[1:], at[1:]
    for row, i in zip(rows, at, strict=True):
        if len(row) != len(rows[0]):
            raise ScanError(
                f"line {i} has {len(row)} columns where line {at[0]} has {len(rows[0])}",
                remedy="The file is cut off, or not a table of angle and intensity: export it again.",
                file=file,
            )
    if not rows:
        raise ScanError("no rows of numbers in it", remedy="Export the scan again.", file=file)
    return header + between, rows
