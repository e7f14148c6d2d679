"""Whether something is in the scan that no candidate explains."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mixrd.analysis.doubts.unexplained import find_unexplained, unexplained_warnings
from mixrd.analysis.doubts.wavelength_check import other_radiation, wavelength_warnings
from mixrd.analysis.result.parts import AnalysisWarning, Curves, UnexplainedResult
from mixrd.crystal import Crystal
from mixrd.fit.refinement import Refinement
from mixrd.pattern import Instrument


def what_is_missing(
    curves: Curves,
    sigma: NDArray[np.float64],
    crystals: Sequence[Crystal],
    instrument: Instrument,
    refined: Refinement,
) -> tuple[UnexplainedResult, list[AnalysisWarning]]:
    """Unexplained lines, and a wrong wavelength where that explains them.

    Parameters
    ----------
    curves : Curves
        Of the fitted scan, N points.
    sigma : (N,) array
        Standard uncertainties of the scan.
    crystals : sequence of Crystal
    instrument : Instrument
    refined : Refinement
    """
    found = find_unexplained(
        curves,
        sigma,
        instrument,
        zero_deg=refined.zero_deg,
        displacement_mm=refined.displacement_mm,
        candidates=crystals,
    )
    net = curves.observed - curves.background
    other = other_radiation(curves.two_theta, net, crystals, instrument, found.share_of_counts)
    if other is not None:
        # Lines that stand elsewhere look like those of any phase.
        found = dataclasses.replace(found, suggestions=(), faint=None)
    result = UnexplainedResult(
        found.share_of_counts,
        tuple(dataclasses.asdict(line) for line in found.lines),
        found.told,
    )
    return result, unexplained_warnings(found) + wavelength_warnings(other, instrument)
