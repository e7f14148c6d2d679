"""Corrections of powder intensities and positions for beam, slits and sample, differentiable and batched.

Every function is pure, keeps the dtype and device of its angles and broadcasts its other arguments with
them, so parameters of a batch are given as (B, 1) beside angles of (B, R). Angles are in radians, theta in
0 < theta < pi/2; they are not checked, because a batch may hold lines beyond the sphere (nan), which its
caller masks. Parameters are.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from mixrd.errors import ParameterError

MonochromatorPosition = Literal["diffracted", "incident"]
SlitMode = Literal["fixed", "automatic"]

#: Width of the beam across its length over the diameter of a round sample.
_BEAM_WIDTH = 0.7


def require_within(name: str, value: Tensor | float, low: float, high: float, unit: str = "") -> None:
    """Raise `ParameterError` naming the parameter unless all of `value` lies in low..high (both included)."""
    values = torch.as_tensor(value).detach()
    good = (values >= low) & (values <= high)
    if not bool(good.all()):
        worst = float(values[~good].flatten()[0])
        suffix = f" {unit}" if unit else ""
        raise ParameterError(
            f"{name} is {worst:g}{suffix}", remedy=f"Allowed: {low:g} to {high:g}{suffix}, and finite"
        )


def lorentz(two_theta: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Lorentz factor of a powder, 1 / (sin^2 theta cos theta).

    It holds the single-crystal factor 1 / sin 2theta, the share cos theta of grains in reflecting position
    and the share 1 / sin 2theta of the cone that the receiving slit takes, without constant factors;
    International Tables C, section 6.2.

    Parameters
    ----------
    two_theta : tensor
        In radians.
    """
    theta = two_theta / 2
    return 1 / (torch.sin(theta) ** 2 * torch.cos(theta))


def polarization(
    two_theta: Float[Tensor, "*#shape"],
    *,
    monochromator_two_theta: float | Float[Tensor, "*#shape"] = 0.0,
    position: MonochromatorPosition = "diffracted",
    polarized_fraction: float | Float[Tensor, "*#shape"] | None = None,
) -> Float[Tensor, "*shape"]:
    """Polarization factor, 1 at 2theta = 0.

    With the share P of the beam polarized perpendicular to the plane of diffraction and a monochromator
    that passes the share A = cos^2 2theta_m of the other component (mosaic crystal, its plane of
    diffraction that of the sample):

    - monochromator behind the sample: (P + (1 - P) A cos^2 2theta) / (P + (1 - P) A);
    - before it, P counts at the sample: P + (1 - P) cos^2 2theta.

    A tube sends P = 1/2, which the monochromator before the sample makes 1 / (1 + A): both become
    (1 + A cos^2 2theta) / (1 + A) (Azaroff 1955, Acta Cryst. 8, 701; International Tables C, section 6.2).

    Parameters
    ----------
    two_theta : tensor
        In radians.
    monochromator_two_theta : float or tensor
        Diffraction angle of the monochromator crystal in degrees, 0 for none (graphite and Cu K alpha:
        26.6).
    position : {"diffracted", "incident"}
        Which beam the monochromator stands in.
    polarized_fraction : float, tensor or None
        P of the beam that meets the sample, 0-1: 1 for a synchrotron with vertical plane of diffraction
        (0.95-0.99 in practice), 0.5 for an unpolarized beam; a monochromator in the incident beam is then
        part of it. None: a tube.

    Raises
    ------
    ParameterError
        If the monochromator angle is outside 0-180 deg, P outside 0-1, or the position unknown.
    """
    if position not in ("diffracted", "incident"):
        raise ParameterError(
            f"the monochromator's position is {position!r}", remedy="Allowed: 'diffracted', 'incident'"
        )
    require_within("monochromator_two_theta", monochromator_two_theta, 0.0, 180.0, "deg")
    angle = torch.as_tensor(monochromator_two_theta, dtype=torch.float64, device=two_theta.device)
    passed = torch.cos(torch.deg2rad(angle)) ** 2
    if polarized_fraction is None:
        perpendicular, parallel = 1 / (1 + passed), passed / (1 + passed)
    else:
        require_within("polarized_fraction", polarized_fraction, 0.0, 1.0)
        share = torch.as_tensor(polarized_fraction, dtype=torch.float64, device=two_theta.device)
        behind = passed if position == "diffracted" else torch.ones_like(passed)
        total = share + (1 - share) * behind
        perpendicular, parallel = share / total, (1 - share) * behind / total
    dtype = two_theta.dtype
    return perpendicular.to(dtype) + parallel.to(dtype) * torch.cos(two_theta) ** 2


