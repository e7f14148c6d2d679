"""Corrections of the intensities of lines that mixrd has itself: their quantities and their factors."""

from __future__ import annotations

import math

from torch import Tensor

from mixrd.diffraction import beam_overspill, surface_roughness, thermal_factor, thin_sample_absorption
from mixrd.pattern.quantity import Allowed, Correction, Loss, OnDemand, Quantity, Training, both_signs


def _thin(theta: Tensor, wavelength_angstrom: Tensor, thinness: Tensor) -> Tensor:
    # 1e-6 stands for an infinitely thick sample.
    return thin_sample_absorption(theta, 1 / thinness.clamp_min(1e-6))


def _rough(theta: Tensor, wavelength_angstrom: Tensor, share: Tensor, depth: Tensor) -> Tensor:
    return surface_roughness(theta, 1 - share, depth)


def _spilled(theta: Tensor, wavelength_angstrom: Tensor, overspill: Tensor) -> Tensor:
    return beam_overspill(theta, overspill)


def _said_of_overspill(overspill: float, b_offset: float | None) -> str:
    said = f"beam longer than the sample below {2 * math.degrees(math.asin(overspill)):.1f}°, refined"
    return said if b_offset is None else f"{said}; all displacement factors B changed by {b_offset:+.2f} Å²"


def _said_of_roughness(share: float, depth: float) -> str:
    return f"surface roughness refined (Suortti): share {share:.3f}, depth {depth:.3f}"


def _or_none(share: Tensor, usual: Tensor, limit: float) -> Tensor:
    # Half of the samples are as long as the beam.
    return both_signs(share, usual, limit).clamp_min(0)


_OVERSPILL = Loss(
    "overspill",
    "the overspill of the beam with a common change of all displacement factors",
    _said_of_overspill,
    fixed_slit=True,
)
# Beams longer than the sample are common, surfaces so rough are not.
_ROUGHNESS = Loss("roughness", "surface roughness (Suortti)", _said_of_roughness, rarer=1.1)

THIN = Correction(
    (
        Quantity(
            "thinness", "1 / (mu t)", "dimensionless", 0.0, 100.0,
            training=Training("max_thinness", 0.0, 100.0),
        ),
    ),
    _thin,
)  # fmt: skip
ROUGH = Correction(
    (
        Quantity(
            "roughness_share", "share that a rough surface takes", "share of the intensity", 0.0, 1.0,
            field="roughness",
            # Where both terms are zero, neither changes anything: a fit would never leave that point.
            start=0.1,
            on_demand=OnDemand(0.3, _ROUGHNESS, (0.2, 0.4, 0.7)),
            training=Training("max_roughness", 0.0, 1.0, early=True),
            stated=Allowed("roughness", 0, 1),
        ),
        Quantity(
            "roughness_depth", "optical depth of a rough surface", "dimensionless", 0.0, 1.0,
            field="roughness",
            start=0.1,
            on_demand=OnDemand(0.3, _ROUGHNESS, (0.1, 0.2, 0.4, 0.8)),
            training=Training("", 0.0, 0.5, early=True),
            stated=Allowed("roughness", 0, 10),
        ),
    ),
    _rough,
)  # fmt: skip
SPILLED = Correction(
    (
        Quantity(
            "overspill", "overspill of the beam", "sine of the angle theta", 0.0, 0.9,
            on_demand=OnDemand(0.5, _OVERSPILL, (0.12, 0.16, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5)),
            training=Training("max_overspill", 0.0, 1.0, drawn=_or_none),
            stated=Allowed("overspill", 0, 1),
        ),
    ),
    _spilled,
)  # fmt: skip
DISPLACED = Correction(
    (
        Quantity(
            # No further down: a structure that states no displacement gets B = 0.47, and none is below zero.
            "b_offset", "added to all displacement factors", "square angstroms", -0.35, 0.5,
            on_demand=OnDemand(0.3, _OVERSPILL, (-0.2, 0.0)),
            result_name="b_offset_angstrom2",
        ),
    ),
    thermal_factor,
)  # fmt: skip
#: In the order in which they are multiplied.
OWN = (THIN, ROUGH, SPILLED, DISPLACED)
