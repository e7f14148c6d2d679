"""What is known of how a sample was prepared, and what that says of its contents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mixrd.analysis.contents.absorption import microabsorption_warnings
from mixrd.analysis.contents.absorption_uncertainty import microabsorption_uncertainty
from mixrd.analysis.contents.amorphous import (
    AbsoluteContent,
    InternalStandard,
    internal_standard,
    negative_amorphous,
)
from mixrd.analysis.contents.amorphous_component import AmorphousComponent
from mixrd.analysis.contents.external_standard import ExternalConstant, external_constant, external_content
from mixrd.analysis.contents.grinding import Grinding, likely_sizes
from mixrd.analysis.inputs.beam import instrument_for
from mixrd.analysis.inputs.contradictions import refuse_contradictions
from mixrd.analysis.inputs.exclusion import Region
from mixrd.analysis.inputs.setup import are_counts, overlap, part_of
from mixrd.analysis.result.intervals import Quantities
from mixrd.analysis.result.parts import AbsoluteResult, AnalysisWarning
from mixrd.crystal import Crystal
from mixrd.diffraction import Radiation
from mixrd.errors import RefinementError
from mixrd.fit.refinement import Refinement
from mixrd.fit.staging import refine_sample
from mixrd.pattern import Instrument
from mixrd.scan import Scan

#: What is amorphous in most samples that hold something amorphous.
USUAL_GLASS = "SiO2"


@dataclass(frozen=True)
class Preparation:
    """What the scan itself does not tell.

    Attributes
    ----------
    particle_size_um : float or None
        Diameter of the particles in micrometres, where it is known: microabsorption is corrected for it.
    standard : InternalStandard or None
        A phase that was weighed in.
    external : ExternalConstant or None
        From the scan of a pure standard on the same instrument.
    humps : tuple of AmorphousComponent
        Shapes of amorphous parts, fitted beside the phases.
    excluded : tuple of (low, high)
        Regions in degrees 2theta that the refinement leaves out.
    grinding : "by-hand", "mccrone", "as-received" or None
        How the powder was ground, where the size of its particles is not known: amounts are the mean over the
        sizes that this makes likely, and their spread is in the intervals.
    amorphous_formula : str or None
        Composition of what is amorphous ("SiO2"), with `external`: without it the amorphous part is taken to
        absorb as the crystalline phases do, and the contents are as uncertain as this is a guess.

    Raises
    ------
    InputError
        If the parts contradict each other, or the formula is none.
    """

    particle_size_um: float | None = None
    standard: InternalStandard | None = None
    external: ExternalConstant | None = None
    humps: tuple[AmorphousComponent, ...] = ()
    excluded: tuple[Region, ...] = ()
    grinding: Grinding | None = None
    amorphous_formula: str | None = None

    def __post_init__(self) -> None:
        refuse_contradictions(
            self.particle_size_um, self.grinding, self.standard, self.external, self.amorphous_formula
        )


@dataclass(frozen=True, eq=False)
class Microabsorption:
    """What microabsorption does to the amounts.

    Attributes
    ----------
    factors : (P,) array
        True masses over apparent ones, for the size that was given or on average over those that are likely.
    covariance : (P, P) array
        Of the weight fractions, by sizes of particles that are not known (well).
    warnings : list of AnalysisWarning
    """

    factors: NDArray[np.float64]
    covariance: NDArray[np.float64]
    warnings: list[AnalysisWarning]


def microabsorption(
    crystals: Sequence[Crystal],
    refined: Refinement,
    radiation: Radiation,
    particle_size_um: float | None,
    grinding: Grinding | None = None,
) -> Microabsorption:
    """Correction for particles of a known size; for unknown ones the mean over all that are likely.

    Where only the grinding is known, or nothing, fractions are the mean over the sizes that this makes likely
    (`likely_sizes`, `UNKNOWN_SIZE_UM`), and their spread is part of the uncertainty.
    """
    apparent = refined.weight_fractions
    count = len(apparent)
    if count < 2 or apparent.sum() <= 0:
        return Microabsorption(np.ones(count), np.zeros((count, count)), [])
    likely = None if grinding is None else likely_sizes(grinding)
    found = microabsorption_uncertainty(
        crystals,
        apparent,
        radiation,
        particle_size_um if likely is None else likely.median_um,
        spread=None if likely is None else likely.spread,
    )
    known = particle_size_um is not None
    corrected = found.weights if known else apparent + found.mean_shift
    factors = np.where(apparent > 0, corrected / np.where(apparent > 0, apparent, 1.0), 1.0)
    doubts = microabsorption_warnings(
        crystals, apparent, radiation, particle_size_um, grinding=grinding, stated=corrected
    )
    return Microabsorption(factors, found.covariance, doubts)


def external_constant_of(scan: Scan, crystal: Crystal, instrument: Instrument) -> ExternalConstant:
    """The instrument's constant from the scan of a pure, fully crystalline standard.

    Raises
    ------
    InputError
        If scan, standard and instrument do not fit together.
    """
    machine = instrument_for(scan, instrument)
    two_theta, counts, sigma = part_of(scan, overlap(scan, [crystal], machine))
    counted = scan.sigma is None and are_counts(counts)
    fitted = refine_sample([crystal], machine, two_theta, counts, sigma, counted=counted).refinement
    spread = float(np.sqrt(fitted.mass_covariance[0, 0]))
    return external_constant(float(fitted.masses[0]), spread, crystal, machine.radiation)


def absolute_result(
    crystals: Sequence[Crystal],
    refined: Refinement,
    amounts: Quantities,
    grains: Microabsorption,
    preparation: Preparation,
) -> tuple[AbsoluteResult | None, list[AnalysisWarning]]:
    """Contents of the whole sample, its amorphous part included, where a standard tells them.

    Raises
    ------
    InputError
        If the standard does not fit the result.
    """
    names = tuple(crystal.name for crystal in crystals)
    if preparation.standard is not None:
        content = internal_standard(names, amounts.fractions, amounts.covariance, preparation.standard)
        return _result("internal standard", content), negative_amorphous(content)
    if preparation.external is not None:
        scales = refined.masses * grains.factors
        spread = refined.mass_covariance * np.outer(grains.factors, grains.factors)
        # The sizes of the particles move the amounts against each other.
        spread = spread + float(scales.sum()) ** 2 * grains.covariance
        content = _external(crystals, scales, spread, preparation.external, preparation.amorphous_formula)
        return _result("external standard", content), negative_amorphous(content)
    return None, []


def _external(
    crystals: Sequence[Crystal],
    scales: NDArray[np.float64],
    spread: NDArray[np.float64],
    constant: ExternalConstant,
    formula: str | None,
) -> AbsoluteContent:
    """Contents by an external standard; without a formula as uncertain as what is amorphous is unknown.

    That it absorbs as the crystalline phases do is a guess. What the commonest other one (`USUAL_GLASS`)
    would change is one standard deviation then: nothing where the phases absorb as it does, or where all is
    crystalline.
    """
    found = external_content(crystals, scales, spread, constant, formula)
    if formula is not None:
        return found
    try:
        glass = external_content(crystals, scales, spread, constant, USUAL_GLASS)
    except RefinementError:  # no such sample scatters as strongly: the guess is the better one
        return found
    change = glass.weight_percent - found.weight_percent
    return replace(found, covariance=found.covariance + np.outer(change, change))


def _result(method: str, content: AbsoluteContent) -> AbsoluteResult:
    pairs = zip(content.names, content.weight_percent, content.sigma_percent, strict=True)
    rows = {name: (float(value), float(sigma)) for name, value, sigma in pairs}
    return AbsoluteResult(
        method=method,
        weight_percent={name: value for name, (value, _) in rows.items()},
        sigma_percent={name: sigma for name, (_, sigma) in rows.items()},
        amorphous_percent=content.amorphous_percent,
        amorphous_sigma_percent=content.amorphous_sigma_percent,
    )
