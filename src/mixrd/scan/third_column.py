"""Whether a third column of numbers is the standard uncertainty of the second.

A standard uncertainty is as large as the scatter of the counts, rises at the lines, and varies no more from
point to point than the counts allow. A background, a calculated pattern, a time per step, a monitor or a
difference does not.
"""

from __future__ import annotations

import itertools

import numpy as np

from mixrd.scan.counting import are_whole, dispersion, noise_levels, second_differences
from mixrd.scan.headers import Doubts, Floats

_PROPORTIONAL = 0.05
"""Quartile distance of ln(column / root of counts) below which the two are proportional."""

_LEVELS = (0.2, 8.0)
"""Column over scatter of the counts: measured 0.5-1.5 on the uncertainties of 14 files."""

_LEVELS_OF_COUNTS = (0.4, 2.5)
_NAMED_LEVELS = (0.03, 10.0)
_PROPORTIONAL_LEVELS = (0.03, 30.0)
_POISSON = (0.5, 2.0)
_FOLLOWS = 0.7
_NEAR_ZERO = 0.08
"""Share of points below a quarter of the median: 13 % of the sizes of differences, 0-2 % of uncertainties."""

_MIN_RISE = 0.3
_RISE_SEEN_FROM = 1.5
_LINE = 10.0
"""A line stands out of the noise by this many times its standard deviation."""


def judge_uncertainty(column: Floats, intensity: Floats, *, named: bool) -> tuple[Floats | None, Doubts]:
    """The column as standard uncertainty, or None and why not.

    Parameters
    ----------
    column, intensity : (N,) arrays
    named : bool
        The file calls the column an uncertainty: only its level is looked at.
    """
    if not np.all(np.isfinite(column)):
        return _ignored("has entries that are no numbers")
    if np.ptp(column) == 0.0:
        return _ignored("is the same everywhere: no uncertainty")
    if np.any(column < 0):
        return _ignored("has negative values: no uncertainty")
    if not np.all(np.isfinite(intensity)) or column.size < 5:
        return column, ()  # the checks of the scan itself name what is wrong
    noise = float(np.median(noise_levels(intensity)[1])) if intensity.size > 30 else 0.0
    strong = intensity > max(10.0, 5.0 * noise)
    if not named and strong.sum() > 10 and np.mean(column[strong] >= intensity[strong]) > 0.5:
        return _ignored("is larger than the counts: no uncertainty")
    doubt = _level_doubt(column, intensity, named) or (None if named else _shape_doubt(column, intensity))
    return (column, ()) if doubt is None else _ignored(doubt)


def _ignored(why: str) -> tuple[None, Doubts]:
    return None, (("COLUMN_IGNORED", f"the third column {why}"),)


def _proportional(column: Floats, intensity: Floats) -> float | None:
    """Factor of the column to the root of the counts where it is one for all points, else None."""
    good = (column > 0) & (intensity >= 1.0 if are_whole(intensity) else intensity > 0)
    if good.sum() < 0.5 * column.size:
        return None
    ratio = np.log(column[good]) - 0.5 * np.log(intensity[good])
    low, middle, high = np.quantile(ratio, [0.25, 0.5, 0.75])
    return float(np.exp(middle)) if high - low < _PROPORTIONAL else None


def _level_doubt(column: Floats, intensity: Floats, named: bool) -> str | None:
    """What is wrong with the size of the column beside the scatter of the counts."""
    factor = _proportional(column, intensity)
    scatter = dispersion(intensity)
    counts = are_whole(intensity) and scatter is not None and _POISSON[0] < scatter < _POISSON[1]
    if factor is not None and counts and not 1 / 3 < factor < 3.0:
        return (
            f"is {factor:.3g} times the root of the counts, which scatter by just that root: no "
            "uncertainty of theirs; counting statistics are used"
        )
    if factor is not None and counts:
        return None
    limits, noise = noise_levels(intensity)
    middle = [float(np.median(column[1 + a : 1 + b])) for a, b in itertools.pairwise(limits)]
    seen = noise > 0.0
    if not seen.any():
        return None if factor is not None or named else "does not follow the counts: no uncertainty"
    ratio = float(np.median(np.array(middle)[seen] / noise[seen]))
    if named and not counts:
        return None
    low, high = _LEVELS_OF_COUNTS if counts else _LEVELS
    low, high = _NAMED_LEVELS if named else _PROPORTIONAL_LEVELS if factor is not None else (low, high)
    if low <= ratio <= high:
        return None
    return (
        f"is {ratio:.3g} times the scatter of the counts: no uncertainty (a background, a calculated "
        "pattern, a time?); counting statistics are used"
    )


def _shape_doubt(column: Floats, intensity: Floats) -> str | None:
    """What is wrong with how the column follows the counts."""
    if _proportional(column, intensity) is not None:
        return None
    rise = _rise_at_lines(column, intensity)
    if rise is not None and rise < _MIN_RISE:
        return "does not rise where the counts do: no uncertainty (a background, a time?)"
    if rise is not None and rise > 1.5 and 0.7 < column.mean() / intensity.mean() < 1.4:
        return "is as large as the counts: no uncertainty (a calculated pattern?)"
    if (
        _share_near_zero(column[intensity != 0]) > _NEAR_ZERO
        and _rank_correlation(column, intensity) < _FOLLOWS
    ):
        return "is next to nothing at many points: no uncertainty (a difference?)"
    return None


def _share_near_zero(column: Floats) -> float:
    """Share of points below a quarter of the median of their stretch; 0 for short columns."""
    if column.size < 100:
        return 0.0
    stretches = np.array_split(column, column.size // 50)
    return float(np.mean([np.mean(part < 0.25 * np.median(part)) for part in stretches]))


def _rank_correlation(a: Floats, b: Floats) -> float:
    ranks = [np.argsort(np.argsort(values, kind="stable")).astype(float) for values in (a, b)]
    return float(np.corrcoef(ranks)[0, 1])


def _rise_at_lines(column: Floats, intensity: Floats) -> float | None:
    """Rise of ln(column) at the lines over that of the root of the counts: 1 for counts.

    None where no stretch has a line in it.
    """
    net = float(intensity.min()) < 0.0
    rises = []
    for rows in np.array_split(np.arange(column.size), max(1, min(40, column.size // 25))):
        c, y = column[rows], intensity[rows]
        level, base = float(np.median(y)), float(np.median(c))
        noise = float(np.median(np.abs(second_differences(y)))) / 0.6745 if y.size > 4 else 0.0
        high = y >= np.quantile(y, 0.97)
        top, at_top = float(np.median(y[high])), float(np.median(c[high]))
        if base <= 0.0 or at_top <= 0.0 or top - level < _LINE * noise:
            continue
        if (
            level < 3.0 * noise and net
        ):  # the background was taken off: how far it lifts the uncertainty is not known
            rises.append(1.0 if at_top > 1.1 * base else 0.0)
        elif level > 0.0 and (expected := 0.5 * np.log(top / level)) > np.log(_RISE_SEEN_FROM):
            rises.append(np.log(at_top / base) / expected)
    return float(np.median(rises)) if rises else None
