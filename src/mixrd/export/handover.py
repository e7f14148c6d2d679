"""What is handed over to another program: a result and its scan, in terms that every writer needs."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from functools import cached_property

import gemmi
import numpy as np
import torch
from numpy.typing import NDArray

from mixrd.analysis import Analysis, PhaseResult, RefinedModel
from mixrd.analysis.inputs.exclusion import Region
from mixrd.analysis.inputs.setup import part_of
from mixrd.crystal import B_OVER_U, Cell, Crystal, Site
from mixrd.diffraction import beam_overspill, divergence_slit, polarization
from mixrd.errors import InputError, UsageError
from mixrd.pattern import Instrument
from mixrd.pattern.profile import microstrain_fwhm, size_fwhm
from mixrd.scan import Scan

Axis = tuple[int, int, int]
#: Mean-square displacements (square angstroms) are handed on no smaller than this.
_LEAST_U = 1e-4


@dataclass(frozen=True)
class HandedPhase:
    """One phase.

    Attributes
    ----------
    name : str
    file_stem : str
        The name in characters that every file system takes; different for different phases.
    crystal : Crystal
        With the refined cell.
    weight_percent, apparent_percent : float or None
        As stated, and before microabsorption is corrected: what the masses give, and other programs find.
        None where the result states no amounts.
    cell_sigma : tuple of six float or None
    weight_sigma : float or None
        wt%.
    mass : float
        In the unit of the scan times that of a pattern of unit mass.
    inverse_size_per_nm, microstrain : float
    texture_axis : (h, k, l) or None
    texture_r : float
        March-Dollase r.
    """

    name: str
    file_stem: str
    crystal: Crystal
    weight_percent: float | None
    cell_sigma: tuple[float, ...] | None
    weight_sigma: float | None
    mass: float
    inverse_size_per_nm: float
    microstrain: float
    texture_axis: Axis | None
    texture_r: float
    apparent_percent: float | None = None

    @property
    def rietveld_scale(self) -> float:
        """S of y = S sum m |F|^2 (P + (1 - P) cos^2 2theta) / (sin^2 theta cos theta): mass over V M."""
        return max(self.mass, 0.0) / (self.crystal.volume * self.crystal.mass_per_cell)

    @property
    def size_nm(self) -> float | None:
        """Scherrer size for K = 0.9, None where size broadens no line."""
        return 1 / self.inverse_size_per_nm if self.inverse_size_per_nm > 1e-5 else None

    def size_width_deg(self, wavelength_angstrom: float) -> float:
        """Lorentzian fwhm by size at theta = 0: it goes with 1 / cos(theta)."""
        size = torch.tensor(max(self.inverse_size_per_nm, 0.0), dtype=torch.float64)
        return float(size_fwhm(size, size.new_tensor(wavelength_angstrom), size.new_zeros(())))

    @property
    def strain_width_deg(self) -> float:
        """Lorentzian fwhm by microstrain at theta = 45 deg: it goes with tan(theta)."""
        strain = torch.tensor(max(self.microstrain, 0.0), dtype=torch.float64)
        return float(microstrain_fwhm(strain, strain.new_tensor(math.pi / 4)))


@dataclass(frozen=True, eq=False)
class Handover:
    """A refined scan, ready to be written for another program.

    Attributes
    ----------
    stem : str
        Of the files to write.
    source : str
        Scan and program, for a comment.
    statement : str
        Why the result states no amounts, for a warning; empty where it does.
    two_theta, counts, sigma : (N,) array
        From the first to the last angle that was fitted; degrees. Intensities of an automatic divergence
        slit are divided by sin(theta), as if the slit were fixed; those of a sample shorter than the beam by
        the share of the beam that it catches, as if it were large.
    excluded : tuple of (low, high)
        Regions of these in degrees that were left out of the fit.
    instrument : Instrument
        With the refined profile.
    phases : tuple of HandedPhase
    background : (B, 2) array
        Two-theta in degrees and intensity, even steps over the fitted range.
    background_degree : int
        What the data asked for.
    zero_deg, displacement_mm : float
    roughness : (share, depth) or None
    """

    stem: str
    source: str
    two_theta: NDArray[np.float64]
    counts: NDArray[np.float64]
    sigma: NDArray[np.float64]
    excluded: tuple[Region, ...]
    instrument: Instrument
    phases: tuple[HandedPhase, ...]
    background: NDArray[np.float64]
    background_degree: int
    zero_deg: float
    displacement_mm: float
    roughness: tuple[float, float] | None
    statement: str = ""

    @property
    def limits(self) -> tuple[float, float]:
        """First and last angle in degrees."""
        return float(self.two_theta[0]), float(self.two_theta[-1])

    @property
    def wavelength(self) -> float:
        """Of the strongest line in angstrom."""
        return self.instrument.radiation.wavelength_angstrom

    @property
    def comments(self) -> tuple[str, ...]:
        """What stands at the head of a file: where it is from, and what the result does not state."""
        return (self.source, f"WARNING: {self.statement}") if self.statement else (self.source,)

    @cached_property
    def lines(self) -> tuple[tuple[float, float], ...]:
        """Wavelengths (angstrom) and intensities relative to the first line's."""
        beam = self.instrument.radiation.lines
        return tuple((line.wavelength_angstrom, line.weight / beam[0].weight) for line in beam)

    @property
    def first_line_weight(self) -> float:
        """Share of the strongest line in the beam."""
        return self.instrument.radiation.lines[0].weight

    @property
    def perpendicular(self) -> float:
        """P of the polarization factor P + (1 - P) cos^2(2 theta), what a monochromator does included."""
        machine = self.instrument
        # cos(2 theta) vanishes at 90 deg: what is left there is P.
        right_angle = torch.tensor(math.pi / 2, dtype=torch.float64)
        return float(
            polarization(
                right_angle,
                monochromator_two_theta=machine.monochromator_two_theta,
                position=machine.monochromator_position,
                polarized_fraction=machine.polarized_fraction,
            )
        )

    def chebyshev(self) -> NDArray[np.float64]:
        """Coefficients of T0, T1, ... over `limits` that follow the background."""
        low, high = self.limits
        x = (2 * self.background[:, 0] - low - high) / (high - low)
        degree = min(max(self.background_degree, 5) + 3, 18)
        fitted = np.polynomial.chebyshev.chebfit(x, self.background[:, 1], degree)
        return np.asarray(fitted, dtype=np.float64)

    def columns(self) -> str:
        """Angle, intensity and standard uncertainty, a line for each point."""
        rows = zip(self.two_theta, self.counts, self.sigma, strict=True)
        return "".join(f"{x:.6f} {y:.4f} {s:.4f}\n" for x, y, s in rows)


