"""Curves of a refined scan, for plots, the part below the candidates' first lines in them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from mixrd.analysis.inputs.setup import part_of
from mixrd.analysis.result.parts import Curves
from mixrd.crystal import Crystal
from mixrd.diffraction import Radiation
from mixrd.fit.refinement import Refinement
from mixrd.pattern import Instrument, background_basis, shared_model
from mixrd.scan import Scan

FloatArray = NDArray[np.float64]

#: Fewest degrees 2theta that a wave of the background takes, and the highest degree of its polynomials.
_NARROWEST_WAVE_DEG, _MOST_DEGREE = 3.0, 10
#: Points this many standard deviations above the background are lines and no part of it.
_LINE = 2.0
#: Points of the fitted range that hold the background where the two meet.
_JOINT_POINTS = 50
_ROUNDS = 40


def fitted_curves(
    scan: Scan,
    limits: tuple[float, float],
    crystals: list[Crystal],
    instrument: Instrument,
    refined: Refinement,
) -> Curves:
    """The whole scan with its fit within `limits`, phase contributions and reflection marks.

    Below the fitted range there is only background, and what no candidate explains.
    """
    whole = float(scan.two_theta[0]), limits[1]
    two_theta, counts, sigma = part_of(scan, whole)
    below = len(two_theta) - len(refined.calculated)
    background = refined.background
    contributions = refined.contributions
    if below:
        smooth = background_below(two_theta, counts[:below], sigma[:below], background)
        background = np.concatenate([smooth, background])
        contributions = np.pad(contributions, ((0, 0), (below, 0)))
    calculated = np.concatenate([background[:below], refined.calculated])
    return Curves(
        two_theta=two_theta,
        observed=counts,
        calculated=calculated,
        background=background,
        contributions=contributions,
        marks=_marks(crystals, instrument, limits, refined),
    )


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


def _marks(
    crystals: list[Crystal], instrument: Instrument, limits: tuple[float, float], refined: Refinement
) -> tuple[FloatArray, ...]:
    """Positions of each phase's reflections in the strongest line, as the forward model puts them."""
    strongest = replace(instrument.radiation.lines[0], weight=1.0)
    # Symmetric peaks: a mark stands where the line is, not at the nodes of its axial divergence.
    bare = replace(
        instrument,
        radiation=Radiation(instrument.radiation.name, (strongest,)),
        profile=replace(instrument.profile, sh_l=0.0),
    )
    model = shared_model(crystals, bare, np.array(limits))
    reference = model.reference()
    parameters = reference.replace(
        strain=reference.strain.new_tensor(np.concatenate(refined.strain)).unsqueeze(0),
        zero=reference.zero + refined.zero_deg,
        displacement=reference.displacement + refined.displacement_mm,
    )
    position = model.peaks(parameters).position[0].numpy()
    phase = model.peak_table.phase.numpy()
    inside = (position >= limits[0]) & (position <= limits[1])
    return tuple(np.sort(position[inside & (phase == p)]) for p in range(len(crystals)))
