"""What an estimate and a refinement say together: amounts, each phase, contents of the whole, doubts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixrd.analysis.contents.absorption import hand_ground_warnings
from mixrd.analysis.contents.amorphous_component import columns_of
from mixrd.analysis.doubts.fit_doubts import (
    cell_change,
    cell_warnings,
    disagreement,
    fit_doubts,
    line_doubts,
    mean_strain,
    sample_doubts,
)
from mixrd.analysis.doubts.out_of_range import out_of_range_warnings
from mixrd.analysis.inputs.preparation import Preparation, absolute_result, microabsorption
from mixrd.analysis.result.intervals import WIDENING, Quantities, quantities
from mixrd.analysis.result.model_intervals import ModelIntervals
from mixrd.analysis.result.parts import AbsoluteResult, AnalysisWarning, PhaseResult, TextureResult
from mixrd.crystal import Crystal, strained_cell
from mixrd.diffraction import Radiation, linear_attenuation_per_mm, mass_attenuation_cm2_g
from mixrd.fit.refinement import Refinement
from mixrd.fit.staging import Freed, SampleRefinement
from mixrd.network import Estimate, Model
from mixrd.pattern import Instrument
from mixrd.pattern.parameter_table import by_loss, parameter_table
from mixrd.phases import formula_of

#: Sizes whose broadening is less than twice its uncertainty are not stated.
_SIZE_SIGNIFICANCE = 2.0


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
    warnings = [
        *fit_doubts(refined),
        *sample_doubts(crystals, refined, sample.freed, sample.shift),
        *line_doubts(crystals, refined, sample.presence, amounts),
        *cell_warnings(crystals, refined, amounts.detected),
        *grains.warnings,
        *doubts,
    ]
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


def phase_results(
    crystals: Sequence[Crystal], radiation: Radiation, found: Findings, *, use_refined: bool
) -> tuple[PhaseResult, ...]:
    """Results of all phases; the answer is the refinement's with `use_refined`, else the network's."""
    return tuple(_phase(p, crystal, radiation, found, use_refined) for p, crystal in enumerate(crystals))


def _phase(p: int, crystal: Crystal, radiation: Radiation, found: Findings, use_refined: bool) -> PhaseResult:
    refined, amount = found.refined, found.quantities
    network = None if found.estimate is None else 100 * float(found.estimate.fractions[0, p])
    answer, sigma, interval = network, None, None
    if amount is not None and use_refined:
        answer, sigma = 100 * float(amount.fractions[p]), 100 * float(amount.sigma[p])
        interval = 100 * float(amount.low[p]), 100 * float(amount.high[p])
    elif found.estimate is not None and found.intervals is not None and not use_refined:
        fractions = found.estimate.fractions[0].numpy().astype(float)
        low, high = found.intervals.network.of(fractions)
        sigma = 100 * float(found.intervals.network.sigma(fractions)[p])
        interval = 100 * float(low[p]), 100 * float(high[p])
    there = amount is None or bool(amount.detected[p])
    size, size_sigma = _size(refined, p) if refined is not None and there else (None, None)
    return PhaseResult(
        name=crystal.name,
        formula=formula_of(crystal),
        weight_percent=float("nan") if answer is None else answer,
        sigma_percent=sigma,
        network_percent=network,
        refined_percent=None if amount is None else 100 * float(amount.fractions[p]),
        apparent_percent=None if refined is None else 100 * float(refined.weight_fractions[p]),
        cell=None if refined is None else strained_cell(crystal, refined.strain[p]),
        cell_change_percent=None if refined is None else 100 * cell_change(crystal, refined.strain[p])[0],
        crystallite_size_nm=size,
        microstrain=None if refined is None else float(refined.microstrain[p]),
        density_g_cm3=crystal.density_g_cm3,
        interval_percent=interval,
        detected=None if amount is None else bool(amount.detected[p]),
        detection_limit_percent=None if amount is None else 100 * float(amount.detection_limit[p]),
        quantification_limit_percent=None if amount is None else 100 * float(amount.quantification_limit[p]),
        cell_sigma=None
        if refined is None
        else _cell_sigma(crystal, refined.strain[p], refined.strain_sigma[p]),
        crystallite_size_sigma_nm=size_sigma,
        texture=_texture(crystal, p, found),
        linear_attenuation_per_mm=linear_attenuation_per_mm(crystal, radiation.wavelength_angstrom),
        mass_attenuation_cm2_g=mass_attenuation_cm2_g(crystal, radiation.wavelength_angstrom),
    )


def _size(refined: Refinement, p: int) -> tuple[float | None, float | None]:
    """Crystallite size and its standard uncertainty in nm, where lines are broader than the instrument's."""
    inverse, spread = float(refined.inverse_size_per_nm[p]), float(refined.inverse_size_sigma[p])
    if inverse <= 0 or inverse <= _SIZE_SIGNIFICANCE * spread:
        return None, None
    return 1 / inverse, spread / inverse**2


def _cell_sigma(
    crystal: Crystal, strain: NDArray[np.float64], sigma: NDArray[np.float64]
) -> tuple[float, ...]:
    """Standard uncertainties of the cell (angstrom, degrees), strain components taken as independent."""
    middle = np.array(strained_cell(crystal, strain))
    square = np.zeros(6)
    for component, one in enumerate(sigma):
        moved = strain.copy()
        moved[component] += one
        square += (np.array(strained_cell(crystal, moved)) - middle) ** 2
    # What rounding leaves of an angle that the symmetry fixes is no uncertainty.
    return tuple(float(x) if x > 1e-9 else 0.0 for x in np.sqrt(square))


def _texture(crystal: Crystal, p: int, found: Findings) -> TextureResult | None:
    if found.refined is None or found.freed is None or crystal.name not in found.freed.texture_axes:
        return None
    axis = found.freed.texture_axes[crystal.name]
    return TextureResult(axis, float(found.refined.texture[p]), float(found.refined.texture_sigma[p]))
