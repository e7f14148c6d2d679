"""The mass that the hump of an amorphous substance stands for, and contents that follow from it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from mixrd.analysis.amorphous import AbsoluteContent
from mixrd.analysis.amorphous_component import AmorphousComponent
from mixrd.analysis.bound import fraction_slope
from mixrd.analysis.external_standard import ATTENUATION_SIGMA, ExternalConstant
from mixrd.errors import CompositionError, ParameterError, RefinementError


def calibrate_by_mixture(
    component: AmorphousComponent,
    area: float,
    scale: float,
    *,
    amorphous_percent: float,
    standard_percent: float,
    area_sigma: float = 0.0,
    scale_sigma: float = 0.0,
) -> AmorphousComponent:
    """The component with the mass of its area, from a mixture of known amorphous content.

    Both absorb in the same mixture, so masses are as weighed: m_a / m_s = w_a / w_s with m_s the scale of a
    crystalline phase, and k = m_a / A is the mass of one count times degree (Scarlett & Madsen 2006, Powder
    Diffr. 21, 278, whose calibrated ZMV is this up to units).

    Parameters
    ----------
    component : AmorphousComponent
    area : float
        Coefficient that a fit of the mixture found for the component not calibrated.
    scale : float
        Of the crystalline phase in the same fit.
    amorphous_percent, standard_percent : float
        Weighed amounts of both in wt%, above 0, together at most 100.
    area_sigma, scale_sigma : float
        Standard uncertainties.

    Raises
    ------
    ParameterError
        If the percentages are outside their range.
    RefinementError
        If the fit found none of one of them.
    """
    percents = (amorphous_percent, standard_percent)
    if not (min(percents) > 0 and sum(percents) <= 100 * (1 + 1e-9)):
        raise ParameterError(
            f"amorphous and crystalline share are {percents[0]:g} and {percents[1]:g} wt%",
            remedy="Give both above 0 and together at most 100",
        )
    if not (area > 0 and scale > 0):
        raise RefinementError(
            f"the fit of the calibration mixture found an area of {area:g} of {component.name} and a "
            f"scale of {scale:g} of the crystalline phase",
            remedy="Check the shape and the phases of the calibration mixture",
        )
    mass = scale * amorphous_percent / standard_percent
    return component.calibrated(mass / area, math.hypot(area_sigma / area, scale_sigma / scale))


def calibrate_by_constant(
    component: AmorphousComponent,
    constant: ExternalConstant,
    attenuation_cm2_g: float,
    *,
    time_ratio: float = 1.0,
    attenuation_sigma: float = ATTENUATION_SIGMA,
) -> AmorphousComponent:
    """The component with the mass of its area, from its pure scan beside that of a crystalline standard.

    The pure material is all there is in its scan, so its scale is s = K / (mu/rho)_a
    (`mixrd.analysis.external_standard.external_constant`), and k = s / A with the area A of the scan. The
    instrument's own background must be off the shape, else it counts as material.

    Parameters
    ----------
    component : AmorphousComponent
        Of a measured scan.
    constant : ExternalConstant
        Of the same instrument.
    attenuation_cm2_g : float
        Mass attenuation of the material (`mixrd.analysis.external_standard.formula_attenuation_cm2_g`).
    time_ratio : float
        Time per step of its scan over that of the standard's.
    attenuation_sigma : float
        Relative standard uncertainty of the ratio of both attenuations.

    Raises
    ------
    ParameterError
        If the shape is drawn, or a value not above 0.
    """
    if component.scan_area is None:
        raise ParameterError(
            f"the shape of {component.name} is drawn: no scan of the pure material calibrates it",
            remedy="Give a measured scan, or calibrate with a mixture of known content",
        )
    if not (attenuation_cm2_g > 0 and time_ratio > 0):
        raise ParameterError(
            f"mass attenuation {attenuation_cm2_g:g} cm2/g, time ratio {time_ratio:g}",
            remedy="Give both above 0",
        )
    scale = constant.value * time_ratio / attenuation_cm2_g
    relative = math.hypot(constant.sigma / constant.value, attenuation_sigma)
    return component.calibrated(scale / component.scan_area, relative)


def content_with_components(
    names: Sequence[str],
    masses: Sequence[float] | NDArray[np.float64],
    covariance: NDArray[np.float64],
    components: Sequence[AmorphousComponent],
) -> AbsoluteContent:
    """Contents of a fit that had calibrated amorphous components beside the phases.

    Parameters
    ----------
    names : sequence of str
        The P crystalline phases.
    masses : (P + E,) sequence
        Coefficients of the fit: scales of the phases, then those of the components.
    covariance : (P + E, P + E) array
    components : sequence of AmorphousComponent
        The E components, calibrated.

    Returns
    -------
    AbsoluteContent
        Of the crystalline phases; what all components hold together is its amorphous content.

    Raises
    ------
    CompositionError
        If arrays and names do not fit together, or nothing was found.
    ParameterError
        If a component is not calibrated.
    """
    m, spread = np.asarray(masses, dtype=np.float64), np.array(covariance, dtype=np.float64)
    count = len(names) + len(components)
    if m.shape != (count,) or spread.shape != (count, count):
        raise CompositionError(
            f"{count} phases and components, but masses of shape {m.shape}, covariance {spread.shape}",
            remedy="Give one mass a phase and component, and a square covariance",
        )
    if not (np.isfinite(m).all() and (m >= 0).all() and m.sum() > 0):
        raise CompositionError(
            "masses are negative, not finite or all zero", remedy="Give those of a fit that found something"
        )
    for i, component in enumerate(components, start=len(names)):
        if component.mass_per_area is None:
            raise ParameterError(
                f"the amorphous component {component.name} is not calibrated: its area has no mass",
                remedy="Calibrate it with a mixture of known content or an external standard",
            )
        spread[i, i] += (component.relative_sigma * m[i]) ** 2
    fractions = m / m.sum()
    slope = fraction_slope(torch.from_numpy(m)).numpy()
    phases = len(names)
    part = (slope @ spread @ slope.T)[:phases, :phases]
    return AbsoluteContent(tuple(names), 100 * fractions[:phases], 1e4 * part)


def count_shares(columns: NDArray[np.float64], coefficients: NDArray[np.float64]) -> NDArray[np.float64]:
    """(C,) share of each column in all counts above the background: how much scatters, not how much there is.

    Parameters
    ----------
    columns : (C, N) array
        Patterns of the phases and components on one grid.
    coefficients : (C,) array
    """
    counts = coefficients * columns.sum(axis=-1)
    return np.asarray(counts / max(float(counts.sum()), 1e-300))
