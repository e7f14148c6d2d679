"""Peak shape: Thompson-Cox-Hastings pseudo-Voigt, and what broadens it."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

#: Scherrer constant for the integral over a distribution of shapes (Scherrer 1918; Langford & Wilson 1978).
SCHERRER_K = 0.9
_LN2 = math.log(2.0)
#: exp(-40) is zero for our purposes, and neither slow to calculate with, as denormal numbers are, nor
#: without an inverse.
_LARGEST_EXPONENT = 40.0


def size_fwhm(
    inverse_size_per_nm: Float[Tensor, "*#shape"],
    wavelength_angstrom: Float[Tensor, "*#shape"],
    theta: Float[Tensor, "*#shape"],
) -> Float[Tensor, "*shape"]:
    """Lorentzian fwhm in degrees 2theta of crystallites: K lambda / (L cos theta) (Scherrer equation).

    `inverse_size_per_nm` is 1/L in 1/nm, `theta` in radians.
    """
    return torch.rad2deg(SCHERRER_K * wavelength_angstrom / 10.0 * inverse_size_per_nm / torch.cos(theta))


def microstrain_fwhm(
    microstrain: Float[Tensor, "*#shape"], theta: Float[Tensor, "*#shape"]
) -> Float[Tensor, "*shape"]:
    """Lorentzian fwhm in degrees 2theta of a spread of spacings: 4 e tan theta (Stokes & Wilson 1944)."""
    return torch.rad2deg(4.0 * microstrain * torch.tan(theta))


def tch_pseudo_voigt(
    gaussian_fwhm: Float[Tensor, "*#shape"], lorentzian_fwhm: Float[Tensor, "*#shape"]
) -> tuple[Float[Tensor, "*shape"], Float[Tensor, "*shape"]]:
    """Width and mixing of the pseudo-Voigt that stands for a Voigt of these two widths.

    Thompson, Cox & Hastings 1987, J. Appl. Cryst. 20, 79, equations 2-4.

    Returns
    -------
    fwhm, eta : tensor
        fwhm in the unit of the arguments; eta, the Lorentzian share, in 0-1.
    """
    g, lorentz = gaussian_fwhm, lorentzian_fwhm
    fifth = (
        g**5
        + 2.69269 * g**4 * lorentz
        + 2.42843 * g**3 * lorentz**2
        + 4.47163 * g**2 * lorentz**3
        + 0.07842 * g * lorentz**4
        + lorentz**5
    )
    fwhm = fifth**0.2
    share = lorentz / fwhm
    eta = 1.36603 * share - 0.47719 * share**2 + 0.11116 * share**3
    return fwhm, eta


def pseudo_voigt(
    offset: Float[Tensor, "*#shape"], fwhm: Float[Tensor, "*#shape"], eta: Float[Tensor, "*#shape"]
) -> Float[Tensor, "*shape"]:
    """Pseudo-Voigt of unit area at `offset` from its centre, same unit as `fwhm`."""
    gauss, lorentz = _gauss_and_lorentz(offset / fwhm)
    return (eta * lorentz + (1 - eta) * gauss) / fwhm


def lorentzian(offset: Float[Tensor, "*#shape"], fwhm: Float[Tensor, "*#shape"]) -> Float[Tensor, "*shape"]:
    """Lorentzian of unit area at `offset` from its centre, same unit as `fwhm`."""
    return (2.0 / math.pi) * fwhm / (fwhm * fwhm + 4 * offset * offset)


def pseudo_voigt_derivatives(
    offset: Float[Tensor, "*#shape"], fwhm: Float[Tensor, "*#shape"], eta: Float[Tensor, "*#shape"]
) -> tuple[
    Float[Tensor, "*shape"], Float[Tensor, "*shape"], Float[Tensor, "*shape"], Float[Tensor, "*shape"]
]:
    """`pseudo_voigt` and its derivatives with respect to the peak's position, fwhm and eta."""
    u = offset / fwhm
    gauss, lorentz = _gauss_and_lorentz(u)
    share, rest = eta / fwhm * lorentz, (1 - eta) / fwhm * gauss
    value = share + rest
    # d/du: gauss' = -8 ln2 u gauss; lorentz' = -8u / (1 + 4u^2) lorentz, and 1 + 4u^2 = 2 / (pi lorentz)
    slope = u * (share * lorentz * (-4 * math.pi) + rest * (-8 * _LN2))
    return value, slope * (-1 / fwhm), (value + u * slope) * (-1 / fwhm), (lorentz - gauss) / fwhm


def gauss_and_lorentz_transforms(
    phase: Float[Tensor, "*shape"],
) -> tuple[Float[Tensor, "*shape"], Float[Tensor, "*shape"]]:
    """Fourier transforms of a Gaussian and a Lorentzian of unit area, nowhere below exp(-40).

    `phase` is pi times fwhm times frequency, not negative. A pseudo-Voigt is the mean of both by eta.
    """
    gauss = phase.square().div_(4 * _LN2).clamp_max_(_LARGEST_EXPONENT).neg_().exp_()
    lorentz = phase.clamp_max(_LARGEST_EXPONENT).neg_().exp_()
    return gauss, lorentz


def _gauss_and_lorentz(u: Tensor) -> tuple[Tensor, Tensor]:
    """Gaussian and Lorentzian of unit area and unit fwhm."""
    squared = u * u
    gauss = (2.0 * math.sqrt(_LN2 / math.pi)) * torch.exp(-4 * _LN2 * squared)
    lorentz = (2.0 / math.pi) / (1 + 4 * squared)
    return gauss, lorentz
