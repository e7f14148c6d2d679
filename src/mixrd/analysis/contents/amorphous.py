"""Absolute amounts by an internal standard; what the crystalline phases leave over is amorphous."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mixrd.analysis.result.parts import AnalysisWarning
from mixrd.errors import CompositionError, ParameterError, RefinementError

#: A standard below this many times its uncertainty is taken as not found: nothing can be scaled by it.
LEAST_STANDARD_SIGMAS = 3.0
#: An amorphous content this many times its uncertainty below zero is worth a word.
NEGATIVE_SIGMAS = 2.0
#: Percent of the measured mixture that a standard can be.
STANDARD_PERCENT = (0.1, 99.0)


@dataclass(frozen=True, eq=False)
class AbsoluteContent:
    """Weight percent of everything there is, the crystalline phases and the rest.

    Attributes
    ----------
    names : tuple of str
        The P crystalline phases.
    weight_percent : (P,) array
        Of the whole; their sum is 100 less what is amorphous.
    covariance : (P, P) array
        Of `weight_percent`, in wt%^2.
    """

    names: tuple[str, ...]
    weight_percent: NDArray[np.float64]
    covariance: NDArray[np.float64]

    @property
    def sigma_percent(self) -> NDArray[np.float64]:
        """(P,) standard uncertainties in wt%."""
        return np.sqrt(np.maximum(self.covariance.diagonal(), 0.0))

    @property
    def amorphous_percent(self) -> float:
        """The rest in wt%: all that gives no lines of these phases. Negative where they exceed the whole."""
        return 100.0 - float(self.weight_percent.sum())

    @property
    def amorphous_sigma_percent(self) -> float:
        """Its standard uncertainty in wt%."""
        return math.sqrt(max(float(self.covariance.sum()), 0.0))


@dataclass(frozen=True)
class InternalStandard:
    """A crystalline phase that was weighed into the sample.

    Attributes
    ----------
    name : str
        The candidate phase that it is; the sample itself must hold none of it.
    weight_percent : float
        Of the mixture that was measured, standard included; 0.1 to 99.
    sigma_percent : float
        Standard uncertainty of that in wt%, 0 to half of it.
    crystallinity_percent : float
        Crystalline share of the standard as its certificate states it, 1 to 100.
    crystallinity_sigma_percent : float
        Standard uncertainty of that, 0 to half of it.

    Raises
    ------
    ParameterError
        If a value is outside its range.
    """

    name: str
    weight_percent: float
    sigma_percent: float = 0.0
    crystallinity_percent: float = 100.0
    crystallinity_sigma_percent: float = 0.0

    def __post_init__(self) -> None:
        ranges = {
            "weight_percent": STANDARD_PERCENT,
            "crystallinity_percent": (1.0, 100.0),
            "sigma_percent": (0.0, self.weight_percent / 2),
            "crystallinity_sigma_percent": (0.0, self.crystallinity_percent / 2),
        }
        for field, (low, high) in ranges.items():
            value = getattr(self, field)
            if not low <= value <= high:
                of = " of the measured mixture, standard included" if field == "weight_percent" else ""
                raise ParameterError(
                    f"{field} of the internal standard {self.name} is {value:g}",
                    remedy=f"Allowed: {low:g} to {high:g} percent{of}",
                )


@dataclass(frozen=True, eq=False)
class StandardResult:
    """What an internal standard tells.

    Attributes
    ----------
    mixture : AbsoluteContent
        What was measured, standard included; what is amorphous in the standard counts as amorphous.
    sample : AbsoluteContent
        The sample before the standard was added.
    warnings : tuple of AnalysisWarning
    """

    mixture: AbsoluteContent
    sample: AbsoluteContent
    warnings: tuple[AnalysisWarning, ...]


def parse_standard(text: str) -> InternalStandard:
    """The internal standard of a text such as "corundum:20", name and weight percent of the mixture.

    Raises
    ------
    ParameterError
        If the text is no such pair, or the percentage is out of range.
    """
    name, _, amount = text.rpartition(":")
    try:
        percent = float(amount.strip().removesuffix("%"))
    except ValueError:
        percent = math.nan
    if not name.strip() or math.isnan(percent):
        raise ParameterError(
            f"{text!r} names no internal standard",
            remedy="Give phase and weight percent of the measured mixture, such as corundum:20",
        )
    return InternalStandard(name.strip(), percent)


def internal_standard(
    names: Sequence[str],
    fractions: Sequence[float] | NDArray[np.float64],
    covariance: NDArray[np.float64],
    standard: InternalStandard,
) -> StandardResult:
    """Absolute contents from crystalline fractions and a weighed standard among them.

    A refinement gives fractions x of the crystalline part. The standard s is the share W of the mixture and
    the share c of it is crystalline, so phase p is

        w_p = x_p c W / x_s

    of the mixture and v_p = w_p / (1 - W) of the sample without the standard; what is left over from 1 is
    amorphous in each (Bish & Howard 1988, J. Appl. Cryst. 21, 86; standards that are partly amorphous: Cline
    et al. 2011, Acta Cryst. A67, 357, and Rowles 2024, Powder Diffr., "The effect of reference material
    crystallinity"). Uncertainties follow to first order from those of x, W and c.

    Parameters
    ----------
    names : sequence of str
        The P crystalline phases.
    fractions : (P,) sequence
        Weight fractions of the crystalline part, at least 0; scaled to sum to 1. Microabsorption is theirs to
        be corrected for: it acts on the amorphous content as on any other.
    covariance : (P, P) array
        Of the fractions.
    standard : InternalStandard

    Returns
    -------
    StandardResult
        With the warning NEGATIVE_AMORPHOUS if there is less than nothing left.

    Raises
    ------
    CompositionError
        If the standard is not among the phases, or fractions and covariance do not fit them.
    RefinementError
        If the scan shows too little of the standard to scale by it.
    """
    x, spread = _checked(names, fractions, covariance)
    if standard.name not in names:
        raise CompositionError(
            f"the internal standard {standard.name} is not among the phases {', '.join(names)}",
            remedy="Add it to the candidate phases, under the same name",
        )
    s = list(names).index(standard.name)
    if x[s] <= 0 or x[s] < LEAST_STANDARD_SIGMAS * math.sqrt(max(spread[s, s], 0.0)):
        raise RefinementError(
            f"the scan shows no {standard.name}, the internal standard ({100 * x[s]:.2f} wt% of what is "
            f"crystalline, uncertainty {100 * math.sqrt(max(spread[s, s], 0.0)):.2f})",
            remedy="Check that this mixture was measured, and that the standard is the phase that was added",
        )
    weight, crystalline = standard.weight_percent / 100, standard.crystallinity_percent / 100
    absolute = x * crystalline * weight / x[s]
    slope = np.zeros((len(x), len(x) + 2))
    slope[:, : len(x)] = np.eye(len(x)) * (crystalline * weight / x[s])
    slope[:, s] -= absolute / x[s]
    slope[:, -2], slope[:, -1] = absolute / weight, absolute / crystalline
    known = np.zeros((len(x) + 2, len(x) + 2))
    known[: len(x), : len(x)] = spread
    known[-2, -2] = (standard.sigma_percent / 100) ** 2
    known[-1, -1] = (standard.crystallinity_sigma_percent / 100) ** 2
    mixture = AbsoluteContent(tuple(names), 100 * absolute, 1e4 * slope @ known @ slope.T)
    sample = _without_standard(mixture, slope, known, s, weight)
    return StandardResult(mixture, sample, tuple(negative_amorphous(sample)))


def negative_amorphous(content: AbsoluteContent) -> list[AnalysisWarning]:
    """A warning if the crystalline phases exceed the whole by more than their uncertainty."""
    rest, sigma = content.amorphous_percent, content.amorphous_sigma_percent
    if rest >= -max(NEGATIVE_SIGMAS * sigma, 1e-6):
        return []
    return [
        AnalysisWarning(
            "NEGATIVE_AMORPHOUS",
            f"the crystalline phases add up to {100 - rest:.1f} wt%, {-rest:.1f} wt% more than there is "
            f"(uncertainty {sigma:.1f}): microabsorption, or another amount of the standard than was stated",
        )
    ]


def _without_standard(
    mixture: AbsoluteContent,
    slope: NDArray[np.float64],
    known: NDArray[np.float64],
    s: int,
    weight: float,
) -> AbsoluteContent:
    """Contents of the sample alone: those of the mixture over 1 - W, the standard left out."""
    others = [p for p in range(len(mixture.names)) if p != s]
    part = slope[others] / (1 - weight)
    # W stands in the divisor too.
    part[:, -2] += mixture.weight_percent[others] / 100 / (1 - weight) ** 2
    return AbsoluteContent(
        names=tuple(mixture.names[p] for p in others),
        weight_percent=mixture.weight_percent[others] / (1 - weight),
        covariance=1e4 * part @ known @ part.T,
    )


def _checked(
    names: Sequence[str],
    fractions: Sequence[float] | NDArray[np.float64],
    covariance: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fractions scaled to sum to 1 and the covariance that belongs to them."""
    x, spread = np.asarray(fractions, dtype=np.float64), np.asarray(covariance, dtype=np.float64)
    if x.shape != (len(names),) or spread.shape != (len(names), len(names)):
        raise CompositionError(
            f"{len(names)} phases, but fractions of shape {x.shape} and covariance of shape {spread.shape}",
            remedy="Give one fraction a phase, and a square covariance",
        )
    total = float(x.sum())
    if not (np.isfinite(x).all() and np.isfinite(spread).all() and (x >= 0).all() and total > 0):
        raise CompositionError(
            "fractions or covariance are negative, not finite or all zero",
            remedy="Give the fractions of a refinement that found something",
        )
    return x / total, spread / total**2
