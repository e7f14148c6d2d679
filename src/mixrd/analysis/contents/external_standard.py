"""Absolute amounts by an external standard: a pure substance scanned on the same instrument."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import gemmi
import numpy as np
from numpy.typing import NDArray

from mixrd.analysis.contents.amorphous import AbsoluteContent, checked_amounts
from mixrd.crystal import Crystal, atoms_of_formula
from mixrd.diffraction import Radiation, mass_attenuation_cm2_g
from mixrd.errors import RefinementError

#: Relative standard uncertainty of a ratio of two calculated mass attenuations. They are the photoelectric
#: part, 2-5 % too low at Cu K alpha for most elements (`mixrd.diffraction.attenuation`), and
#: what two substances lack in common cancels.
ATTENUATION_SIGMA = 0.02


@dataclass(frozen=True)
class ExternalConstant:
    """What the instrument gives for unit mass attenuation: the K factor of O'Connor & Raven, or G factor.

    Attributes
    ----------
    value : float
        Scale times cm^2/g; above 0.
    sigma : float
        Its standard uncertainty.
    wavelength_angstrom : float
        At which attenuations count.
    """

    value: float
    sigma: float
    wavelength_angstrom: float


def external_constant(
    scale: float, scale_sigma: float, standard: Crystal, radiation: Radiation
) -> ExternalConstant:
    """The constant K of an instrument from the scale of a pure standard (O'Connor & Raven 1988).

    The forward model's column of a phase is m |F|^2 LP / (V M), that of unit mass without absorption. A flat
    sample that no ray passes through sends, in symmetric reflection and for a beam of constant width, the
    volume share v_p of it over twice its attenuation:

        I_p = C v_p / (2 mu) m |F|^2 LP / V^2,   v_p = w_p rho / rho_p,   rho_p = M / V
            = C w_p / (2 mu/rho) m |F|^2 LP / (V M)

    so that the refined scale (`Refinement.masses`) is s_p = K w_p / (mu/rho): the packing of the powder
    cancels, and K = s (mu/rho)_s of a fully crystalline standard holds for every sample at the same tube
    power, slits, radius and time per step (Powder Diffr. 3, 2; Jansen et al. 2011, Powder Diffr. 26, 31).
    What the model has as sample parameters (thinness, roughness) is not in K.

    Parameters
    ----------
    scale, scale_sigma : float
        Of the standard's scan and its standard uncertainty.
    standard : Crystal
    radiation : Radiation
        Its strongest line counts.

    Raises
    ------
    RefinementError
        If the scan shows no standard.
    """
    if not (scale > 0 and 0 <= 3 * scale_sigma <= scale):
        raise RefinementError(
            f"the scan of the external standard shows no {standard.name} (scale {scale:.3g}, "
            f"uncertainty {scale_sigma:.2g})",
            remedy="Check that the file is the scan of this pure substance",
        )
    wavelength = radiation.wavelength_angstrom
    value = scale * mass_attenuation_cm2_g(standard, wavelength)
    return ExternalConstant(value, value * (scale_sigma / scale), wavelength)


def external_content(
    crystals: Sequence[Crystal],
    scales: Sequence[float] | NDArray[np.float64],
    scales_covariance: NDArray[np.float64],
    constant: ExternalConstant,
    amorphous_formula: str | None = None,
) -> AbsoluteContent:
    """Absolute contents of a sample, w_p = s_p (mu/rho) / K; see `external_constant` for the equations.

    The mass attenuation of the sample is that of its composition, mu = sum w_p mu_p + (1 - sum w_p) mu_a.
    With a_p = s_p / K and w_p = a_p mu this is linear in mu and needs no iteration:

        mu = mu_a / (1 - sum a_p (mu_p - mu_a)).

    Without a formula of what is amorphous it is taken to absorb as the crystalline phases do on average; then
    mu = sum a_p mu_p / sum a_p.

    Parameters
    ----------
    crystals : sequence of Crystal
    scales : (P,) sequence
        Of the refinement, at least 0. Divide by Brindley's factors to correct for microabsorption.
    scales_covariance : (P, P) array
    constant : ExternalConstant
    amorphous_formula : str, optional
        Composition of the amorphous part, such as "SiO2".

    Raises
    ------
    CompositionError
        If scales and covariance do not fit the phases.
    RefinementError
        If no amount of anything explains scales as large as these.
    """
    s, spread = checked_amounts("scale", len(crystals), scales, scales_covariance)
    a = s / constant.value
    mu, by_a = _sample_attenuation(crystals, a, constant, amorphous_formula)
    weights = a * mu
    slope = mu * np.eye(len(a)) + np.outer(a, by_a)
    covariance = slope @ spread @ slope.T / constant.value**2
    by_constant = -slope @ a / constant.value
    covariance += np.outer(by_constant, by_constant) * constant.sigma**2
    covariance += np.outer(weights, weights) * ATTENUATION_SIGMA**2
    names = tuple(crystal.name for crystal in crystals)
    return AbsoluteContent(names, 100 * weights, 1e4 * covariance)


def formula_attenuation_cm2_g(formula: str, wavelength_angstrom: float) -> float:
    """Mass attenuation of a substance of this formula ("SiO2") in cm^2/g, photoelectric part.

    Raises
    ------
    CrystalError
        If the text is no formula.
    RadiationError
        If the wavelength is outside 0.05-10 A.
    """
    masses = {e: n * gemmi.Element(e).weight for e, n in atoms_of_formula(formula).items()}
    total = sum(masses.values())
    return sum(m / total * mass_attenuation_cm2_g(e, wavelength_angstrom) for e, m in masses.items())


def _sample_attenuation(
    crystals: Sequence[Crystal],
    a: NDArray[np.float64],
    constant: ExternalConstant,
    amorphous_formula: str | None,
) -> tuple[float, NDArray[np.float64]]:
    """Mass attenuation of the sample in cm^2/g and its derivatives by a, (P,)."""
    each = np.array([mass_attenuation_cm2_g(c, constant.wavelength_angstrom) for c in crystals])
    if amorphous_formula is None:
        mean = float(a @ each / a.sum())
        return mean, (each - mean) / a.sum()
    rest = formula_attenuation_cm2_g(amorphous_formula, constant.wavelength_angstrom)
    divisor = 1 - float(a @ (each - rest))
    if divisor <= 0:
        raise RefinementError(
            f"no sample scatters this strongly beside {amorphous_formula}: the scales ask for an infinite "
            "attenuation",
            remedy="Check that the standard was measured with the same settings and time per step",
        )
    mu = rest / divisor
    return mu, mu**2 * (each - rest) / rest
