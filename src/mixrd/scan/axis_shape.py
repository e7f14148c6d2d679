"""What a first column without a name is, where its numbers leave no doubt.

Only certain cases are corrected or refused: numbers of points, columns in the wrong order, radians, d
spacings and Q of an even 2-theta axis. Q or theta in even steps look like 2-theta; that is left to the
lines.
"""

from __future__ import annotations

from os import PathLike

import numpy as np
from numpy.typing import NDArray

from mixrd.errors import ScanError
from mixrd.scan.axis_conversion import small_angle_error, two_theta_from_axis
from mixrd.scan.axis_names import AxisName

_TUBES = (
    1.54056,
    1.54184,
    1.788965,
    1.79026,
    0.70930,
    0.71073,
    2.28970,
    2.29100,
    1.936042,
    1.937355,
    0.5594,
    0.5609,
)
_MIN_POINTS = 100
_BENT_STEPS = 5.0
_STRAIGHT_STEPS = 0.8

Doubts = tuple[tuple[str, str], ...]


def order_of_columns(table: NDArray[np.float64]) -> tuple[int, int, Doubts] | None:
    """Columns of angle and intensity where the first is none: numbered points or columns in the wrong order.

    None where the order is the usual one.
    """
    if table.shape[0] < 20 or not np.all(np.isfinite(table)):
        return None
    first = table[:, 0]
    if table.shape[1] >= 3 and _is_numbering(first) and _is_even_axis(table[:, 1]):
        return 1, 2, (("COLUMN_IGNORED", "the first column numbers the points and was not used"),)
    monotonic = bool(np.all(np.diff(first) > 0) or np.all(np.diff(first) < 0))
    if table.shape[1] == 2 and not monotonic and _is_even_axis(table[:, 1]) and first.min() >= 0.0:
        return (
            1,
            0,
            (("COLUMNS_SWAPPED", "the angles stand in the second column, the intensities in the first"),),
        )
    return None


def _is_numbering(x: NDArray[np.float64]) -> bool:
    return bool(x[0] in (0.0, 1.0) and np.all(np.diff(x) == 1.0))


def _is_even_axis(x: NDArray[np.float64]) -> bool:
    step = np.diff(x)
    usual = float(np.median(step))
    inside = x.min() >= 0.0 and x.max() <= 180.0 and not _is_numbering(x)
    return bool(inside and usual > 0.0 and usual < 1.0 and np.all(np.abs(step / usual - 1.0) < 0.05))


def judge_unnamed_axis(
    x: NDArray[np.float64], wavelength_angstrom: float | None, file: str | PathLike[str]
) -> tuple[NDArray[np.float64], Doubts]:
    """The axis in degrees 2-theta, converted where its numbers can only be something else.

    Raises
    ------
    ScanError
        If it numbers the points, holds d spacings or Q and no wavelength is stated, or is that of small
        angles.
    """
    if x.size < 20 or not np.all(np.isfinite(x)):
        return x, ()
    if _is_numbering(x):
        raise ScanError(
            f"the first column numbers the points ({x[0]:g}, {x[1]:g}, ... {x[-1]:g}): there are no angles",
            remedy="Export two columns, 2-theta in degrees and counts.",
            file=file,
        )
    if x[0] > 0.0 and x[-1] < 2.0 and _is_logarithmic(x):
        raise small_angle_error(
            f"the first column runs from {x[0]:.3g} to {x[-1]:.3g} in ever larger steps", file
        )
    if _is_radians(x):
        name = AxisName("two_theta", "rad", "", "2-theta in radians, by its numbers")
        return two_theta_from_axis(x, name, None, file)
    return _bent_axis(x, wavelength_angstrom, file)


def _is_logarithmic(x: NDArray[np.float64]) -> bool:
    step = np.diff(x)
    return bool(x[-1] > 50.0 * x[0] and np.all(step > 0) and step[-5:].mean() > 10.0 * step[:5].mean())


def _is_radians(x: NDArray[np.float64]) -> bool:
    """Round degrees, written in radians: not round themselves, and no larger than pi."""
    if x.size < _MIN_POINTS or x.min() <= 0.0 or x.max() > np.pi:
        return False
    degrees = np.degrees(x)
    return bool(degrees[-1] - degrees[0] > 5.0 and _are_round(degrees) and not _are_round(x))


def _are_round(values: NDArray[np.float64]) -> bool:
    return bool(np.max(np.abs(values - np.round(values, 2))) < 5e-4)


def _bend(values: NDArray[np.float64]) -> float:
    """Largest distance from a straight line through the points, in steps."""
    place = np.arange(values.size)
    slope, start = np.polyfit(place, values, 1)
    return float(np.max(np.abs(values - start - slope * place)) / abs(slope)) if slope else np.inf


def _bent_axis(
    x: NDArray[np.float64], wavelength_angstrom: float | None, file: str | PathLike[str]
) -> tuple[NDArray[np.float64], Doubts]:
    """Convert d spacings or Q of a scan in even steps of 2-theta: bent as they stand, straight as angles."""
    steps = np.diff(x)
    if x.size < _MIN_POINTS or x.min() <= 0.0 or not (np.all(steps > 0) or np.all(steps < 0)):
        return x, ()
    if _bend(x) < _BENT_STEPS:
        return x, ()
    candidates = []
    for wavelength in (wavelength_angstrom,) if wavelength_angstrom else _TUBES:
        for name in (
            AxisName("d", "A", "", "d spacing in angstrom, by its numbers"),
            AxisName("q", "1/A", "", "momentum transfer Q in 1/angstrom, by its numbers"),
            AxisName("q", "1/nm", "", "momentum transfer Q in 1/nm, by its numbers"),
        ):
            try:
                two_theta, doubts = two_theta_from_axis(x, name, wavelength, file)
            except ScanError:
                continue
            candidates.append((_bend(two_theta), two_theta, doubts, name))
    if not candidates:
        return x, ()
    bend, two_theta, doubts, name = min(candidates, key=lambda one: one[0])
    if bend > _STRAIGHT_STEPS:
        return x, ()
    if wavelength_angstrom is None:
        two_theta_from_axis(x, name, None, file)  # raises: no wavelength to convert with
    return two_theta, doubts
