"""How sure fractions are: standard uncertainties, intervals, and what is too little to be seen."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import stdtrit

from mixrd.fit.bound import fraction_slope
from mixrd.fit.presence import Presence
from mixrd.fit.refinement import Refinement

#: Probability that a phase which is not there is called detected, and that one at the detection limit is not
#: (Currie 1968, Anal. Chem. 40, 586).
FALSE_POSITIVE, FALSE_NEGATIVE = 0.01, 0.05
#: A mass above this many of its standard deviations at zero amount counts as found.
CRITICAL = NormalDist().inv_cdf(1 - FALSE_POSITIVE)
#: The detection limit over that standard deviation.
DETECTION = CRITICAL + NormalDist().inv_cdf(1 - FALSE_NEGATIVE)
#: The quantification limit over it: there the standard uncertainty is a tenth of the amount (Currie 1968).
QUANTIFICATION = 10.0
#: Probability that an interval holds the true value.
LEVEL = 0.9
#: Relative standard uncertainty of a phase's calculated intensity: form factors, displacement factors and
#: coordinates of a structure of the literature (two determinations of one structure differ by 1-2 %).
STRUCTURE_SIGMA = 0.01
#: The same by grains, texture and faults of the structure where lines scatter by `TYPICAL_SCATTER`; it goes
#: with its third power: what scatters more than usual is something that no term describes.
SCATTER_SIGMA, TYPICAL_SCATTER = 0.008, 0.1
#: The same by a composition that is not the structure's, over the change of its cell (relative, mean over the
#: edges): a full substitution changes edges by some 3 % and intensities by a third.
COMPOSITION_PER_STRAIN = 10.0
#: Factor on intervals whose calibration is not at hand.
WIDENING = 1.0
#: Degrees of freedom of Student's t: what makes fractions wrong is itself known from few lines and samples,
#: so that large errors are more common than a normal distribution has them.
DEGREES_OF_FREEDOM = 8.0


@dataclass(frozen=True, eq=False)
class Quantities:
    """What a refinement says of the amounts of P phases.

    Attributes
    ----------
    fractions : (P,) array
        Weight fractions as refined, whether or not a phase is detected; they sum to 1.
    covariance : (P, P) array
        Of the fractions: noise and misfit, structures, and further terms that were given.
    low, high : (P,) array
        Ends of the intervals at `LEVEL`; of a phase that is not detected from 0 to what may be missed.
    detected : (P,) bool array
    detection_limit, quantification_limit : (P,) array
        As weight fractions.
    """

    fractions: NDArray[np.float64]
    covariance: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    detected: NDArray[np.bool_]
    detection_limit: NDArray[np.float64]
    quantification_limit: NDArray[np.float64]

    @property
    def sigma(self) -> NDArray[np.float64]:
        """(P,) standard uncertainties of the fractions."""
        return np.asarray(np.sqrt(np.clip(np.diag(self.covariance), 0.0, None)))


def quantities(
    refined: Refinement,
    there: Presence,
    *,
    factors: NDArray[np.float64] | None = None,
    further: NDArray[np.float64] | None = None,
    mean_strain: NDArray[np.float64] | None = None,
    widening: float = WIDENING,
) -> Quantities:
    """Amounts with intervals from a refinement of one scan.

    Parameters
    ----------
    refined : Refinement
    there : Presence
        Of its phases.
    factors : (P,) array, optional
        True masses over apparent ones.
    further : (P, P) array, optional
        Covariance of the weight fractions by what the refinement cannot see, e.g. microabsorption.
    mean_strain : (P,) array, optional
        Relative change of each phase's edges, on average.
    widening : float
        Factor on the widths of the intervals, from their calibration.
    """
    scale = np.ones(len(refined.masses)) if factors is None else factors
    masses = refined.masses * scale
    if masses.sum() <= 0:
        return _nothing(len(masses))
    total = float(masses.sum())
    fractions = masses / total
    floor = scale * refined.noise_sigma / total
    detected = there.seen & (fractions > CRITICAL * floor)
    limit = np.maximum(DETECTION * floor, scale * there.least_seen / total)
    slope = fraction_slope(torch.from_numpy(masses)).numpy() * scale
    unseen = np.where(refined.masses > 0, 0.0, np.minimum(there.least_seen, total / scale) / DETECTION)
    covariance = slope @ (refined.mass_covariance + np.diag(unseen**2)) @ slope.T
    covariance = covariance + structure_covariance(
        fractions, there.line_scatter, 0.0 if mean_strain is None else mean_strain
    )
    if further is not None:
        covariance = covariance + further
    sigma = np.sqrt(np.clip(np.diag(covariance), 0.0, None))
    reach = widening * stdtrit(DEGREES_OF_FREEDOM, 0.5 + LEVEL / 2) * sigma
    # The most that a phase may amount to though it was not detected: one-sided.
    missed = np.maximum(fractions + widening * stdtrit(DEGREES_OF_FREEDOM, LEVEL) * sigma, limit)
    low = np.where(detected, fractions - reach, 0.0)
    high = np.where(detected, fractions + reach, missed)
    return Quantities(
        fractions=fractions,
        covariance=covariance,
        low=low.clip(0.0, 1.0),
        high=high.clip(0.0, 1.0),
        detected=detected,
        detection_limit=limit.clip(max=1.0),
        quantification_limit=(QUANTIFICATION * floor).clip(max=1.0),
    )


def _nothing(count: int) -> Quantities:
    """What is said where no phase was found."""
    none, all_of_it = np.zeros(count), np.ones(count)
    return Quantities(
        fractions=none,
        covariance=np.zeros((count, count)),
        low=none,
        high=all_of_it,
        detected=np.zeros(count, dtype=bool),
        detection_limit=all_of_it,
        quantification_limit=all_of_it,
    )


def structure_covariance(
    fractions: NDArray[np.float64],
    line_scatter: float = TYPICAL_SCATTER,
    mean_strain: NDArray[np.float64] | float = 0.0,
) -> NDArray[np.float64]:
    """(P, P): of the fractions, calculated intensities being uncertain by structure, scatter and composition.

    Parameters
    ----------
    fractions : (P,) array
    line_scatter : float
        `Presence.line_scatter`.
    mean_strain : (P,) array
        Of each phase's edges.
    """
    common = math.hypot(STRUCTURE_SIGMA, SCATTER_SIGMA * (line_scatter / TYPICAL_SCATTER) ** 3)
    relative = np.minimum(np.hypot(common, COMPOSITION_PER_STRAIN * np.asarray(mean_strain)), 1.0)
    slope = fraction_slope(torch.from_numpy(fractions)).numpy() * (relative * fractions)
    return np.asarray(slope @ slope.T)
