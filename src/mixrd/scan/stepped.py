"""Scans that are a list of counts with start and step: what the old formats share."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from mixrd.errors import ScanError
from mixrd.scan.declared import points_of_range, refuse_other_number
from mixrd.scan.headers import DAMAGED, Arrays, Floats, element_symbol

_SEPARATORS = re.compile(r"[\s,;]+")


def listed_counts(lines: Sequence[str], name: str) -> Floats:
    """All numbers in lines of text, whatever separates them.

    Raises
    ------
    ScanError
        If something in it is no number.
    """
    words = [word for word in _SEPARATORS.split("\n".join(lines)) if word]
    try:
        return np.array(words, dtype=np.float64)
    except ValueError as problem:
        cause = f"the counts of this {name} file hold something that is not a number ({problem})"
        raise ScanError(cause, remedy=DAMAGED) from problem


def stepped_scan(
    start: float | None,
    stop: float | None,
    step: float | None,
    counts: Floats,
    *,
    name: str,
    declared: int | None = None,
) -> Arrays:
    """Angles from start and step, for as many counts as the header announces.

    Parameters
    ----------
    start, stop, step : float or None
        In degrees 2-theta; `stop` may be missing where `declared` is given.
    counts : (N,) array
    name : str
        Of the format, for messages.
    declared : int, optional
        Number of points that the header gives by itself.

    Raises
    ------
    ScanError
        If start or step are missing, or the number of counts is another than the header's.
    """
    if start is None or step is None or step <= 0.0 or not np.isfinite([start, step]).all():
        raise ScanError(
            f"the header of this {name} file gives no start and step of the angles",
            remedy="The file is damaged: copy or export it again, or export it as .xy.",
        )
    refuse_other_number(counts.size, declared)
    if stop is not None:
        announced = points_of_range(start, stop, step)
        if announced is None:  # the scan ends at the last whole step before, or after, the stop
            announced = int(max(0.0, (stop - start) / step)) + 1
            announced = counts.size if abs(counts.size - announced) <= 1 else announced
        refuse_other_number(counts.size, announced if declared is None else None)
    # the step is written in decimals: so are the angles
    return Arrays(np.round(start + step * np.arange(counts.size), 9), counts, None, "mixrd")


def anode_of(text: str | None) -> str | None:
    """Element symbol of an anode given by symbol or atomic number ("CU", "29")."""
    bare = (text or "").strip()
    if bare.isdigit() and 1 <= int(bare) <= 92:
        import gemmi

        return str(gemmi.Element(int(bare)).name)
    return element_symbol(bare)
