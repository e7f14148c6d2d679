"""Microabsorption: phases that absorb more than the mixture appear to be less than they are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import brentq

from mixrd.crystal import Crystal
from mixrd.diffraction import Radiation, brindley_factor, linear_attenuation_per_mm, powder_class
from mixrd.errors import ParameterError, RefinementError
from mixrd.mixture.composition import Composition

#: Particle diameters in micrometres that Brindley's factor is calculated for; 0 stands for a fine powder.
SIZE_RANGE_UM = (1e-3, 1e4)


def solid_attenuations_per_mm(crystals: Sequence[Crystal], radiation: Radiation) -> NDArray[np.float64]:
    """(P,) linear attenuation of each solid phase at the strongest line, in 1/mm."""
    wavelength = radiation.wavelength_angstrom
    return np.array([linear_attenuation_per_mm(crystal, wavelength) for crystal in crystals])


def mean_attenuation_per_mm(
    crystals: Sequence[Crystal], weights: Sequence[float] | NDArray[np.float64], radiation: Radiation
) -> float:
    """Linear attenuation of the mixture's solids without pores, weighted by volume, in 1/mm.

    Times the packing fraction it is that of the powder.

    Parameters
    ----------
    crystals : sequence of Crystal
    weights : (P,) sequence
        Weight fractions; scaled to sum to 1.
    radiation : Radiation

    Raises
    ------
    CompositionError
        If the weights are not fractions of the crystals.
    """
    return float(_volumes(crystals, weights) @ solid_attenuations_per_mm(crystals, radiation))


def brindley_factors(
    crystals: Sequence[Crystal],
    weights: Sequence[float] | NDArray[np.float64],
    radiation: Radiation,
    particle_size_um: float | Sequence[float] | NDArray[np.float64],
) -> NDArray[np.float64]:
    """Factor tau of each phase's intensity by microabsorption (Brindley 1945, Phil. Mag. 36, 347).

    A phase of the true mass m appears with m tau. tau is above 1 for phases that absorb less than the
    mixture; all are 1 where all absorb alike or the particles are fine.

    Parameters
    ----------
    crystals : sequence of Crystal
    weights : (P,) sequence
        True weight fractions; scaled to sum to 1.
    radiation : Radiation
        Its strongest line counts.
    particle_size_um : float or (P,) sequence
        Diameter of the particles (not of the crystallites) in micrometres, of all phases or of each; 1e-3 to
        1e4, or 0 for particles too fine to matter.

    Returns
    -------
    (P,) array

    Raises
    ------
    ParameterError
        If a size is outside its range, or so large that the formula no longer holds.
    CompositionError
        If the weights are not fractions of the crystals.

    See Also
    --------
    mixrd.diffraction.brindley_factor : the formula and where it holds.
    """
    sizes = _sizes(crystals, particle_size_um)
    mu = solid_attenuations_per_mm(crystals, radiation)
    return _factors(crystals, mu, float(_volumes(crystals, weights) @ mu), sizes)


def true_weights(
    crystals: Sequence[Crystal],
    apparent: Sequence[float] | NDArray[np.float64],
    radiation: Radiation,
    particle_size_um: float | Sequence[float] | NDArray[np.float64],
) -> NDArray[np.float64]:
    """Weight fractions of which microabsorption makes the apparent ones: inverse of `brindley_factors`.

    The factors follow from the mean attenuation of the true mixture alone. So the one that reproduces itself
    is sought (Brent's method), between those of the least and the most absorbing phase, where it must lie.

    Parameters
    ----------
    crystals : sequence of Crystal
    apparent : (P,) sequence
        Apparent weight fractions, of a refinement without this correction; scaled to sum to 1.
    radiation, particle_size_um
        As in `brindley_factors`.

    Returns
    -------
    (P,) array
        They sum to 1.

    Raises
    ------
    ParameterError, CompositionError
        As `brindley_factors`.
    RefinementError
        If no mixture of these phases appears like this.
    """
    sizes = _sizes(crystals, particle_size_um)
    mu = solid_attenuations_per_mm(crystals, radiation)
    masses = np.array(Composition(_names(crystals), tuple(map(float, apparent))).fractions)

    def weights(mean: float) -> NDArray[np.float64]:
        corrected = masses / _factors(crystals, mu, mean, sizes)
        return np.asarray(corrected / corrected.sum())

    def surplus(mean: float) -> float:
        return float(_volumes(crystals, weights(mean)) @ mu) - mean

    # Widened, so that rounding cannot hide the sign at the ends.
    low, high = float(mu.min()) * (1 - 1e-9), float(mu.max()) * (1 + 1e-9)
    try:
        return weights(brentq(surplus, low, high, xtol=1e-12 * high, rtol=1e-14))
    except (ValueError, RuntimeError) as problem:
        raise RefinementError(
            f"no true weights belong to these apparent ones ({problem})",
            remedy="Check the particle sizes (micrometres): microabsorption is corrected for fine powders",
        ) from None


def powder_classes(
    crystals: Sequence[Crystal],
    radiation: Radiation,
    particle_size_um: float | Sequence[float] | NDArray[np.float64],
) -> tuple[str, ...]:
    """Class of each phase's powder by mu D: "fine", "medium", "coarse" or "very coarse".

    Raises
    ------
    ParameterError
        If a size is outside its range.

    See Also
    --------
    mixrd.diffraction.powder_class : the limits.
    """
    sizes = _sizes(crystals, particle_size_um)
    mu = solid_attenuations_per_mm(crystals, radiation)
    return tuple(
        "fine" if size == 0 else powder_class(float(one), float(size))
        for one, size in zip(mu, sizes, strict=True)
    )


def _factors(
    crystals: Sequence[Crystal], mu: NDArray[np.float64], mean: float, sizes: NDArray[np.float64]
) -> NDArray[np.float64]:
    factors = np.ones(len(crystals))
    some = sizes > 0
    try:
        factors[some] = brindley_factor(
            torch.from_numpy(mu[some] - mean), torch.from_numpy(sizes[some])
        ).numpy()
    except ParameterError as problem:
        worst = crystals[int(np.abs((mu - mean) * sizes).argmax())]
        raise ParameterError(f"{worst.name}: {problem.cause}", remedy=problem.remedy) from None
    return factors


def _sizes(
    crystals: Sequence[Crystal], particle_size_um: float | Sequence[float] | NDArray[np.float64]
) -> NDArray[np.float64]:
    given = np.atleast_1d(np.asarray(particle_size_um, dtype=np.float64))
    if given.shape not in ((1,), (len(crystals),)):
        raise ParameterError(
            f"{given.size} particle sizes are given for {len(crystals)} phases",
            remedy="Give one for all phases, or one for each",
        )
    sizes = np.broadcast_to(given, (len(crystals),))
    low, high = SIZE_RANGE_UM
    for crystal, size in zip(crystals, sizes, strict=True):
        if not (size == 0 or low <= size <= high):
            raise ParameterError(
                f"particle_size_um of {crystal.name} is {size:g}",
                remedy=f"Allowed: {low:g} to {high:g} um, or 0 for a fine powder",
            )
    return sizes


def _volumes(
    crystals: Sequence[Crystal], weights: Sequence[float] | NDArray[np.float64]
) -> NDArray[np.float64]:
    composition = Composition(_names(crystals), tuple(map(float, weights)))
    return np.array(composition.to("volume", crystals).fractions)


def _names(crystals: Sequence[Crystal]) -> tuple[str, ...]:
    return tuple(crystal.name for crystal in crystals)
