"""From momentum transfer, d spacing, theta or radians to 2-theta in degrees, where that is exact."""

from __future__ import annotations

from os import PathLike

import numpy as np
from numpy.typing import NDArray

from mixrd.errors import ScanError
from mixrd.scan.axis_names import AxisName

SMALL_ANGLE_DEG = 5.0
"""A converted axis that ends below this 2-theta holds small-angle data."""

_PER_ANGSTROM = {"1/A": 1.0, "1/nm": 0.1, "1/pm": 100.0}
_PER_SQUARE_ANGSTROM = {"1/A^2": 1.0, "1/nm^2": 0.01}
_ANGSTROM = {"A": 1.0, "nm": 10.0, "pm": 0.01}
_DEGREES = {None: 1.0, "deg": 1.0, "rad": 180.0 / np.pi, "mrad": 0.18 / np.pi}


def two_theta_from_axis(
    values: NDArray[np.float64],
    axis: AxisName,
    wavelength_angstrom: float | None,
    file: str | PathLike[str],
) -> tuple[NDArray[np.float64], tuple[tuple[str, str], ...]]:
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
        return _from_angle(values, axis, file)
    if axis.quantity not in ("q", "d", "inverse_d_squared", "sin_theta_over_lambda"):
        raise _refusal(axis, "Export the scan over 2-theta in degrees.", file)
    sine_over_wavelength = _sine_over_wavelength(values, axis, file)
    if wavelength_angstrom is None:
        raise _refusal(
            axis,
            "The file states no wavelength to convert it with: write '# wavelength: 1.5406' (in angstrom) "
            "above the table, or export the scan over 2-theta.",
            file,
        )
    sine = sine_over_wavelength * wavelength_angstrom
    if np.any(sine > 1.0) or np.any(sine < 0.0) or not np.all(np.isfinite(sine)):
        raise ScanError(
            f"the first column is {axis}, and some of its values "
            f"({values.min():g} to {values.max():g}) belong to no angle at {wavelength_angstrom:g} angstrom",
            remedy="Check the unit above the column and the wavelength, or export the scan over 2-theta.",
            file=file,
        )
    two_theta = 2.0 * np.degrees(np.arcsin(sine))
    if two_theta.max() < SMALL_ANGLE_DEG:
        raise small_angle_error(f"{axis.label or axis.what} from {values.min():g} to {values.max():g}", file)
    return two_theta, (
        (
            "AXIS_CONVERTED",
            f"the first column is {axis} and was converted to 2-theta with the wavelength of the file, "
            f"{wavelength_angstrom:g} angstrom: {two_theta.min():.3f} to {two_theta.max():.3f} deg",
        ),
    )


def small_angle_error(sign: str, file: str | PathLike[str]) -> ScanError:
    """The error for small-angle data; `sign` is what shows it."""
    return ScanError(
        f"this is small-angle scattering ({sign}), where no lines of crystals are",
        remedy="Name a wide-angle powder scan over 2-theta.",
        file=file,
    )


def _from_angle(
    values: NDArray[np.float64], axis: AxisName, file: str | PathLike[str]
) -> tuple[NDArray[np.float64], tuple[tuple[str, str], ...]]:
    factor = _DEGREES[axis.unit] * (2.0 if axis.quantity == "theta" else 1.0)
    if factor == 1.0:
        return values, ()
    two_theta = values * factor
    if two_theta.max() > 180.0 + 1e-9:
        raise ScanError(
            f"the first column is named {axis.label!r}, but its values reach {values.max():g}, which this "
            "is never",
            remedy="Name the column for what it is (2Theta for 2-theta in degrees), or export it again.",
            file=file,
        )
    how = "doubled" if axis.unit in (None, "deg") else "converted to 2-theta in degrees"
    return two_theta, (("AXIS_CONVERTED", f"the first column is {axis} and was {how}"),)


def _sine_over_wavelength(
    values: NDArray[np.float64], axis: AxisName, file: str | PathLike[str]
) -> NDArray[np.float64]:
    """sin(theta)/lambda in 1/angstrom.

    Q = 4 pi sin(theta)/lambda and lambda = 2 d sin(theta) (Bragg; International Tables C, 1.1).
    """
    unit = axis.unit
    if axis.quantity == "d":
        scale = _ANGSTROM.get(unit or "A")
        if scale is not None and np.all(values > 0.0):
            return np.asarray(0.5 / (values * scale))
    elif axis.quantity == "inverse_d_squared":
        scale = _PER_SQUARE_ANGSTROM.get(unit or "")
        if scale is not None and np.all(values >= 0.0):
            return np.asarray(0.5 * np.sqrt(values * scale))
    else:
        scale = _PER_ANGSTROM.get(unit or "")
        if scale is not None:
            return np.asarray(values * scale / (4.0 * np.pi if axis.quantity == "q" else 1.0))
    why = "its unit is not stated" if unit is None else f"{unit} is no unit of it, or a value is impossible"
    raise _refusal(
        axis, f"To convert it, {why}: name the unit above the column, or export over 2-theta.", file
    )


def _refusal(axis: AxisName, remedy: str, file: str | PathLike[str]) -> ScanError:
    return ScanError(f"the first column is {axis}, not 2-theta in degrees", remedy=remedy, file=file)
