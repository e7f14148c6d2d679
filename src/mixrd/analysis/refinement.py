"""Whole-pattern refinement of a scan through the forward model: what is free, and in which order."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.linalg import LinAlgError  # type: ignore[attr-defined]

from mixrd.analysis.least_squares import Fit, Priors, covariance, fit
from mixrd.crystal import Crystal
from mixrd.diffraction import Scattering
from mixrd.errors import ParameterError, RefinementError
from mixrd.pattern import Axis, ForwardModel, Instrument, background_basis

#: Blur (fwhm in degrees) of the coarse fits before the scan itself: they find the basin of the cells.
STAGES_DEG = (0.8, 0.3)
#: Points of the merged grid over the fwhm of the blur.
_POINTS_PER_BLUR = 4
#: Relative decrease of the cost at which a coarse fit has done its work.
COARSE_DECREASE = 1e-3
BACKGROUND_DEGREE = 10
#: Where a refinement of the surface's roughness begins.
_ROUGHNESS_START = 0.1


@dataclass(frozen=True)
class Restraints:
    """What is believed of a sample before the scan is seen: standard deviations of Gaussian restraints.

    They are wide against what a strong phase's data say and keep a trace phase from wandering.

    Attributes
    ----------
    strain : float
        Of each strain component, relative.
    inverse_size_per_nm : float
        Of 1/L around 0 (0.02: crystallites mostly above 50 nm).
    microstrain : float
    width : float
        Of the Gaussian terms u, v, w around the instrument's, in deg^2.
    lorentzian_width : float
        Of x and y around the instrument's, in degrees.
    sh_l : float
        Of the axial divergence around the instrument's; 0 holds it (only a standard tells it well).
    texture : float
        Of March-Dollase r around 1; 0 holds it.
    aspect : float
        Of the crystallites' aspect along their size axis around 1; 0 holds it.
    zero : float
        In degrees 2theta.
    displacement_mm : float
    thinness, penetration_mm : float
        Of 1/(mu t) and 1/mu around 0; 0 holds them.
    roughness : float
        Of both terms of the surface roughness around 0; 0 holds them.
    """

    strain: float = 0.005
    inverse_size_per_nm: float = 0.02
    microstrain: float = 0.001
    width: float = 0.002
    lorentzian_width: float = 0.01
    sh_l: float = 0.0
    texture: float = 0.0
    aspect: float = 0.0
    zero: float = 0.03
    displacement_mm: float = 0.1
    thinness: float = 0.0
    penetration_mm: float = 0.0
    roughness: float = 0.0


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
        Total mass of all phases over its standard uncertainty: what the fractions are fractions of.
    strain : list of (K,) array
        Of each phase, along its strain basis.
    strain_sigma : list of (K,) array
    inverse_size_per_nm, inverse_size_sigma, microstrain : (P,) array
    texture, aspect : (P,) array
        March-Dollase r and aspect of crystallites, 1 where they were not refined.
    profile : (6,) array
        u, v, w, x, y, sh_l.
    zero_deg, displacement_mm : float
    calculated, background : (N,) array
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
    profile: NDArray[np.float64]
    zero_deg: float
    displacement_mm: float
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
    with _threads_for(len(counts)), _solvable():
        model = ForwardModel(
            crystals,
            instrument,
            two_theta,
            texture_axes=texture_axes,
            size_axes=size_axes,
            scattering=scattering,
        )
        priors = make_priors(model, restraints or Restraints(), fixed)
        flat = _start(model, len(counts), priors) if start is None else start.to(torch.float64)
        for blur in stages_deg:
            flat = _blurred_stage(crystals, instrument, two_theta, counts, sigma, flat, priors, blur, on_step)
        basis = background_basis(model.two_theta, degree=BACKGROUND_DEGREE)
        observed, error = torch.tensor(counts), torch.tensor(sigma)
        result = fit(model, basis, observed, error, flat, priors, on_step=on_step)
        spread = covariance(result, priors)
        return [_collect(model, basis, result, spread, observed, error, b) for b in range(len(counts))]


@contextmanager
def _threads_for(batch: int) -> Iterator[None]:
    """One thread for one scan: the problem is too small to share, threads only wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1 if batch == 1 else threads)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _start(model: ForwardModel, batch: int, priors: Priors) -> Tensor:
    flat = model.reference(batch).flat()
    roughness = model.columns_of("roughness")
    # Where both terms are zero, neither changes anything: a fit would never leave that point.
    flat[:, roughness] = torch.where(priors.sigma[roughness] > 0, _ROUGHNESS_START, 0.0)
    return flat


