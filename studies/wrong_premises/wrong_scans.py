"""Scans that are not what they are taken for: axes, columns and intensities changed, each in one way."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import minimum_filter1d, uniform_filter1d

from mixrd.scan import Scan

Column = NDArray[np.float64]
#: What a change returns, of any precision.
Values = NDArray[np.floating[Any]]
#: Changes a scan; the generator is for what is drawn.
Change = Callable[[Scan, np.random.Generator], Scan]


def on_counts(
    change: Callable[[Column, Column, np.random.Generator], Values], *, whole: bool = True
) -> Change:
    """A change of the intensities by (angles, counts, generator), rounded to whole counts if asked for."""

    def changed(scan: Scan, generator: np.random.Generator) -> Scan:
        counts = np.asarray(change(scan.two_theta, scan.counts, generator), dtype=np.float64)
        if whole:
            counts = np.asarray(np.round(np.clip(counts, 0.0, None)), dtype=np.float64)
        return dataclasses.replace(scan, counts=counts, sigma=None)

    return changed


def on_points(keep: Callable[[Column], NDArray[np.bool_] | slice]) -> Change:
    """Only the points that are kept, by their angles."""

    def changed(scan: Scan, generator: np.random.Generator) -> Scan:
        kept = keep(scan.two_theta)
        return dataclasses.replace(scan, two_theta=scan.two_theta[kept], counts=scan.counts[kept], sigma=None)

    return changed


def stretched(factor: float) -> Change:
    """2theta times a factor."""
    return lambda scan, generator: dataclasses.replace(scan, two_theta=factor * scan.two_theta)


def shifted(degrees: float) -> Change:
    """2theta plus a constant."""
    return lambda scan, generator: dataclasses.replace(scan, two_theta=degrees + scan.two_theta)


def clipped(share: float) -> Change:
    """A detector that shows no more than a share of the strongest point."""
    return on_counts(lambda x, y, g: np.minimum(y, share * y.max()))


def dead_time(loss: float) -> Change:
    """A non-paralysable dead time that takes this share of the strongest point: n / (1 + n tau)."""
    return on_counts(lambda x, y, g: y / (1 + y / y.max() * loss / (1 - loss)))


def smoothed(points: int, *, whole: bool) -> Change:
    """A running mean."""
    return on_counts(lambda x, y, g: uniform_filter1d(y, points), whole=whole)


def background_subtracted(x: Column, y: Column, generator: np.random.Generator) -> Values:
    """Less the smoothed minimum of 3 degrees around."""
    points = max(3, round(3.0 / float(np.median(np.diff(x)))))
    return np.asarray(
        np.clip(y - uniform_filter1d(minimum_filter1d(uniform_filter1d(y, 9), points), points), 0, None)
    )


def thinned(most: float) -> Change:
    """As counted so shortly that the strongest point has `most` counts."""
    return on_counts(lambda x, y, g: g.binomial(np.round(y).astype(np.int64), min(1.0, most / y.max())) + 0.0)


def scaled(factor: float, *, digits: int | None = None) -> Change:
    """Counts times a factor, rounded to some digits if asked for."""
    return on_counts(
        lambda x, y, g: factor * y if digits is None else np.round(factor * y, digits), whole=digits == 0
    )


def noise(mean: float) -> Change:
    """Counting noise about a constant."""
    return on_counts(lambda x, y, g: g.poisson(mean, y.size) + 0.0)


def constant(x: Column, y: Column, generator: np.random.Generator) -> Values:
    """Nothing but a constant, one point a count higher."""
    flat = np.full(y.size, 100.0)
    flat[y.size // 2] += 1
    return flat


def hump(height: float) -> Change:
    """Glass alone: one broad hump and noise."""
    return on_counts(lambda x, y, g: g.poisson(50 + height * np.exp(-0.5 * ((x - 23.0) / 4.0) ** 2)) + 0.0)


def with_hump(share: float) -> Change:
    """Glass beside the phases: its hump as high as a share of the strongest point."""
    return on_counts(lambda x, y, g: y + g.poisson(share * y.max() * np.exp(-0.5 * ((x - 23.0) / 4.0) ** 2)))


def one_line(x: Column, y: Column, generator: np.random.Generator) -> Values:
    """One line on a flat background."""
    centre = generator.uniform(x[0] + 8, x[-1] - 8)
    return np.asarray(generator.poisson(50 + 5000 * np.exp(-0.5 * ((x - centre) / 0.05) ** 2)) + 0.0)


def spikes(count: int) -> Change:
    """Single points as high as the strongest line and up to five times that."""

    def change(x: Column, y: Column, generator: np.random.Generator) -> Values:
        out, at = y.copy(), generator.choice(y.size, count, replace=False)
        out[at] += y.max() * generator.uniform(1, 5, count)
        return out

    return on_counts(change)


def drifting(loss: float) -> Change:
    """A tube that loses a share of its power from the first to the last point."""
    return on_counts(lambda x, y, g: y * (1 - loss * (x - x[0]) / (x[-1] - x[0])))


def second_half(factor: float) -> Change:
    """From the middle on counted for another time than before."""
    return on_counts(lambda x, y, g: np.where(x > 0.5 * (x[0] + x[-1]), factor, 1.0) * y)


def coarse(step_deg: float) -> Change:
    """Steps that many times wider, by leaving out points."""
    return on_points(lambda x: slice(None, None, max(1, round(step_deg / float(np.median(np.diff(x)))))))


def variable_slit(x: Column, y: Column, generator: np.random.Generator) -> Values:
    """Constant illuminated length: intensity times the sine of theta."""
    factor = np.sin(np.radians(x / 2))
    return np.asarray(y * factor / factor.mean())


def kalpha2_stripped(wavelengths: tuple[float, float]) -> Change:
    """K alpha2, half of K alpha1, taken off after Rachinger (1948), J. Sci. Instrum. 25, 254."""

    def change(x: Column, y: Column, generator: np.random.Generator) -> Values:
        sine = np.clip(np.sin(np.radians(x / 2)) * wavelengths[0] / wavelengths[1], 0, 1)
        source = 2 * np.degrees(np.arcsin(sine))
        out = y.astype(float)
        for i, at in enumerate(source):
            out[i] = y[i] - 0.5 * np.interp(at, x[: i + 1], out[: i + 1]) if at > x[0] else y[i] / 1.5
        return out

    return on_counts(change)


def with_added(other: Scan, share: float) -> Change:
    """The lines of something else in the beam: its strongest point a share of the scan's."""

    def change(x: Column, y: Column, generator: np.random.Generator) -> Values:
        line = np.interp(x, other.two_theta, other.counts)
        mean = share * y.max() / line.max() * line
        return np.asarray(y + generator.poisson(np.clip(mean, 0, None)))

    return on_counts(change)


def joined(other: Scan) -> Change:
    """Another sample from the middle of the scan on."""
    return on_counts(
        lambda x, y, g: np.where(x > 0.5 * (x[0] + x[-1]), np.interp(x, other.two_theta, other.counts), y)
    )
