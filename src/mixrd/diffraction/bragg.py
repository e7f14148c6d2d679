"""Bragg's law (1913, Proc. R. Soc. A 88, 428) in one place: sin(theta) = lambda / (2 d) = lambda |g| / 2."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

Number = TypeVar("Number", float, NDArray[np.float64], Tensor)


def sine_from_inverse_d(*, inverse_d: Number, wavelength_angstrom: float | Number) -> Number:
    """sin(theta) of lines of these |g| = 1/d in 1/angstrom; above 1 where there is none."""
    sine: Number = 0.5 * wavelength_angstrom * inverse_d
    return sine


def sine_from_d_spacing(*, d_spacing: Number, wavelength_angstrom: float) -> Number:
    """sin(theta) of lines of these spacings in angstrom; above 1 where there is none."""
    return sine_from_inverse_d(inverse_d=1 / d_spacing, wavelength_angstrom=wavelength_angstrom)


def d_spacing_from_two_theta(
    *, two_theta: NDArray[np.float64], wavelength_angstrom: float
) -> NDArray[np.float64]:
    """Spacings in angstrom of lines at these angles in degrees."""
    return np.asarray(0.5 * wavelength_angstrom / np.sin(np.radians(two_theta / 2)))
