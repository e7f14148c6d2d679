"""What diffractometer and sample make of each reflection: a peak's position, area, width and shape."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from mixrd.diffraction import (
    beam_overspill,
    divergence_slit,
    lorentz,
    polarization,
    surface_roughness,
    thermal_factor,
    thin_sample_absorption,
    transparency_shift,
)
from mixrd.pattern.asymmetry import axial_share, axial_shift
from mixrd.pattern.instrument import Instrument
from mixrd.pattern.lines import PeakTable
from mixrd.pattern.profile import microstrain_fwhm, size_fwhm, tch_pseudo_voigt
from mixrd.pattern.render import Peaks

#: Parameters that all peaks of a scan share, in the order of `Parameters.flat`.
SHARED = (
    *("u", "v", "w", "x", "y", "sh_l"),
    *("zero", "displacement", "thinness", "penetration", "roughness_share", "roughness_depth"),
    *("overspill", "b_offset"),
)
#: Parameters of a phase that its peaks share.
PER_PHASE = ("inverse_size", "microstrain", "aspect")


def broadened(inputs: Mapping[str, Tensor], table: PeakTable, instrument: Instrument) -> Peaks:
    """Peaks of unit mass of each phase.

    Parameters
    ----------
    inputs : mapping
        (B, J) tensor of each: "g_squared" (1/d^2 in 1/angstrom^2) and "intensity" of a peak's reflection,
        those of `PER_PHASE` of its phase, those of `SHARED` of the scan (`Parameters` has their units).
    table : PeakTable
        Of the J peaks.
    instrument : Instrument

    Returns
    -------
    Peaks
    """
    sine = 0.5 * table.wavelength_angstrom * inputs["g_squared"].sqrt()
    visible = sine < 0.999
    theta = torch.arcsin(torch.where(visible, sine, torch.full_like(sine, 0.999)))
    factor = lorentz(2 * theta) * polarization(
        2 * theta,
        monochromator_two_theta=instrument.monochromator_two_theta,
        position=instrument.monochromator_position,
        polarized_fraction=instrument.polarized_fraction,
    )
    factor = factor * divergence_slit(theta, mode=instrument.divergence_slit)
    # A surface off the axis by s shifts a line by -2 s cos(theta) / R (Klug & Alexander 1974, ch. 5).
    shift = -2 * inputs["displacement"] / instrument.goniometer_radius_mm * theta.cos()
    if instrument.profile.sh_l > 0:
        height = table.axial_heights.gather(1, table.node.unsqueeze(1)).squeeze(1)
        shift = shift + axial_shift(2 * theta, inputs["sh_l"], height)
        factor = factor * axial_share(
            2 * theta, inputs["sh_l"], table.axial_heights, table.axial_weights, table.node
        )
    lost, moved = _sample(theta, inputs, table, instrument)
    fwhm, eta = _widths(theta, inputs, table)
    return Peaks(
        position=torch.rad2deg(2 * theta + shift) + inputs["zero"] + moved,
        area=inputs["intensity"] * table.weight * factor * lost * visible,
        fwhm=fwhm,
        eta=eta,
    )


def _sample(
    theta: Tensor, inputs: Mapping[str, Tensor], table: PeakTable, instrument: Instrument
) -> tuple[Tensor, Tensor]:
    """What a thin, rough, small or transparent sample does: factor on the area, shift in degrees."""
    factor, shift = torch.ones_like(theta), torch.zeros_like(theta)
    if _matters(inputs["thinness"]):
        # 1e-6 stands for an infinitely thick sample.
        factor = factor * thin_sample_absorption(theta, 1 / inputs["thinness"].clamp_min(1e-6))
    if _matters(inputs["roughness_share"], inputs["roughness_depth"]):
        smooth = 1 - inputs["roughness_share"]
        factor = factor * surface_roughness(theta, smooth, inputs["roughness_depth"])
    if _matters(inputs["overspill"]):
        factor = factor * beam_overspill(theta, inputs["overspill"])
    if _matters(inputs["b_offset"]):
        factor = factor * thermal_factor(theta, table.wavelength_angstrom, inputs["b_offset"])
    if _matters(inputs["penetration"]):
        shift = transparency_shift(2 * theta, inputs["penetration"], instrument.goniometer_radius_mm)
    return factor, shift


def _widths(theta: Tensor, inputs: Mapping[str, Tensor], table: PeakTable) -> tuple[Tensor, Tensor]:
    """Fwhm in degrees and Lorentzian share."""
    tangent = torch.tan(theta)
    caglioti = inputs["u"] * tangent**2 + inputs["v"] * tangent + inputs["w"]
    # The size along a direction is the radius of an ellipsoid of revolution about the size axis.
    along = (1 + table.size_cosine * (inputs["aspect"] ** 2 - 1)).sqrt()
    lorentzian = (
        inputs["x"] / theta.cos()
        + inputs["y"] * tangent
        + size_fwhm(inputs["inverse_size"] * along, table.wavelength_angstrom, theta)
        + microstrain_fwhm(inputs["microstrain"], theta)
    )
    return tch_pseudo_voigt(caglioti.clamp_min(1e-6).sqrt(), lorentzian.clamp_min(1e-6))


def _matters(*values: Tensor) -> bool:
    """Whether any of them is not zero, or a derivative by it is wanted."""
    return any(value.requires_grad or bool((value != 0).any()) for value in values)
