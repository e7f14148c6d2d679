"""Numbers that no diffractometer records: what damage, saturation and smoothing leave behind."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mixrd.errors import ScanError
from mixrd.scan.counting import are_whole, dispersion
from mixrd.scan.headers import DAMAGED, Floats

_JUMP_DECADES = 8.0
"""Neighbouring intensities never differ by more: a detector counts from 1 to some 1e8."""

_SPIKE = (1e7, 1e4)
"""Height of a lone point, and times its neighbours, from which it is no line."""

_DEAD_LEVEL = 50.0
_DEAD_RUN = 5
_SPIKE_LEVEL = 200.0
_SURE_SPIKE = 20.0
_SMOOTHED = 0.25
_SCALED = 5.0
_RESTLESS = 3.0
_JUDGED_FROM = 200
_SIGMA_APART = 1e3


def refuse_impossible_counts(y: Floats) -> None:
    """Refuse intensities that no detector gives beside the others: 1e97, 1e-38, -2147483648 ...

    Raises
    ------
    ScanError
        That names the value and its point.
    """
    strongest = float(y.max())
    least = int(np.argmin(y))
    if y[least] < 0.0 and -y[least] > 3.0 * max(strongest, 0.0):
        raise ScanError(
            f"point {least + 1} has the intensity {y[least]:g}, where the strongest has {strongest:g}",
            remedy=DAMAGED,
        )
    there = np.flatnonzero(y)
    size = np.log10(np.abs(y[there]))
    larger = np.maximum(size[1:], size[:-1])
    wild = (np.abs(np.diff(size)) > _JUMP_DECADES) & (larger > size.max() - _JUMP_DECADES)
    if wild.any():
        i = int(np.argmax(wild))
        a, b = there[i], there[i + 1]
        raise ScanError(
            f"the intensity goes from {y[a]:g} to {y[b]:g} between points {a + 1} and {b + 1}: no detector "
            "spans that",
            remedy=DAMAGED,
        )
    padded = np.concatenate(([0.0], np.abs(y), [0.0]))
    beside = np.maximum(np.maximum(padded[:-2], padded[2:]), 1.0)
    spike = (np.abs(y) > _SPIKE[0]) & (np.abs(y) > _SPIKE[1] * beside)
    if spike.any():
        i = int(np.argmax(spike))
        raise ScanError(
            f"point {i + 1} alone has the intensity {y[i]:g}, its neighbours at most {beside[i]:g}: no line",
            remedy=DAMAGED,
        )


def refuse_impossible_sigma(sigma: Floats, y: Floats) -> list[tuple[str, str]]:
    """Refuse uncertainties that would give one point all the weight; doubt those that give it none.

    Zeros are left to the caller.

    Raises
    ------
    ScanError
        If an uncertainty is below a thousandth of that of its neighbours.
    """
    scaled = sigma / np.sqrt(np.maximum(np.abs(y), 1e-300))
    positive = (sigma > 0) & (y != 0)
    if positive.sum() < 20:
        return []
    usual = _running_median(np.where(positive, scaled, np.nan))
    own = _running_median(np.where(positive, sigma, np.nan))
    tiny = positive & (scaled < usual / _SIGMA_APART) & (sigma < own / _SIGMA_APART)
    if tiny.any():
        i = int(np.argmax(tiny))
        raise ScanError(
            f"point {i + 1} has the uncertainty {sigma[i]:g}, its neighbours about {own[i]:g}: it would "
            "outweigh all others",
            remedy=DAMAGED,
        )
    huge = positive & (scaled > usual * _SIGMA_APART) & (sigma > own * _SIGMA_APART)
    if not huge.any():
        return []
    i = int(np.argmax(huge))
    text = (
        f"{int(huge.sum())} points have uncertainties over 1000 times those beside them (first: point "
        f"{i + 1}, {sigma[i]:g} beside {own[i]:g}) and count for nothing"
    )
    return [("SIGMA_HUGE", text)]


def _running_median(values: Floats, half: int = 7) -> Floats:
    padded = np.pad(values, half, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1)
    nothing = np.all(np.isnan(windows), axis=1, keepdims=True)
    with np.errstate(all="ignore"):
        return np.asarray(np.nanmedian(np.where(nothing, 0.0, windows), axis=1))


def doubts_of_counts(y: Floats, has_sigma: bool) -> list[tuple[str, str]]:
    """Saturation, dead points and smoothing."""
    found: list[tuple[str, str]] = []
    if (plateau := _saturated(y)) is not None:
        text = f"{plateau} points stand at exactly the maximum, {y.max():g}: the detector was at its end"
        found.append(("SATURATED", text))
    scatter = dispersion(y)
    dead = _dead(y) if scatter is not None and scatter < _RESTLESS else np.array([], dtype=np.intp)
    if 0 < dead.size <= max(3, 0.01 * y.size):
        text = f"{dead.size} lone points have no counts or far too few ({_first(y, int(dead[0]))})"
        found.append(("DEAD_POINTS", text))
    spikes = _spikes(y)
    if 0 < spikes.size <= max(3, 0.002 * y.size):
        at = _first(y, int(spikes[0]))
        found.append(
            ("SPIKES", f"{spikes.size} lone points rise out of the background without flanks ({at})")
        )
    if has_sigma or scatter is None or y.size < _JUDGED_FROM or not are_whole(y) or np.median(y) < 30.0:
        return found
    if scatter < _SMOOTHED:
        text = (
            f"the counts scatter with {scatter:.2g} of the variance that counts have: they were "
            "smoothed, averaged, scaled or calculated"
        )
        found.append(("SMOOTHED", text))
    elif scatter > _SCALED:
        text = (
            f"the numbers are whole, but scatter with {scatter:.3g} times the variance that counts "
            "have: they were multiplied, or are rates; counting statistics do not hold"
        )
        found.append(("NOT_COUNTS", text))
    return found


def _first(y: Floats, i: int) -> str:
    return f"first: point {i + 1}, {y[i]:g} between {y[i - 1]:g} and {y[i + 1]:g}"


def _saturated(y: Floats) -> int | None:
    """Number of points at the maximum where lines are cut off there, else None."""
    top = float(y.max())
    at = np.equal(y, top)
    if at.sum() < 3 or top < 100.0:
        return None
    first, stop = _runs(at)
    padded = np.concatenate(([-np.inf], y, [-np.inf]))
    drop = top - np.maximum(padded[first], padded[stop + 1])
    long_run: NDArray[np.bool_] = stop - first >= 3
    cut = long_run & (drop > max(3.0, 0.01 * top))
    counted = are_whole(y) and top >= 1000.0 and first.size >= 3
    return int(at.sum()) if cut.any() or counted else None


def _runs(mask: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Where runs of True begin, and end."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], mask.view(np.int8), [0]))))
    return edges[::2], edges[1::2]


def _dead(y: Floats) -> NDArray[np.intp]:
    """Points far below both neighbours on either side, and short runs of nothing between counts."""
    if y.size < 7:
        return np.array([], dtype=np.intp)
    sides = np.stack([y[:-4], y[1:-3], y[3:-1], y[4:]]).min(axis=0)
    own = y[2:-2]
    low = (
        (sides >= _DEAD_LEVEL) & (own < 0.3 * sides) & (sides - own > 10.0 * np.sqrt(np.maximum(sides, 1.0)))
    )
    found = set((np.flatnonzero(low) + 2).tolist())
    for first, stop in zip(*_runs(y <= 0.0), strict=True):
        inside = first >= 1 and stop < y.size and stop - first <= _DEAD_RUN
        if inside and min(y[first - 1], y[stop]) >= _DEAD_LEVEL:
            found.update(range(first, stop))
    return np.array(sorted(found), dtype=np.intp)


def _spikes(y: Floats) -> NDArray[np.intp]:
    """Points that rise out of the background alone: lines have points on their flanks."""
    if y.size < 30:
        return np.array([], dtype=np.intp)
    beside = np.maximum(y[:-2], y[2:])
    candidates = (
        np.flatnonzero((y[1:-1] > 5.0 * np.maximum(beside, 1.0)) & (y[1:-1] - beside > _SPIKE_LEVEL)) + 1
    )
    found = []
    for i in candidates.tolist():
        around = np.concatenate((y[max(i - 12, 0) : i], y[i + 1 : i + 13]))
        level = max(float(np.median(around)), 1.0)
        if y[i] > _SURE_SPIKE * beside[i - 1] or beside[i - 1] < level + 4.0 * np.sqrt(level):
            found.append(i)
    return np.array(found, dtype=np.intp)
