"""Calibration of an instrument on a scan of a pure, well-crystallised phase."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mixrd.analysis.curves import fitted_curves
from mixrd.analysis.inputs.setup import overlap, part_of
from mixrd.analysis.result.parts import Curves
from mixrd.crystal import Crystal
from mixrd.errors import ScanError
from mixrd.fit.refinement import Refinement, refine
from mixrd.fit.restraints import Restraints
from mixrd.pattern import Instrument, Profile
from mixrd.scan import Scan

#: While calibrating, the profile is what is looked for: restraints only keep it within reason.
CALIBRATION_RESTRAINTS = Restraints(width=0.05, lorentzian_width=0.1, sh_l=0.05)
#: Axial divergences to start from: the cost has a minimum at each side of a weak asymmetry.
_AXIAL_STARTS = (0.0, 0.05)
#: Share of what stands above the background that a fit may leave unexplained (as an R_wp without background):
#: the right phase leaves 0.1-0.2, a wrong one 0.9. R_wp itself says nothing where the background is high.
_MOST_UNEXPLAINED = 0.7


@dataclass(frozen=True, eq=False)
class Calibration:
    """A calibrated instrument and how well it explains the standard.

    Attributes
    ----------
    instrument : Instrument
    r_wp, r_exp : float
        0-1.
    zero_deg, displacement_mm : float
        Of the standard's scan; not part of the instrument, because they change with every sample.
    curves : Curves
    """

    instrument: Instrument
    r_wp: float
    r_exp: float
    zero_deg: float
    displacement_mm: float
    curves: Curves


def calibrate(scan: Scan, crystal: Crystal, start: Instrument, *, name: str) -> Calibration:
    """Fit the profile terms of `start` to a scan of `crystal` alone.

    The standard's own broadening counts as the instrument's, so the phase should be well crystallised
    (above some 300 nm).

    Parameters
    ----------
    scan : Scan
    crystal : Crystal
    start : Instrument
        Radiation and geometry; its profile is where the fit starts.
    name : str
        Name of the calibrated instrument.

    Raises
    ------
    ScanError
        If the fit does not find the phase in the scan.
    """
    limits = overlap(scan, [crystal], start)
    two_theta, counts, sigma = part_of(scan, limits)

    def fit_from(sh_l: float) -> Refinement:
        """Fit with an axial divergence that starts here; with 0 peaks stay symmetric."""
        return refine(
            [crystal],
            replace(start, profile=replace(start.profile, sh_l=sh_l)),
            two_theta,
            counts[np.newaxis],
            sigma[np.newaxis],
            restraints=CALIBRATION_RESTRAINTS,
            fixed=("inverse_size", "microstrain"),
        )[0]

    fitted = min(map(fit_from, _AXIAL_STARTS), key=lambda one: one.r_wp)
    misfit = np.linalg.norm((counts - fitted.calculated) / sigma)
    unexplained = float(misfit / np.linalg.norm((counts - fitted.background) / sigma))
    if fitted.weight_fractions[0] == 0 or unexplained > _MOST_UNEXPLAINED:
        raise ScanError(
            f"{crystal.name} does not explain the scan (R_wp {100 * fitted.r_wp:.0f} %)",
            remedy="Check phase, wavelength and monochromator; the standard must be the pure phase",
            file=scan.path or None,
        )
    instrument = replace(
        start,
        name=name,
        profile=Profile(*(float(x) for x in fitted.profile)),
        two_theta_range=(float(scan.two_theta[0]), float(scan.two_theta[-1])),
        step=float(np.round(np.median(np.diff(scan.two_theta)), 5)),
        note=f"profile calibrated on {crystal.name}, R_wp {100 * fitted.r_wp:.2f} % "
        f"(expected {100 * fitted.r_exp:.2f} %)",
    )
    curves = fitted_curves(scan, limits, [crystal], start, fitted)
    return Calibration(instrument, fitted.r_wp, fitted.r_exp, fitted.zero_deg, fitted.displacement_mm, curves)