def divergence_slit(theta: Float[Tensor, "*shape"], mode: SlitMode = "fixed") -> Float[Tensor, "*shape"]:
    """Irradiated volume with theta for fixed and automatic divergence slits, relative to fixed slits.

    A fixed slit irradiates a length proportional to 1 / sin theta of a flat sample, to an effective depth
    proportional to sin theta: a constant volume, factor 1. An automatic slit keeps the length and opens
    with sin theta, and so does the intensity: sin theta, which is 1 at theta = 90 deg. Holds while the beam
    stays on the sample, and to first order in the divergence.

    Parameters
    ----------
    theta : tensor
        Half the diffraction angle in radians.
    mode : {"fixed", "automatic"}

    Raises
    ------
    ParameterError
        If the mode is unknown.
    """
    if mode == "fixed":
        return torch.ones_like(theta)
    if mode == "automatic":
        return torch.sin(theta)
    raise ParameterError(f"the divergence slit's mode is {mode!r}", remedy="Allowed: 'fixed', 'automatic'")


def thin_sample_absorption(
    theta: Float[Tensor, "*#shape"], mu_t: float | Float[Tensor, "*#shape"]
) -> Float[Tensor, "*shape"]:
    """Intensity of a flat plate in symmetric reflection over that of an infinitely thick one.

    1 - exp(-2 mu t / sin theta) (Klug & Alexander 1974, X-Ray Diffraction Procedures, chapter 5;
    International Tables C, section 6.3.3): thin or light samples lose intensity at high angles.

    Parameters
    ----------
    theta : tensor
        In radians.
    mu_t : float or tensor
        Linear attenuation coefficient of the powder as packed times its thickness, dimensionless, 1e-6 to
        1e6.

    Raises
    ------
    ParameterError
        If mu_t is outside its range.
    """
    require_within("mu_t", mu_t, 1e-6, 1e6)
    return -torch.expm1(-2 * mu_t / torch.sin(theta))


def transparency_shift(
    two_theta: Float[Tensor, "*#shape"],
    penetration_mm: float | Float[Tensor, "*#shape"],
    radius_mm: float | Float[Tensor, "*#shape"],
) -> Float[Tensor, "*shape"]:
    """Shift of a line's centroid because the beam enters the sample, in degrees 2theta.

    -sin 2theta / (2 mu R) in radians for an infinitely thick flat sample (Wilson 1963, Mathematical Theory
    of X-ray Powder Diffractometry; Klug & Alexander 1974, chapter 5; Cheary & Coelho 1992, J. Appl. Cryst.
    25, 109): the mean of the exponential aberration of that width.

    Parameters
    ----------
    two_theta : tensor
        In radians.
    penetration_mm : float or tensor
        1 / mu, mu the linear attenuation coefficient of the powder as packed; 0 (opaque) to 1000 mm.
    radius_mm : float or tensor
        Goniometer radius in mm, 10 to 2000.

    Raises
    ------
    ParameterError
        If a parameter is outside its range.
    """
    require_within("penetration_mm", penetration_mm, 0.0, 1e3, "mm")
    require_within("radius_mm", radius_mm, 10.0, 2000.0, "mm")
    return -torch.sin(two_theta) * (180 / math.pi) * penetration_mm / (2 * radius_mm)


