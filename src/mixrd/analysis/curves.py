"""Curves of a refined scan, for plots."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mixrd.analysis.inputs.setup import part_of
from mixrd.analysis.result.below_range import background_below
from mixrd.analysis.result.parts import Curves
from mixrd.crystal import Crystal
from mixrd.diffraction import Radiation
from mixrd.fit.refinement import Refinement
from mixrd.pattern import ForwardModel, Instrument
from mixrd.scan import Scan


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


def _marks(
    crystals: list[Crystal], instrument: Instrument, limits: tuple[float, float], refined: Refinement
) -> tuple[NDArray[np.float64], ...]:
    """Positions of each phase's reflections in the strongest line, as the forward model puts them."""
    strongest = replace(instrument.radiation.lines[0], weight=1.0)
    # Symmetric peaks: a mark stands where the line is, not at the nodes of its axial divergence.
    bare = replace(
        instrument,
        radiation=Radiation(instrument.radiation.name, (strongest,)),
        profile=replace(instrument.profile, sh_l=0.0),
    )
    model = ForwardModel(crystals, bare, np.array(limits))
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