@contextmanager
def _solvable() -> Iterator[None]:
    try:
        yield
    except LinAlgError as error:
        raise RefinementError(
            f"the equations of the fit could not be solved ({error})",
            remedy="Look at the scan; leave out candidates that are not in it",
        ) from None


def make_priors(model: ForwardModel, restraints: Restraints, fixed: Sequence[str]) -> Priors:
    """Restraints and bounds in the order of the flat parameters."""
    reference = model.reference()
    if unknown := set(fixed) - {field.name for field in dataclasses.fields(reference)}:
        raise ParameterError(
            f"fixed names {', '.join(sorted(unknown))}",
            remedy=f"Allowed: {', '.join(field.name for field in dataclasses.fields(reference))}",
        )
    r = restraints
    settings = {  # sigma, lower, upper
        "strain": (r.strain, -0.06, 0.06),
        "inverse_size": (r.inverse_size_per_nm, 0.0, 0.5),
        "microstrain": (r.microstrain, 0.0, 0.02),
        "texture": (r.texture, 0.2, 3.0),
        "aspect": (r.aspect, 0.05, 20.0),
        "thinness": (r.thinness, 0.0, 100.0),
        "penetration": (r.penetration_mm, 0.0, 10.0),
        "roughness": (r.roughness, 0.0, 1.0),
        "zero": (r.zero, -0.5, 0.5),
        "displacement": (r.displacement_mm, -1.5, 1.5),
    }
    mean, sigma, lower, upper = [], [], [], []
    for field in dataclasses.fields(reference):
        value = getattr(reference, field.name)[0]
        mean.append(value)
        if field.name == "profile":
            width, lorentz = r.width, r.lorentzian_width
            rows = (
                [width, width, width, lorentz, lorentz, r.sh_l if model.instrument.profile.sh_l > 0 else 0.0],
                [-1.0, -1.0, 1e-5, 0.0, 0.0, 0.0],
                [1.0, 1.0, 1.0, 0.5, 0.5, 0.15],
            )
            spread, low, high = (value.new_tensor(row) for row in rows)
        else:
            spread, low, high = (torch.full_like(value, x) for x in settings[field.name])
        sigma.append(torch.zeros_like(spread) if field.name in fixed else spread)
        lower.append(low)
        upper.append(high)
    return Priors(*(torch.cat(x) for x in (mean, sigma, lower, upper)))


def _blurred_stage(
    crystals: Sequence[Crystal],
    instrument: Instrument,
    two_theta: NDArray[np.float64],
    counts: NDArray[np.float64],
    sigma: NDArray[np.float64],
    flat: Tensor,
    priors: Priors,
    blur_deg: float,
    on_step: Callable[[int, float], None] | None,
) -> Tensor:
    """Flat parameters of a coarse fit: scan and model blurred by a Gaussian of this fwhm, fewer points."""
    step = float((two_theta[-1] - two_theta[0]) / (len(two_theta) - 1))
    merged = max(1, int(blur_deg / _POINTS_PER_BLUR / step))
    grid = _merge(torch.tensor(two_theta), merged)
    observed = _merge(_blurred(torch.tensor(counts), step, blur_deg), merged)
    error = (_merge(torch.tensor(sigma) ** 2, merged) / merged).sqrt()
    model = ForwardModel(crystals, instrument, grid.numpy(), widest_fwhm=max(0.5, blur_deg))
    # A blurred scan says nothing of the instrument's profile; its Gaussian width w takes the blur.
    profile = model.columns_of("profile")
    widening = torch.zeros_like(flat)
    widening[:, profile.start + 2] = blur_deg**2
    sigma_held = priors.sigma.clone()
    sigma_held[profile] = 0.0
    shifted = Priors(
        mean=priors.mean + widening[0],
        sigma=sigma_held,
        lower=priors.lower + widening[0],
        upper=priors.upper + widening[0],
    )
    basis = background_basis(model.two_theta, degree=BACKGROUND_DEGREE)
    coarse = fit(
        model, basis, observed, error, flat + widening, shifted, on_step=on_step, enough=COARSE_DECREASE
    )
    return coarse.flat - widening


