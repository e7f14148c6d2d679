"""Is every structure of the catalog right? Each is compared with a second, independent determination."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.signal import find_peaks

from mixrd.crystal import Crystal
from mixrd.diffraction import lorentz_polarization, radiation, reflections, strained_sticks
from mixrd.diffraction.bragg import sine_from_d_spacing, sine_from_inverse_d
from mixrd.experiments.structure_faults import distance_faults, formula_faults
from mixrd.phases import CatalogEntry, PublishedPattern, catalog_entry

#: Relative. Two good determinations agree to 1 %; a missing atom or a wrong cell shows as 5 % and more.
DENSITY_TOLERANCE = 0.03
#: Relative, in d. Cells of one phase differ by up to 0.5 % with composition and temperature.
D_SPACING_TOLERANCE = 0.01
#: Of the strongest line. Displacement parameters, site disorder and rounding in different works move
#: intensities by up to a tenth; a wrong coordinate, setting or occupancy moves some of them by far more.
INTENSITY_TOLERANCE = 0.15
#: Relative. Published I/Ic of one phase scatter by 5-10 % (measured ones: texture, amorphous material).
I_OVER_IC_TOLERANCE = 0.10
#: Lines nearer than this in 2theta (degrees) are one line of a laboratory pattern.
RESOLUTION_DEG = 0.15
STRONGEST_LINES = 5
#: A published line must be there in the entry's pattern with at least this intensity.
FAINTEST_PARTNER = 0.03
TWO_THETA_RANGE_DEG = (4.0, 90.0)
#: The partner of a line at an end of the range may lie beyond it.
_MARGIN_DEG = 1.5
#: Of the grid on which lines are summed, in degrees.
_STEP_DEG = 0.005


@dataclass(frozen=True)
class LineCheck:
    """One strong line in both determinations.

    Attributes
    ----------
    d_spacing : float
        In angstrom.
    intensity : float
        Relative to the strongest line, 0-1.
    d_spacing_second, intensity_second : float or None
        The same of the second determination; None where it has no such line, or states no intensity
        that can be compared.
    """

    d_spacing: float
    intensity: float
    d_spacing_second: float | None
    intensity_second: float | None

    @property
    def agrees(self) -> bool:
        """Whether the second has the line, as strong within `INTENSITY_TOLERANCE`."""
        other = self.intensity_second
        return other is not None and abs(self.intensity - other) <= INTENSITY_TOLERANCE


@dataclass(frozen=True)
class EntryCheck:
    """What the comparison of one entry gave.

    Attributes
    ----------
    name : str
    passed : bool
    reasons : tuple of str
        Why it did not pass.
    density, density_second : float or None
        In g/cm3, of the entry and of its second determination.
    i_over_ic, i_over_ic_second : float or None
        Intensity of the strongest line over corundum's (113) in a 1:1 mixture by weight.
    lines : tuple of LineCheck
        Strongest lines, strongest first.
    """

    name: str
    passed: bool
    reasons: tuple[str, ...]
    density: float
    density_second: float | None
    i_over_ic: float
    i_over_ic_second: float | None
    lines: tuple[LineCheck, ...]


@dataclass(frozen=True)
class StrongestLine:
    """The strongest line of a phase at Cu K alpha, beside corundum's (113).

    Attributes
    ----------
    name, formula : str
    d_spacing : float
        In angstrom.
    two_theta : float
        In degrees, of K alpha1.
    i_over_ic : float
        Its integrated intensity over that of corundum's (113) in a 1:1 mixture by weight.
    density : float
        In g/cm3, calculated.
    """

    name: str
    formula: str
    d_spacing: float
    two_theta: float
    i_over_ic: float
    density: float


def strongest_line(entry: CatalogEntry) -> StrongestLine:
    """I/I_corundum of a catalog entry, from its structure alone.

    Integrated intensities per unit mass, m |F|^2 LP / (V M) with f', f'' and displacement, no
    monochromator; lines within `RESOLUTION_DEG` count as one. Of a perfect powder: measured ratios are
    often 5-10 % lower, because standards hold some amorphous material and texture.
    """
    lines, ratio = powder_lines(entry.crystal)
    d_spacing = float(lines[0, 0])
    sine = sine_from_d_spacing(
        d_spacing=d_spacing, wavelength_angstrom=radiation("CuKa1").wavelength_angstrom
    )
    two_theta = float(np.degrees(2 * np.arcsin(sine)))
    return StrongestLine(entry.name, entry.formula, d_spacing, two_theta, ratio, entry.crystal.density_g_cm3)


def check_entry(entry: CatalogEntry) -> EntryCheck:
    """Compare one entry with its second determination: density, formula, distances, lines and I/Ic."""
    crystal, second = entry.crystal, entry.second
    lines, i_over_ic = powder_lines(crystal)
    reasons = formula_faults(crystal, entry.formula) + distance_faults(crystal)
    if isinstance(second, PublishedPattern):
        density, ratio = second.density_g_cm3, second.i_over_ic
        compared, line_faults = _compare_with_published(lines, second)
    elif entry.second_kind == "cell":
        # Its sites are the entry's own: intensities and I/Ic would agree by construction.
        density, ratio = second.density_g_cm3, None
        spacings = _strongest(powder_lines(second)[0])[:, 0]
        compared, line_faults = _compare_spacings(lines, spacings)
    else:
        density = second.density_g_cm3
        others, ratio = powder_lines(second)
        reasons += [f"second determination: {r}" for r in distance_faults(second)]
        compared = [_compare(line, others) for line in _strongest(lines)]
        missed = [_compare(line, lines) for line in _strongest(others)]
        line_faults = [_describe(line, "entry", "second") for line in compared if not line.agrees]
        line_faults += [_describe(line, "second", "entry") for line in missed if not line.agrees]
    reasons += line_faults
    if density is not None and abs(crystal.density_g_cm3 / density - 1) > DENSITY_TOLERANCE:
        reasons.append(f"density {crystal.density_g_cm3:.3f} g/cm3, second {density:.3f}")
    if ratio is not None and abs(i_over_ic / ratio - 1) > I_OVER_IC_TOLERANCE:
        reasons.append(f"I/Ic {i_over_ic:.2f}, second {ratio:.2f}")
    return EntryCheck(
        name=entry.name,
        passed=not reasons,
        reasons=tuple(dict.fromkeys(reasons)),
        density=crystal.density_g_cm3,
        density_second=density,
        i_over_ic=i_over_ic,
        i_over_ic_second=ratio,
        lines=tuple(compared),
    )


def structure_doubts(
    crystal: Crystal, *, formula: str | None = None, second: Crystal | None = None
) -> tuple[str, ...]:
    """What seems wrong in a structure that a user adds, by the check of the catalog that ships.

    Parameters
    ----------
    crystal : Crystal
    formula : str, optional
        As one writes it; default that of the cell, which then cannot disagree.
    second : Crystal, optional
        An independent determination: density, strongest lines and I/Ic are compared too.
    """
    if second is None:
        stated = formula_faults(crystal, formula) if formula else []
        return (*stated, *distance_faults(crystal))
    entry = CatalogEntry(
        name=crystal.name,
        formula=formula or crystal.formula,
        category="",
        aliases=(),
        crystal=crystal,
        second=second,
        second_kind="structure",
    )
    return check_entry(entry).reasons


def _compare_with_published(
    lines: NDArray[np.float64], second: PublishedPattern
) -> tuple[list[LineCheck], list[str]]:
    """Lines of the entry beside published ones, and what does not fit.

    A published list ends somewhere: lines of the entry need a partner only if they are stronger than
    its weakest by more than the tolerance. Of a textured sample only the d are compared.
    """
    published = np.array(second.lines)
    if second.textured or not np.isfinite(published).all():
        return _compare_spacings(lines, published[:, 0])
    published = published[np.argsort(-published[:, 1])]
    published[:, 1] /= published[0, 1]
    compared = [_compare(line, published) for line in _strongest(lines)]
    weakest = published[-1, 1] + INTENSITY_TOLERANCE
    wrong = [
        c for c in compared if not c.agrees and (c.intensity_second is not None or c.intensity > weakest)
    ]
    missed = [_compare(line, lines) for line in _strongest(published)]
    faults = [_describe(line, "entry", "second") for line in wrong]
    return compared, faults + [_describe(line, "second", "entry") for line in missed if not line.agrees]


def _compare_spacings(
    lines: NDArray[np.float64], spacings: NDArray[np.float64]
) -> tuple[list[LineCheck], list[str]]:
    """For each of `spacings` (angstrom) the strongest line of the entry there, and those without one."""
    visible = lines[lines[:, 1] >= FAINTEST_PARTNER]
    found, faults = [], []
    for d_spacing in spacings:
        near = visible[np.abs(visible[:, 0] / d_spacing - 1) <= D_SPACING_TOLERANCE]
        if len(near):
            found.append(LineCheck(float(near[0, 0]), float(near[0, 1]), float(d_spacing), None))
        else:
            faults.append(f"line at d = {d_spacing:.3f} A of the second is absent in the entry")
    return found, faults


def powder_lines(crystal: Crystal) -> tuple[NDArray[np.float64], float]:
    """Lines of a powder at Cu K alpha, no monochromator, lines within `RESOLUTION_DEG` summed.

    Returns
    -------
    lines : (L, 2) array
        d in angstrom and integrated intensity relative to the strongest; strongest first.
    i_over_ic : float
        Intensity of the strongest per unit mass over that of corundum's (113).
    """
    d_spacing, intensity = _resolved_lines(crystal)
    return np.stack([d_spacing, intensity / intensity[0]], axis=1), float(intensity[0] / _corundum_113())


@cache
def _corundum_113() -> float:
    d_spacing, intensity = _resolved_lines(catalog_entry("corundum").crystal)
    return float(intensity[np.abs(d_spacing - 2.085).argmin()])


def _resolved_lines(crystal: Crystal) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Spacing (angstrom) and intensity per unit mass of the maxima that a resolution of 0.15 deg leaves."""
    beam = radiation("CuKa1")
    low, high = TWO_THETA_RANGE_DEG[0] - _MARGIN_DEG, TWO_THETA_RANGE_DEG[1] + _MARGIN_DEG
    table = reflections(crystal, beam, two_theta_range=(low, high), margin=0.0)
    sticks = strained_sticks(table, torch.zeros(1, len(table.strain_basis), dtype=torch.float64))
    inverse_d = sticks.g_squared[0].sqrt()
    two_theta = 2 * torch.arcsin(
        sine_from_inverse_d(inverse_d=inverse_d, wavelength_angstrom=beam.wavelength_angstrom)
    )
    factor = lorentz_polarization(two_theta, monochromator_two_theta=0.0)
    intensity = (sticks.intensity[0] * factor).numpy()
    edges = np.arange(low - 1.0, high + 1.0, _STEP_DEG)
    summed, _ = np.histogram(np.degrees(two_theta.numpy()), bins=edges, weights=intensity)
    width = RESOLUTION_DEG / (2 * np.sqrt(2 * np.log(2))) / _STEP_DEG
    # A line alone keeps its integrated intensity as height, lines within the resolution add up.
    curve = gaussian_filter1d(summed, width) * width * np.sqrt(2 * np.pi)
    maxima, _ = find_peaks(curve, height=1e-4 * curve.max())
    maxima = maxima[np.argsort(-curve[maxima])]
    angle = np.radians(edges[maxima] + _STEP_DEG / 2)
    return 0.5 * beam.wavelength_angstrom / np.sin(angle / 2), curve[maxima]


