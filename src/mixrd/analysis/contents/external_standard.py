"""Absolute amounts by an external standard: a pure substance scanned on the same instrument."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import gemmi
import numpy as np
from numpy.typing import NDArray

from mixrd.analysis.contents.amorphous import AbsoluteContent
from mixrd.crystal import Crystal, atoms_of_formula
from mixrd.diffraction import Radiation, mass_attenuation_cm2_g
from mixrd.errors import CompositionError, ParameterError, RefinementError

#: Relative standard uncertainty of a ratio of two calculated mass attenuations. They are the photoelectric
#: part, 2-5 % too low at Cu K alpha for most elements (`mixrd.diffraction.absorption_cross_section`), and
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


@dataclass(frozen=True, eq=False)
class ExternalResult:
    """What an external standard tells.

    Attributes
    ----------
    content : AbsoluteContent
        `mixrd.analysis.contents.amorphous.negative_amorphous` says whether there is more than the whole.
    attenuation_cm2_g : float
        Mass attenuation of the sample that was used.
    """

    content: AbsoluteContent
    attenuation_cm2_g: float


def external_constant(
    scale: float,
    scale_sigma: float,
    standard: Crystal,
    radiation: Radiation,
    *,
    crystallinity_percent: float = 100.0,
    crystallinity_sigma_percent: float = 0.0,
    attenuation_cm2_g: float | None = None,
) -> ExternalConstant:
    """The constant K of an instrument from the scale of a pure standard (O'Connor & Raven 1988).

    The forward model's column of a phase is m |F|^2 LP / (V M), that of unit mass without absorption. A flat
    sample that no ray passes through sends, in symmetric reflection and for a beam of constant width, the
    volume share v_p of it over twice its attenuation:

        I_p = C v_p / (2 mu) m |F|^2 LP / V^2,   v_p = w_p rho / rho_p,   rho_p = M / V
            = C w_p / (2 mu/rho) m |F|^2 LP / (V M)

    so that the refined scale (`Refinement.masses`) is s_p = K w_p / (mu/rho): the packing of the powder
    cancels, and K = s (mu/rho)_s / c of a standard with the crystalline share c holds for every sample at the
    same tube power, slits, radius and time per step (Powder Diffr. 3, 2; Jansen et al. 2011, Powder Diffr.
    26, 31). What the model has as sample parameters (thinness, roughness) is not in K.

    Parameters
    ----------
    scale, scale_sigma : float
        Of the standard's scan and its standard uncertainty.
    standard : Crystal
    radiation : Radiation
        Its strongest line counts.
    crystallinity_percent, crystallinity_sigma_percent : float
        Crystalline share of the standard, 1 to 100, and its standard uncertainty.
    attenuation_cm2_g : float, optional
        Mass attenuation of the standard; default calculated.

    Raises
    ------
    ParameterError
        If a value is outside its range.
    RefinementError
        If the scan shows no standard.
    """
    _within("crystallinity_percent", crystallinity_percent, 1.0, 100.0)
    _within("crystallinity_sigma_percent", crystallinity_sigma_percent, 0.0, crystallinity_percent / 2)
    if not (scale > 0 and 0 <= 3 * scale_sigma <= scale):
        raise RefinementError(
            f"the scan of the external standard shows no {standard.name} (scale {scale:.3g}, "
            f"uncertainty {scale_sigma:.2g})",
            remedy="Check that the file is the scan of this pure substance",
        )
    wavelength = radiation.wavelength_angstrom
    attenuation = attenuation_cm2_g
    if attenuation is None:
        attenuation = mass_attenuation_cm2_g(standard, wavelength)
    _within("attenuation_cm2_g", attenuation, 1e-3, 1e5)
    value = float(scale) * attenuation * 100 / crystallinity_percent
    relative = math.hypot(scale_sigma / scale, crystallinity_sigma_percent / crystallinity_percent)
    return ExternalConstant(value, value * relative, wavelength)


def external_content(
    crystals: Sequence[Crystal],
    scales: Sequence[float] | NDArray[np.float64],
    scales_covariance: NDArray[np.float64],
    constant: ExternalConstant,
    *,
    attenuation_cm2_g: float | None = None,
    amorphous_formula: str | None = None,
    time_ratio: float = 1.0,
    attenuation_sigma: float = ATTENUATION_SIGMA,
) -> ExternalResult:
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
    attenuation_cm2_g : float, optional
        Mass attenuation of the sample, of its chemical analysis; default calculated as above.
    amorphous_formula : str, optional
        Composition of the amorphous part, such as "SiO2".
    time_ratio : float
        Time per step of this scan over that of the standard's, 1e-3 to 1e3.
    attenuation_sigma : float
        Relative standard uncertainty of the sample's attenuation over the standard's, 0 to 0.5.

    Returns
    -------
    ExternalResult

    Raises
    ------
    CompositionError
        If scales and covariance do not fit the phases.
    ParameterError
        If a value is outside its range.
    RefinementError
        If no amount of anything explains scales as large as these.
    """
    s, spread = _scales(crystals, scales, scales_covariance)
    _within("time_ratio", time_ratio, 1e-3, 1e3)
    _within("attenuation_sigma", attenuation_sigma, 0.0, 0.5)
    a = s / (constant.value * time_ratio)
    mu, by_a = _sample_attenuation(crystals, a, constant, attenuation_cm2_g, amorphous_formula)
    weights = a * mu
    slope = mu * np.eye(len(a)) + np.outer(a, by_a)
    covariance = slope @ spread @ slope.T / (constant.value * time_ratio) ** 2
    by_constant = -slope @ a / constant.value
    covariance += np.outer(by_constant, by_constant) * constant.sigma**2
    covariance += np.outer(weights, weights) * attenuation_sigma**2
    names = tuple(crystal.name for crystal in crystals)
    return ExternalResult(AbsoluteContent(names, 100 * weights, 1e4 * covariance), mu)


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
    given: float | None,
    amorphous_formula: str | None,
) -> tuple[float, NDArray[np.float64]]:
    """Mass attenuation of the sample in cm^2/g and its derivatives by a, (P,)."""
    if given is not None:
        _within("attenuation_cm2_g", given, 1e-3, 1e5)
        return given, np.zeros_like(a)
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


def _scales(
    crystals: Sequence[Crystal],
    scales: Sequence[float] | NDArray[np.float64],
    covariance: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    s, spread = np.asarray(scales, dtype=np.float64), np.asarray(covariance, dtype=np.float64)
    count = len(crystals)
    if s.shape != (count,) or spread.shape != (count, count):
        raise CompositionError(
            f"{count} phases, but scales of shape {s.shape} and covariance of shape {spread.shape}",
            remedy="Give one scale a phase, and a square covariance",
        )
    if not (np.isfinite(s).all() and np.isfinite(spread).all() and (s >= 0).all() and s.sum() > 0):
        raise CompositionError(
            "scales or covariance are negative, not finite or all zero",
            remedy="Give the scales of a refinement that found something",
        )
    return s, spread


def _within(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise ParameterError(f"{name} is {value:g}", remedy=f"Allowed: {low:g} to {high:g}")
