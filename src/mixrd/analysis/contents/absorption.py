"""What microabsorption can do to a result, and a warning of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mixrd.analysis.contents.absorption_uncertainty import (
    UNKNOWN_SIZE_UM,
    UNKNOWN_SPREAD,
    weights_of_sizes,
)
from mixrd.analysis.contents.grinding import likely_sizes
from mixrd.analysis.result.parts import AnalysisWarning
from mixrd.crystal import Crystal
from mixrd.diffraction import Radiation, linear_attenuation_per_mm
from mixrd.diffraction.attenuation import BRINDLEY_CLASSES
from mixrd.mixture import mean_attenuation_per_mm, true_weights

#: A bias is worth a warning from this on, in wt%, or from this share of a phase on (a quarter is wrong in the
#: first digit), if it is not below the second number in wt%: less drowns in what else a laboratory scan
#: leaves open. The intervals hold smaller ones too.
MATERIAL_PERCENT = 3.0
MATERIAL_SHARE, LEAST_PERCENT = 0.25, 1.0
#: Half widths of its interval beyond which a phase is far outside, for the size that is asked about: a powder
#: may well be coarser than that.
OUTSIDE = 1.5
#: Diameter in micrometres below which no laboratory mill brings a powder with certainty.
FINEST_MILLED_UM = 1.0
#: From which a size that matters is sought, in micrometres.
_SMALLEST_UM = 0.05

ParticleSize = float | Sequence[float] | NDArray[np.float64]


def microabsorption_warnings(
    crystals: Sequence[Crystal],
    weights: Sequence[float] | NDArray[np.float64],
    radiation: Radiation,
    particle_size_um: ParticleSize | None = None,
    *,
    grinding: str | None = None,
    stated: NDArray[np.float64] | None = None,
) -> list[AnalysisWarning]:
    """A warning if microabsorption may bias the result by more than it can bear, else none.

    It is given where particles one standard deviation coarser than is likely (`UNKNOWN_SIZE_UM`, or what the
    grinding makes likely, as in the intervals) would change a stated phase by
    `MATERIAL_PERCENT`, or by `MATERIAL_SHARE` of it and `LEAST_PERCENT`. With a size given, the result has
    been corrected: then a warning says where the correction is that large but a powder is coarse by
    Brindley's measure (mu D above 0.1), so that the formula no longer holds.

    Parameters
    ----------
    crystals : sequence of Crystal
    weights : (P,) sequence
        Apparent weight fractions (before a correction). No warning if there is nothing.
    radiation : Radiation
        Its strongest line counts.
    particle_size_um : float or (P,) sequence, optional
        Diameter of the particles, of all phases or of each; 0 for a fine powder.
    grinding : str, optional
        One of `GRINDINGS`: then what this makes likely stands for `UNKNOWN_SIZE_UM`.
    stated : (P,) array, optional
        Weight fractions that are stated; default the apparent ones.

    Raises
    ------
    CompositionError
        If the weights are not fractions of the crystals.
    ParameterError
        If a size is outside its range, or there is no such grinding.
    """
    if len(crystals) < 2 or float(np.sum(weights)) <= 0:
        return []
    apparent = np.asarray(weights, dtype=np.float64) / float(np.sum(weights))
    if particle_size_um is not None:
        return _coarse(crystals, apparent, radiation, particle_size_um)
    likely = None if grinding is None else likely_sizes(grinding)
    size = UNKNOWN_SIZE_UM * UNKNOWN_SPREAD if likely is None else likely.median_um * likely.spread
    said = apparent if stated is None else stated
    change = weights_of_sizes(crystals, apparent, radiation, np.array([[size]]))[0] - said
    if not _matters(change, apparent).any():
        return []
    under, over = int(np.argmax(change)), int(np.argmin(change))
    ratio = linear_attenuation_per_mm(crystals[under], radiation.wavelength_angstrom)
    ratio /= mean_attenuation_per_mm(crystals, apparent, radiation)
    sizes = np.geomspace(_SMALLEST_UM, size, 200)
    changes = weights_of_sizes(crystals, apparent, radiation, sizes[:, np.newaxis]) - said
    fine = np.flatnonzero(~_matters(changes, apparent).any(axis=-1))
    # What is stated may be right for a middling size: it matters again above that.
    onset = float(sizes[min(fine[-1] + 1, len(sizes) - 1)] if len(fine) else sizes[1])
    advice = (
        f"grind finer than {onset:.1f} um, or give --particle-size"
        if onset >= FINEST_MILLED_UM
        else "milling hardly gets there: give --particle-size"
    )
    return [
        AnalysisWarning(
            "MICROABSORPTION",
            f"{crystals[under].name} absorbs {ratio:.1f} times as much as the mixture: with particles of "
            f"{size:g} um it is stated about {100 * change[under]:.1f} wt% too low and "
            f"{crystals[over].name} about {-100 * change[over]:.1f} wt% too high; this matters from "
            f"{onset:.1f} um on: {advice}",
            crystals[under].name,
        )
    ]


def hand_ground_warnings(
    crystals: Sequence[Crystal],
    weights: NDArray[np.float64],
    radiation: Radiation,
    stated: NDArray[np.float64],
    reach: NDArray[np.float64],
) -> list[AnalysisWarning]:
    """A warning where a powder ground by hand would be far outside the intervals, and nobody said how it was.

    Parameters
    ----------
    crystals : sequence of Crystal
    weights, stated : (P,) array
        Apparent weight fractions, and those that are stated.
    radiation : Radiation
    reach : (P,) array
        Half widths of the intervals.
    """
    if len(crystals) < 2 or float(np.sum(weights)) <= 0:
        return []
    size = likely_sizes("by-hand").median_um
    # Not held where particles are coarse for the correction: this asks what may be, not what is stated.
    off = true_weights(crystals, weights, radiation, size) - stated
    worst = int(np.argmax(np.abs(off) / np.maximum(reach, 1e-6)))
    if abs(off[worst]) < OUTSIDE * reach[worst] or not _matters(off, stated)[worst]:
        return []
    return [
        AnalysisWarning(
            "MICROABSORPTION",
            f"if the powder was ground by hand ({size:g} um), it is stated {abs(100 * off[worst]):.1f} wt% "
            f"too {'low' if off[worst] > 0 else 'high'}, far more than its interval holds: give "
            "--grinding or --particle-size",
            crystals[worst].name,
        )
    ]


def _coarse(
    crystals: Sequence[Crystal],
    apparent: NDArray[np.float64],
    radiation: Radiation,
    particle_size_um: ParticleSize,
) -> list[AnalysisWarning]:
    change = true_weights(crystals, apparent, radiation, particle_size_um) - apparent
    sizes = np.broadcast_to(np.asarray(particle_size_um, dtype=np.float64), len(crystals))
    attenuations = [linear_attenuation_per_mm(c, radiation.wavelength_angstrom) for c in crystals]
    depth = np.array(attenuations) * sizes / 1e3
    coarse = np.where(depth > BRINDLEY_CLASSES["medium"], depth, 0.0)
    if not (_matters(change, apparent).any() and coarse.any()):
        return []
    worst = int(np.argmax(coarse))
    limit = 1e3 * BRINDLEY_CLASSES["medium"] / attenuations[worst]
    return [
        AnalysisWarning(
            "MICROABSORPTION",
            f"particles of {sizes[worst]:g} um are coarse for {crystals[worst].name} (it is corrected by "
            f"{100 * change[worst]:+.1f} wt%): the correction holds below {limit:.1f} um, grind finer",
            crystals[worst].name,
        )
    ]


def _matters(change: NDArray[np.float64], apparent: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Where a change is worth a word; the last axis is that of the phases."""
    size = np.abs(change)
    relative = (size >= MATERIAL_SHARE * apparent) & (100 * size >= LEAST_PERCENT)
    return (100 * size >= MATERIAL_PERCENT) | relative
