"""What diffractometer and sample make of each reflection: a peak's position, area, width and shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from mixrd.diffraction import divergence_slit, lorentz, polarization, transparency_shift
from mixrd.diffraction.bragg import sine_from_inverse_d
from mixrd.pattern.asymmetry import axial_share, axial_shift
from mixrd.pattern.instrument import Instrument
from mixrd.pattern.line_corrections import Correction
from mixrd.pattern.lines import PeakTable
from mixrd.pattern.profile import microstrain_fwhm, size_fwhm, tch_pseudo_voigt
from mixrd.pattern.render import Peaks


def broadened(
    inputs: Mapping[str, Tensor],
    table: PeakTable,
    instrument: Instrument,
    corrections: Sequence[Correction],
) -> Peaks:
    """Peaks of unit mass of each phase.

    Parameters
    ----------
    inputs : mapping
        (B, J) tensor of each: "g_squared" (1/d^2 in 1/angstrom^2) and "intensity" of a peak's reflection,
        and the quantities of its phase and of the scan by name (the parameter table has their units).
    table : PeakTable
        Of the J peaks.
    instrument : Instrument
    corrections : sequence of Correction
        Factors on the intensities.

    Returns
    -------
    Peaks
    """
    sine = sine_from_inverse_d(
        inverse_d=inputs["g_squared"].sqrt(), wavelength_angstrom=table.wavelength_angstrom
    )
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
    lost = torch.ones_like(theta)
    for correction in corrections:
        values = [inputs[quantity.name] for quantity in correction.quantities]
        if _matters(*values):
            lost = lost * correction.factor(theta, table.wavelength_angstrom, *values)
    moved = torch.zeros_like(theta)
    if _matters(inputs["penetration"]):
        moved = transparency_shift(2 * theta, inputs["penetration"], instrument.goniometer_radius_mm)
    fwhm, eta = _widths(theta, inputs, table)
    return Peaks(
        position=torch.rad2deg(2 * theta + shift) + inputs["zero"] + moved,
        area=inputs["intensity"] * table.weight * factor * lost * visible,
        fwhm=fwhm,
        eta=eta,
    )


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