def _merge(values: Tensor, count: int) -> Tensor:
    """Means of `count` neighbours each along the last axis; what is left over is dropped."""
    length = values.shape[-1] // count * count
    means: Tensor = values[..., :length].unflatten(-1, (-1, count)).mean(-1)
    return means


def _blurred(counts: Tensor, step: float, fwhm: float) -> Tensor:
    reach = min(int(2 * fwhm / step) + 1, counts.shape[-1] - 1)
    offset = torch.arange(-reach, reach + 1, dtype=counts.dtype) * step
    kernel = torch.exp(-4 * np.log(2.0) * (offset / fwhm) ** 2)
    padded = torch.nn.functional.pad(counts.unsqueeze(1), (reach, reach), mode="replicate")
    return torch.nn.functional.conv1d(padded, (kernel / kernel.sum())[None, None]).squeeze(1)


def _collect(
    model: ForwardModel, basis: Tensor, result: Fit, spread: Tensor, observed: Tensor, error: Tensor, b: int
) -> Refinement:
    phases = len(model.tables)
    masses = result.linear.coefficients[b, :phases]
    total = masses.sum().clamp_min(1e-30)
    fractions = masses / total
    # w_i = m_i / M, so dw_i/dm_j = (delta_ij - w_i) / M.
    slope = (torch.eye(phases, dtype=masses.dtype) - fractions.unsqueeze(1)) / total
    fraction_covariance = slope @ spread[b, :phases, :phases] @ slope.T
    parameters = model.from_flat(result.flat[b : b + 1])
    offset = len(result.linear.coefficients[b])
    deviations = spread[b].diagonal().clamp_min(0).sqrt()[offset:]
    sigmas = model.from_flat(deviations.unsqueeze(0))
    contributions = result.linear.design[b, :phases] * error[b] * masses.unsqueeze(-1)
    background = result.linear.coefficients[b, phases:] @ basis
    weighted = (observed[b] / error[b]) ** 2
    free = int((deviations > 0).sum()) + int(result.linear.active[b].sum())
    return Refinement(
        weight_fractions=fractions.numpy(),
        covariance=fraction_covariance.numpy(),
        significance=float(masses.sum() / spread[b, :phases, :phases].sum().clamp_min(1e-300).sqrt()),
        strain=[s[0].numpy() for s in parameters.strain.split(model.strain_sizes, dim=-1)],
        strain_sigma=[s[0].numpy() for s in sigmas.strain.split(model.strain_sizes, dim=-1)],
        inverse_size_per_nm=parameters.inverse_size[0].numpy(),
        inverse_size_sigma=sigmas.inverse_size[0].numpy(),
        microstrain=parameters.microstrain[0].numpy(),
        texture=parameters.texture[0].numpy(),
        aspect=parameters.aspect[0].numpy(),
        profile=parameters.profile[0].numpy(),
        zero_deg=float(parameters.zero),
        displacement_mm=float(parameters.displacement),
        calculated=(contributions.sum(0) + background).numpy(),
        background=background.numpy(),
        contributions=contributions.numpy(),
        r_wp=float(((result.linear.residual[b] ** 2).sum() / weighted.sum()).sqrt()),
        r_exp=float((max(len(observed[b]) - free, 1) / weighted.sum()).sqrt()),
        converged=bool(result.converged[b]),
    )
