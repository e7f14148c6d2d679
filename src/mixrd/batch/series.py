"""A batch from beginning to end: what is left to do is done, written and noted as it comes."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import overload

from mixrd.analysis import Analysis, failed_analysis
from mixrd.batch.journal import Entry, Journal
from mixrd.batch.processes import Processes
from mixrd.batch.request import Analyst, Request
from mixrd.batch.work import Job, Outcome, Output, perform
from mixrd.errors import UsageError
from mixrd.network import Model
from mixrd.training import Recipe


def run_jobs(
    jobs: Sequence[Job],
    request: Request,
    output: Output,
    *,
    processes: int = 1,
    analyst: Analyst | None = None,
    train: Callable[[Recipe], Model] | None = None,
) -> Generator[tuple[Job, Analysis], None, None]:
    """Analyse scans and write their files; results come as they are ready, without curves.

    Parameters
    ----------
    jobs : sequence of Job
    request, output
        The same for all.
    processes : int
        With 1 all is done in this process.
    analyst : Analyst, optional
        Of this process; a new one unless given.
    train : callable, optional
        Called in this process for a network that no cache has.

    Raises
    ------
    UsageError
        If results cannot be written.
    """
    analyst = analyst or Analyst(request, train)
    if processes <= 1 or len(jobs) <= 1:
        for job in jobs:
            yield job, _result(perform(analyst, job, output))
        return
    workers = Processes(request, output, min(processes, len(jobs)))
    try:
        for outcome in workers.run(jobs):
            if outcome.network_missing:
                # This process trains, and others find the network in the cache; this scan it does itself.
                outcome = perform(analyst, outcome.job, output)
            yield outcome.job, _result(outcome)
    finally:
        workers.close()


def results_of(journal: Journal, paths: Sequence[Path]) -> Iterator[tuple[str, Analysis]]:
    """Name and result of each of these scans that is done, read from the files one after another."""
    for path in paths:
        entry = journal.done(path)
        if entry is not None:
            yield entry.name, result_of(journal, entry)


class KeptSeries(Sequence[tuple[str, Analysis]]):
    """Name and result of each of these scans that are done, read from its file when it is asked for."""

    def __init__(self, journal: Journal, entries: Sequence[Entry]) -> None:
        self._journal = journal
        self._entries = list(entries)

    def __len__(self) -> int:
        return len(self._entries)

    @overload
    def __getitem__(self, index: int) -> tuple[str, Analysis]: ...
    @overload
    def __getitem__(self, index: slice) -> list[tuple[str, Analysis]]: ...
    def __getitem__(self, index: int | slice) -> tuple[str, Analysis] | list[tuple[str, Analysis]]:
        """A name and its result, or a list of them."""
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        entry = self._entries[index]
        return entry.name, result_of(self._journal, entry)


def result_of(journal: Journal, entry: Entry) -> Analysis:
    """The result of a scan that is done."""
    if entry.status == "ok":
        return Analysis.from_json(journal.folder / f"{entry.name}.json")
    return failed_analysis(entry.file, entry.error or "")


def _result(outcome: Outcome) -> Analysis:
    if outcome.cannot_write is not None:
        cause, remedy, file = outcome.cannot_write
        raise UsageError(cause, remedy=remedy, file=file)
    assert outcome.analysis is not None, "a process that trains misses no network"
    return outcome.analysis
