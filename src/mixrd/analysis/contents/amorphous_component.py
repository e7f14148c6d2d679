"""An amorphous substance as one more component of a pattern: a broad shape, measured or drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.signal import savgol_filter
from torch import Tensor

from mixrd.errors import ParameterError, ScanError
from mixrd.pattern import Humps, apply_humps
from mixrd.scan import Scan

#: Width in degrees of the parabolas that smooth a measured shape: the humps of glasses are 4 deg and wider.
SMOOTHING_DEG = 2.0
#: Fewest points under such a parabola.
_FEWEST_POINTS = 7
#: A point this many standard deviations above the smoothed scan, and this share of its maximum, is a line.
_SHARP_SIGMAS, _SHARP_SHARE = 10.0, 0.05
#: Share of a scan's counts that must be left when the instrument's background is off.
_LEAST_SHARE = 0.01
#: Points at which a background is held below a smooth scan.
_CHECKED_POINTS = 1000
#: Degrees below which the air scatter of an instrument is not taken to rise further.
_LOWEST_ANGLE_DEG = 1.0
#: Grid of drawn shapes in degrees.
_DRAWN_STEP_DEG = 0.02

InstrumentBackground = Literal["keep", "remove"]


@dataclass(frozen=True, eq=False)
class AmorphousComponent:
    """A shape of non-negative intensities that a fit scales beside the phases.

    Its coefficient in a fit is the hump's area.

    Attributes
    ----------
    name : str
    two_theta : (N,) array
        Degrees, rising.
    shape : (N,) array
        Per degree, at least 0; its integral over `two_theta` is 1.
    scan_area : float or None
        Integral of the measured shape in counts times degrees; None for a drawn one.
    """

    name: str
    two_theta: NDArray[np.float64]
    shape: NDArray[np.float64]
    scan_area: float | None = None

    def column(self, two_theta: NDArray[np.float64]) -> NDArray[np.float64]:
        """(M,) intensities of unit coefficient on a grid in degrees.

        Raises
        ------
        ScanError
            If the grid reaches beyond the measured shape by more than a step of it: nothing is extrapolated.
        """
        slack = 1.001 * float(np.diff(self.two_theta).max())
        if two_theta[0] < self.two_theta[0] - slack or two_theta[-1] > self.two_theta[-1] + slack:
            raise ScanError(
                f"the shape of {self.name} covers {self.two_theta[0]:g}-{self.two_theta[-1]:g} deg, "
                f"the scan {two_theta[0]:g}-{two_theta[-1]:g} deg",
                remedy="Measure the amorphous material over the whole range, or analyse the range in common",
            )
        return np.interp(two_theta, self.two_theta, self.shape)


def columns_of(components: Sequence[AmorphousComponent], two_theta: NDArray[np.float64]) -> Tensor:
    """(E, M) columns of some components, to stand beside those of the phases in a fit.

    In `mixrd.fit.linear_part.solve_linear` they are appended to the phases' (B, P, M) columns:
    ``torch.cat([columns, extra.expand(len(columns), -1, -1)], dim=1)``; their coefficients follow the masses
    and are kept from being negative like these.
    """
    if not components:
        return torch.zeros(0, len(two_theta), dtype=torch.float64)
    return torch.from_numpy(np.stack([component.column(two_theta) for component in components]))


def component_of_scan(
    scan: Scan,
    name: str = "amorphous",
    *,
    instrument_background: InstrumentBackground = "remove",
    smoothing_deg: float = SMOOTHING_DEG,
) -> AmorphousComponent:
    """The shape of a scan of the pure amorphous material.

    Smoothed by parabolas (Savitzky & Golay 1964, Anal. Chem. 36, 1627). What an instrument adds of its own,
    a constant and air scatter that falls as 1/(2theta), can be taken off: the largest such curve that lies
    below the smoothed scan. What is left holds all humps and Compton scattering of the material; a
    background of that form is in every fit anyway.

    Parameters
    ----------
    scan : Scan
    name : str
    instrument_background : {"remove", "keep"}
        Keep it only if the scan was corrected for it (an empty holder subtracted).
    smoothing_deg : float
        Width of the parabolas in degrees, 0.2 to 20.

    Raises
    ------
    ScanError
        If the scan has sharp lines, is too short for the smoothing or holds nothing.
    ParameterError
        If the width is outside its range.
    """
    if not 0.2 <= smoothing_deg <= 20:
        raise ParameterError(f"smoothing_deg is {smoothing_deg:g}", remedy="Allowed: 0.2 to 20 degrees")
    if not np.isfinite(scan.counts).all():
        raise ScanError(
            "it holds intensities that are not finite numbers", remedy="Repair it", file=scan.path or None
        )
    grid, smooth = _smoothed(scan, smoothing_deg)
    total = float(np.trapezoid(np.maximum(smooth, 0.0), grid))
    if instrument_background == "remove":
        smooth = smooth - _below(grid, smooth)
    shape = np.maximum(smooth, 0.0)
    area = float(np.trapezoid(shape, grid))
    if area <= _LEAST_SHARE * total:
        raise ScanError(
            "nothing of it is left above a constant and air scatter",
            remedy="Give a scan of the pure amorphous material",
            file=scan.path or None,
        )
    return AmorphousComponent(name, grid, shape / area, scan_area=area)


def _smoothed(scan: Scan, width_deg: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Even grid and smoothed intensities; ScanError where the scan has lines."""
    step = float(np.median(np.diff(scan.two_theta)))
    count = round(float(scan.two_theta[-1] - scan.two_theta[0]) / step) + 1
    window = max(int(width_deg / step) // 2 * 2 + 1, _FEWEST_POINTS)
    if count < 3 * window:
        raise ScanError(
            f"{count} points are too few for a smooth shape",
            remedy="Measure the amorphous material over a longer range",
            file=scan.path or None,
        )
    grid = np.linspace(float(scan.two_theta[0]), float(scan.two_theta[-1]), count)
    counts = np.interp(grid, scan.two_theta, scan.counts)
    smooth = np.asarray(savgol_filter(counts, window, 2), dtype=np.float64)
    excess = counts - smooth
    deviation = excess / np.sqrt(np.maximum(smooth, 1e-3 * max(float(smooth.max()), 1e-300)))
    noise = max(float(np.median(np.abs(deviation))) / 0.6745, 1e-300)
    sharp = (deviation > _SHARP_SIGMAS * noise) & (excess > _SHARP_SHARE * float(smooth.max()))
    if sharp.any():
        raise ScanError(
            f"it has sharp lines, one at {grid[int(np.argmax(np.where(sharp, excess, 0)))]:.2f} deg: "
            "not amorphous",
            remedy="Give a scan of the pure amorphous material, or draw the shape",
            file=scan.path or None,
        )
    return grid, smooth


def _below(grid: NDArray[np.float64], smooth: NDArray[np.float64]) -> NDArray[np.float64]:
    """The curve a + b/(2theta) of the largest area, a and b not negative, that lies below a smooth scan."""
    functions = np.stack([np.ones_like(grid), 1 / np.maximum(grid, _LOWEST_ANGLE_DEG)], axis=1)
    functions /= functions.max(axis=0)
    limit = np.maximum(smooth, 0.0)
    unit = max(float(limit.max()), 1e-300)
    some = slice(None, None, max(1, len(grid) // _CHECKED_POINTS))
    found = linprog(
        -functions.sum(0), A_ub=functions[some], b_ub=limit[some] / unit, bounds=(0, None), method="highs"
    )
    return np.asarray(unit * (functions @ found.x) if found.success else np.full_like(grid, limit.min()))


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
    unit: Literal["two_theta", "d"] = "two_theta"

    def __post_init__(self) -> None:
        highest = 180.0 if self.unit == "two_theta" else 100.0
        ranges = {
            "position": (0.1, highest),
            "fwhm_deg": (1.0, 90.0),
            "height": (1e-6, 1e12),
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
    """A drawn shape: Gaussian humps of given positions, widths and relative heights.

    Raises
    ------
    ParameterError
        If there is no hump, or a spacing does not diffract this wavelength.
    """
    if not humps:
        raise ParameterError("no amorphous hump is given", remedy="Give at least one position and width")
    grid = np.arange(0.0, 180.0 + _DRAWN_STEP_DEG / 2, _DRAWN_STEP_DEG)
    columns = [(h.height, h.two_theta(wavelength_angstrom), h.fwhm_deg) for h in humps]
    height, centre, fwhm = torch.tensor(columns, dtype=torch.float64).T.unsqueeze(1).contiguous()
    drawn = apply_humps(
        torch.zeros(1, len(grid), dtype=torch.float64),
        torch.from_numpy(grid),
        Humps(height=height, centre=centre, fwhm=fwhm, eta=torch.zeros_like(height)),
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
