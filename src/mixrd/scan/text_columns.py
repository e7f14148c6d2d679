"""Scans written as columns of text: .xy, .xye, .csv, .txt, .dat, .prn and their relatives."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike

import numpy as np
from numpy.typing import NDArray

from mixrd.errors import ScanError
from mixrd.scan.axes import axis_key

_POINT = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$|[+-]?(?:nan|inf)$", re.IGNORECASE)
_COMMA = re.compile(r"[+-]?(?:\d+,?\d*|,\d+)(?:[eE][+-]?\d+)?$|[+-]?(?:nan|inf)$", re.IGNORECASE)
#: A line of nothing but what numbers with a decimal point are written with: `float` judges those quicker.
_PLAIN = re.compile(r"[\d.eE+\-\s]+$", re.ASCII)
_COMMENT = re.compile(r"\s*(?:[#!;'\"%*]|//)")
_PROBE_LINES = 400

_NOT_ANGLE = {
    "q": "momentum transfer Q",
    "qvalue": "momentum transfer Q",
    "s": "the scattering vector s",
    "d": "d spacing",
    "dspacing": "d spacing",
    "theta": "theta, half the diffraction angle",
    "th": "theta, half the diffraction angle",
    "omega": "omega",
    "phi": "phi",
    "chi": "chi",
    "energy": "energy",
    "tof": "time of flight",
    "timeofflight": "time of flight",
    "channel": "detector channels",
    "wavenumber": "wavenumbers",
    "ramanshift": "Raman shift",
}
_ANGLE = re.compile(r"^(pos)?(2th|2theta|tth|twotheta|angle|x$)")
_INTENSITY = re.compile(r"^(i$|y$|y?obs|i_?obs|int|counts?|cps|yi?$|meas)")
_SIGMA = re.compile(r"^(e$|s$|sig|esd|err|std|su$|unc|delta)")


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
    two_theta, intensity : (N,) arrays
    sigma : (N,) array or None
    header : list of str
        Lines above the table and comments in it.
    rate : bool
        The intensity column is named as counts per second.
    warnings : tuple of (code, message)
    """

    two_theta: NDArray[np.float64]
    intensity: NDArray[np.float64]
    sigma: NDArray[np.float64] | None
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
        If the lines are no table, the first column is said to be something else than 2-theta, or the
        columns are ambiguous.
    """
    lines = text.splitlines()
    style = _choose_style(lines, file)
    header, rows = _split_rows(lines, style, file)
    names = _column_names(header, style, len(rows[0]))
    _refuse_other_axis(header, names, file)
    table = np.array(rows, dtype=np.float64)
    x, y, third, warnings = _pick(names, table.shape[1], file)
    rate = y < len(names) and bool(re.search(r"cps|count\w*\s*(/|per)\s*s", names[y].lower()))
    sigma = None
    if third is not None:
        sigma, doubt = _judge_sigma(table[:, third], table[:, y], named=third < len(names))
        warnings += doubt
    return Columns(table[:, x], table[:, y], sigma, header, rate, warnings)


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


def _split_rows(
    lines: Sequence[str], style: _Style, file: str | PathLike[str]
) -> tuple[list[str], list[list[float]]]:
    header: list[str] = []
    rows: list[list[float]] = []
    at: list[int] = []
    for i, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        values = None if _COMMENT.match(line) else style.parse(line)
        if values is not None and len(values) >= 2:
            rows.append(values)
            at.append(i)
        elif _COMMENT.match(line) or not rows:
            header.append(line)
        elif len(rows) == 1:  # a line of numbers among the header lines, such as start, step and stop
            header += [lines[at[0] - 1], line]
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
    return header, rows


def _column_names(header: Sequence[str], style: _Style, width: int) -> list[str]:
    """Names of the columns from the last line above the table, [] where there is none that fits."""
    for line in reversed(header):
        if not re.search(r"[A-Za-zθ]", line):
            continue
        bare = re.sub(r"^\s*(?:[#!;'%*]|//)+", "", line).strip()
        splits = (style.split(bare), re.split(r"\t+|\s{2,}", bare), bare.split(), re.split(r"[,;]", bare))
        for fields in splits:
            if len(fields) == width:
                return [field.strip(" \"'") for field in fields]
        return []
    return []


def _label(name: str) -> str:
    """Key of a column name without its unit: "Q (1/nm)" gives "q"."""
    return axis_key(re.split(r"[\[(/,]", name.strip(" \t#!;'\"%*"), maxsplit=1)[0])


def _refuse_other_axis(header: Sequence[str], names: Sequence[str], file: str | PathLike[str]) -> None:
    """Refuse where the first column's name, or a line that is nothing but an axis label, is no 2-theta."""
    labels = [names[0]] if names else []
    labels += [line for line in header if re.fullmatch(r"[\s#!]*[A-Za-z-]+\s*[\[(][^\])]*[\])]\s*", line)]
    lowered = " ".join(header).lower()
    if "neutron" in lowered:
        raise ScanError(
            "its header says that these are neutron data",
            remedy="mixrd analyses X-ray powder scans only.",
            file=file,
        )
    for label in labels:
        what = _NOT_ANGLE.get(_label(label))
        if what is not None:
            raise ScanError(
                f"the first column is {what} ({label.strip()!r}), not 2-theta in degrees",
                remedy="Convert it to 2-theta, or export the scan over 2-theta.",
                file=file,
            )
        if _ANGLE.match(_label(label)) and re.search(r"\brad(ians?)?\b", label.lower()):
            raise ScanError(
                f"the angles are in radians ({label.strip()!r})", remedy="Convert them to degrees.", file=file
            )


