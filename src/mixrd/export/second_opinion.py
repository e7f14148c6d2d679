"""A second opinion: the same scan refined by rietx, from the structures as they were given.

rietx finds background, cells and widths itself, as its guide for programs has it; nothing of our refinement
goes in but the range of the scan and what of it is left out. Its default plan gives all phases one width; a
last stage frees their crystallite sizes, without which phases of different sizes come out wrong by some wt%.
It knows the tube's lines, the monochromator and the goniometer radius.
"""

from __future__ import annotations

import dataclasses
import tempfile
import time
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from mixrd.analysis import Analysis
from mixrd.analysis.result.second_opinion import SecondOpinion, in_sigmas, second_opinion_warnings
from mixrd.errors import UsageError
from mixrd.export.formats.rietx import rietx_instrument, rietx_phase
from mixrd.export.handover import Handover, handover
from mixrd.scan import Scan

#: Names of programs that can be asked.
PROGRAMS = ("rietx",)
#: Strongest peaks whose median width tells where to start.
_PEAKS = 12
#: Share of a peak's width that Gaussian and Lorentzian start with.
_START_SHARE = 0.6


def with_second_opinion(analysis: Analysis, scan: Scan, program: str = "rietx") -> Analysis:
    """The result with what another program says of `scan`, and a warning where the two disagree.

    Parameters
    ----------
    analysis : Analysis
        With a refinement.
    scan : Scan
        The scan that was analysed.
    program : {"rietx"}

    Raises
    ------
    InputError
        If the result holds no refinement or the scan is another.
    UsageError
        If there is no such program.
    """
    if program not in PROGRAMS:
        raise UsageError(
            f"no second opinion by {program!r}", remedy=f"Programs that can be asked: {', '.join(PROGRAMS)}"
        )
    given, ours = handover(analysis, scan), _ours(analysis)
    begin = time.perf_counter()
    if analysis.statement.kind != "amounts":
        # Its fractions would be numbers where there are to be none.
        opinion, ours = _without(f"it was not asked: {analysis.statement.sentence}", 0.0), {}
    else:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                result = _refined(given, analysis)
            opinion = _opinion(result, analysis, time.perf_counter() - begin)
        except Exception as problem:  # whatever ends another program's fit is its answer
            remark = f"{type(problem).__name__}: {problem}".splitlines()[0][:200]
            opinion = _without(remark, time.perf_counter() - begin)
    doubts = second_opinion_warnings(opinion, ours)
    return dataclasses.replace(analysis, second_opinion=opinion, warnings=(*analysis.warnings, *doubts))


def _ours(analysis: Analysis) -> dict[str, float]:
    """What the refinement says, before corrections that the other program does not make."""
    return {phase.name: phase.apparent_percent or 0.0 for phase in analysis.phases}


def _refined(given: Handover, analysis: Analysis) -> Any:
    import rietx

    model = analysis.refined_model
    assert model is not None  # handover has refused a result without
    pairs = zip(given.phases, model.crystals, strict=True)
    structure = rietx.Structure(phases=[rietx_phase(phase.name, crystal) for phase, crystal in pairs])
    instrument = rietx_instrument(given)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scan.xye"
        path.write_text(given.columns(), encoding="utf-8")
        data = rietx.read_pattern(path)
    data.excluded_regions = [*given.excluded]
    instrument.background = rietx.auto_background(data, kind="chebyshev").background
    peaks = sorted(rietx.pick_peaks(data, instrument).peaks, key=lambda peak: -peak.intensity)[:_PEAKS]
    if peaks:
        width = float(np.median([peak.fwhm for peak in peaks]))
        instrument.profile.w.value = (_START_SHARE * width) ** 2
        instrument.profile.x.value = _START_SHARE * width
    return rietx.Refinement(structure, instrument, history=False).fit(data, plan=_plan(), telemetry=False)


def _plan() -> Any:
    from rietx.strategy.staged import RefinementPlan, Stage

    plan = RefinementPlan.mccusker_default()
    sizes = Stage("sizes", ["phases.*.lor_size"])
    return dataclasses.replace(plan, stages=[*plan.stages, sizes])


def _opinion(result: Any, analysis: Analysis, seconds: float) -> SecondOpinion:
    doubts = ", ".join(sorted({str(diagnostic.code) for diagnostic in result.diagnostics}))
    if not result.usable or result.qpa is None:
        return _without(f"{result.status}; {doubts}" if doubts else str(result.status), seconds)
    found = {p.name: 100.0 * float(p.weight_fraction or 0.0) for p in result.qpa.phases}
    stderrs = {p.name: p.weight_fraction_stderr for p in result.qpa.phases}
    sigmas = {name: 100.0 * float(stderr) for name, stderr in stderrs.items() if stderr is not None}
    ours, our_sigmas = _ours(analysis), {p.name: p.sigma_percent for p in analysis.phases}
    return SecondOpinion(
        program="rietx",
        version=version("rietx"),
        weight_percent=found,
        sigma_percent=sigmas,
        differences={
            name: in_sigmas(value, sigmas.get(name), ours[name], our_sigmas[name])
            for name, value in found.items()
        },
        r_wp=float(result.statistics.rwp),
        seconds=seconds,
        remark=doubts,
    )


def _without(remark: str, seconds: float) -> SecondOpinion:
    return SecondOpinion("rietx", version("rietx"), {}, {}, {}, None, seconds, remark)
