"""Whole-pattern refinement of a scan through the forward model: what is free, and in which order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mixrd.crystal import Crystal
from mixrd.diffraction import Scattering
from mixrd.fit.bound import fraction_slope
from mixrd.fit.coarse_fit import CoarseScan
from mixrd.fit.covariance import covariance
from mixrd.fit.least_squares import Priors
from mixrd.fit.lockstep import one_thread, solvable
from mixrd.fit.pattern_fit import Fit, fit
from mixrd.fit.restraints import Restraints, make_priors
from mixrd.pattern import Axis, ForwardModel, Instrument, background_basis

#: Blur (fwhm in degrees) of the coarse fits before the scan itself: they find the basin of the cells.
STAGES_DEG = (0.8, 0.3)
#: Of the Chebyshev polynomials of the background.
BACKGROUND_DEGREE = 10
#: Total mass over its standard uncertainty below which nothing was found.
LEAST_TOTAL_SIGNIFICANCE = 5.0


@dataclass(frozen=True, eq=False)
class Refinement:
    """What a refinement gives, one scan.

    Attributes
    ----------
    weight_fractions : (P,) array
        Sum to 1 (zero everywhere if no phase was found).
    covariance : (P, P) array
        Of the weight fractions.
    significance : float
        Total mass of all phases over its standard uncertainty beside the background alone: what the
        fractions are fractions of. A rough surface whose depth is uncertain makes no phase doubtful.
    strain : list of (K,) array
        Of each phase, along its strain basis.
    strain_sigma : list of (K,) array
    inverse_size_per_nm, inverse_size_sigma, microstrain : (P,) array
    texture, aspect : (P,) array
        March-Dollase r and aspect of crystallites, 1 where they were not refined.
    texture_sigma : (P,) array
    profile : (6,) array
        u, v, w, x, y, sh_l.
    zero_deg, displacement_mm : float
    corrections, corrections_sigma : mapping
        Values of the corrections of all lines by field of `Parameters` (`roughness`: share and optical depth,
        ...), 0 where they were not refined, and their standard uncertainties.
    masses : (P,) array
        In the unit of the scan times that of the forward model's patterns of unit mass.
    mass_covariance : (P, P) array
    noise_sigma : (P,) array
        Standard uncertainties of the masses by noise alone: what tells whether a trace can be seen.
    two_theta, calculated, background : (N,) array
    contributions : (P, N) array
        Pattern of each phase.
    r_wp, r_exp : float
        Weighted-profile and expected R factors, 0-1.
    converged : bool
    """

    weight_fractions: NDArray[np.float64]
    covariance: NDArray[np.float64]
    significance: float
    strain: list[NDArray[np.float64]]
    strain_sigma: list[NDArray[np.float64]]
    inverse_size_per_nm: NDArray[np.float64]
    inverse_size_sigma: NDArray[np.float64]
    microstrain: NDArray[np.float64]
    texture: NDArray[np.float64]
    aspect: NDArray[np.float64]
    texture_sigma: NDArray[np.float64]
    profile: NDArray[np.float64]
    zero_deg: float
    displacement_mm: float
    corrections: Mapping[str, tuple[float, ...]]
    corrections_sigma: Mapping[str, tuple[float, ...]]
    masses: NDArray[np.float64]
    mass_covariance: NDArray[np.float64]
    noise_sigma: NDArray[np.float64]
    two_theta: NDArray[np.float64]
    calculated: NDArray[np.float64]
    background: NDArray[np.float64]
    contributions: NDArray[np.float64]
    r_wp: float
    r_exp: float
    converged: bool


def refine(
    crystals: Sequence[Crystal],
    instrument: Instrument,
    two_theta: NDArray[np.float64],
    counts: NDArray[np.float64],
    sigma: NDArray[np.float64],
    *,
    start: Tensor | None = None,
    stages_deg: Sequence[float] = STAGES_DEG,
    restraints: Restraints | None = None,
    fixed: Sequence[str] = (),
    texture_axes: Mapping[str, Axis] | None = None,
    size_axes: Mapping[str, Axis] | None = None,
    scattering: Scattering = Scattering(),  # noqa: B008
    on_step: Callable[[int, float], None] | None = None,
) -> list[Refinement]:
    """Refine scales, cells, sizes, microstrains, zero, displacement, profile and background.

    Parameters
    ----------
    crystals : sequence of Crystal
    instrument : Instrument
    two_theta : (N,) array
        Grid in degrees, common to the batch.
    counts, sigma : (B, N) array
        Scans and their standard uncertainties.
    start : (B, T) tensor, optional
        Flat parameters to start from (a network's estimate); default the instrument's, unstrained.
    stages_deg : sequence of float
        Blur of the coarse fits before the sharp one, see `STAGES_DEG`; may be empty.
    restraints : Restraints, optional
    fixed : sequence of str
        Names of `Parameters` fields to hold at their start.
    texture_axes : mapping, optional
        Axis (h, k, l) by phase name: there March-Dollase r is refined (`Restraints.texture`).
    size_axes : mapping, optional
        Axis (h, k, l) by phase name: there the aspect of crystallites is refined (`Restraints.aspect`).
    scattering : Scattering
        What atoms do besides f0.
    on_step : callable, optional
        Called after each step with its number and the mean cost.

    Returns
    -------
    list of Refinement
        One for each of the B scans.

    Raises
    ------
    RefinementError
        If the equations are singular beyond what damping mends.
    ParameterError
        If `fixed` names no field of `Parameters`.
    """
    with one_thread(), solvable():
        model = ForwardModel(
            crystals,
            instrument,
            two_theta,
            texture_axes=texture_axes,
            size_axes=size_axes,
            scattering=scattering,
        )
        priors = make_priors(model, restraints or Restraints(), fixed)
        flat = first_parameters(model, len(counts), priors) if start is None else start.to(torch.float64)
        for blur in stages_deg:
            coarse = CoarseScan.of(model, two_theta, counts, sigma, priors, blur)
            flat = coarse.fitted(flat, on_step)
        basis = background_basis(model.two_theta, degree=BACKGROUND_DEGREE)
        observed, error = torch.tensor(counts), torch.tensor(sigma)
        result = fit(model, basis, observed, error, flat, priors, on_step=on_step)
        spread = covariance(result, priors)
        return [collect(model, basis, result, spread, spread, observed, error, b) for b in range(len(counts))]


def first_parameters(model: ForwardModel, batch: int, priors: Priors) -> Tensor:
    """(B, T) flat parameters to start from: unstrained, as the instrument has them."""
    flat = model.reference(batch).flat()
    for quantity in model.quantities:
        place = model.columns_of(quantity.name)
        if quantity.start is not None and bool((priors.sigma[place] > 0).all()):
            flat[:, place] = quantity.start
    return flat


def collect(
    model: ForwardModel,
    basis: Tensor,
    result: Fit,
    spread: Tensor,
    noise: Tensor,
    observed: Tensor,
    error: Tensor,
    b: int,
) -> Refinement:
    """What the fit of scan b says, with covariances of everything, (B, C, C): in all, and by noise alone."""
    phases = len(model.tables)
    masses = result.linear.coefficients[b, :phases]
    total = masses.sum().clamp_min(1e-30)
    fractions = masses / total
    slope = fraction_slope(masses.clamp_min(0) + 1e-30)
    fraction_covariance = slope @ spread[b, :phases, :phases] @ slope.T
    parameters = model.from_flat(result.flat[b : b + 1])
    offset = len(result.linear.coefficients[b])
    deviations = spread[b].diagonal().clamp_min(0).sqrt()[offset:]
    sigmas = model.from_flat(deviations.unsqueeze(0))
    corrections = [correction.field for correction in model.corrections]
    contributions = result.linear.design[b, :phases] * error[b] * masses.unsqueeze(-1)
    background = result.linear.coefficients[b, phases:] @ basis
    weighted = (observed[b] / error[b]) ** 2
    free = int((deviations > 0).sum()) + int(result.linear.active[b].sum())
    return Refinement(
        weight_fractions=fractions.numpy(),
        covariance=fraction_covariance.numpy(),
        significance=significance(result, phases, b),
        strain=[s[0].numpy() for s in parameters.strain.split(model.strain_sizes, dim=-1)],
        strain_sigma=[s[0].numpy() for s in sigmas.strain.split(model.strain_sizes, dim=-1)],
        inverse_size_per_nm=parameters.inverse_size[0].numpy(),
        inverse_size_sigma=sigmas.inverse_size[0].numpy(),
        microstrain=parameters.microstrain[0].numpy(),
        texture=parameters.texture[0].numpy(),
        aspect=parameters.aspect[0].numpy(),
        texture_sigma=sigmas.texture[0].numpy(),
        profile=parameters.profile[0].numpy(),
        zero_deg=float(parameters.zero),
        displacement_mm=float(parameters.displacement),
        corrections={name: tuple(parameters.values[name][0].tolist()) for name in corrections},
        corrections_sigma={name: tuple(sigmas.values[name][0].tolist()) for name in corrections},
        masses=masses.numpy(),
        mass_covariance=spread[b, :phases, :phases].numpy(),
        noise_sigma=noise[b].diagonal()[:phases].clamp_min(0).sqrt().numpy(),
        two_theta=model.two_theta.numpy(),
        calculated=(contributions.sum(0) + background).numpy(),
        background=background.numpy(),
        contributions=contributions.numpy(),
        r_wp=float(((result.linear.residual[b] ** 2).sum() / weighted.sum()).sqrt()),
        r_exp=float((max(len(observed[b]) - free, 1) / weighted.sum()).sqrt()),
        converged=bool(result.converged[b]),
    )


def significance(result: Fit, phases: int, b: int) -> float:
    """Total mass over its standard uncertainty, lines and widths as they were fitted."""
    design = result.linear.design[b]
    norm = design.norm(dim=1).clamp_min(1e-30)
    scaled = design / norm.unsqueeze(1)
    inverse = torch.linalg.pinv(scaled @ scaled.T, hermitian=True) / (norm.unsqueeze(1) * norm)
    reduced = result.linear.residual[b].square().mean().clamp_min(1.0)
    variance = inverse[:phases, :phases].sum().clamp_min(1e-300) * reduced
    return float(result.linear.coefficients[b, :phases].sum() / variance.sqrt())
