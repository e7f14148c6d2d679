"""What is said of each phase."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mixrd.analysis.doubts.cell_doubts import cell_change
from mixrd.analysis.doubts.findings import Findings
from mixrd.analysis.result.parts import PhaseResult, TextureResult
from mixrd.crystal import Crystal, strained_cell
from mixrd.diffraction import Radiation, linear_attenuation_per_mm, mass_attenuation_cm2_g
from mixrd.fit.refinement import Refinement
from mixrd.phases import formula_of

#: Sizes whose broadening is less than twice its uncertainty are not stated.
_SIZE_SIGNIFICANCE = 2.0


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
