"""The part of a scan below the candidates' first lines: it is not fitted, but it counts."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from mixrd.pattern import background_basis

FloatArray = NDArray[np.float64]

#: Fewest degrees 2theta that a wave of the background takes, and the highest degree of its polynomials.
_NARROWEST_WAVE_DEG, _MOST_DEGREE = 3.0, 10
#: Points this many standard deviations above the background are lines and no part of it.
_LINE = 2.0
#: Points of the fitted range that hold the background where the two meet.
_JOINT_POINTS = 50
_ROUNDS = 40


def background_below(
    two_theta: FloatArray, counts: FloatArray, sigma: FloatArray, fitted: FloatArray
) -> FloatArray:
    """Smooth background of a part of a scan that holds no line of a candidate, and maybe others.

    Least squares of Chebyshev polynomials and 1/2theta, without the points that rise above: left out anew in
    each round until none changes.

    Parameters
    ----------
    two_theta : (M + N,) array
        Degrees: this part, then that which was fitted.
    counts, sigma : (M,) array
        Of this part.
    fitted : (N,) array
        Background that was fitted; its first points belong to this one too.

    Returns
    -------
    (M,) array
    """
    count, joint = len(counts), min(_JOINT_POINTS, len(fitted))
    grid = two_theta[: count + joint]
    degree = int(np.clip((grid[-1] - grid[0]) / _NARROWEST_WAVE_DEG, 1, _MOST_DEGREE))
    basis = background_basis(torch.tensor(grid), degree=degree).numpy()
    level = np.concatenate([counts, fitted[:joint]])
    error = np.concatenate([sigma, np.full(joint, float(np.median(sigma)))])
    kept = np.ones(len(grid), dtype=bool)
    smooth = level
    for _ in range(_ROUNDS):
        design = (basis / error)[:, kept].T
        smooth = np.linalg.lstsq(design, (level / error)[kept], rcond=None)[0] @ basis
        spread = max(1.0, 1.4826 * float(np.median(np.abs((level - smooth) / error)[kept])))
        before, kept = kept, (level - smooth) / error < _LINE * spread
        kept[count:] = True
        if (kept == before).all() or kept[:count].sum() < degree + 3:
            break
    return np.asarray(smooth[:count])
