"""Benchmark on weighed mixtures: how far an analysis is from the balance."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from mixrd.analysis import Analysis, AnalysisWarning, analyze, finished_model, recipe_for
from mixrd.crystal import Crystal
from mixrd.errors import MixrdError, UsageError
from mixrd.experiments.weighed_result import METHODS, WeighedBenchmark, WeighedSample
from mixrd.experiments.weighed_table import PhaseNames, WeighedRow, read_rows
from mixrd.network import Model
from mixrd.pattern import Instrument
from mixrd.scan import Scan, read_scan
from mixrd.training import TrainingProgress


def benchmark_weighed(
    folder: str | Path,
    *,
    phases: Sequence[str | Path] | None = None,
    instrument: Instrument | None = None,
    model: Model | None = None,
    select: Mapping[str, str] | None = None,
    network: bool = True,
    refine: bool = True,
    on_sample: Callable[[WeighedSample], None] | None = None,
    on_training: Callable[[TrainingProgress], None] | None = None,
) -> WeighedBenchmark:
    """Analyse the scans named in a folder's `compositions.csv` and compare with what was weighed.

    Parameters
    ----------
    folder : path
        Holds `compositions.csv` (columns `file`, `wt_pct` as ``name=value;...``, further ones to group by)
        and, optionally, `phases.csv` (columns `name`, `cif` relative to the folder).
    phases : sequence of str, optional
        Candidates for every scan: names of `phases.csv`, else of the catalog, else CIF files. Default
        the phases that were weighed into each sample.
    instrument : Instrument, optional
        Default a generic one for the tube that each scan's header names.
    model : Model, optional
        Trained network to use; default one for each distinct set of candidates, from the cache or trained.
    select : mapping, optional
        Only the rows that have these values in these columns.
    network, refine : bool
        Which estimates to make.
    on_sample : callable, optional
        Called with each sample when it is done.
    on_training : callable, optional
        Called after each training step.

    Returns
    -------
    WeighedBenchmark
        A sample that fails is part of it and does not stop the others; one that is refused (no amounts are
        stated) counts as refused, not as an error.

    Raises
    ------
    InputError
        If the tables cannot be used, no row is selected, or a phase of `phases` is unknown.
    """
    if not (network or refine):
        raise UsageError("neither network nor refinement is asked for", remedy="Allow at least one of them")
    folder = Path(folder)
    rows = read_rows(folder, select=select)
    names = PhaseNames(folder, rows)
    candidates = [names.crystal(phase) for phase in phases] if phases else None
    trained: dict[str, Model] = {}

    def analysis(scan: Scan, crystals: list[Crystal]) -> tuple[Analysis, float]:
        """An analysis and its processor time in seconds, with one trained network for each problem."""
        used = model if network else None
        if network and model is None:
            recipe = recipe_for(scan, crystals, instrument)
            if recipe.sha256 not in trained:
                trained[recipe.sha256] = finished_model(recipe, on_progress=on_training)
            used = trained[recipe.sha256]
        begin = time.process_time()
        result = analyze(scan, crystals, instrument, model=used, refine=refine)
        return result, time.process_time() - begin

    samples = []
    for row in rows:
        samples.append(_sample(folder, row, names, candidates, analysis))
        if on_sample:
            on_sample(samples[-1])
    return WeighedBenchmark(tuple(samples))


def _sample(
    folder: Path,
    row: WeighedRow,
    names: PhaseNames,
    candidates: list[Crystal] | None,
    analysis: Callable[[Scan, list[Crystal]], tuple[Analysis, float]],
) -> WeighedSample:
    truth = dict(row.weighed)
    try:
        crystals = candidates or [names.crystal(name) for name in row.weighed]
        truth = {names.label(name): value for name, value in row.weighed.items()}
        absent = sorted(set(truth) - {crystal.name for crystal in crystals})
        if absent:
            raise UsageError(
                f"{', '.join(absent)} was weighed in but is no candidate",
                remedy="Add it to the phases, or select other samples",
                file=row.file,
            )
        truth = {crystal.name: truth.get(crystal.name, 0.0) for crystal in crystals}
        result, cpu_seconds = analysis(read_scan(folder / row.file), list(crystals))
    except MixrdError as error:
        failure = AnalysisWarning("FAILED", str(error))
        return WeighedSample(
            row.file, row.group, truth, None, None, dict.fromkeys(METHODS), warnings=(failure,)
        )
    return WeighedSample(
        file=row.file,
        group=row.group,
        truth=truth,
        network=_percentages({p.name: p.network_percent for p in result.phases}),
        refined=_percentages({p.name: p.refined_percent for p in result.phases}),
        apparent=_percentages({p.name: p.apparent_percent for p in result.phases}),
        seconds={method: result.seconds.get(method) for method in METHODS},
        intervals=_intervals(result),
        warnings=result.warnings,
        cpu_seconds=cpu_seconds,
        refused=result.statement.reason or "no reason given" if result.statement.kind == "none" else None,
        presence=result.phases[0].presence if result.statement.kind == "presence" else None,
    )


def _intervals(result: Analysis) -> dict[str, tuple[float, float]] | None:
    given = {p.name: p.interval_percent for p in result.phases if p.interval_percent is not None}
    return given if given and len(given) == len(result.phases) else None


def _percentages(values: Mapping[str, float | None]) -> dict[str, float] | None:
    numbers = {name: value for name, value in values.items() if value is not None and math.isfinite(value)}
    return numbers if numbers and len(numbers) == len(values) else None
