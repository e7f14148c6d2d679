"""From momentum transfer, d spacing, theta or radians to 2-theta in degrees, where that is exact.

Of a first column without a name only certain cases are corrected or refused: numbers of points, columns in
the wrong order, radians, d spacings and Q of an even 2-theta axis. Q or theta in even steps look like
2-theta; that is left to the lines.
"""

from __future__ import annotations

import itertools
from contextlib import suppress

import numpy as np

from mixrd.errors import ScanError
from mixrd.scan.axis_names import AxisName
from mixrd.scan.headers import Doubts, Floats

SMALL_ANGLE_DEG = 5.0
"""A converted axis that ends below this 2-theta holds small-angle data."""

_PER_ANGSTROM = {"1/A": 1.0, "1/nm": 0.1, "1/pm": 100.0}
_PER_SQUARE_ANGSTROM = {"1/A^2": 1.0, "1/nm^2": 0.01}
_ANGSTROM = {"A": 1.0, "nm": 10.0, "pm": 0.01}
_DEGREES = {None: 1.0, "deg": 1.0, "rad": 180.0 / np.pi, "mrad": 0.18 / np.pi}

#: Wavelengths (angstrom) of tubes: what an axis without a name was measured with.
_TUBES = (1.54056, 1.54184, 1.788965, 1.79026, 0.70930, 0.71073, 2.28970, 2.29100, 1.936042, 1.937355,
          0.5594, 0.5609)  # fmt: skip
#: What an axis that is bent as it stands may be.
_BENT = (
    AxisName("d", "A", "", "d spacing in angstrom, by its numbers"),
    AxisName("q", "1/A", "", "momentum transfer Q in 1/angstrom, by its numbers"),
    AxisName("q", "1/nm", "", "momentum transfer Q in 1/nm, by its numbers"),
)
_MIN_POINTS = 100
_BENT_STEPS = 5.0
_STRAIGHT_STEPS = 0.8


def two_theta_from_axis(
    values: Floats, axis: AxisName, wavelength_angstrom: float | None
) -> tuple[Floats, Doubts]:
    """2-theta in degrees of each point, and a note where the axis was converted.

    Intensities belong to a point, not to an interval, so they stay as they are; the steps become uneven.

    Parameters
    ----------
    values : (N,) array
        The first column.
    axis : AxisName
        What its name says.
    wavelength_angstrom : float or None
        As the file states it.

    Raises
    ------
    ScanError
        If the quantity is no angle and does not become one: no wavelength, no unit, another quantity, values
        that no angle has at this wavelength.
    """
    if axis.quantity in ("two_theta", "theta") and axis.unit in _DEGREES:
        return _from_angle(values, axis)
    if axis.quantity not in ("q", "d", "inverse_d_squared", "sin_theta_over_lambda"):
        raise _refusal(axis, "Export the scan over 2-theta in degrees.")
    sine_over_wavelength = _sine_over_wavelength(values, axis)
    if wavelength_angstrom is None:
        raise _refusal(
            axis,
            "The file states no wavelength to convert it with: write '# wavelength: 1.5406' (in angstrom) "
            "above the table, or export the scan over 2-theta.",
        )
    sine = sine_over_wavelength * wavelength_angstrom
    if np.any(sine > 1.0) or np.any(sine < 0.0) or not np.all(np.isfinite(sine)):
        raise ScanError(
            f"the first column is {axis}, and some of its values "
            f"({values.min():g} to {values.max():g}) belong to no angle at {wavelength_angstrom:g} angstrom",
            remedy="Check the unit above the column and the wavelength, or export the scan over 2-theta.",
        )
    two_theta = 2.0 * np.degrees(np.arcsin(sine))
    if two_theta.max() < SMALL_ANGLE_DEG:
        raise small_angle_error(f"{axis.label or axis.what} from {values.min():g} to {values.max():g}")
    text = (
        f"the first column is {axis} and was converted to 2-theta with the wavelength of the file, "
        f"{wavelength_angstrom:g} angstrom: {two_theta.min():.3f} to {two_theta.max():.3f} deg"
    )
    return two_theta, (("AXIS_CONVERTED", text),)


def small_angle_error(sign: str) -> ScanError:
    """The error for small-angle data; `sign` is what shows it."""
    cause = f"this is small-angle scattering ({sign}), where no lines of crystals are"
    return ScanError(cause, remedy="Name a wide-angle powder scan over 2-theta.")


def _from_angle(values: Floats, axis: AxisName) -> tuple[Floats, Doubts]:
    factor = _DEGREES[axis.unit] * (2.0 if axis.quantity == "theta" else 1.0)
    if factor == 1.0:
        return values, ()
    two_theta = values * factor
    if two_theta.max() > 180.0 + 1e-9:
        raise ScanError(
            f"the first column is named {axis.label!r}, but its values reach {values.max():g}, which this "
            "is never",
            remedy="Name the column for what it is (2Theta for 2-theta in degrees), or export it again.",
        )
    how = "doubled" if axis.unit in (None, "deg") else "converted to 2-theta in degrees"
    return two_theta, (("AXIS_CONVERTED", f"the first column is {axis} and was {how}"),)


