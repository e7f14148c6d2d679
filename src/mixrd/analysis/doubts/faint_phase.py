"""A phase that no single line gives away: all its lines together stand out of what a fit leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mixrd.analysis.doubts.suggestion import CELLS, catalog_patterns, strongest_lines, two_theta_of
from mixrd.crystal import Crystal
from mixrd.fit.presence import LINE_SCATTER, log_density
from mixrd.pattern import Instrument
from mixrd.phases import catalog_entry
from mixrd.phases.catalog import same_structure

FloatArray = NDArray[np.float64]

#: ln of the odds (there : not there) by the lines from which a phase is told of: in 200 simulated scans in
#: which nothing was missing, the best of the catalog's phases stayed below 5.7.
LEAST_LOG_ODDS = 6.0
#: Calculated intensity at a line is wrong by this part of it (standard deviation).
CALCULATED_SCATTER = 0.3
#: Cells of samples differ from the catalog's by this (relative, standard deviation).
USUAL_STRAIN = 0.0025
#: Strongest lines of a phase that are asked, and the least of them relative to the strongest.
MOST_LINES, WEAKEST_LINE = 24, 0.03
#: Least significance of all lines together that is worth a closer look.
_LEAST_TOGETHER = 3.0
#: Amounts that are tried, in the one that fits all lines best.
_AMOUNTS = np.geomspace(0.3, 6.0, 12)


@dataclass(frozen=True)
class FaintPhase:
    """A phase of the catalog whose lines, together, are in a scan.

    Attributes
    ----------
    name : str
    log_odds : float
        ln of the odds that it is there, for the best cell and amount.
    share_of_counts : float
        Its lines over all net counts, 0-1.
    """

    name: str
    log_odds: float
    share_of_counts: float

    def __str__(self) -> str:
        share = f"{float(f'{100 * self.share_of_counts:.2g}'):g} % of the counts above background"
        return f"{self.name} would explain faint lines that together hold about {share}"


@dataclass(frozen=True, eq=False)
class FaintEvidence:
    """What a fit leaves of a scan of N points.

    Attributes
    ----------
    two_theta : (N,) array
        In degrees, corrected for zero and displacement.
    area, sigma : (N,) array
        Of a line in the residual at each point, any unit, and its standard deviation by noise and by what
        the fit may have wrong there; infinite where something else is known to be.
    width : (N,) array
        Fwhm of lines in degrees.
    net_area : float
        Of all the scan above its background.
    """

    two_theta: FloatArray
    area: FloatArray
    sigma: FloatArray
    width: FloatArray
    net_area: float


def faint_phase(
    evidence: FaintEvidence, instrument: Instrument, candidates: Sequence[Crystal]
) -> FaintPhase | None:
    """The phase of the catalog that what is left shows best, None if it shows none.

    Each line of a phase tells its amount, with the uncertainty of its place; the odds are those of
    `mixrd.fit.presence`, for the best amount and for cells up to `CELLS` off.

    Parameters
    ----------
    evidence : FaintEvidence
    instrument : Instrument
    candidates : sequence of Crystal
        Phases of the fit.
    """
    limits = float(np.floor(evidence.two_theta[0])), float(np.ceil(evidence.two_theta[-1]))
    wavelength = instrument.radiation.wavelength_angstrom
    names = {c.name for c in candidates}
    ranked = []
    for name, (spacing, intensity) in catalog_patterns(instrument, limits).items():
        angle, strength = strongest_lines(
            two_theta_of(spacing, wavelength),
            intensity,
            evidence.two_theta,
            evidence.width,
            most=MOST_LINES,
            weakest=WEAKEST_LINE,
        )
        if name in names or not len(angle):
            continue
        odds, scale = _best(angle, strength, evidence)
        if odds >= LEAST_LOG_ODDS:
            share = scale * float(intensity.sum()) / max(evidence.net_area, 1e-300)
            ranked.append(FaintPhase(name, odds, min(share, 1.0)))
    ranked.sort(key=lambda found: -found.log_odds)
    for found in ranked:
        crystal = catalog_entry(found.name).crystal
        if not any(same_structure(crystal, candidate) for candidate in candidates):
            return found
    return None


def _best(angle: FloatArray, intensity: FloatArray, evidence: FaintEvidence) -> tuple[float, float]:
    """Ln of the odds of a phase with these lines, and area over intensity, for the best cell and amount."""
    sine = np.sin(np.radians(angle / 2)) / (1 + CELLS[:, np.newaxis])
    angle = 2 * np.degrees(np.arcsin(np.minimum(sine, 1.0)))
    grid = evidence.two_theta
    after = np.clip(np.searchsorted(grid, angle), 1, len(grid) - 1)
    place = after - (angle - grid[after - 1] < grid[after] - angle)
    inside = (angle > grid[0]) & (angle < grid[-1])
    amount = evidence.area[place] / intensity
    sigma = np.where(inside, evidence.sigma[place], np.inf) / intensity
    weight = sigma**-2.0
    together = (amount * weight).sum(1) / np.maximum(weight.sum(1), 1e-300)
    cells = np.flatnonzero(together * np.sqrt(weight.sum(1)) >= _LEAST_TOGETHER)
    if not len(cells):
        return -np.inf, 0.0
    tried = together[cells, np.newaxis] * _AMOUNTS
    shown = amount[cells, np.newaxis] / tried[..., np.newaxis]
    # A line that cannot be seen is so uncertain that it says as much for as against.
    variance = np.minimum((sigma[cells, np.newaxis] / tried[..., np.newaxis]) ** 2, 1e12)
    there = log_density(shown - 1, variance + LINE_SCATTER**2, shown)
    odds = (there - log_density(shown, variance, shown)).sum(-1)
    odds -= 0.5 * (CELLS[cells, np.newaxis] / USUAL_STRAIN) ** 2
    cell, best = np.unravel_index(int(odds.argmax()), odds.shape)
    return float(odds[cell, best]), float(tried[cell, best])
