"""What a benchmark on weighed mixtures found: errors, coverage of the intervals, warnings, time."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from mixrd.analysis import AnalysisWarning

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
    refused : str or None
        Why the analysis states no amounts, where it does not: no error, and no failure.
    presence : str or None
        For a candidate alone, of which no amounts are stated: whether it was found.
    apparent : dict or None
        Refined wt% before microabsorption is corrected.
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
    refused: str | None = None
    presence: str | None = None
    apparent: dict[str, float] | None = None

    @property
    def failed(self) -> bool:
        """Whether the analysis gave nothing, and does not say why nothing can be stated."""
        stated = self.refused is None and self.presence is None
        return stated and self.network is None and self.refined is None

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

    @property
    def refused(self) -> int:
        """Number of samples of which nothing was stated; they are in no mean."""
        return sum(sample.refused is not None for sample in self.samples)

    @property
    def alone(self) -> int:
        """Number of samples with one candidate, of which only its presence was stated."""
        return sum(sample.presence is not None for sample in self.samples)

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
                "refused": self.refused,
                "presence_only": self.alone,
            },
        }
