"""Sizes of particles that are likely, and weight fractions as uncertain as they are (microabsorption)."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import ndtri
from torch.quasirandom import SobolEngine

from mixrd.crystal import Crystal
from mixrd.diffraction import Radiation, brindley_factor
from mixrd.diffraction.attenuation import BRINDLEY_CLASSES
from mixrd.errors import ParameterError
from mixrd.mixture import Composition, solid_attenuations_per_mm, true_weights

#: Median diameter in micrometres of particles of which nothing is known, and the factor that is one standard
#: deviation of its logarithm. Powders ground by hand in a mortar are 5-20 um, those from a micronising mill
#: 1-5 um (its maker and users state 1-4 um after some minutes), fine reagents about 1 um, agglomerates aside.
#: What absorbs is not the powder grain alone but what it is densely made of, so that the small end counts:
#: 1 um within a factor of 2.5 is 0.4-2.5 um in two of three cases and 0.16-6 um in nineteen of twenty.
UNKNOWN_SIZE_UM = 1.0
UNKNOWN_SPREAD = 2.5
#: The same factor for a size that a user states: a diameter of particles not alike in size and shape.
KNOWN_SPREAD = 1.5
#: |mu - mean| D beyond which Brindley's factor is held: there powders are very coarse by his measure and the
#: formula says nothing.
LARGEST_CONTRAST = BRINDLEY_CLASSES["coarse"]
#: Sets of sizes, half of them mirror images of the others.
_DRAWS = 512
_TABLE_POINTS = 801
_BISECTIONS = 32


@dataclass(frozen=True, eq=False)
class MicroabsorptionUncertainty:
    """What sizes of particles that are not known well do to weight fractions.

    Attributes
    ----------
    weights : (P,) array
        Fractions corrected for particles of the median size; sum 1.
    mean_shift : (P,) array
        Mean over all sizes of the true fractions, less the apparent ones: what a result is moved by where the
        sizes are not known.
    covariance : (P, P) array
        Of the true fractions about that mean.
    """

    weights: NDArray[np.float64]
    mean_shift: NDArray[np.float64]
    covariance: NDArray[np.float64]


def microabsorption_uncertainty(
    crystals: Sequence[Crystal],
    weights: Sequence[float] | NDArray[np.float64],
    radiation: Radiation,
    particle_size_um: float | Sequence[float] | NDArray[np.float64] | None = None,
    *,
    spread: float | None = None,
) -> MicroabsorptionUncertainty:
    """Covariance of weight fractions due to the sizes of the particles.

    Each phase's diameter is log-normal and independent of the others'; for `_DRAWS` sets of sizes, a Sobol
    sequence (Sobol 1967) and its mirror image, the true fractions that appear as `weights` are found. The
    result is the same at every call.

    Parameters
    ----------
    crystals : sequence of Crystal
    weights : (P,) sequence
        Apparent weight fractions, of a refinement without correction; scaled to sum to 1.
    radiation : Radiation
        Its strongest line counts.
    particle_size_um : float or (P,) sequence, optional
        Median diameter in micrometres, of all phases or of each (0: too fine to matter). Default: not known,
        `UNKNOWN_SIZE_UM`.
    spread : float, optional
        Factor that is one standard deviation, 1 to 10. Default `KNOWN_SPREAD` for a size given, else
        `UNKNOWN_SPREAD`.

    Raises
    ------
    CompositionError
        If the weights are not fractions of the crystals.
    ParameterError
        If a size or the spread is outside its range.
    """
    known = particle_size_um is not None
    median = particle_size_um if particle_size_um is not None else UNKNOWN_SIZE_UM
    factor = spread if spread is not None else (KNOWN_SPREAD if known else UNKNOWN_SPREAD)
    if not 1 <= factor <= 10:
        raise ParameterError(f"the spread of particle sizes is {factor:g}", remedy="Allowed: factors 1 to 10")
    names = tuple(crystal.name for crystal in crystals)
    apparent = np.array(Composition(names, tuple(float(w) for w in weights)).fractions)
    corrected = true_weights(crystals, apparent, radiation, median) if known else None
    sizes = np.asarray(median, dtype=np.float64) * _size_factors(len(crystals), factor)
    true = weights_of_sizes(crystals, apparent, radiation, sizes)
    if corrected is None:
        corrected = weights_of_sizes(crystals, apparent, radiation, np.array([[UNKNOWN_SIZE_UM]]))[0]
    mean = true.mean(axis=0)
    apart = true - mean
    return MicroabsorptionUncertainty(corrected, mean - apparent, apart.T @ apart / len(apart))


def weights_of_sizes(
    crystals: Sequence[Crystal],
    apparent: NDArray[np.float64],
    radiation: Radiation,
    sizes_um: NDArray[np.float64],
) -> NDArray[np.float64]:
    """True weight fractions for many sets of particle sizes at once, (S, P).

    As `mixrd.mixture.true_weights` finds them, by the mean attenuation that reproduces itself, but
    Brindley's factors are held beyond `LARGEST_CONTRAST`, so that every set has an answer.

    Parameters
    ----------
    crystals : sequence of Crystal
    apparent : (P,) array
        Sum 1.
    radiation : Radiation
    sizes_um : (S, P) or (S, 1) array
        Diameters in micrometres, 0 or more; of each phase or of all.
    """
    mu = solid_attenuations_per_mm(crystals, radiation)
    specific = 1 / np.array([crystal.density_g_cm3 for crystal in crystals])
    contrasts, factors = _factor_table()

    def masses(mean: NDArray[np.float64]) -> NDArray[np.float64]:
        # np.interp holds the ends of the table, and with them the factors.
        return np.asarray(apparent / np.interp((mu - mean) * sizes_um / 1e3, contrasts, factors))

    low, high = np.full((len(sizes_um), 1), mu.min()), np.full((len(sizes_um), 1), mu.max())
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        volumes = masses(middle) * specific
        above = (volumes @ mu / volumes.sum(axis=-1))[:, np.newaxis] > middle
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    found = masses((low + high) / 2)
    return np.asarray(found / found.sum(axis=-1, keepdims=True))


@functools.cache
def _factor_table() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Contrasts (mu - mean) D and Brindley's factors; linear in between to 1e-6."""
    contrasts = np.linspace(-LARGEST_CONTRAST, LARGEST_CONTRAST, _TABLE_POINTS)
    # A size of 1 um, so that the contrast per mm is a thousand times that of a particle.
    return contrasts, brindley_factor(torch.from_numpy(1e3 * contrasts), 1.0).numpy()


def _size_factors(phases: int, spread: float) -> NDArray[np.float64]:
    """(S, P) diameters over the median."""
    half = _DRAWS // 2
    # The sequence begins at 0; in the middle of its cells no point is at an end.
    points = SobolEngine(phases).draw(half, dtype=torch.float64).numpy() + 0.5 / half
    normal = ndtri(points)
    return np.exp(math.log(spread) * np.concatenate([normal, -normal]))