def handover(analysis: Analysis, scan: Scan) -> Handover:
    """Put a result and its scan together.

    Raises
    ------
    InputError
        If the result holds no refinement, is from a version that did not keep it, or the scan is another.
    """
    model = _model_of(analysis)
    expected = analysis.provenance.get("scan_sha256")
    if expected and scan.sha256 and scan.sha256 != expected:
        raise InputError(
            f"it is not the scan of this result: its SHA-256 is {scan.sha256[:12]}..., "
            f"that of the scan that was analysed {str(expected)[:12]}...",
            remedy="Give the scan that was analysed with --scan",
            file=scan.path or None,
        )
    two_theta, counts, sigma = part_of(scan, model.two_theta_range)
    opening = _caught(model.instrument, two_theta, analysis.overspill)
    background = np.array(model.background)
    background[:, 1] /= _caught(model.instrument, background[:, 0], analysis.overspill)
    stem = re.sub(r"\.[^.]+$", "", analysis.file) or "result"
    return Handover(
        stem=_plain(stem),
        source=f"{analysis.file}, refined by mixrd {analysis.provenance.get('mixrd', '')}".rstrip(),
        two_theta=two_theta,
        counts=counts / opening,
        sigma=sigma / opening,
        excluded=_left_out(analysis, float(two_theta[0]), float(two_theta[-1])),
        instrument=replace(model.instrument, divergence_slit="fixed"),
        phases=_phases(analysis.phases, model, (analysis.b_offset_angstrom2 or 0.0) / B_OVER_U),
        background=background,
        background_degree=analysis.background_degree or 5,
        zero_deg=analysis.zero_deg or 0.0,
        displacement_mm=analysis.displacement_mm or 0.0,
        roughness=analysis.roughness,
        statement=analysis.statement.sentence,
    )


