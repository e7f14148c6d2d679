"""Which phase would explain lines that no candidate explains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray

from mixrd.crystal import Crystal
from mixrd.diffraction import EmissionLine, Radiation, divergence_slit, lorentz, polarization, reflections
from mixrd.diffraction.bragg import sine_from_d_spacing
from mixrd.diffraction.catalog_lines import catalog_lines
from mixrd.diffraction.sticks import strained_sticks
from mixrd.errors import CrystalError, RadiationError
from mixrd.pattern import Instrument
from mixrd.phases import catalog_entry
from mixrd.phases.catalog import same_structure

FloatArray = NDArray[np.float64]

#: Cells of real samples differ from the catalog's by at most this (relative), the same in all directions.
CELL_TOLERANCE = 0.005
#: What cells differ by from one direction to another (relative).
DIRECTION_TOLERANCE = 0.001
#: Lines of a phase that are looked for.
STRONGEST_LINES = 8
#: Lines weaker than this, relative to the phase's strongest, say little.
WEAKEST_LINE = 0.05
#: Least number of lines that a suggestion rests on: a single line fits too many phases.
LEAST_EXPLAINED = 2
#: Least part of the visible strongest lines that must be in the scan.
LEAST_PART = 0.6
#: Least share of the unexplained counts that a suggestion explains.
LEAST_SHARE = 0.25
MOST_SUGGESTIONS = 3
#: A suggestion must be this good, relative to the best, to be made beside it.
_BESIDE_BEST = 0.5
#: Texture makes a line this many times stronger or weaker than calculated.
_TEXTURE = 3.0
#: Lines are found within this part of their width.
_POSITION = 0.4
#: Lines of smaller d-spacing (angstrom) are never a phase's strongest, but there are very many of them.
_SMALLEST_D = 1.2
#: Relative changes of all edges that are tried.
CELLS = np.linspace(-CELL_TOLERANCE, CELL_TOLERANCE, 11)


@dataclass(frozen=True)
class Suggestion:
    """A phase that would explain lines that no candidate explains.

    Attributes
    ----------
    name : str
    explained : int
        Lines of the phase, among its strongest that could be seen, that are unexplained lines of the scan.
    strongest : int
        Its strongest lines (`STRONGEST_LINES` at most) that could be seen: not below calculated lines, not
        lost in noise.
    share : float
        Share of the unexplained counts that its strongest lines explain, 0-1.
    """

    name: str
    explained: int
    strongest: int
    share: float

    def __str__(self) -> str:
        return f"{self.name} would explain {self.explained} of its {self.strongest} strongest visible lines"


@dataclass(frozen=True, eq=False)
class Evidence:
    """What is unexplained in a scan of N points.

    Attributes
    ----------
    two_theta : (N,) array
        In degrees, corrected for zero and displacement.
    area : (N,) array
        Of a line in the residual at each point, any unit.
    area_limit : (N,) array
        Area from which on a line would be seen.
    width : (N,) array
        Fwhm of lines in degrees.
    lines : (L,) int array
        Points at which there are unexplained lines.
    """

    two_theta: FloatArray
    area: FloatArray
    area_limit: FloatArray
    width: FloatArray
    lines: NDArray[np.int64]


def suggest(
    evidence: Evidence, instrument: Instrument, candidates: Sequence[Crystal]
) -> tuple[Suggestion, ...]:
    """Up to `MOST_SUGGESTIONS` phases of the catalog that would explain unexplained lines, best first.

    The strongest lines of each phase are looked for among the unexplained ones, its cell varied by
    `CELL_TOLERANCE`. A line that should be visible, by the intensities of those found, and is not there
    counts against the phase. Phases are ordered by the share of counts that they explain times the part of
    their visible lines that is there.

    Parameters
    ----------
    evidence : Evidence
    instrument : Instrument
    candidates : sequence of Crystal
        Phases of the fit: the same structures are not suggested.
    """
    if not len(evidence.lines):
        return ()
    low, high = float(evidence.two_theta[0]), float(evidence.two_theta[-1])
    wavelength = instrument.radiation.wavelength_angstrom
    highest = 2 * np.degrees(
        np.arcsin(min(sine_from_d_spacing(d_spacing=_SMALLEST_D, wavelength_angstrom=wavelength), 1.0))
    )
    # Whole degrees, and one angle for all scans of a tube: the patterns are cached.
    limits = (float(np.floor(low)), float(np.ceil(max(min(high, highest), low + 10.0))))
    known = {c.name for c in candidates}
    ranked = []
    for name, (spacing, intensity) in catalog_patterns(instrument, limits).items():
        found = None if name in known else _compare(name, spacing, intensity, evidence, wavelength)
        if found is not None:
            ranked.append((found.share * found.explained / found.strongest, found))
    ranked.sort(key=lambda row: -row[0])
    new: list[Suggestion] = []
    for score, found in ranked:
        if len(new) == MOST_SUGGESTIONS or score < _BESIDE_BEST * ranked[0][0]:
            break
        crystal = catalog_entry(found.name).crystal
        if not any(same_structure(crystal, c) for c in candidates):
            new.append(found)
    return tuple(new)


@lru_cache(maxsize=20)
def catalog_patterns(
    instrument: Instrument, limits: tuple[float, float]
) -> dict[str, tuple[FloatArray, FloatArray]]:
    """`stick_pattern` of every phase of the catalog that has lines in the range, by name."""
    wavelength = instrument.radiation.wavelength_angstrom
    lowest, highest = (2 * np.sin(np.radians(limit / 2)) / wavelength for limit in limits)
    patterns = {}
    for name, lines in catalog_lines().items():
        g = 1 / lines.d_spacing
        inside = (g > lowest * (1 - CELL_TOLERANCE)) & (g < highest * (1 + CELL_TOLERANCE))
        if inside.any():
            intensity = lines.intensity[inside] * _measured_part(lines.d_spacing[inside], instrument)
            patterns[name] = lines.d_spacing[inside], intensity / intensity.max()
    return patterns


@lru_cache(maxsize=1000)
def stick_pattern(
    crystal: Crystal, instrument: Instrument, limits: tuple[float, float]
) -> tuple[FloatArray, FloatArray]:
    """d-spacings (angstrom) and relative intensities of a phase's lines in a range of 2theta (degrees).

    With Lorentz-polarization and slit, for the strongest line of the beam. Empty where the range holds none.
    """
    beam = instrument.radiation
    alone = Radiation(beam.name, (EmissionLine(beam.wavelength_angstrom, 1.0),))
    try:
        table = reflections(crystal, alone, two_theta_range=limits, margin=CELL_TOLERANCE)
    except (RadiationError, CrystalError):
        return np.zeros(0), np.zeros(0)
    sticks = strained_sticks(table, table.g.new_zeros(1, len(table.strain_basis)))
    spacing = sticks.g_squared[0].rsqrt()
    intensity = sticks.intensity[0].numpy() * _measured_part(spacing.numpy(), instrument)
    return spacing.numpy(), intensity / intensity.max()


def _measured_part(spacing: FloatArray, instrument: Instrument) -> FloatArray:
    """Lorentz-polarization and slit at d-spacings in angstroms."""
    wavelength = instrument.radiation.wavelength_angstrom
    sine = torch.from_numpy(sine_from_d_spacing(d_spacing=spacing, wavelength_angstrom=wavelength))
    theta = torch.arcsin(sine.clamp(max=0.9999))
    factor = lorentz(2 * theta) * polarization(
        2 * theta,
        monochromator_two_theta=instrument.monochromator_two_theta,
        position=instrument.monochromator_position,
        polarized_fraction=instrument.polarized_fraction,
    )
    return np.asarray((factor * divergence_slit(theta, mode=instrument.divergence_slit)).numpy())


def _compare(
    name: str, spacing: FloatArray, intensity: FloatArray, evidence: Evidence, wavelength: float
) -> Suggestion | None:
    """The best suggestion over all cells of one phase, None if it explains too little."""
    best, best_score = None, 0.0
    strong = np.argsort(-intensity)[: 6 * STRONGEST_LINES]
    strong = strong[intensity[strong] > 0.1 * WEAKEST_LINE]
    for cell in CELLS:
        position, height = strongest_lines(
            two_theta_of(spacing[strong] * (1 + cell), wavelength),
            intensity[strong],
            evidence.two_theta,
            evidence.width,
            most=STRONGEST_LINES,
            weakest=WEAKEST_LINE,
        )
        found = _explained(name, position, height, evidence)
        if found is not None and found.share * found.explained / found.strongest > best_score:
            best, best_score = found, found.share * found.explained / found.strongest
    return best


def two_theta_of(spacing: FloatArray, wavelength_angstrom: float) -> FloatArray:
    """Degrees at which d-spacings (angstrom) diffract, 180 where they do not."""
    sine = sine_from_d_spacing(d_spacing=spacing, wavelength_angstrom=wavelength_angstrom)
    return np.asarray(2 * np.degrees(np.arcsin(np.minimum(sine, 1.0))))


def strongest_lines(
    angle: FloatArray,
    intensity: FloatArray,
    two_theta: FloatArray,
    width: FloatArray,
    *,
    most: int,
    weakest: float,
) -> tuple[FloatArray, FloatArray]:
    """Angles (degrees) and intensities of the strongest lines inside a scan, strongest first.

    Parameters
    ----------
    angle, intensity : (R,) array
        Of all lines.
    two_theta, width : (N,) array
        The scan's grid and the fwhm of its lines, degrees: those closer than a width are one.
    most : int
        Of them are kept.
    weakest : float
        Relative to the strongest, is kept.
    """
    inside = (angle > two_theta[0]) & (angle < two_theta[-1])
    order = np.argsort(angle[inside])
    angle, intensity = angle[inside][order], intensity[inside][order]
    if not len(angle):
        return angle, intensity
    apart = np.diff(angle) > np.interp(angle, two_theta, width)[1:]
    group = np.concatenate([[0], np.cumsum(apart)])
    total = np.bincount(group, intensity)
    position = np.bincount(group, intensity * angle) / total
    strongest = np.argsort(-total)[:most]
    strongest = strongest[total[strongest] >= weakest * total.max()]
    return position[strongest], total[strongest]


def _explained(
    name: str, position: FloatArray, intensity: FloatArray, evidence: Evidence
) -> Suggestion | None:
    """What of a pattern's lines (strongest first) is there, None if too little."""
    if not len(position):
        return None
    lines = evidence.two_theta[evidence.lines]
    tolerance = _POSITION * np.interp(position, evidence.two_theta, evidence.width) + np.degrees(
        2 * DIRECTION_TOLERANCE * np.tan(np.radians(position / 2))
    )
    distance = np.abs(position[:, np.newaxis] - lines)
    nearest = distance.argmin(axis=1)
    there = distance.min(axis=1) <= tolerance
    if there.sum() < LEAST_EXPLAINED:
        return None
    area = evidence.area[evidence.lines]
    scale = float(np.median(area[nearest[there]] / intensity[there]))
    limit = np.interp(position, evidence.two_theta, evidence.area_limit)
    visible = there | (scale * intensity > limit)
    if not there[visible][:2].any() or there.sum() < LEAST_PART * visible.sum():
        return None
    expected = np.zeros(len(lines))
    np.add.at(expected, nearest[there], _TEXTURE * scale * intensity[there])
    share = float(np.minimum(area, expected).sum() / area.sum())
    if share < LEAST_SHARE:
        return None
    return Suggestion(name, int(there.sum()), int(visible.sum()), share)
