"""Cells that left the structures they were given, and shifts that no sample has."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mixrd.analysis.result.parts import AnalysisWarning
from mixrd.crystal import Crystal, strain_basis, strained_cell
from mixrd.fit.refinement import Refinement

#: Edges (relative) and angles (degrees) within which temperature and substitution commonly change a cell.
USUAL_CHANGE, USUAL_ANGLE_DEG = 0.01, 1.0
#: Cells that are all off by this, and by the same within `ALIKE` of it, are an axis that is off.
ALL_OFF, ALIKE = 0.003, 0.25
#: Zero shifts beyond this (degrees) are none of a diffractometer that is in use.
USUAL_ZERO_DEG = 0.3
#: Standard uncertainties beyond which a change is one.
_SIGMAS = 3.0


def cell_change(crystal: Crystal, strain: NDArray[np.float64]) -> tuple[float, float]:
    """Largest change of an edge (relative, signed) and of an angle (degrees, signed) from the structure."""
    before, after = np.array(crystal.cell), np.array(strained_cell(crystal, strain))
    edges, angles = after[:3] / before[:3] - 1, after[3:] - before[3:]
    return float(edges[np.abs(edges).argmax()]), float(angles[np.abs(angles).argmax()])


def mean_strain(crystal: Crystal, strain: NDArray[np.float64]) -> float:
    """Relative change of the edges, on average: a third of the trace of the strain."""
    return float(np.einsum("k,kii->", strain, strain_basis(crystal))) / 3


def cell_warnings(
    crystals: Sequence[Crystal], refined: Refinement, seen: NDArray[np.bool_]
) -> list[AnalysisWarning]:
    """CELL_OFF for each phase beyond the usual, CELLS_ALL_OFF where all agree, ZERO_SHIFT.

    Parameters
    ----------
    crystals : sequence of Crystal
    refined : Refinement
    seen : (P,) bool array
        Phases whose cells mean something.
    """
    found = []
    for p, crystal in enumerate(crystals):
        edge, angle = cell_change(crystal, refined.strain[p])
        sigma = float(np.max(refined.strain_sigma[p], initial=0.0))
        sure = abs(edge) > _SIGMAS * sigma or abs(np.radians(angle)) > _SIGMAS * sigma
        if seen[p] and sure and (abs(edge) > USUAL_CHANGE or abs(angle) > USUAL_ANGLE_DEG):
            said = f"{100 * edge:+.1f} % in an edge" + (f", {angle:+.1f} deg in an angle" if angle else "")
            found.append(
                AnalysisWarning(
                    "CELL_OFF",
                    f"its cell differs from the structure by {said}: is it this phase, and is all that is in "
                    "the sample among the candidates?",
                    crystal.name,
                )
            )
    means = [mean_strain(crystals[n], refined.strain[n]) for n in np.flatnonzero(seen).tolist()]
    return found + _all_off(np.array(means)) + _shift(refined)


def _all_off(means: NDArray[np.float64]) -> list[AnalysisWarning]:
    """Cells that are all larger or smaller alike: the axis is stretched, or the wavelength another."""
    if len(means) < 2:
        return []
    middle = float(np.mean(means))
    if abs(middle) < ALL_OFF or np.abs(means - middle).max() > ALIKE * abs(middle):
        return []
    return [
        AnalysisWarning(
            "CELLS_ALL_OFF",
            f"all cells are {100 * middle:+.2f} % from their structures, the same for all: the angles are "
            "stretched or the wavelength is another",
        )
    ]


def _shift(refined: Refinement) -> list[AnalysisWarning]:
    if abs(refined.zero_deg) <= USUAL_ZERO_DEG:
        return []
    return [
        AnalysisWarning(
            "ZERO_SHIFT",
            f"zero ({refined.zero_deg:+.2f} deg) and displacement ({refined.displacement_mm:+.2f} mm) are "
            "larger than those of a diffractometer in use, and stand in for what its profile lacks: cells "
            "are less sure than they say",
        )
    ]
