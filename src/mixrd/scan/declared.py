"""How many points a file declares, against how many it holds."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Sequence

import numpy as np

from mixrd.errors import ScanError
from mixrd.scan.headers import CUT_OFF, Doubts, Floats

_NUMBER = r"([+-]?\d+(?:[.,]\d*)?)"
_POINTS = re.compile(
    r"^\W*(?:(?:total )?(?:number|no\.?|nr\.?|num) ?(?:of )?(?:data |measured )?(?:points|steps)|"
    r"n_?points|num_?points|data ?points|points|data ?count|step "
    r"?count)\s*[:=\s,;]\s*[\"']?(\d+)(?:\.0*)?\W*$",
    re.IGNORECASE,
)
#: Start, stop and step.
_RANGE = (
    rf"\b(?:start|begin|first)[ _]?(?:angle|position|2theta)?\W{{1,6}}{_NUMBER}",
    rf"\b(?:stop|end|last)[ _]?(?:angle|position|2theta)?\W{{1,6}}{_NUMBER}",
    rf"\bstep[ _]?(?:size|width)?\W{{1,6}}{_NUMBER}",
)
_THREE = re.compile(rf"\s*{_NUMBER}\s+{_NUMBER}\s+{_NUMBER}(?:\s+\D.*)?$")

_PITCH_MM = (0.055, 0.070)
"""Pitch of the strips of PANalytical's PIXcel and X'Celerator detectors."""

_FIT = 2e-6
_PLACE_DEG = 1e-4


def refuse_other_number(found: int, declared: int | None) -> None:
    """Refuse a file that holds another number of points than it declares.

    Raises
    ------
    ScanError
        That names both numbers.
    """
    if declared is None or declared == found:
        return
    if found < declared:
        raise ScanError(f"it holds {found} of the {declared} points that it declares", remedy=CUT_OFF)
    raise ScanError(f"it holds {found} points and declares {declared}", remedy=CUT_OFF)


def refuse_short_rows(block: bytes) -> None:
    """Refuse rows of points, one a line, of which one has another number of columns than the first."""
    rows = [line.split() for line in block.split(b"\n") if line.strip()]
    odd = next((i for i, row in enumerate(rows, start=1) if len(row) != len(rows[0])), None)
    if odd is not None:
        raise ScanError(
            f"row {odd} of the points has {len(rows[odd - 1])} columns, the first {len(rows[0])}",
            remedy=CUT_OFF,
        )


def points_of_range(first: float, last: float, step: float) -> int | None:
    """Points from `first` to `last`, None where that is no whole number of steps to a tenth."""
    if step == 0.0 or not math.isfinite(span := (last - first) / step) or span <= 0.0:
        return None
    return round(span) + 1 if abs(span - round(span)) < 0.1 else None


def text_declaration(
    header: Sequence[str], rows: int
) -> tuple[int | None, tuple[float, float, float] | None]:
    """Number of points, and start, stop and step in degrees, that the lines above a table declare.

    A lone whole number right above the table is the number of points (as in FIT2D's .chi) where it is near
    it.
    """
    lines = [line.strip() for line in header if line.strip()]
    joined = "\n".join(lines)
    declared = next((int(match[1]) for line in lines if (match := _POINTS.match(line))), None)
    if declared == rows - 1 and "step" in joined.lower():  # of n points there are n - 1 steps
        declared = rows
    if declared is None and lines and re.fullmatch(r"\d{2,7}", lines[-1]):
        declared = int(lines[-1]) if rows <= 2 * int(lines[-1]) <= 4 * rows else None
    found = [match[1] for pattern in _RANGE if (match := re.search(pattern, joined, re.IGNORECASE))]
    if len(found) == 3:
        start, stop, step = (float(text.replace(",", ".")) for text in found)
        return declared, (start, stop, step)
    for line in lines:
        if match := _THREE.fullmatch(line):
            start, step, stop = (float(text.replace(",", ".")) for text in match.groups())
            if step > stop:
                step, stop = stop, step
            if start < stop and 0.0 < step < stop - start:
                return declared, (start, stop, step)
    return declared, None


def judge_declared_range(
    x: Floats, declared: tuple[float, float, float] | None
) -> tuple[float | None, Doubts]:
    """Step that the header declares for these angles, and a doubt where they end before its range does.

    A range that does not begin where the angles do is about something else and is left aside.
    """
    if declared is None or x.size < 2:
        return None, ()
    start, stop, step = declared
    own = float(np.median(np.abs(np.diff(x))))
    if abs(min(x[0], x[-1]) - start) > 2.0 * own or not 0.9 < own / step < 1.1:
        return None, ()
    end = float(max(x[0], x[-1]))
    if end >= stop - 2.0 * own:
        return step, ()
    text = f"the header announces {start:g} to {stop:g} deg, the points end at {end:g}"
    return step, (("INCOMPLETE", text),)


def refuse_stretched_range(
    first: float | None, last: float | None, found: int, radius_mm: float | None
) -> None:
    """Refuse an XRDML scan whose range does not fit its number of counts.

    XRDML states the ends of the range and no step, so a lost count stretches the axis. The step of a strip
    detector is a quarter multiple of the angle of one strip, and the first point lies half a step behind the
    round angle that was asked for; a point detector has round steps. Where the step is neither, and another
    number of counts makes it so, counts were lost.

    Raises
    ------
    ScanError
        That names both numbers.
    """
    if first is None or last is None or found < 20 or last <= first:
        return
    if _fits(first, last, found, radius_mm) or _round_step(first, last, found):
        return
    near = itertools.chain(range(found + 1, found + 6), range(found - 1, found - 4, -1))
    for count in near:
        if _round_step(first, last, count) or _fits(first, last, count, radius_mm):
            refuse_other_number(found, count)
    for count in range(found + 6, int(1.7 * found)):
        if _fits(first, last, count, radius_mm):
            refuse_other_number(found, count)


def _fits(first: float, last: float, count: int, radius_mm: float | None) -> bool:
    """Whether the step is that of a strip detector and the first point lies where such a scan begins."""
    step = (last - first) / (count - 1)
    if radius_mm is None or not _is_multiple(first - 0.5 * step, _PLACE_DEG, 2e-7):
        return False
    return any(_is_multiple(step, math.degrees(p / radius_mm) / 4.0, _FIT * step) for p in _PITCH_MM)


def _round_step(first: float, last: float, count: int) -> bool:
    step = (last - first) / (count - 1)
    return _is_multiple(step, 5e-4, _FIT * step) and _is_multiple(first, _PLACE_DEG, 2e-7)


def _is_multiple(value: float, unit: float, tolerance: float) -> bool:
    return round(value / unit) > 0 and abs(value - unit * round(value / unit)) < tolerance