def surface_roughness(
    theta: Float[Tensor, "*#shape"], p: float | Float[Tensor, "*#shape"], q: float | Float[Tensor, "*#shape"]
) -> Float[Tensor, "*shape"]:
    """Loss by a rough or loosely packed surface after Suortti (1972, J. Appl. Cryst. 5, 325), 1 at 90 deg.

    (p + (1 - p) exp(-q / sin theta)) / (p + (1 - p) exp(-q)), the normalisation that GSAS-II uses too.

    Parameters
    ----------
    theta : tensor
        In radians.
    p : float or tensor
        Share of the intensity that is left at grazing incidence, 0-1 (1: smooth).
    q : float or tensor
        Optical depth of the depleted layer, dimensionless, 0-10 (0: smooth).

    Raises
    ------
    ParameterError
        If a parameter is outside its range.
    """
    require_within("p", p, 0.0, 1.0)
    require_within("q", q, 0.0, 10.0)
    # exp(-q) is divided out, so that nothing underflows in the ratio when p is 0.
    smooth = p * torch.exp(torch.as_tensor(q, dtype=theta.dtype, device=theta.device))
    return (smooth + (1 - p) * torch.exp(q * (1 - 1 / torch.sin(theta)))) / (smooth + (1 - p))


def beam_overspill(
    theta: Float[Tensor, "*#shape"], overspill: float | Float[Tensor, "*#shape"]
) -> Float[Tensor, "*shape"]:
    """Share of the beam of a fixed slit that meets a round sample, 1 where all of it does.

    The beam of a slit that opens by the angle d is R d / sin theta long on the sample (Klug & Alexander
    1974, chapter 5). Where it is longer than the sample's chord, the rest is lost: the mean of min(1, r c)
    over the chords c of a disk of diameter 1 that meet an even beam `_BEAM_WIDTH` wide, r = sin theta /
    overspill.

    Parameters
    ----------
    theta : tensor
        In radians.
    overspill : float or tensor
        R d / D: the sine of the angle theta below which the beam is longer than the sample, 0 (all of the
        beam meets the sample) to 1.

    Raises
    ------
    ParameterError
        If overspill is outside its range.
    """
    require_within("overspill", overspill, 0.0, 1.0)
    reach = torch.sin(theta) / torch.as_tensor(overspill, dtype=theta.dtype).clamp_min(1e-6)
    edge = torch.full_like(reach, _BEAM_WIDTH / 2)
    # Chords up to here, from the middle, are longer than the beam. There r c = 1, so that the mean does not
    # change with it, to first order.
    full = (0.5 * (1 - reach.detach().clamp_min(1.0) ** -2).sqrt()).minimum(edge)
    share: Tensor = 2 / _BEAM_WIDTH * (full + reach * (_chord_area(edge) - _chord_area(full)))
    return share


def _chord_area(y: Tensor) -> Tensor:
    """Integral of the chord sqrt(1 - 4 y^2) of a disk of diameter 1, from its middle to y."""
    return 0.5 * (y * (1 - 4 * y.square()).sqrt() + 0.5 * torch.arcsin(2 * y))


def displacement_factor(
    s_squared: Float[Tensor, "*#shape"], b: float | Float[Tensor, "*#shape"]
) -> Float[Tensor, "*shape"]:
    """exp(-B s^2), s = sin theta / lambda: what isotropic displacements leave of an amplitude.

    Debye-Waller factor, B = 8 pi^2 U (International Tables C, section 6.1.1).

    Parameters
    ----------
    s_squared : tensor
        In 1 / square angstroms.
    b : float or tensor
        In square angstroms.
    """
    return torch.exp(-b * s_squared)


def thermal_factor(
    theta: Float[Tensor, "*#shape"],
    wavelength_angstrom: float | Float[Tensor, "*#shape"],
    b: float | Float[Tensor, "*#shape"],
) -> Float[Tensor, "*shape"]:
    """What isotropic displacements of all atoms leave of an intensity: `displacement_factor` squared.

    Parameters
    ----------
    theta : tensor
        In radians.
    wavelength_angstrom : float or tensor
    b : float or tensor
        In square angstroms; negative where the atoms move less than a structure says.
    """
    return displacement_factor((torch.sin(theta) / wavelength_angstrom) ** 2, 2 * b)
