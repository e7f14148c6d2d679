"""Curves of a refined scan, for plots."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mixrd.analysis.refinement import Refinement
from mixrd.analysis.result_parts import Curves
from mixrd.analysis.setup import part_of
from mixrd.crystal import Crystal
from mixrd.diffraction import Radiation
from mixrd.pattern import ForwardModel, Instrument
from mixrd.scan import Scan


def fitted_curves(
    scan: Scan,
    limits: tuple[float, float],
    crystals: list[Crystal],
    instrument: Instrument,
    refined: Refinement,
) -> Curves:
    """Fitted scan, phase contributions and reflection marks of a refinement of `scan` within `limits`."""
    two_theta, counts, _ = part_of(scan, limits)
    return Curves(
        two_theta=two_theta,
        observed=counts,
        calculated=refined.calculated,
        background=refined.background,
        contributions=refined.contributions,
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
    parameters = replace(
        reference,
        strain=reference.strain.new_tensor(np.concatenate(refined.strain)).unsqueeze(0),
        zero=reference.zero + refined.zero_deg,
        displacement=reference.displacement + refined.displacement_mm,
    )
    position = model.peaks(parameters).position[0].numpy()
    phase = model.peak_table.phase.numpy()
    inside = (position >= limits[0]) & (position <= limits[1])
    return tuple(np.sort(position[inside & (phase == p)]) for p in range(len(crystals)))
