"""What an estimate and a refinement say together: amounts, contents of the whole, doubts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mixrd.analysis.contents.absorption import hand_ground_warnings
from mixrd.analysis.contents.amorphous_component import columns_of
from mixrd.analysis.doubts.cell_doubts import cell_warnings, mean_strain
from mixrd.analysis.doubts.fit_doubts import disagreement, fit_doubts, line_doubts, sample_doubts
from mixrd.analysis.doubts.out_of_range import out_of_range_warnings
from mixrd.analysis.inputs.preparation import Preparation, absolute_result, microabsorption
from mixrd.analysis.result.intervals import WIDENING, Quantities, quantities
from mixrd.analysis.result.model_intervals import ModelIntervals
from mixrd.analysis.result.parts import AbsoluteResult, AnalysisWarning
from mixrd.crystal import Crystal
from mixrd.fit.refinement import Refinement
from mixrd.fit.staging import Freed, SampleRefinement
from mixrd.network import Estimate, Model
from mixrd.pattern import Instrument
from mixrd.pattern.parameter_table import by_loss, parameter_table


@dataclass(frozen=True, eq=False)
class Findings:
    """All that was found in a scan; None where it was not asked for."""

    estimate: Estimate | None
    refined: Refinement | None = None
    freed: Freed | None = None
    quantities: Quantities | None = None
    absolute: AbsoluteResult | None = None
    hump_shares: dict[str, float] | None = None
    warnings: list[AnalysisWarning] = field(default_factory=list)
    intervals: ModelIntervals | None = None

    @property
    def low_angles(self) -> dict[str, Any]:
        """What was refined of losses at low angles, as the result names it."""
        found: dict[str, Any] = {}
        for loss, members in by_loss(parameter_table()).items():
            if self.refined is not None and self.freed is not None and loss.name in self.freed.losses:
                for quantity in members:
                    values = self.refined.corrections[quantity.field]
                    found[quantity.result_name] = values if len(values) > 1 else values[0]
        return found


def findings(
    crystals: Sequence[Crystal],
    instrument: Instrument,
    estimate: Estimate | None,
    sample: SampleRefinement | None,
    preparation: Preparation,
    model: Model | None = None,
) -> Findings:
    """What follows from the estimate and the refinement of one scan.

    Raises
    ------
    InputError
        If a standard does not fit the result.
    """
    calibrated = None if model is None else ModelIntervals.of(model)
    if sample is None:
        return Findings(estimate, intervals=calibrated)
    refined, radiation = sample.refinement, instrument.radiation
    grains = microabsorption(crystals, refined, radiation, preparation.particle_size_um, preparation.grinding)
    amounts = quantities(
        refined,
        sample.presence,
        factors=grains.factors,
        further=grains.covariance,
        mean_strain=np.array([mean_strain(c, s) for c, s in zip(crystals, refined.strain, strict=True)]),
        widening=WIDENING if calibrated is None else calibrated.widening,
    )
    unasked = preparation.particle_size_um is None and preparation.grinding is None
    if unasked and not grains.warnings:
        reach = 0.5 * (amounts.high - amounts.low)
        grains.warnings.extend(
            hand_ground_warnings(crystals, refined.weight_fractions, radiation, amounts.fractions, reach)
        )
    absolute, doubts = absolute_result(crystals, refined, amounts, grains, preparation)
    warnings = fit_doubts(refined) + sample_doubts(crystals, refined, sample.freed, sample.shift)
    warnings += line_doubts(crystals, refined, sample.presence, amounts)
    warnings += cell_warnings(crystals, refined, amounts.detected)
    warnings += grains.warnings + doubts
    warnings += [] if estimate is None else disagreement(crystals, estimate, refined)
    warnings += [] if model is None else out_of_range_warnings(crystals, refined, amounts.detected, model)
    shares = _hump_shares(sample, preparation)
    return Findings(
        estimate, refined, sample.freed, amounts, absolute, shares, warnings, intervals=calibrated
    )


def _hump_shares(sample: SampleRefinement, preparation: Preparation) -> dict[str, float] | None:
    """Share of each hump in the counts above the smooth background."""
    if not preparation.humps:
        return None
    refined = sample.refinement
    humps = columns_of(preparation.humps, refined.two_theta).sum(1).numpy() * sample.hump_amounts.clip(
        min=0.0
    )
    whole = max(float(refined.contributions.sum() + humps.sum()), 1e-300)
    names = [component.name for component in preparation.humps]
    return {name: float(one) / whole for name, one in zip(names, humps, strict=True)}