def _left_out(analysis: Analysis, first: float, last: float) -> tuple[Region, ...]:
    regions = analysis.provenance.get("preparation", {}).get("excluded_deg", [])
    return tuple((float(low), float(high)) for low, high in regions if low < last and high > first)


def _caught(
    instrument: Instrument, two_theta: NDArray[np.float64], overspill: float | None
) -> NDArray[np.float64]:
    """What an automatic slit or a short sample does to intensities.

    Few programs know either, and both are the same for all phases: so the data are converted.
    """
    theta = torch.deg2rad(torch.as_tensor(two_theta) / 2)
    share = divergence_slit(theta, mode=instrument.divergence_slit)
    if overspill is not None:
        share = share * beam_overspill(theta, overspill)
    return np.asarray(share.numpy(), dtype=np.float64)


def _model_of(analysis: Analysis) -> RefinedModel:
    if analysis.status == "failed":
        raise UsageError(
            f"the analysis failed ({analysis.error})", remedy="Export a result that has a refinement"
        )
    if analysis.refined_model is None:
        raise UsageError(
            "the result holds no refinement to go on from",
            remedy="Analyse the scan again without --no-refine (results of older versions did not keep it)",
        )
    return analysis.refined_model


def _phases(
    results: tuple[PhaseResult, ...], model: RefinedModel, u_offset: float
) -> tuple[HandedPhase, ...]:
    stems: list[str] = []
    handed = []
    rows = zip(results, model.crystals, model.masses, model.inverse_size_per_nm, strict=True)
    for result, crystal, mass, inverse_size in rows:
        stem = _plain(result.name)
        while stem.lower() in (other.lower() for other in stems):
            stem += "_"
        stems.append(stem)
        handed.append(
            HandedPhase(
                name=result.name,
                file_stem=stem,
                crystal=_as_refined(crystal, result, u_offset),
                weight_percent=result.weight_percent,
                apparent_percent=None if result.weight_percent is None else result.apparent_percent,
                cell_sigma=result.cell_sigma,
                weight_sigma=result.sigma_percent,
                mass=mass,
                inverse_size_per_nm=inverse_size,
                microstrain=result.microstrain or 0.0,
                texture_axis=result.texture.axis if result.texture else None,
                texture_r=result.texture.r if result.texture else 1.0,
            )
        )
    return tuple(handed)


def _as_refined(crystal: Crystal, result: PhaseResult, u_offset: float) -> Crystal:
    """The crystal with its refined cell, and `u_offset` (square angstroms) added to all displacements."""
    sites = [moved_by(site, u_offset, crystal.cell) for site in crystal.sites] if u_offset else crystal.sites
    cell = _six(result.cell) if result.cell else crystal.cell
    return replace(crystal, cell=cell, sites=tuple(sites))


def moved_by(site: Site, u_offset: float, cell: Cell) -> Site:
    """A site whose displacement is larger by as much in all directions.

    In the axes of the cell an isotropic tensor is U_ij = U a*_i a*_j / (|a*_i| |a*_j|) (Trueblood et al.
    1996, Acta Cryst. A52, 770).
    """
    u_iso = max(site.u_iso + u_offset, _LEAST_U)
    if site.u_aniso is None:
        return replace(site, u_iso=u_iso)
    m = gemmi.UnitCell(*cell).reciprocal_metric_tensor()
    pairs = ((m.u12, m.u11, m.u22), (m.u13, m.u11, m.u33), (m.u23, m.u22, m.u33))
    cosines = [product / math.sqrt(one * two) for product, one, two in pairs]
    u11, u22, u33 = (max(u + u_offset, _LEAST_U) for u in site.u_aniso[:3])
    u12, u13, u23 = (u + u_offset * c for u, c in zip(site.u_aniso[3:], cosines, strict=True))
    return replace(site, u_iso=u_iso, u_aniso=(u11, u22, u33, u12, u13, u23))


def _six(cell: tuple[float, ...]) -> Cell:
    a, b, c, alpha, beta, gamma = cell
    return a, b, c, alpha, beta, gamma


def _plain(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name).strip("._") or "phase"
