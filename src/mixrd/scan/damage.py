"""Numbers that no diffractometer records: what damage, saturation and smoothing leave behind."""

from __future__ import annotations

from os import PathLike

import numpy as np
from numpy.typing import NDArray

from mixrd.errors import ScanError
from mixrd.scan.counting import are_whole, dispersion

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

Doubts = list[tuple[str, str]]
_AGAIN = "The file is damaged: copy or export it again."


def refuse_impossible_counts(y: NDArray[np.float64], file: str | PathLike[str]) -> None:
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
            remedy=_AGAIN,
            file=file,
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
            remedy=_AGAIN,
            file=file,
        )
    padded = np.concatenate(([0.0], np.abs(y), [0.0]))
    beside = np.maximum(np.maximum(padded[:-2], padded[2:]), 1.0)
    spike = (np.abs(y) > _SPIKE[0]) & (np.abs(y) > _SPIKE[1] * beside)
    if spike.any():
        i = int(np.argmax(spike))
        raise ScanError(
            f"point {i + 1} alone has the intensity {y[i]:g}, its neighbours at most {beside[i]:g}: no line",
            remedy=_AGAIN,
            file=file,
        )


def refuse_impossible_sigma(
    sigma: NDArray[np.float64], y: NDArray[np.float64], file: str | PathLike[str]
) -> Doubts:
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
            remedy=_AGAIN,
            file=file,
        )
    huge = positive & (scaled > usual * _SIGMA_APART) & (sigma > own * _SIGMA_APART)
    if not huge.any():
        return []
    i = int(np.argmax(huge))
    return [
        (
            "SIGMA_HUGE",
            f"{int(huge.sum())} points have uncertainties over 1000 times those beside them (first: point "
            f"{i + 1}, {sigma[i]:g} beside {own[i]:g}) and count for nothing",
        )
    ]


def _running_median(values: NDArray[np.float64], half: int = 7) -> NDArray[np.float64]:
    padded = np.pad(values, half, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1)
    with np.errstate(all="ignore"):
        middle = np.nanmedian(
            np.where(np.all(np.isnan(windows), axis=1, keepdims=True), 0.0, windows), axis=1
        )
    return np.asarray(middle)


def doubts_of_counts(y: NDArray[np.float64], has_sigma: bool) -> Doubts:
    """Saturation, dead points and smoothing."""
    found: Doubts = []
    if (plateau := _saturated(y)) is not None:
        found.append(
            (
                "SATURATED",
                f"{plateau} points stand at exactly the maximum, {y.max():g}: the detector was at its end",
            )
        )
    scatter = dispersion(y)
    dead = _dead(y) if scatter is not None and scatter < _RESTLESS else np.array([], dtype=np.intp)
    if 0 < dead.size <= max(3, 0.01 * y.size):
        i = int(dead[0])
        found.append(
            (
                "DEAD_POINTS",
                f"{dead.size} lone points have no counts or far too few (first: point {i + 1}, {y[i]:g} "
                f"between {y[i - 1]:g} and {y[i + 1]:g})",
            )
        )
    spikes = _spikes(y)
    if 0 < spikes.size <= max(3, 0.002 * y.size):
        i = int(spikes[0])
        found.append(
            (
                "SPIKES",
                f"{spikes.size} lone points rise out of the background without flanks (first: point {i + 1}, "
                f"{y[i]:g} between {y[i - 1]:g} and {y[i + 1]:g})",
            )
        )
    if has_sigma or scatter is None or y.size < _JUDGED_FROM or not are_whole(y) or np.median(y) < 30.0:
        return found
    if scatter < _SMOOTHED:
        found.append(
            (
                "SMOOTHED",
                f"the counts scatter with {scatter:.2g} of the variance that counts have: they were "
                "smoothed, averaged, scaled or calculated",
            )
        )
    elif scatter > _SCALED:
        found.append(
            (
                "NOT_COUNTS",
                f"the numbers are whole, but scatter with {scatter:.3g} times the variance that counts "
                "have: they were multiplied, or are rates; counting statistics do not hold",
            )
        )
    return found


def _saturated(y: NDArray[np.float64]) -> int | None:
    """Number of points at the maximum where lines are cut off there, else None."""
    top = float(y.max())
    at = np.equal(y, top)
    if at.sum() < 3 or top < 100.0:
        return None
    edges = np.flatnonzero(np.diff(np.concatenate(([0], at.view(np.int8), [0]))))
    first, stop = edges[::2], edges[1::2]
    padded = np.concatenate(([-np.inf], y, [-np.inf]))
    drop = top - np.maximum(padded[first], padded[stop + 1])
    long_run: NDArray[np.bool_] = stop - first >= 3
    cut = long_run & (drop > max(3.0, 0.01 * top))
    counted = are_whole(y) and top >= 1000.0 and first.size >= 3
    return int(at.sum()) if cut.any() or counted else None


def _dead(y: NDArray[np.float64]) -> NDArray[np.intp]:
    """Points far below both neighbours on either side, and short runs of nothing between counts."""
    if y.size < 7:
        return np.array([], dtype=np.intp)
    sides = np.stack([y[:-4], y[1:-3], y[3:-1], y[4:]]).min(axis=0)
    own = y[2:-2]
    low = (
        (sides >= _DEAD_LEVEL) & (own < 0.3 * sides) & (sides - own > 10.0 * np.sqrt(np.maximum(sides, 1.0)))
    )
    found = set((np.flatnonzero(low) + 2).tolist())
    edges = np.flatnonzero(np.diff(np.concatenate(([0], (y <= 0.0).view(np.int8), [0]))))
    for first, stop in zip(edges[::2], edges[1::2], strict=True):
        inside = first >= 1 and stop < y.size and stop - first <= _DEAD_RUN
        if inside and min(y[first - 1], y[stop]) >= _DEAD_LEVEL:
            found.update(range(first, stop))
    return np.array(sorted(found), dtype=np.intp)


def _spikes(y: NDArray[np.float64]) -> NDArray[np.intp]:
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
