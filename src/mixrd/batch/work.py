"""Scans from files to result files: what a process of a batch does again and again."""

from __future__ import annotations

import dataclasses
import gc
import os
import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from mixrd.analysis import Analysis, AnalysisRequest, Sources, failed_analysis
from mixrd.analysis.scan_analysis import analyzed_together
from mixrd.batch.analyst import Analyst, NetworkMissingError
from mixrd.batch.registered import Registered, take_over
from mixrd.errors import MixrdError, UsageError
from mixrd.files import without_waiting
from mixrd.report.files import write_result

if TYPE_CHECKING:
    from mixrd.report.plot import IntensityScale


#: Batches of more scans than this get no plots unless asked for: plots then take longer than anything else.
MOST_WITH_PLOTS = 50


@dataclass(frozen=True)
class Output:
    """Where results go, and which files are made.

    Attributes
    ----------
    folder : path or None
        None writes nothing.
    plots : bool or None
        Whether a scan gets its plot; None leaves it to the number of scans.
    scale : "linear" or "sqrt"
        Of the plots' intensities.
    """

    folder: Path | None = None
    plots: bool | None = True
    scale: IntensityScale = "sqrt"

    def for_scans(self, count: int) -> Output:
        """The same, for so many scans."""
        return dataclasses.replace(self, plots=count <= MOST_WITH_PLOTS) if self.plots is None else self


@dataclass(frozen=True)
class ScanJob:
    """A scan to analyse, and the name of its results."""

    path: Path
    name: str


@dataclass(frozen=True, eq=False)
class Outcome:
    """What became of a job.

    Attributes
    ----------
    job : ScanJob
    analysis : Analysis or None
        Without curves, so that a thousand results take little room. None where it could not be told.
    network_missing : bool
        A network has to be trained before this scan can be analysed.
    stopped_by : (cause, remedy, file) or None
        Why the batch cannot go on.
    """

    job: ScanJob
    analysis: Analysis | None = None
    network_missing: bool = False
    stopped_by: tuple[str, str, str | None] | None = None


def perform(analyst: Analyst, jobs: Sequence[ScanJob], output: Output) -> Iterator[Outcome]:
    """Analyse scans together and write their files; whatever is wrong with a scan becomes its result."""
    found = analyzed_together([analyst.steps(job.path) for job in jobs])
    for job, result in zip(jobs, found, strict=True):
        yield _written(job, result, output)


def _written(job: ScanJob, result: Analysis | Exception, output: Output) -> Outcome:
    if isinstance(result, NetworkMissingError):
        return Outcome(job, network_missing=True)
    if isinstance(result, MixrdError):
        return Outcome(job, failed_analysis(str(job.path), result))
    if isinstance(result, Exception):  # a fault of ours with one scan must not cost the other 999 theirs
        fault = UsageError(
            f"a fault of mixrd ({type(result).__name__}: {result})",
            remedy="Please report it, with this scan",
            file=job.path,
        )
        return Outcome(job, failed_analysis(str(job.path), fault))
    try:
        if output.folder is not None:
            plots = output.plots is not False
            # What a computer that stopped has cut off, the journal finds.
            with without_waiting():
                write_result(
                    result, output.folder, name=job.name, force=True, scale=output.scale, plots=plots
                )
    except UsageError as problem:
        return stopped(job, problem)
    return Outcome(job, dataclasses.replace(result, curves=None))


def stopped(job: ScanJob, problem: UsageError) -> Outcome:
    """The outcome that ends a batch."""
    return Outcome(job, stopped_by=(problem.cause, problem.remedy, problem.file))


def serve(
    connection: Connection, request: AnalysisRequest, output: Output, sources: Sources, known: Registered
) -> None:
    """Answer jobs until the other end is closed or its process has gone."""
    import torch

    # Ctrl-C reaches all processes of a terminal: the first one says what is to be done.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)
    # What was loaded before the fork stays shared: a search for garbage in it would make copies of its pages.
    gc.freeze()
    try:
        try:
            take_over(known)
        except UsageError as problem:
            connection.send(stopped(connection.recv()[0], problem))
        analyst = Analyst(request, None, sources)
        while True:
            jobs: Sequence[ScanJob] = connection.recv()
            for outcome in perform(analyst, jobs, output):
                connection.send(outcome)
    except (EOFError, OSError):
        # Nothing of this process is worth a second of clearing up.
        os._exit(0)
