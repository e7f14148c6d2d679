"""One scan from file to result files: what a process of a batch does again and again."""

from __future__ import annotations

import dataclasses
import gc
import os
import signal
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from mixrd.analysis import Analysis, failed_analysis
from mixrd.batch.request import Analyst, NetworkMissingError, Request
from mixrd.errors import MixrdError, UsageError
from mixrd.report.files import write_result

if TYPE_CHECKING:
    from mixrd.report.plot import IntensityScale


@dataclass(frozen=True)
class Output:
    """Where results go, and which files are made.

    Attributes
    ----------
    folder : path or None
        None writes nothing.
    plots : bool
        Whether a scan gets its plot.
    scale : "linear" or "sqrt"
        Of the plots' intensities.
    """

    folder: Path | None
    plots: bool = True
    scale: IntensityScale = "sqrt"


@dataclass(frozen=True)
class Job:
    """A scan to analyse, and the name of its results."""

    path: Path
    name: str


@dataclass(frozen=True, eq=False)
class Outcome:
    """What became of a job.

    Attributes
    ----------
    job : Job
    analysis : Analysis or None
        Without curves, so that a thousand results take little room. None where it could not be told.
    network_missing : bool
        A network has to be trained before this scan can be analysed.
    cannot_write : (cause, remedy, file) or None
        Why the results could not be written: the batch cannot go on.
    """

    job: Job
    analysis: Analysis | None = None
    network_missing: bool = False
    cannot_write: tuple[str, str, str | None] | None = None


def perform(analyst: Analyst, job: Job, output: Output) -> Outcome:
    """Analyse one scan and write its files; whatever is wrong with the scan becomes its result."""
    try:
        result = analyst.analyse(job.path)
    except NetworkMissingError:
        return Outcome(job, network_missing=True)
    except MixrdError as problem:
        return Outcome(job, failed_analysis(str(job.path), problem))
    except Exception as problem:  # a fault of ours with one scan must not cost the other 999 theirs
        fault = UsageError(
            f"a fault of mixrd ({type(problem).__name__}: {problem})",
            remedy="Please report it, with this scan",
            file=job.path,
        )
        return Outcome(job, failed_analysis(str(job.path), fault))
    try:
        if output.folder is not None:
            write_result(
                result, output.folder, name=job.name, force=True, scale=output.scale, plots=output.plots
            )
    except UsageError as problem:
        return Outcome(job, cannot_write=(problem.cause, problem.remedy, problem.file))
    return Outcome(job, dataclasses.replace(result, curves=None))


def serve(connection: Connection, request: Request, output: Output) -> None:
    """Answer jobs until the other end is closed or its process has gone."""
    import torch

    # Ctrl-C reaches all processes of a terminal: the first one says what is to be done.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)
    # What was loaded before the fork stays shared: a search for garbage in it would make copies of its pages.
    gc.freeze()
    analyst = Analyst(request)
    try:
        while True:
            job: Job = connection.recv()
            connection.send(perform(analyst, job, output))
    except (EOFError, OSError):
        # Nothing of this process is worth a second of clearing up.
        os._exit(0)
