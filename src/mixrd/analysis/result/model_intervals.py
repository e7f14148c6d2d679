"""What a model keeps of the calibration of its intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixrd.network import Model

#: Raise it with every change of what is calibrated: intervals of another version count as none.
CALIBRATION_VERSION = 1
_PLAIN_ERRORS = (AttributeError, KeyError, TypeError, ValueError)


@dataclass(frozen=True)
class NetworkIntervals:
    """Half widths of a network's intervals, by phase and class of estimated fractions. P phases, K classes.

    Attributes
    ----------
    level : float
        Probability that an interval holds the true fraction.
    limits : P tuples of K - 1 float
        Estimated fractions where one class ends and the next begins, rising.
    half_widths : P tuples of K float
    patterns : int
        From which they were learnt.
    """

    level: float
    limits: tuple[tuple[float, ...], ...]
    half_widths: tuple[tuple[float, ...], ...]
    patterns: int

    def __post_init__(self) -> None:
        limits, widths = np.array(self.limits, dtype=np.float64), np.array(self.half_widths, dtype=np.float64)
        fits = limits.ndim == widths.ndim == 2 and limits.shape == (len(widths), widths.shape[1] - 1)
        rising = fits and bool((np.diff(limits) >= 0).all() and np.isfinite(limits).all())
        if not (rising and np.isfinite(widths).all() and (widths >= 0).all() and 0 < self.level < 1):
            raise ValueError("a network's intervals need rising limits and finite half widths")

    def half_width(self, fractions: NDArray[np.float64]) -> NDArray[np.float64]:
        """(..., P) half widths at estimated fractions (..., P)."""
        given = np.asarray(fractions, dtype=np.float64)
        rows = [
            np.array(widths)[np.searchsorted(limits, given[..., p])]
            for p, (limits, widths) in enumerate(zip(self.limits, self.half_widths, strict=True))
        ]
        return np.stack(rows, axis=-1)

    def of(self, fractions: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Ends (..., P) of the intervals, within 0-1, at estimated fractions (..., P)."""
        reach = self.half_width(fractions)
        return np.clip(fractions - reach, 0.0, 1.0), np.clip(fractions + reach, 0.0, 1.0)

    def sigma(self, fractions: NDArray[np.float64]) -> NDArray[np.float64]:
        """(..., P) standard uncertainties: of the normal distribution with these intervals."""
        return self.half_width(fractions) / NormalDist().inv_cdf(0.5 + self.level / 2)

    def to_dict(self) -> dict[str, Any]:
        """Plain data that `from_dict` takes back, the same as its JSON."""
        rows = {name: [list(row) for row in getattr(self, name)] for name in ("limits", "half_widths")}
        return {"level": self.level, **rows, "patterns": self.patterns}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> NetworkIntervals:
        """Intervals from what `to_dict` gave (or its JSON)."""
        rows = {key: tuple(tuple(map(float, row)) for row in data[key]) for key in ("limits", "half_widths")}
        return cls(**{**data, **rows})


@dataclass(frozen=True)
class ModelIntervals:
    """What a model keeps of its calibration (`Model.intervals`).

    Attributes
    ----------
    network : NetworkIntervals
    widening : float
        Factor on the half widths of `quantities`, 1 or more; older models may hold one that was learnt from
        simulated scans.
    """

    network: NetworkIntervals
    widening: float = 1.0

    def to_dict(self) -> dict[str, Any]:
        """Plain data for `Model.intervals`."""
        refinement = None if self.widening == 1 else {"widening": self.widening}
        return {"version": CALIBRATION_VERSION, "network": self.network.to_dict(), "refinement": refinement}

    @classmethod
    def of(cls, model: Model) -> ModelIntervals | None:
        """The model's; None if it has none, or none of this version that fit."""
        data = model.intervals or {}
        try:
            if data["version"] != CALIBRATION_VERSION:
                return None
            network, refinement = NetworkIntervals.from_dict(data["network"]), data["refinement"]
            widening = 1.0 if refinement is None else float(refinement["widening"])
        except _PLAIN_ERRORS:
            return None
        fits = len(network.half_widths) == len(model.names) and 1 <= widening < math.inf
        return cls(network, widening) if fits else None
