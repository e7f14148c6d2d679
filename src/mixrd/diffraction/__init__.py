"""What a perfect powder of one crystal diffracts: positions and absolute intensities of its lines."""

from mixrd.diffraction.radiation import EmissionLine, Radiation, radiation, tube_of
from mixrd.diffraction.reflections import Reflections, reflections
from mixrd.diffraction.sticks import (
    StickRates,
    Sticks,
    lorentz_polarization,
    stick_rates,
    strained_sticks,
)

__all__ = [
    "EmissionLine",
    "Radiation",
    "Reflections",
    "StickRates",
    "Sticks",
    "lorentz_polarization",
    "radiation",
    "reflections",
    "stick_rates",
    "strained_sticks",
    "tube_of",
]
