"""The analysis of a scan: the network's estimate, then the refinement, and what to think of them."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mixrd.analysis import refinement
from mixrd.analysis.curves import fitted_curves
from mixrd.analysis.refinement import STAGES_DEG, Refinement
from mixrd.analysis.result import Analysis, AnalysisWarning, PhaseResult
from mixrd.analysis.setup import (
    SAME_WAVELENGTH,
    edge_warnings,
    instrument_for,
    overlap,
    part_of,
    scan_warnings,
)
from mixrd.crystal import Crystal, check_distinct, formula_of, strained_cell
from mixrd.errors import MixrdError, ModelError, UsageError
from mixrd.network import Estimate, Model
from mixrd.pattern import ForwardModel, Instrument
from mixrd.scan import Scan, read_scan, rebin
from mixrd.training import Recipe

#: Estimates that differ by more than this (wt%) in one phase are worth a word.
DISAGREEMENT_PERCENT = 10.0
#: R_wp over R_exp above which the fit misses more than noise.
POOR_GOODNESS_OF_FIT = 5.0
#: Total mass over its standard uncertainty below which nothing was found.
LEAST_SIGNIFICANCE = 5.0
#: Blur of the coarse fits when a network has found the basin of the cells already.
STAGES_AFTER_NETWORK_DEG = (0.3,)
#: Sizes whose broadening is less than twice its uncertainty are not stated.
_SIZE_SIGNIFICANCE = 2.0


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

    Returns
    -------
    Analysis

    Raises
    ------
    InputError
        If scan, phases, instrument and model do not fit together.
    """
    phases = list(crystals) or (list(model.problem.crystals) if model else [])
    _check_request(phases, model, refine)
    machine = instrument_for(scan, instrument or (model.problem.instrument if model else None))
    if model:
        _check_model(model, phases, machine)
    limits = overlap(scan, phases, machine)
    seconds: dict[str, float] = {}
    begin = time.perf_counter()
    estimate = _estimate(scan, model) if model else None
    if estimate is not None:
        seconds["network"] = time.perf_counter() - begin
    begin = time.perf_counter()
    refined = _refine(scan, phases, machine, limits, estimate) if refine else None
    if refined is not None:
        seconds["refined"] = time.perf_counter() - begin
    warnings = scan_warnings(scan) + _range_warnings(scan, limits) + edge_warnings(phases, machine)
    warnings += _doubts(phases, estimate, refined)
    use_refined = refined is not None and (refined.converged or estimate is None)
    return Analysis(
        status="ok",
        file=Path(scan.path).name,
        phases=_phase_results(phases, estimate, refined, use_refined),
        r_wp=refined.r_wp if refined else None,
        r_exp=refined.r_exp if refined else None,
        zero_deg=refined.zero_deg if refined else None,
        displacement_mm=refined.displacement_mm if refined else None,
        seconds=seconds,
        warnings=tuple(warnings),
        error=None,
        provenance=_provenance(scan, machine, model),
        curves=fitted_curves(scan, limits, phases, machine, refined) if refined else None,
    )


def analyze_many(
    scans: Sequence[str | Path | Scan],
    crystals: Sequence[Crystal],
    instrument: Instrument | None = None,
    *,
    model: Model | None = None,
    refine: bool = True,
    on_scan: Callable[[Analysis], None] | None = None,
) -> list[Analysis]:
    """Analyse several scans; one that fails becomes a result of status "failed" and the others go on."""
    results = []
    for item in scans:
        name = item.path if isinstance(item, Scan) else str(item)
        try:
            scan = item if isinstance(item, Scan) else read_scan(item)
            result = analyze(scan, crystals, instrument, model=model, refine=refine)
        except MixrdError as error:
            result = failed_analysis(name, error)
        results.append(result)
        if on_scan:
            on_scan(result)
    return results


def failed_analysis(file: str, error: MixrdError) -> Analysis:
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
) -> Refinement:
    two_theta, counts, sigma = part_of(scan, limits)
    start = None
    stages: tuple[float, ...] = STAGES_DEG
    if estimate is not None:
        start = _start(crystals, instrument, two_theta, estimate)
        stages = STAGES_AFTER_NETWORK_DEG
    return refinement.refine(
        crystals, instrument, two_theta, counts[np.newaxis], sigma[np.newaxis], start=start, stages_deg=stages
    )[0]


