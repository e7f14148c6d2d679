"""Learning curves: error against mixtures seen and against time."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

#: First step of a curve, and steps from one point to the next as a factor.
_FIRST_POINT, _POINT_RATIO = 8, math.sqrt(2)


@dataclass(frozen=True)
class LearningPoint:
    """One point of a learning curve.

    Attributes
    ----------
    samples : int
        Mixtures seen so far.
    seconds : float
        Of drawing and training so far; validation and checkpoints not counted.
    loss, training_tvd : float
        Means over the steps since the point before.
    validation_tvd : float
        Mean total variation distance of the validation mixtures, the same ones for all points; no number
        where there are none.
    """

    samples: int
    seconds: float
    loss: float
    training_tvd: float
    validation_tvd: float


def curve_steps(steps: int) -> frozenset[int]:
    """Steps after which a curve has a point: two for each doubling, and the last."""
    points = {steps}
    place = float(_FIRST_POINT)
    while place < steps:
        points.add(round(place))
        place *= _POINT_RATIO
    return frozenset(points)


class Stopwatch:
    """Seconds of work, over several runs, pauses left out.

    Parameters
    ----------
    seconds : float
        Of the runs before.
    """

    def __init__(self, seconds: float = 0.0) -> None:
        self._seconds = seconds
        self._begin = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds so far."""
        return self._seconds + time.monotonic() - self._begin

    @contextmanager
    def paused(self) -> Iterator[float]:
        """Nothing counts within; gives the seconds so far."""
        self._seconds = self.seconds
        try:
            yield self._seconds
        finally:
            self._begin = time.monotonic()
