"""The loss curve of a training, in a few points however long it takes."""

from __future__ import annotations

MOST_POINTS = 200


def extended(curve: list[list[float]], step: int, loss: float) -> list[list[float]]:
    """The curve with one more point; a training that began again, or anew, replaces what is later.

    Parameters
    ----------
    curve : list of [step, loss]
    step : int
    loss : float

    Returns
    -------
    list of [step, loss]
        At most `MOST_POINTS`; where there would be more, every other one goes.
    """
    longer = [point for point in curve if point[0] < step]
    longer.append([step, loss])
    if len(longer) > MOST_POINTS:
        # The last point stays: it is where the training is.
        longer = longer[:-1][::2] + longer[-1:]
    return longer
