"""Benchmark on weighed mixtures: how far an analysis is from the balance."""

from __future__ import annotations

import dataclasses
import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from mixrd.analysis import Analysis, AnalysisWarning, analyze, finished_model, recipe_for
from mixrd.crystal import Crystal
from mixrd.errors import MixrdError, UsageError
from mixrd.experiments.weighed_table import PhaseNames, WeighedRow, read_rows
from mixrd.network import Model
from mixrd.pattern import Instrument
from mixrd.scan import Scan, read_scan
from mixrd.training import TrainingProgress

Method = Literal["network", "refined"]
METHODS: tuple[Method, ...] = ("network", "refined")
SCHEMA = 2
#: Warnings that say that fractions are less sure than their counts make them.
DOUBTS = frozenset({"MICROABSORPTION", "TEXTURE"})
#: Mean absolute errors (wt%) of a sample that count as small and as large.
SMALL_WT, LARGE_WT = 1.5, 3.0


@dataclass(frozen=True)
class WeighedSample:
    """One scan of a weighed mixture.

    Attributes
    ----------
    file : str
        As `compositions.csv` names it.
    group : dict
        The further columns of `compositions.csv`.
    truth : dict
        Weighed wt% by phase name; 0 for candidates that were not weighed in.
    network, refined : dict or None
        Estimates in wt% by phase name; None where it was not asked for or failed.
    intervals : dict or None
        (low, high) of the answer in wt% by phase name, at `mixrd.analysis.LEVEL`.
    seconds : dict
        "network" and "refined", None likewise.
    warnings : tuple of AnalysisWarning
        A sample that failed has the one with code "FAILED".
    cpu_seconds : float or None
        Processor time of the whole analysis, training excepted: what other programs do on the machine is not
        in it. None if it failed.
    """

    file: str
    group: dict[str, str]
    truth: dict[str, float]
    network: dict[str, float] | None
    refined: dict[str, float] | None
    seconds: dict[str, float | None]
    intervals: dict[str, tuple[float, float]] | None = None
    warnings: tuple[AnalysisWarning, ...] = ()
    cpu_seconds: float | None = None

    @property
    def failed(self) -> bool:
        """Whether the analysis gave nothing."""
        return self.network is None and self.refined is None

    def errors(self, method: Method) -> dict[str, float] | None:
        """Estimate minus truth in wt% for each candidate, None where there is no estimate."""
        found: dict[str, float] | None = getattr(self, method)
        return None if found is None else {name: value - self.truth[name] for name, value in found.items()}

    def mean_absolute_error(self, method: Method) -> float | None:
        """Mean over the candidates of the absolute error in wt%."""
        errors = self.errors(method)
        return None if errors is None else float(np.mean(np.abs(list(errors.values()))))

    def covered(self) -> dict[str, bool]:
        """Whether each interval holds what was weighed."""
        given = self.intervals or {}
        return {name: low <= self.truth[name] <= high for name, (low, high) in given.items()}

    def tvd(self, method: Method) -> float | None:
        """Total variation distance from the truth: half the sum of absolute errors, 0-1."""
        errors = self.errors(method)
        return None if errors is None else 0.5 * sum(abs(e) for e in errors.values()) / 100.0


