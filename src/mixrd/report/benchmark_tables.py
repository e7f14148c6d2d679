"""Benchmarks as tables for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from mixrd.experiments.weighed_result import LARGE_WT, METHODS, SMALL_WT
from mixrd.report.numbers import counted, two_digits
from mixrd.report.tables import new_table

if TYPE_CHECKING:
    from mixrd.experiments.left_out import LeftOutBenchmark
    from mixrd.experiments.weighed_result import Method, WeighedBenchmark, WeighedSample


def weighed_table(benchmark: WeighedBenchmark) -> Table:
    """A line for each phase of each sample: what was weighed, what was found, and by how much it is off."""
    groups = list(dict.fromkeys(key for sample in benchmark.samples for key in sample.group))
    methods = [m for m in METHODS if any(getattr(s, m) is not None for s in benchmark.samples)]
    numbers = ["weighed", *(column for m in methods for column in (m, "off"))]
    with_intervals = any(sample.intervals for sample in benchmark.samples)
    numbers += ["90 % interval"] if with_intervals else []
    table = new_table("scan", *groups, "phase", *numbers, "notes", right=numbers)
    for sample in benchmark.samples:
        codes = ", ".join(dict.fromkeys(warning.code for warning in sample.warnings))
        if sample.failed:
            codes = f"failed: {sample.warnings[0].message}" if sample.warnings else "failed"
        elif sample.refused is not None:
            codes = f"refused: {sample.refused}" + (f"; {codes}" if codes else "")
        elif sample.presence is not None:
            codes = f"one candidate alone: {sample.presence}" + (f"; {codes}" if codes else "")
        for i, (phase, weighed) in enumerate(sample.truth.items()):
            first = (
                [sample.file, *(sample.group.get(g, "") for g in groups)]
                if i == 0
                else [""] * (1 + len(groups))
            )
            found = [text for method in methods for text in _found(sample, method, phase)]
            found += [_interval(sample, phase)] if with_intervals else []
            last = i == len(sample.truth) - 1
            table.add_row(*first, phase, f"{weighed:.2f}", *found, codes if i == 0 else "", end_section=last)
    return table


def weighed_summary_table(benchmark: WeighedBenchmark) -> Table:
    """Errors of each method over all samples."""
    columns = ("mean abs. error (wt%)", "median (wt%)", "worst (wt%)", "TVD", "s per scan", "samples")
    table = new_table("method", *columns, right=columns)
    for method in METHODS:
        summary = benchmark.summary(method)
        if summary is not None:
            table.add_row(
                method,
                f"{summary['mae_wt']:.2f}",
                f"{summary['median_wt']:.2f}",
                f"{summary['worst_wt']:.2f}",
                f"{summary['tvd']:.4f}",
                f"{summary['seconds_per_scan']:.2f}",
                f"{summary['samples']}",
            )
    return table


def coverage_line(benchmark: WeighedBenchmark) -> str:
    """How the intervals do, in a sentence; empty if there are none."""
    found = benchmark.coverage()
    if found is None:
        return ""
    return (
        f"{100 * found['covered']:.0f} % of {found['intervals']} intervals (90 %) hold what was weighed; "
        f"median half-width {found['median_half_width_wt']:.2f} wt%, "
        f"median error {found['median_error_wt']:.2f} wt%"
    )


def refused_line(benchmark: WeighedBenchmark) -> str:
    """Of how many samples nothing, or only a presence, was stated; empty if of none."""
    of = counted(len(benchmark.samples), "sample")
    parts = [f"{benchmark.refused} of {of} refused: no amounts are stated"] if benchmark.refused else []
    parts += [f"{benchmark.alone} of {of} with one candidate: its presence alone"] if benchmark.alone else []
    return f"{'; '.join(parts)} (in no mean above)" if parts else ""


def doubts_line(benchmark: WeighedBenchmark) -> str:
    """How often a warning stands by samples that are off, and by others; empty if none is refined."""
    found = benchmark.doubts()
    if not any(row["samples"] for row in found.values()):
        return ""
    above, within = found["above"], found["within"]
    return (
        f"TEXTURE or MICROABSORPTION warns of {above['warned']} of {above['samples']} samples off by more "
        f"than {LARGE_WT:g} wt% and of {within['warned']} of {within['samples']} within {SMALL_WT:g}"
    )


def time_line(benchmark: WeighedBenchmark) -> str:
    """Median times of a scan."""
    found = {name: value for name, value in benchmark.seconds().items() if value is not None}
    words = {"network": "network", "refined": "refinement", "processor": "processor time of all"}
    parts = [f"{words[name]} {two_digits(value)} s" for name, value in found.items()]
    return f"median of a scan: {', '.join(parts)}" if parts else ""


def left_out_table(benchmark: LeftOutBenchmark) -> Table:
    """A line for each analysis: which phase was missing, and what was said."""
    table = new_table("scan", "left out", "weighed", "warned", "message", right=("weighed",))
    for case in benchmark.cases:
        amount = "" if case.phase is None else f"{case.weighed_percent:.2f}"
        table.add_row(case.file, case.phase or "-", amount, "yes" if case.warned else "no", case.message)
    return table


def left_out_line(benchmark: LeftOutBenchmark) -> str:
    """How often a missing phase was noticed, and how often none was missing."""
    (found, cases), (alarms, complete) = benchmark.found, benchmark.false_alarms
    return (
        f"warned in {found} of {cases} analyses with a phase left out, "
        f"in {alarms} of {complete} with all weighed phases"
    )


def _interval(sample: WeighedSample, phase: str) -> str:
    """The interval, with a mark if it misses."""
    if not sample.intervals:
        return ""
    low, high = sample.intervals[phase]
    return f"{low:.2f}-{high:.2f}{'' if sample.covered()[phase] else ' !'}"


def _found(sample: WeighedSample, method: Method, phase: str) -> tuple[str, str]:
    values, errors = getattr(sample, method), sample.errors(method)
    if values is None or errors is None:
        return "", ""
    return f"{values[phase]:.2f}", f"{errors[phase]:+.2f}"
