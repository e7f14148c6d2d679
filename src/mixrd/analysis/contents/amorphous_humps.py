"""The shape of an amorphous substance that was not measured: a sum of broad humps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from mixrd.analysis.contents.amorphous_component import AmorphousComponent
from mixrd.errors import ParameterError
from mixrd.pattern import Humps, apply_humps

#: Grid of drawn shapes in degrees.
_DRAWN_STEP_DEG = 0.02


@dataclass(frozen=True)
class DrawnHump:
    """One broad hump of a drawn shape.

    Attributes
    ----------
    position : float
        In `unit`.
    fwhm_deg : float
        1 to 90 degrees.
    height : float
        Relative to the other humps', above 0.
    eta : float
        Lorentzian share, 0-1.
    unit : {"two_theta", "d"}
        Degrees 2theta, or angstrom.

    Raises
    ------
    ParameterError
        If a value is outside its range.
    """

    position: float
    fwhm_deg: float
    height: float = 1.0
    eta: float = 0.0
    unit: Literal["two_theta", "d"] = "two_theta"

    def __post_init__(self) -> None:
        highest = 180.0 if self.unit == "two_theta" else 100.0
        ranges = {
            "position": (0.1, highest),
            "fwhm_deg": (1.0, 90.0),
            "height": (1e-6, 1e12),
            "eta": (0.0, 1.0),
        }
        for field, (low, high) in ranges.items():
            value = getattr(self, field)
            if not low <= value <= high:
                raise ParameterError(
                    f"{field} of an amorphous hump is {value:g}", remedy=f"Allowed: {low:g} to {high:g}"
                )

    def two_theta(self, wavelength_angstrom: float) -> float:
        """Position in degrees 2theta.

        Raises
        ------
        ParameterError
            If this wavelength is not diffracted by such a spacing.
        """
        if self.unit == "two_theta":
            return self.position
        sine = wavelength_angstrom / (2 * self.position)
        if sine >= 1:
            raise ParameterError(
                f"a hump at d = {self.position:g} A lies beyond 180 deg at {wavelength_angstrom:g} A",
                remedy=f"Give a spacing above {wavelength_angstrom / 2:.3f} A",
            )
        return math.degrees(2 * math.asin(sine))


def component_of_humps(
    humps: Sequence[DrawnHump], wavelength_angstrom: float, name: str = "amorphous"
) -> AmorphousComponent:
    """A drawn shape: pseudo-Voigt humps of given positions, widths and relative heights.

    Raises
    ------
    ParameterError
        If there is no hump, or a spacing does not diffract this wavelength.
    """
    if not humps:
        raise ParameterError("no amorphous hump is given", remedy="Give at least one position and width")
    grid = np.arange(0.0, 180.0 + _DRAWN_STEP_DEG / 2, _DRAWN_STEP_DEG)
    columns = [(h.height, h.two_theta(wavelength_angstrom), h.fwhm_deg, h.eta) for h in humps]
    height, centre, fwhm, eta = torch.tensor(columns, dtype=torch.float64).T.unsqueeze(1).contiguous()
    drawn = apply_humps(
        torch.zeros(1, len(grid), dtype=torch.float64),
        torch.from_numpy(grid),
        Humps(height=height, centre=centre, fwhm=fwhm, eta=eta),
    )[0].numpy()
    return AmorphousComponent(name, grid, drawn / float(np.trapezoid(drawn, grid)))


def parse_humps(text: str) -> list[DrawnHump]:
    """Humps of a text such as "22:8" or "4.1A:8,45:20:0.3": position, fwhm (degrees) and relative height.

    Positions are degrees 2theta, or spacings in angstrom with an A behind.

    Raises
    ------
    ParameterError
        If the text is no such list, or a value is outside its range.
    """
    humps = []
    for part in text.split(","):
        first, *rest = (piece.strip() for piece in part.split(":"))
        spacing = first.upper().endswith("A")
        try:
            numbers = [float(first[:-1] if spacing else first), *map(float, rest)]
        except ValueError:
            numbers = []
        if len(numbers) not in (2, 3):
            raise ParameterError(
                f"{part.strip()!r} is no amorphous hump",
                remedy="Give position:fwhm or position:fwhm:height, such as 22:8 or 4.1A:8, commas between",
            )
        position, fwhm, height = numbers if len(numbers) == 3 else (*numbers, 1.0)
        humps.append(DrawnHump(position, fwhm, height, unit="d" if spacing else "two_theta"))
    return humps