@dataclass(frozen=True)
class WeighedBenchmark:
    """Results on all samples.

    Attributes
    ----------
    samples : tuple of WeighedSample
    """

    samples: tuple[WeighedSample, ...]

    def summary(self, method: Method) -> dict[str, float | int] | None:
        """Errors over the samples that have an estimate by `method`; None if there is none.

        "mae_wt" is the mean over the candidates of a sample and then over the samples, "worst_wt" the
        largest error of one phase, "median_wt" the median of the samples' mean errors (wt%), "tvd" the
        mean total variation distance (0-1).
        """
        done = [s for s in self.samples if getattr(s, method) is not None]
        if not done:
            return None
        means = [s.mean_absolute_error(method) or 0.0 for s in done]
        return {
            "mae_wt": float(np.mean(means)),
            "worst_wt": max(abs(e) for s in done for e in (s.errors(method) or {}).values()),
            "median_wt": float(np.median(means)),
            "tvd": float(np.mean([s.tvd(method) or 0.0 for s in done])),
            "seconds_per_scan": float(np.mean([s.seconds[method] or 0.0 for s in done])),
            "samples": len(done),
        }

    def coverage(self) -> dict[str, float | int] | None:
        """How the intervals do, counted per phase and scan; None if there are none.

        "covered" is the share that holds what was weighed, "median_half_width_wt" the median of half their
        widths and "median_error_wt" that of the absolute errors (wt%).
        """
        done = [s for s in self.samples if s.intervals]
        if not done:
            return None
        inside = [hit for s in done for hit in s.covered().values()]
        widths = [high - low for s in done for low, high in (s.intervals or {}).values()]
        errors = [abs(e) for s in done for e in (s.errors("refined") or {}).values()]
        return {
            "covered": float(np.mean(inside)),
            "median_half_width_wt": float(np.median(widths)) / 2,
            "median_error_wt": float(np.median(errors)),
            "intervals": len(inside),
        }

    def doubts(self) -> dict[str, dict[str, int]]:
        """How often a warning of `DOUBTS` stands by a sample, by its mean absolute error.

        "within" `SMALL_WT`, "above" `LARGE_WT` and "between": "samples" and "warned", of those refined.
        """
        counts = {name: {"samples": 0, "warned": 0} for name in ("within", "between", "above")}
        for sample in self.samples:
            error = sample.mean_absolute_error("refined")
            if error is None:
                continue
            name = "within" if error <= SMALL_WT else "above" if error > LARGE_WT else "between"
            counts[name]["samples"] += 1
            counts[name]["warned"] += any(warning.code in DOUBTS for warning in sample.warnings)
        return counts

    def seconds(self) -> dict[str, float | None]:
        """Medians over the samples: the network's time, the refinement's, processor time of it all."""
        rows = [(*(s.seconds[m] for m in METHODS), s.cpu_seconds) for s in self.samples]
        found = {}
        for name, column in zip((*METHODS, "processor"), zip(*rows, strict=True), strict=True):
            values = [value for value in column if value is not None]
            found[name] = float(np.median(values)) if values else None
        return found

    @property
    def failed(self) -> int:
        """Number of samples whose analysis failed."""
        return sum(sample.failed for sample in self.samples)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        summary: dict[str, Any] = {method: self.summary(method) for method in METHODS}
        return {
            "schema": SCHEMA,
            "samples": [dataclasses.asdict(sample) for sample in self.samples],
            "summary": {
                **summary,
                "coverage": self.coverage(),
                "doubts": self.doubts(),
                "median_seconds": self.seconds(),
                "samples": len(self.samples),
                "failed": self.failed,
            },
        }

    def to_json(self) -> str:
        """The benchmark as JSON text."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False)


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
        A sample that fails is part of it and does not stop the others.

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
    runner = _Runner(instrument, model, network, refine, on_training)
    samples = []
    for row in rows:
        samples.append(_sample(folder, row, names, candidates, runner))
        if on_sample:
            on_sample(samples[-1])
    return WeighedBenchmark(tuple(samples))


class _Runner:
    """Analyses scans, with one trained network for each distinct problem."""

    def __init__(
        self,
        instrument: Instrument | None,
        model: Model | None,
        network: bool,
        refine: bool,
        on_training: Callable[[TrainingProgress], None] | None,
    ) -> None:
        self.instrument, self.model, self.network, self.refine = instrument, model, network, refine
        self.on_training = on_training
        self.trained: dict[str, Model] = {}

    def analyze(self, scan: Scan, crystals: list[Crystal]) -> tuple[Analysis, float]:
        """The analysis and its processor time in seconds."""
        model = self._model(scan, crystals) if self.network else None
        begin = time.process_time()
        result = analyze(scan, crystals, self.instrument, model=model, refine=self.refine)
        return result, time.process_time() - begin

    def _model(self, scan: Scan, crystals: list[Crystal]) -> Model:
        if self.model is not None:
            return self.model
        recipe = recipe_for(scan, crystals, self.instrument)
        if recipe.sha256 not in self.trained:
            self.trained[recipe.sha256] = finished_model(recipe, on_progress=self.on_training)
        return self.trained[recipe.sha256]


def _sample(
    folder: Path, row: WeighedRow, names: PhaseNames, candidates: list[Crystal] | None, runner: _Runner
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
        result, cpu_seconds = runner.analyze(read_scan(folder / row.file), list(crystals))
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
        seconds={method: result.seconds.get(method) for method in METHODS},
        intervals=_intervals(result),
        warnings=result.warnings,
        cpu_seconds=cpu_seconds,
    )


def _intervals(result: Analysis) -> dict[str, tuple[float, float]] | None:
    given = {p.name: p.interval_percent for p in result.phases if p.interval_percent is not None}
    return given if given and len(given) == len(result.phases) else None


def _percentages(values: Mapping[str, float | None]) -> dict[str, float] | None:
    numbers = {name: value for name, value in values.items() if value is not None and math.isfinite(value)}
    return numbers if numbers and len(numbers) == len(values) else None
