"""Every choice in the paper's pipeline of training data, and what the paper leaves open."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from mixrd.errors import RecipeError
from mixrd.pattern import ExponentialRanges, GaussianNoiseRanges
from mixrd.pattern.drawing import Limits, check_limits, check_value
from mixrd.pattern.profile import SCHERRER_K
from mixrd.pattern.scherrer import FEWEST_POINTS_PER_FWHM, narrowest_fwhm_points

DrawKind = Literal["up_to_replacement", "exactly_distinct"]
Scaling = Literal["maximum", "area", "none"]
Normalisation = Literal["maximum", "range"]
ShapePer = Literal["mixture", "phase"]


@dataclass(frozen=True)
class Figure1Settings:
    """Every choice of the pipeline. The defaults are the paper's, or ours where it is silent.

    Attributes
    ----------
    max_phases : int
        K, the most single-phase patterns in a mixture.
    kind : {"up_to_replacement", "exactly_distinct"}
        A number of patterns uniform in 1 to K, their materials uniform with replacement (the paper's
        reading: copies of one material count as phases and share an output); or K different materials.
    scaling : {"maximum", "area", "none"}
        What each pattern is divided by before it is weighted: its strongest line, the sum of its lines, or
        nothing. With it the fractions are the coefficients of the combination.
    start_deg, step_deg, points
        The grid, in degrees 2theta.
    wavelength_angstrom : float
    scherrer_constant : float
    shape_per : {"mixture", "phase"}
        Whether all phases of a mixture share crystallite size and eta (Fig. 1 combines first).
    size_nm, eta : (low, high)
        Crystallite size and Lorentzian share of the pseudo-Voigt; uniform.
    normalisation : {"maximum", "range"}
        To [0, 1] by the maximum alone, or with the minimum taken off first.
    noise : GaussianNoiseRanges
        3-7 % of the maximum.
    background : ExponentialRanges
        An exponential fall from the start of the pattern: level 0-0.5 of the maximum, decay over 0.1-1 of
        the range.
    """

    max_phases: int = 3
    kind: DrawKind = "up_to_replacement"
    scaling: Scaling = "maximum"
    start_deg: float = 10.0
    step_deg: float = 0.015
    points: int = 2667
    wavelength_angstrom: float = 1.54184
    scherrer_constant: float = SCHERRER_K
    shape_per: ShapePer = "mixture"
    size_nm: Limits = (10.0, 100.0)
    eta: Limits = (0.1, 0.9)
    normalisation: Normalisation = "maximum"
    noise: GaussianNoiseRanges = field(default_factory=GaussianNoiseRanges)
    background: ExponentialRanges = field(
        default_factory=lambda: ExponentialRanges(level=(0.0, 0.5), decay=(0.1, 1.0))
    )

    def __post_init__(self) -> None:
        for name, choices in (("kind", get_args(DrawKind)), ("scaling", get_args(Scaling)),
                              ("shape_per", get_args(ShapePer)),
                              ("normalisation", get_args(Normalisation))):  # fmt: skip
            if getattr(self, name) not in choices:
                raise RecipeError(
                    f"Figure1Settings: {name} = {getattr(self, name)!r}",
                    remedy=f"Allowed: {', '.join(choices)}",
                )
        allowed = {"max_phases": (1, 100), "start_deg": (0, 170), "step_deg": (1e-4, 1),
                   "points": (16, 10**6), "wavelength_angstrom": (0.05, 10),
                   "scherrer_constant": (0.1, 2)}  # fmt: skip
        for name, (low, high) in allowed.items():
            check_value(self, name, low, high)
        check_limits(self, {"size_nm": (0.5, 1e5, "nm"), "eta": (0.0, 1.0, "share")})
        if self.start_deg + self.step_deg * (self.points - 1) > 175:
            raise RecipeError(
                f"Figure1Settings: {self.points} points of {self.step_deg:g} deg from {self.start_deg:g} deg "
                "end beyond 175 deg",
                remedy="Give fewer points or a smaller step",
            )
        narrowest = narrowest_fwhm_points(
            self.step_deg, self.size_nm[1] / self.size_factor, self.wavelength_angstrom
        )
        if narrowest < FEWEST_POINTS_PER_FWHM:
            raise RecipeError(
                f"Figure1Settings: peaks of {self.size_nm[1]:g} nm are {narrowest:.2g} steps wide",
                remedy=f"Lower size_nm or step_deg: the fwhm is {FEWEST_POINTS_PER_FWHM:g} steps at least",
            )

    @property
    def two_theta(self) -> NDArray[np.float64]:
        """(points,) grid in degrees."""
        return self.start_deg + self.step_deg * np.arange(self.points, dtype=np.float64)

    @property
    def size_factor(self) -> float:
        """What multiplies 1/L: the profile's Scherrer constant is fixed, so another one is another size."""
        return self.scherrer_constant / SCHERRER_K
