"""What an analysis needs before it starts: which part of the scan, which errors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mixrd.analysis.result.parts import AnalysisWarning
from mixrd.crystal import Crystal, doubts_of_file
from mixrd.diffraction import edges_near
from mixrd.errors import RadiationError, ScanError
from mixrd.pattern import Instrument
from mixrd.scan import Scan
from mixrd.training import LEAD_DEG, first_reflection_deg

#: Header and instrument must name the same wavelength within this (relative): K alpha1, mean and K alpha2
#: of one tube are 0.25 % apart at most.
SAME_WAVELENGTH = 0.003
#: A scan shorter than this (degrees) says too little about cells and background.
SHORTEST_RANGE_DEG = 5.0
#: So does one of fewer points: a fit of one phase has some 25 parameters.
FEWEST_POINTS = 50


def overlap(scan: Scan, crystals: Sequence[Crystal], instrument: Instrument) -> tuple[float, float]:
    """Range in degrees to fit: from shortly below the first reflection to the end of the scan.

    What lies below is background, and searched for lines that no candidate explains. The range that an
    instrument is meant for cuts nothing: what was measured counts.

    Raises
    ------
    ScanError
        If the scan is shorter than `SHORTEST_RANGE_DEG`, a candidate has no reflection in it, or the scan
        holds nothing there.
    """
    low, high = float(scan.two_theta[0]), float(scan.two_theta[-1])
    if high - low < SHORTEST_RANGE_DEG:
        raise ScanError(
            f"the scan covers {low:g}-{high:g} deg, less than {SHORTEST_RANGE_DEG:g} deg",
            remedy="Measure a longer range",
            file=scan.path or None,
        )
    _refuse_empty(scan, (low, high))
    try:
        for crystal in crystals:
            first_reflection_deg([crystal], instrument, (low, high))
    except RadiationError as error:
        raise ScanError(error.cause, remedy=error.remedy, file=scan.path or None) from None
    first = first_reflection_deg(crystals, instrument, (low, high))
    return max(low, first - LEAD_DEG), high


def _refuse_empty(scan: Scan, limits: tuple[float, float]) -> None:
    """Raise ScanError if the part of the scan within `limits` holds no pattern that could be fitted."""
    counts = scan.counts[(scan.two_theta >= limits[0]) & (scan.two_theta <= limits[1])]
    if counts.size < FEWEST_POINTS:
        cause = f"{counts.size} points between {limits[0]:g} and {limits[1]:g} deg are too few"
    elif not np.isfinite(counts).all():
        cause = "it holds intensities that are not finite numbers"
    elif np.ptp(counts) == 0:
        cause = f"the intensity is {counts[0]:g} everywhere between {limits[0]:g} and {limits[1]:g} deg"
    elif counts.max() <= 0:
        cause = f"no intensity between {limits[0]:g} and {limits[1]:g} deg is above zero"
    else:
        return
    raise ScanError(cause, remedy="Check that this is the whole scan", file=scan.path or None)


def part_of(scan: Scan, limits: tuple[float, float]) -> tuple[NDArray[np.float64], ...]:
    """Angles (degrees), counts and their standard uncertainties within `limits`.

    Without uncertainties in the file, counts are taken as Poisson counts: the variance is their mean
    over five points, so that a single low count does not weigh too much. Intensities that cannot be
    counts (maximum below 100, negative values or fractions) get that spread which neighbouring points show.
    """
    inside = (scan.two_theta >= limits[0]) & (scan.two_theta <= limits[1])
    two_theta, counts = scan.two_theta[inside], scan.counts[inside]
    if scan.sigma is not None:
        sigma = scan.sigma[inside]
        positive = sigma[sigma > 0]
        if positive.size:
            return two_theta, counts, np.maximum(sigma, positive.min())
    smooth = np.convolve(np.pad(counts, 2, mode="edge"), np.ones(5) / 5, mode="valid")
    if are_counts(counts):
        return two_theta, counts, np.sqrt(np.maximum(smooth, 1.0))
    # Second differences of a smooth curve are noise: their variance is six times that of a point.
    noise = float(np.median(np.abs(np.diff(counts, 2)))) / 0.6745 / np.sqrt(6.0)
    floor = max(noise, 1e-6 * float(np.abs(counts).max()))
    return (
        two_theta,
        counts,
        np.sqrt(floor**2 * np.maximum(smooth / max(float(np.median(smooth)), floor), 1.0)),
    )


def are_counts(counts: NDArray[np.float64]) -> bool:
    """Whether intensities can be Poisson counts: whole numbers, none negative, the largest at least 100."""
    whole = bool((np.abs(counts - np.round(counts)) < 1e-3).all())
    return whole and bool(counts.max() >= 100 and counts.min() >= 0)


def scan_warnings(scan: Scan) -> list[AnalysisWarning]:
    """The reader's doubts as warnings of the result."""
    return [AnalysisWarning(code, message) for code, message in scan.warnings]


def structure_warnings(crystals: Sequence[Crystal]) -> list[AnalysisWarning]:
    """Phases whose CIF contradicts itself, or was read otherwise than it says."""
    return [
        AnalysisWarning("STRUCTURE_FILE", doubt, crystal.name)
        for crystal in crystals
        for doubt in doubts_of_file(crystal)
    ]


def edge_warnings(crystals: Sequence[Crystal], instrument: Instrument) -> list[AnalysisWarning]:
    """Phases whose calculated intensities are unreliable because an element absorbs near the wavelength."""
    return [
        AnalysisWarning(
            "NEAR_ABSORPTION_EDGE",
            f"the wavelength is near an absorption edge of {' and '.join(elements)}, where scattering is not "
            "known well",
            crystal.name,
        )
        for crystal in crystals
        if (elements := edges_near(crystal, instrument.radiation))
    ]
