"""How many lines a pattern tells a structure by, and whether they are more than its cell can adapt to."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mixrd.crystal import Crystal, strain_basis
from mixrd.errors import RadiationError
from mixrd.paper.pool import LEAST_INTENSITY, LEAST_SEPARATION, LineCriterion
from mixrd.paper.simulators import STRONGEST, mixrd_lines


def distinct_lines(crystal: Crystal, wavelength_angstrom: float, two_theta_range: tuple[float, float]) -> int:
    """Number of lines of the unstrained crystal that are neither faint nor at the place of another.

    Calculated as `mixrd_lines` does: no displacement, f0 only, Lorentz-polarization factor, coinciding lines
    added up. Lines under `LEAST_INTENSITY` of the strongest in the range are left out before those are
    counted that differ in d by more than `LEAST_SEPARATION`.

    Parameters
    ----------
    crystal : Crystal
    wavelength_angstrom : float
    two_theta_range : (low, high)
        In degrees.

    Raises
    ------
    CrystalError
        If there is no form factor of an element, or there are too many reflections to be calculated.
    """
    unstrained = np.zeros((1, len(strain_basis(crystal))))
    try:
        ((positions, areas),) = mixrd_lines(
            crystal, unstrained, "symmetry", wavelength_angstrom, two_theta_range
        )
    except RadiationError:
        return 0
    seen = positions[areas >= LEAST_INTENSITY * STRONGEST]
    return count_separate(wavelength_angstrom / (2 * np.sin(np.radians(seen / 2))))


def count_separate(d_spacing: NDArray[np.float64]) -> int:
    """The most lines of which no two are nearer than `LEAST_SEPARATION`, relatively.

    Parameters
    ----------
    d_spacing : (R,) array
        In angstrom, in any order.
    """
    count, last = 0, np.inf
    # From the largest down, each that is far enough from the last one taken: no choice gives more.
    for d in np.sort(d_spacing)[::-1]:
        if last > d * (1 + LEAST_SEPARATION):
            count, last = count + 1, d
    return count


def line_fault(crystal: Crystal, lines: int, criterion: LineCriterion) -> str:
    """What is wrong with a number of distinct lines; empty where there are enough.

    The positions of as many lines as there are strain components fit some cell of the crystal system whatever
    they are, so only further lines tell of what structure they are.
    """
    components = len(strain_basis(crystal))
    if lines >= components + criterion.spare_lines:
        return ""
    wanted = f"{components + criterion.spare_lines} ({components} + {criterion.spare_lines})"
    return f"{lines} distinct line{'' if lines == 1 else 's'}, fewer than {wanted}"
