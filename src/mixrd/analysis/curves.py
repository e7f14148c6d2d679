"""Curves of a refined scan, for plots."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mixrd.analysis.refinement import Refinement
from mixrd.analysis.result import Curves
from mixrd.analysis.setup import part_of
from mixrd.crystal import Crystal
from mixrd.diffraction import reflections
from mixrd.pattern import Instrument
from mixrd.scan import Scan


def fitted_curves(
    scan: Scan,
    limits: tuple[float, float],
    crystals: list[Crystal],
    instrument: Instrument,
    refined: Refinement,
) -> Curves:
    """Fitted scan, phase contributions and reflection marks of a refinement of `scan` within `limits`."""
    two_theta, counts, _ = part_of(scan, limits)
    return Curves(
        two_theta=two_theta,
        observed=counts,
        calculated=refined.calculated,
        background=refined.background,
        contributions=refined.contributions,
        marks=tuple(
            _marks(crystal, instrument, limits, refined, strain)
            for crystal, strain in zip(crystals, refined.strain, strict=True)
        ),
    )


def _marks(
    crystal: Crystal,
    instrument: Instrument,
    limits: tuple[float, float],
    refined: Refinement,
    strain: NDArray[np.float64],
) -> NDArray[np.float64]:
    table = reflections(crystal, instrument.radiation, two_theta_range=limits)
    deformation = np.eye(3) + np.einsum("k,kij->ij", strain, table.strain_basis.numpy())
    g = np.linalg.norm(table.g.numpy() @ np.linalg.inv(deformation), axis=1)
    theta = np.arcsin(np.clip(0.5 * instrument.radiation.wavelength_angstrom * g, 0, 1))
    shift = -2 * refined.displacement_mm / instrument.goniometer_radius_mm * np.cos(theta)
    position = np.degrees(2 * theta + shift) + refined.zero_deg
    return np.sort(position[(position >= limits[0]) & (position <= limits[1])])
