"""The analysis of a scan: the network's estimate, then the refinement, and what to think of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mixrd.analysis.contents.amorphous_component import columns_of
from mixrd.analysis.curves import fitted_curves
from mixrd.analysis.doubts.axis_check import AxisReading, axis_error, axis_reading, axis_warnings
from mixrd.analysis.doubts.findings import findings, phase_results
from mixrd.analysis.doubts.unexplained import what_is_missing
from mixrd.analysis.inputs.beam import beam_warnings, instrument_for
from mixrd.analysis.inputs.exclusion import without_regions
from mixrd.analysis.inputs.preparation import Preparation
from mixrd.analysis.inputs.setup import (
    SAME_WAVELENGTH,
    are_counts,
    edge_warnings,
    overlap,
    part_of,
    scan_warnings,
    structure_warnings,
)
from mixrd.analysis.provenance import provenance
from mixrd.analysis.result.analysis import Analysis
from mixrd.analysis.result.intervals import LEVEL
from mixrd.analysis.result.parts import AnalysisWarning, Curves, UnexplainedResult
from mixrd.analysis.result.refined_model import RefinedModel
from mixrd.analysis.result.stating import (
    explained_share,
    statement_of,
    without_amounts,
    without_those_about_amounts,
)
from mixrd.crystal import Crystal
from mixrd.errors import MixrdError, ModelError, ScanError, UsageError
from mixrd.fit.absent_phases import candidate_steps
from mixrd.fit.lockstep import Steps, alone, groups, together
from mixrd.fit.refinement import STAGES_DEG, Refinement
from mixrd.fit.staging import SampleRefinement
from mixrd.network import Estimate, Model
from mixrd.pattern import Instrument, shared_model
from mixrd.phases import check_distinct
from mixrd.scan import Scan, read_scan, rebin
from mixrd.training import Recipe

#: Blur of the coarse fits when a network has found the basin of the cells already.
STAGES_AFTER_NETWORK_DEG = (0.3,)


def recipe_for(
    scan: Scan, crystals: Sequence[Crystal], instrument: Instrument | None, **settings: Any
) -> Recipe:
    """The training recipe of the problem that `scan` poses; `settings` go to `Recipe`.

    The range is that of the scan, rounded inwards to whole degrees, so that scans alike share a model.
    """
    machine = instrument_for(scan, instrument)
    low, high = overlap(scan, crystals, machine)
    return Recipe(
        phases=tuple(crystals),
        instrument=machine,
        two_theta_range=(float(np.ceil(low + 0.05)), float(np.floor(high + 1e-3))),
        **settings,
    )


def analyze(
    scan: Scan,
    crystals: Sequence[Crystal],
    instrument: Instrument | None = None,
    *,
    model: Model | None = None,
    refine: bool = True,
    preparation: Preparation = Preparation(),  # noqa: B008
) -> Analysis:
    """Weight fractions of `crystals` in `scan`.

    Parameters
    ----------
    scan : Scan
    crystals : sequence of Crystal
        Candidate phases; a model's are used if this is empty.
    instrument : Instrument, optional
        Default: the model's, else a generic one for the tube that the header names.
    model : Model, optional
        Trained network; without one only the refinement speaks.
    refine : bool
        Whether to refine; False leaves the network's estimate.
    preparation : Preparation
        What is known of the sample: particle size, standards, amorphous humps, regions to leave out. They
        need the refinement.

    Returns
    -------
    Analysis

    Raises
    ------
    InputError
        If scan, phases, instrument and model do not fit together.
    """
    steps = analysis_steps(scan, crystals, instrument, model=model, refine=refine, preparation=preparation)
    return alone(steps)


def analysis_steps(
    scan: Scan,
    crystals: Sequence[Crystal],
    instrument: Instrument | None = None,
    *,
    model: Model | None = None,
    refine: bool = True,
    preparation: Preparation = Preparation(),  # noqa: B008
) -> Steps[Analysis]:
    """The steps of `analyze`, with the same arguments: those of many scans may be taken together."""
    phases = list(crystals) or (list(model.problem.crystals) if model else [])
    _check_request(phases, model, refine)
    given = instrument or (model.problem.instrument if model else None)
    machine = instrument_for(scan, given)
    if model:
        _check_model(model, phases, machine)
    kept = without_regions(scan, preparation.excluded)
    axis = axis_reading(kept.two_theta, kept.counts, phases, machine)
    limits = _limits(kept, phases, machine, axis, preparation)
    seconds: dict[str, float] = {}
    estimate: Estimate | None = None
    sample: SampleRefinement | None = None
    if model:
        with _timed(seconds, "network"):
            estimate = _estimate(scan, model)
    if refine:
        with _timed(seconds, "refined"):
            sample = yield from _refine(kept, phases, machine, limits, estimate, preparation)
    refined = sample.refinement if sample else None
    found = findings(phases, machine, estimate, sample, preparation, model)
    use_refined = refined is not None and (refined.converged or estimate is None)
    curves, missing, doubts, explained = _seen(kept, limits, phases, machine, refined)
    misread = axis_warnings(axis, machine)
    doubts = misread + [one for one in doubts if one.code not in {known.code for known in misread}]
    warnings = (*_input_warnings(scan, phases, machine, given), *doubts, *found.warnings)
    names = [phase.name for phase in phases]
    statement = statement_of(names, refined, found.quantities, explained, missing, warnings)
    stated = statement.kind == "amounts"
    if statement.kind == "none":
        warnings = without_those_about_amounts(warnings)
    results = phase_results(phases, machine.radiation, found, use_refined=use_refined)
    return Analysis(
        status="ok",
        file=Path(scan.path).name,
        phases=results if stated else without_amounts(results),
        r_wp=refined.r_wp if refined else None,
        r_exp=refined.r_exp if refined else None,
        zero_deg=refined.zero_deg if refined else None,
        displacement_mm=refined.displacement_mm if refined else None,
        seconds=seconds,
        warnings=warnings,
        error=None,
        provenance=provenance(scan, phases, machine, model, limits=limits, preparation=preparation),
        curves=curves,
        interval_level=LEVEL if stated and (use_refined or found.intervals is not None) else None,
        background_degree=sample.freed.background_degree if sample else None,
        absolute=found.absolute if statement.kind != "none" else None,
        hump_shares=found.hump_shares,
        unexplained=missing,
        covariance_percent2=None
        if found.quantities is None or not stated
        else (1e4 * found.quantities.covariance).tolist(),
        refined_model=None if refined is None else RefinedModel.of(phases, machine, refined),
        statement=statement,
    ).with_losses(found.low_angles)


def _limits(
    scan: Scan,
    crystals: list[Crystal],
    instrument: Instrument,
    axis: AxisReading | None,
    preparation: Preparation,
) -> tuple[float, float]:
    """First and last angle in degrees of what is refined: where there are lines, or humps."""
    try:
        limits = overlap(scan, crystals, instrument)
    except ScanError as error:
        raise axis_error(error, axis) from None
    return (float(scan.two_theta[0]), limits[1]) if preparation.humps else limits


@contextmanager
def _timed(seconds: dict[str, float], what: str) -> Iterator[None]:
    begin = time.perf_counter()
    yield
    seconds[what] = time.perf_counter() - begin


def _input_warnings(
    scan: Scan, crystals: list[Crystal], instrument: Instrument, given: Instrument | None
) -> tuple[AnalysisWarning, ...]:
    """What to think of scan, instrument and structures before anything is fitted."""
    return (
        *scan_warnings(scan),
        *beam_warnings(scan, instrument, given),
        *edge_warnings(crystals, instrument),
        *structure_warnings(crystals),
    )


def _seen(
    scan: Scan,
    limits: tuple[float, float],
    crystals: list[Crystal],
    instrument: Instrument,
    refined: Refinement | None,
) -> tuple[Curves | None, UnexplainedResult | None, list[AnalysisWarning], float]:
    """The fitted scan, what in it no candidate explains, and the part that they explain."""
    if refined is None:
        return None, None, [], 1.0
    curves = fitted_curves(scan, limits, crystals, instrument, refined)
    sigma = part_of(scan, (float(curves.two_theta[0]), limits[1]))[2]
    missing, doubts = what_is_missing(curves, sigma, crystals, instrument, refined)
    return curves, missing, doubts, explained_share(curves, sigma)


def analyze_many(
    scans: Sequence[str | Path | Scan],
    crystals: Sequence[Crystal],
    instrument: Instrument | None = None,
    *,
    model: Model | None = None,
    refine: bool = True,
    preparation: Preparation = Preparation(),  # noqa: B008
    on_scan: Callable[[Analysis], None] | None = None,
) -> list[Analysis]:
    """Analyse several scans; one that fails becomes a result of status "failed" and the others go on."""

    def steps(item: str | Path | Scan) -> Steps[Analysis]:
        scan = item if isinstance(item, Scan) else read_scan(item)
        known = analysis_steps(
            scan, crystals, instrument, model=model, refine=refine, preparation=preparation
        )
        return (yield from known)

    results = []
    for items in groups(scans):
        for item, found in zip(items, analyzed_together([steps(item) for item in items]), strict=True):
            if isinstance(found, MixrdError):
                found = failed_analysis(item.path if isinstance(item, Scan) else str(item), found)
            elif isinstance(found, Exception):
                raise found
            results.append(found)
            if on_scan:
                on_scan(found)
    return results


def analyzed_together(many: Sequence[Steps[Analysis]]) -> list[Analysis | Exception]:
    """Results of the steps of several analyses; the seconds of each are its share of those of all."""
    begin = time.perf_counter()
    found = together(many)
    share = (time.perf_counter() - begin) / max(len(many), 1)
    return [
        replace(one, seconds=one.seconds | {"refined": share})
        if isinstance(one, Analysis) and "refined" in one.seconds
        else one
        for one in found
    ]


def failed_analysis(file: str, error: MixrdError | str) -> Analysis:
    """The result that stands for a scan that could not be analysed."""
    return Analysis("failed", Path(file).name, (), None, None, None, None, {}, (), str(error), {})


def _check_request(phases: list[Crystal], model: Model | None, refine: bool) -> None:
    if not phases:
        raise UsageError("no candidate phase is given", remedy="Name the phases that may be in the sample")
    if model is None and not refine:
        raise UsageError(
            "neither a network nor a refinement is asked for", remedy="Give a model or allow the refinement"
        )
    check_distinct(phases)
    if model is not None and sorted(c.name for c in phases) != sorted(model.names):
        raise ModelError(
            f"the model is for {', '.join(model.names)}, not for {', '.join(c.name for c in phases)}",
            remedy="Give the model's phases, or train a model for these",
        )
    if model is not None and [c.name for c in phases] != list(model.names):
        phases.sort(key=lambda c: model.names.index(c.name))


def _check_model(model: Model, phases: list[Crystal], instrument: Instrument) -> None:
    """Raise ModelError if `model` was trained with other radiation, or other structures of these names."""
    used = instrument.radiation.wavelength_angstrom
    trained = model.problem.instrument.radiation.wavelength_angstrom
    if abs(trained / used - 1) > SAME_WAVELENGTH:
        raise ModelError(
            f"the model was trained for {trained:.5f} A, the instrument {instrument.name!r} has {used:.5f} A",
            remedy="Give the model of this instrument, or train one for it",
        )
    for phase, known in zip(phases, model.problem.crystals, strict=True):
        edges = np.array(phase.cell[:3]) / np.array(known.cell[:3])
        if phase.formula != known.formula or np.abs(edges - 1).max() > 0.01 + model.problem.max_strain:
            raise ModelError(
                f"the model's {known.name} is another structure: {known.formula}, cell {known.cell}",
                remedy="Train a model for the structures given",
            )


def _estimate(scan: Scan, model: Model) -> Estimate:
    edges = model.problem.bin_edges
    try:
        pattern = rebin(scan.two_theta, scan.counts, edges).counts
    except MixrdError:
        raise ModelError(
            f"the model reads {edges[0]:.2f}-{edges[-1]:.2f} deg, the scan covers "
            f"{scan.two_theta[0]:.2f}-{scan.two_theta[-1]:.2f} deg",
            remedy="Train a model for the range of this scan (leave --model out), or scan the whole range",
            file=scan.path or None,
        ) from None
    return model.estimate(pattern[np.newaxis])


def _refine(
    scan: Scan,
    crystals: list[Crystal],
    instrument: Instrument,
    limits: tuple[float, float],
    estimate: Estimate | None,
    preparation: Preparation,
) -> Steps[SampleRefinement]:
    two_theta, counts, sigma = part_of(scan, limits)
    start = None
    stages: tuple[float, ...] = STAGES_DEG
    # A network of fractions alone knows nothing of where a fit begins.
    if estimate is not None and estimate.strain is not None:
        start = _start(crystals, instrument, two_theta, estimate)
        stages = STAGES_AFTER_NETWORK_DEG
    return candidate_steps(
        crystals,
        instrument,
        two_theta,
        counts,
        sigma,
        counted=scan.sigma is None and are_counts(counts),
        humps=columns_of(preparation.humps, two_theta) if preparation.humps else None,
        start=start,
        stages_deg=stages,
    )


def _start(
    crystals: list[Crystal], instrument: Instrument, two_theta: NDArray[np.float64], estimate: Estimate
) -> torch.Tensor:
    model = shared_model(crystals, instrument, two_theta)
    reference = model.reference()
    # A network's strain of a phase that it does not see means nothing: start those unstrained.
    present = (estimate.fractions[0] > 0.005).to(torch.float64)
    weight = torch.repeat_interleave(present, torch.tensor(model.strain_sizes))
    assert estimate.strain is not None
    size = reference.inverse_size if estimate.inverse_size is None else estimate.inverse_size
    return reference.replace(
        strain=(estimate.strain[0].to(torch.float64) * weight).unsqueeze(0),
        inverse_size=size.to(torch.float64),
    ).flat()