def _start(
    crystals: list[Crystal], instrument: Instrument, two_theta: NDArray[np.float64], estimate: Estimate
) -> torch.Tensor:
    model = ForwardModel(crystals, instrument, two_theta)
    reference = model.reference()
    # A network's strain of a phase that it does not see means nothing: start those unstrained.
    present = (estimate.fractions[0] > 0.005).to(torch.float64)
    weight = torch.repeat_interleave(present, torch.tensor(model.strain_sizes))
    return dataclasses.replace(
        reference,
        strain=(estimate.strain[0].to(torch.float64) * weight).unsqueeze(0),
        inverse_size=estimate.inverse_size.to(torch.float64),
    ).flat()


def _doubts(
    crystals: list[Crystal], estimate: Estimate | None, refined: Refinement | None
) -> list[AnalysisWarning]:
    warnings = []
    if refined is not None and not refined.converged:
        warnings.append(
            AnalysisWarning("NOT_CONVERGED", "the refinement had not settled when its steps ran out")
        )
    if refined is not None and refined.significance < LEAST_SIGNIFICANCE:
        warnings.append(
            AnalysisWarning(
                "NO_PHASE_FOUND", "no candidate stands out from background and noise: are these the phases?"
            )
        )
    if refined is not None and refined.r_wp > POOR_GOODNESS_OF_FIT * refined.r_exp:
        ratio = refined.r_wp / refined.r_exp
        warnings.append(
            AnalysisWarning(
                "POOR_FIT", f"the fit misses {ratio:.1f} times more than noise explains: look at the plot"
            )
        )
    if estimate is not None and refined is not None:
        network = 100 * estimate.fractions[0].numpy().astype(float)
        for crystal, a, b in zip(crystals, network, 100 * refined.weight_fractions, strict=True):
            if abs(a - b) > DISAGREEMENT_PERCENT:
                warnings.append(
                    AnalysisWarning(
                        "ESTIMATES_DISAGREE",
                        f"the network says {a:.1f} wt%, the refinement {b:.1f} wt%",
                        crystal.name,
                    )
                )
    return warnings


def _range_warnings(scan: Scan, limits: tuple[float, float]) -> list[AnalysisWarning]:
    cut = float(scan.two_theta[-1]) - limits[1]
    if cut > 1.0:
        return [
            AnalysisWarning(
                "RANGE_CUT", f"{cut:.1f} deg at the end of the scan lie outside the instrument's range"
            )
        ]
    return []


def _phase_results(
    crystals: list[Crystal], estimate: Estimate | None, refined: Refinement | None, use_refined: bool
) -> tuple[PhaseResult, ...]:
    results = []
    for p, crystal in enumerate(crystals):
        network = None if estimate is None else 100 * float(estimate.fractions[0, p])
        fitted = None if refined is None else 100 * float(refined.weight_fractions[p])
        size = None
        if refined is not None:
            inverse, spread = refined.inverse_size_per_nm[p], refined.inverse_size_sigma[p]
            size = float(1 / inverse) if inverse > _SIZE_SIGNIFICANCE * spread and inverse > 0 else None
        answer = fitted if use_refined else network
        results.append(
            PhaseResult(
                name=crystal.name,
                formula=formula_of(crystal),
                weight_percent=float("nan") if answer is None else answer,
                sigma_percent=100 * float(np.sqrt(max(refined.covariance[p, p], 0.0)))
                if refined is not None and use_refined
                else None,
                network_percent=network,
                refined_percent=fitted,
                cell=None if refined is None else strained_cell(crystal, refined.strain[p]),
                crystallite_size_nm=size,
                microstrain=None if refined is None else float(refined.microstrain[p]),
                density_g_cm3=crystal.density_g_cm3,
            )
        )
    return tuple(results)


def _provenance(scan: Scan, instrument: Instrument, model: Model | None) -> dict[str, Any]:
    from mixrd import __version__

    return {
        "mixrd": __version__,
        "torch": torch.__version__,
        "scan_sha256": scan.sha256,
        "scan_format": scan.format,
        "scan_reader": scan.reader,
        "model_sha256": model.sha256 if model else None,
        "seed": model.recipe.get("seed") if model else None,
        "instrument": instrument.name,
        "radiation": instrument.radiation.name,
        "wavelengths_angstrom": [line.wavelength_angstrom for line in instrument.radiation.lines],
    }
