"""From where training samples and their scans are drawn."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from mixrd.errors import RecipeError
from mixrd.pattern import DetectorRanges, ImpurityRanges, Instrument, SpikeRanges
from mixrd.pattern.parameter_table import BUILT_IN
from mixrd.pattern.profile import microstrain_fwhm, size_fwhm, tch_pseudo_voigt

#: Allowed values, and their unit: what is in the parameter table, and what is not.
_ALLOWED: Mapping[str, tuple[float, float, str]] = {
    **{t.setting: (t.low, t.high, t.unit or q.unit) for q in BUILT_IN if (t := q.training) and t.setting},
    "max_graininess": (0.0, 1.0, "relative"),
    "background": (0.0, math.inf, "of the strongest peak"),
    "peak_counts": (0.0, math.inf, "counts"),
}
#: Sine of theta up to which peaks are drawn.
_LARGEST_SINE = 0.999
#: Peaks broader than this (degrees) are left to the renderer's slower way, so that all others stay fast.
_WIDEST_FAST_DEG = 2.0


@dataclass(frozen=True)
class SampleRanges:
    """From where samples and scans are drawn; uniform unless said otherwise.

    Attributes
    ----------
    max_strain : float
        Of each strain component that the symmetry allows, both signs.
    size_nm : (low, high)
        Crystallite size, log-uniform.
    max_microstrain : float
    width_factor : float
        Instrument widths are multiplied by a factor between 1/this and this (log-uniform).
    max_zero_deg : float
        Zero shift, both signs.
    max_displacement_mm : float
        Sample displacement, both signs.
    max_graininess : float
        Relative spread (log-normal) of single intensities: few grains, mild texture.
    background : (low, high)
        Background's maximum relative to the strongest peak, log-uniform.
    peak_counts : (low, high)
        Counts of the strongest point, log-uniform.
    max_roughness : float
        Share of the intensity that a rough surface takes at grazing incidence
        (see `mixrd.diffraction.surface_roughness`).
    max_overspill : float
        Sine of the angle theta below which the beam is longer than the sample
        (see `mixrd.diffraction.beam_overspill`); half of the samples are as long as the beam, as all are
        behind an automatic slit. The default is a slit of 1 deg at 200 mm on samples of 12 mm.
    max_penetration_mm : float
        1 / mu of the powder, which shifts lines of transparent samples; 0 for opaque ones.
    max_thinness : float
        1 / (mu t) of the sample; 0 for infinitely thick ones.
    impurities : ImpurityRanges
        Lines of phases that nobody knows of.
    spikes : SpikeRanges
        Single points far too high; by default none.
    detector : DetectorRanges
        Dead time and saturation; by default a tenth of the counts is lost at the worst.
    """

    max_strain: float = 0.01
    size_nm: tuple[float, float] = (20.0, 1000.0)
    max_microstrain: float = 0.001
    width_factor: float = 1.3
    max_zero_deg: float = 0.05
    max_displacement_mm: float = 0.1
    max_graininess: float = 0.1
    background: tuple[float, float] = (0.003, 0.3)
    peak_counts: tuple[float, float] = (1e3, 1e5)
    max_roughness: float = 0.1
    max_overspill: float = 0.3
    max_penetration_mm: float = 0.05
    max_thinness: float = 0.0
    impurities: ImpurityRanges = field(
        default_factory=lambda: ImpurityRanges(count=(0, 3), relative_intensity=(0.002, 0.03))
    )
    spikes: SpikeRanges = field(default_factory=lambda: SpikeRanges(count=(0, 0)))
    detector: DetectorRanges = field(
        default_factory=lambda: DetectorRanges(
            dead_time_us=(0.0, 1.0), seconds_per_point=(1.0, 20.0), highest_rate_cps=(1e6, 1e7)
        )
    )

    def __post_init__(self) -> None:
        for name, (low, high, unit) in _ALLOWED.items():
            value = getattr(self, name)
            if high < math.inf:
                if not low <= value <= high:
                    raise RecipeError(f"{name} = {value:g}", remedy=f"Allowed: {low:g} to {high:g} ({unit})")
            elif not low < value[0] <= value[1] < high:
                raise RecipeError(
                    f"{name} = {value[0]:g} to {value[1]:g}", remedy=f"Allowed: {low:g} < low <= high"
                )


def widest_fwhm(ranges: SampleRanges, instrument: Instrument, two_theta: NDArray[np.float64]) -> float:
    """Width in degrees of the broadest peak that can be drawn on this grid, 2 deg at most.

    That of the smallest crystallites with the largest microstrain on the broadest instrument; axial
    divergence is drawn by more peaks, not by broader ones.
    """
    p, factor = instrument.profile, ranges.width_factor
    ends = np.radians(np.linspace(two_theta[0], two_theta[-1], 100) / 2).clip(0, math.asin(_LARGEST_SINE))
    theta = torch.tensor(ends)
    longest = torch.tensor(max(line.wavelength_angstrom for line in instrument.radiation.lines)).double()
    tangent = torch.tan(theta)
    gaussian = factor * (p.u * tangent**2 + p.v * tangent + p.w).clamp_min(1e-6).sqrt()
    lorentzian = factor * (p.x / torch.cos(theta) + p.y * tangent)
    lorentzian = lorentzian + size_fwhm(torch.tensor(1 / ranges.size_nm[0]).double(), longest, theta)
    lorentzian = lorentzian + microstrain_fwhm(torch.tensor(ranges.max_microstrain).double(), theta)
    fwhm, _ = tch_pseudo_voigt(gaussian, lorentzian.clamp_min(1e-6))
    return min(float(fwhm.max()), _WIDEST_FAST_DEG)
