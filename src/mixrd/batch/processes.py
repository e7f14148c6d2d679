"""Scans shared out to processes, a few at a time to each; a process that dies costs one scan alone."""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess

from mixrd.analysis import AnalysisRequest, Sources, failed_analysis
from mixrd.batch.registered import registered
from mixrd.batch.work import Outcome, Output, ScanJob, serve
from mixrd.errors import RefinementError
from mixrd.fit.lockstep import group_size

#: Each process calculates on one thread: several threads of several processes get into each other's way.
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class Processes:
    """Processes that analyse scans.

    Parameters
    ----------
    request, output
        The same for all scans.
    count : int
        How many.
    sources : Sources
        Where the request's names are looked up.
    """

    def __init__(
        self,
        request: AnalysisRequest,
        output: Output,
        count: int,
        sources: Sources = Sources(),  # noqa: B008
    ) -> None:
        self._shared = request, output, sources, registered()
        self._context = _context()
        self._workers: list[_Worker] = []
        #: Scans that are given alone, for one of them may end a process.
        self._careful: set[ScanJob] = set()
        for name in _ONE_THREAD:
            os.environ.setdefault(name, "1")
        for _ in range(count):
            self._workers.append(self._start())

    def run(self, jobs: Sequence[ScanJob]) -> Iterator[Outcome]:
        """Outcomes as they come, in any order."""
        waiting = deque(jobs)
        for i in range(len(self._workers)):
            self._give(i, waiting)
        while busy := {w.connection: i for i, w in enumerate(self._workers) if w.jobs}:
            for connection in wait(list(busy)):
                assert isinstance(connection, Connection)
                i = busy[connection]
                outcome = self._outcome(i, waiting)
                if not self._workers[i].jobs:
                    self._give(i, waiting)
                if outcome is not None:
                    yield outcome

    def close(self) -> None:
        """End the processes, what they are at left undone."""
        for worker in self._workers:
            worker.connection.close()
            worker.process.terminate()
        for worker in self._workers:
            worker.process.join()

    def _outcome(self, index: int, waiting: deque[ScanJob]) -> Outcome | None:
        """What a worker says of its next scan; one that died is replaced.

        Had it one scan, that has failed. Which of several was its death is found by giving each alone.
        """
        worker = self._workers[index]
        try:
            outcome: Outcome = worker.connection.recv()
            worker.jobs.popleft()
            return outcome
        except (EOFError, OSError):
            worker.connection.close()
            worker.process.join()
            self._workers[index] = self._start()
            job = worker.jobs[0]
            if len(worker.jobs) > 1:
                waiting.extendleft(reversed(worker.jobs))
                self._careful.update(worker.jobs)
                return None
            fault = RefinementError(
                f"the process that analysed it died ({_how(worker.process.exitcode)})",
                remedy="If memory is short, give fewer --jobs; otherwise please report it, with this scan",
                file=job.path,
            )
            return Outcome(job, failed_analysis(str(job.path), fault))

    def _give(self, index: int, waiting: deque[ScanJob]) -> None:
        """Give a worker its next scans."""
        if not waiting:
            return
        worker = self._workers[index]
        most = group_size(len(waiting), len(self._workers))
        worker.jobs.append(waiting.popleft())
        while len(worker.jobs) < most and not self._careful.intersection((worker.jobs[0], waiting[0])):
            worker.jobs.append(waiting.popleft())
        # One that died while it was idle is found dead when it is asked what became of its scans.
        with suppress(OSError):
            worker.connection.send(list(worker.jobs))

    def _start(self) -> _Worker:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(  # type: ignore[attr-defined]
            target=serve, args=(theirs, *self._shared), daemon=True
        )
        process.start()
        theirs.close()
        return _Worker(process, ours)


class _Worker:
    def __init__(self, process: BaseProcess, connection: Connection) -> None:
        self.process = process
        self.connection = connection
        self.jobs: deque[ScanJob] = deque()


def default_jobs(scans: int) -> int:
    """Processes for so many scans: one for each processor, none beside this one for a few scans.

    A process takes seconds to start, which a few scans do not win back.
    """
    if scans < FEWEST_FOR_PROCESSES:
        return 1
    return min(processors(), scans)


#: Fewer scans than this are analysed in one process.
FEWEST_FOR_PROCESSES = 8


def processors() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _context() -> BaseContext:
    """Processes forked from one that has loaded everything, where the system can: they share its memory."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["mixrd.batch.work"])
    return context


def _how(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        return f"signal {-exit_code}"
    return f"exit code {exit_code}"