def _strongest(lines: NDArray[np.float64]) -> NDArray[np.float64]:
    sine = sine_from_d_spacing(
        d_spacing=lines[:, 0], wavelength_angstrom=radiation("CuKa1").wavelength_angstrom
    )
    low, high = (np.sin(np.radians(angle / 2)) for angle in TWO_THETA_RANGE_DEG)
    visible: NDArray[np.float64] = lines[(sine >= low) & (sine <= high)]
    return visible[:STRONGEST_LINES]


def _compare(line: NDArray[np.float64], others: NDArray[np.float64]) -> LineCheck:
    d_spacing, intensity = (float(x) for x in line)
    near = others[np.abs(others[:, 0] / d_spacing - 1) <= D_SPACING_TOLERANCE]
    if not len(near):
        return LineCheck(d_spacing, intensity, None, None)
    best = near[np.abs(near[:, 1] - intensity).argmin()]
    return LineCheck(d_spacing, intensity, float(best[0]), float(best[1]))


def _describe(line: LineCheck, here: str, there: str) -> str:
    first = f"line at d = {line.d_spacing:.3f} A is {100 * line.intensity:.0f} % in the {here}"
    if line.intensity_second is None:
        return f"{first}, absent in the {there}"
    return f"{first}, {100 * line.intensity_second:.0f} % in the {there}"