def _sine_over_wavelength(values: Floats, axis: AxisName) -> Floats:
    """sin(theta)/lambda in 1/angstrom.

    Q = 4 pi sin(theta)/lambda and lambda = 2 d sin(theta) (Bragg; International Tables C, 1.1).
    """
    unit = axis.unit
    if axis.quantity == "d":
        if (scale := _ANGSTROM.get(unit or "A")) is not None and np.all(values > 0.0):
            return np.asarray(0.5 / (values * scale))
    elif axis.quantity == "inverse_d_squared":
        if (scale := _PER_SQUARE_ANGSTROM.get(unit or "")) is not None and np.all(values >= 0.0):
            return np.asarray(0.5 * np.sqrt(values * scale))
    elif (scale := _PER_ANGSTROM.get(unit or "")) is not None:
        return np.asarray(values * scale / (4.0 * np.pi if axis.quantity == "q" else 1.0))
    why = "its unit is not stated" if unit is None else f"{unit} is no unit of it, or a value is impossible"
    raise _refusal(axis, f"To convert it, {why}: name the unit above the column, or export over 2-theta.")


def _refusal(axis: AxisName, remedy: str) -> ScanError:
    return ScanError(f"the first column is {axis}, not 2-theta in degrees", remedy=remedy)


def order_of_columns(table: Floats) -> tuple[int, int, Doubts] | None:
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
        text = "the angles stand in the second column, the intensities in the first"
        return 1, 0, (("COLUMNS_SWAPPED", text),)
    return None


def _is_numbering(x: Floats) -> bool:
    return bool(x[0] in (0.0, 1.0) and np.all(np.diff(x) == 1.0))


def _is_even_axis(x: Floats) -> bool:
    step = np.diff(x)
    usual = float(np.median(step))
    inside = x.min() >= 0.0 and x.max() <= 180.0 and not _is_numbering(x)
    return bool(inside and usual > 0.0 and usual < 1.0 and np.all(np.abs(step / usual - 1.0) < 0.05))


def judge_unnamed_axis(x: Floats, wavelength_angstrom: float | None) -> tuple[Floats, Doubts]:
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
        )
    if x[0] > 0.0 and x[-1] < 2.0 and _is_logarithmic(x):
        raise small_angle_error(f"the first column runs from {x[0]:.3g} to {x[-1]:.3g} in ever larger steps")
    if _is_radians(x):
        name = AxisName("two_theta", "rad", "", "2-theta in radians, by its numbers")
        return two_theta_from_axis(x, name, None)
    return _bent_axis(x, wavelength_angstrom)


def _is_logarithmic(x: Floats) -> bool:
    step = np.diff(x)
    return bool(x[-1] > 50.0 * x[0] and np.all(step > 0) and step[-5:].mean() > 10.0 * step[:5].mean())


def _is_radians(x: Floats) -> bool:
    """Round degrees, written in radians: not round themselves, and no larger than pi."""
    if x.size < _MIN_POINTS or x.min() <= 0.0 or x.max() > np.pi:
        return False
    degrees = np.degrees(x)
    return bool(degrees[-1] - degrees[0] > 5.0 and _are_round(degrees) and not _are_round(x))


def _are_round(values: Floats) -> bool:
    return bool(np.max(np.abs(values - np.round(values, 2))) < 5e-4)


def _bend(values: Floats) -> float:
    """Largest distance from a straight line through the points, in steps."""
    place = np.arange(values.size)
    slope, start = np.polyfit(place, values, 1)
    return float(np.max(np.abs(values - start - slope * place)) / abs(slope)) if slope else np.inf


def _bent_axis(x: Floats, wavelength_angstrom: float | None) -> tuple[Floats, Doubts]:
    """Convert d spacings or Q of a scan in even steps of 2-theta: bent as they stand, straight as angles."""
    steps = np.diff(x)
    monotonic = np.all(steps > 0) or np.all(steps < 0)
    if x.size < _MIN_POINTS or x.min() <= 0.0 or not monotonic or _bend(x) < _BENT_STEPS:
        return x, ()
    candidates = []
    wavelengths = [wavelength_angstrom] if wavelength_angstrom else _TUBES
    for wavelength, name in itertools.product(wavelengths, _BENT):
        with suppress(ScanError):
            two_theta, doubts = two_theta_from_axis(x, name, wavelength)
            candidates.append((_bend(two_theta), two_theta, doubts, name))
    bend, two_theta, doubts, name = min(candidates, key=lambda one: one[0], default=(np.inf, x, (), _BENT[0]))
    if bend > _STRAIGHT_STEPS:
        return x, ()
    if wavelength_angstrom is None:
        two_theta_from_axis(x, name, None)  # raises: no wavelength to convert with
    return two_theta, doubts
