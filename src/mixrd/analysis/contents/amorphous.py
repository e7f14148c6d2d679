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
) -> AbsoluteContent:
    """Contents of the sample before a weighed standard was added, from crystalline fractions with it.

    A refinement gives fractions x of the crystalline part. The standard s is the share W of the mixture and
    the share c of it is crystalline, so phase p is

        w_p = x_p c W / x_s

    of the mixture and v_p = w_p / (1 - W) of the sample without the standard; what is left over from 1 is
    amorphous (Bish & Howard 1988, J. Appl. Cryst. 21, 86; standards that are partly amorphous: Cline
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

    Raises
    ------
    CompositionError
        If the standard is not among the phases, or fractions and covariance do not fit them.
    RefinementError
        If the scan shows too little of the standard to scale by it.
    """
    x, spread = checked_amounts("fraction", len(names), fractions, covariance)
    total = float(x.sum())
    x, spread = x / total, spread / total**2
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
    others = [p for p in range(len(x)) if p != s]
    percent = 100 * absolute[others]
    part = slope[others] / (1 - weight)
    # W stands in the divisor too.
    part[:, -2] += percent / 100 / (1 - weight) ** 2
    return AbsoluteContent(
        names=tuple(names[p] for p in others),
        weight_percent=percent / (1 - weight),
        covariance=1e4 * part @ known @ part.T,
    )


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


def checked_amounts(
    what: str, count: int, amounts: Sequence[float] | NDArray[np.float64], covariance: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Amounts (count,) and their covariance as arrays; `what` they are ("fraction") is for the message.

    Raises
    ------
    CompositionError
        If they do not fit each other, or there is nothing.
    """
    x, spread = np.asarray(amounts, dtype=np.float64), np.asarray(covariance, dtype=np.float64)
    if x.shape != (count,) or spread.shape != (count, count):
        raise CompositionError(
            f"{count} phases, but {what}s of shape {x.shape} and covariance of shape {spread.shape}",
            remedy=f"Give one {what} a phase, and a square covariance",
        )
    if not (np.isfinite(x).all() and np.isfinite(spread).all() and (x >= 0).all() and x.sum() > 0):
        raise CompositionError(
            f"{what}s or covariance are negative, not finite or all zero",
            remedy=f"Give the {what}s of a refinement that found something",
        )
    return x, spread