def _pick(
    names: Sequence[str], width: int, file: str | PathLike[str]
) -> tuple[int, int, int | None, tuple[tuple[str, str], ...]]:
    """Columns of angle, intensity and (perhaps) uncertainty."""
    labels = [_label(name) for name in names]
    if width == 2:
        return 0, 1, None, ()
    if width == 3 and (not labels or _SIGMA.match(labels[2]) or not _ANGLE.match(labels[0])):
        return 0, 1, 2, ()
    if width == 3:
        return 0, 1, None, (("COLUMN_IGNORED", f"the third column ({names[2]!r}) was not used"),)
    angles = [i for i, label in enumerate(labels) if _ANGLE.match(label)]
    heights = [i for i, label in enumerate(labels) if _INTENSITY.match(label)]
    if len(angles) == 1 and len(heights) == 1:
        chosen = f"of {width} columns {names[angles[0]]!r} and {names[heights[0]]!r} were read"
        return angles[0], heights[0], None, (("COLUMN_IGNORED", chosen),)
    shown = f" ({', '.join(names[:6])} ...)" if names else ""
    if not names:
        cause = f"rows of {width} numbers without names: not columns of angle and intensity"
    elif len(angles) > 1:
        cause = f"a table of {width} columns{shown} with {len(angles)} angle columns"
    else:
        cause = f"a table of {width} columns{shown}, and the names do not say which is 2-theta and counts"
    raise ScanError(cause, remedy="Keep two columns, 2-theta and counts, and save them as .xy.", file=file)


def _judge_sigma(
    column: NDArray[np.float64], intensity: NDArray[np.float64], *, named: bool
) -> tuple[NDArray[np.float64] | None, tuple[tuple[str, str], ...]]:
    """The third column as standard uncertainty, or None and why not."""
    if not np.all(np.isfinite(column)):
        return None, (("COLUMN_IGNORED", "the third column has entries that are no numbers"),)
    if np.ptp(column) == 0.0:
        return None, (("COLUMN_IGNORED", "the third column is the same everywhere: no uncertainty"),)
    if np.any(column < 0):
        return None, (("COLUMN_IGNORED", "the third column has negative values: no uncertainty"),)
    strong = intensity > 10.0
    if not named and strong.sum() > 10 and np.mean(column[strong] >= intensity[strong]) > 0.5:
        return None, (("COLUMN_IGNORED", "the third column is larger than the counts: no uncertainty"),)
    return column, ()
