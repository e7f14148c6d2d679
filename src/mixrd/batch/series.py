"""A batch from beginning to end: what is left to do is done, written and noted as it comes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Generator, Sequence
from pathlib import Path

from mixrd.analysis import Analysis, AnalysisRequest, Sources, failed_analysis, finished_model
from mixrd.batch.analyst import Analyst, Train
from mixrd.batch.fingerprint import fingerprint
from mixrd.batch.journal import Entry, Journal
from mixrd.batch.processes import Processes, default_jobs
from mixrd.batch.scan_files import find_scans
from mixrd.batch.work import Outcome, Output, ScanJob, perform
from mixrd.errors import UsageError
from mixrd.fit.lockstep import groups
from mixrd.report.files import write_batch
from mixrd.report.report_file import BATCH_REPORT, LazyResults, write_report

Named = tuple[str, Analysis]


def run(
    request: AnalysisRequest,
    scans: Sequence[str | Path],
    folder: Path | None = None,
    *,
    recursive: bool = False,
    processes: int | None = None,
    plots: bool | None = None,
    force: bool = False,
    train: Train | None = finished_model,
    on_progress: Callable[[int, int, Analysis], None] | None = None,
) -> Sequence[Named]:
    """Analyse scans, as `mixrd analyze` does; what was done before in `folder` is not done again.

    Parameters
    ----------
    request : AnalysisRequest
    scans : sequence of path
        Files, folders and patterns.
    folder : path, optional
        Of the results; without one nothing is written.
    recursive, plots, force
        See `find_scans`, `Output`, `Journal`.
    processes : int, optional
        That share the scans; one for each processor unless given.
    train : callable or None
        See `Analyst`.
    on_progress : callable, optional
        Called after each scan with how many are done, how many there are to do, and its result.

    Returns
    -------
    sequence of (name, Analysis)
        In the order of the scans; read from the folder, where there is one, when they are asked for.

    Raises
    ------
    InputError
        If the request cannot be carried out, or results cannot be written.
    """
    paths = find_scans(scans, recursive=recursive).paths
    with Batch(request, Output(folder, plots).for_scans(len(paths)), force=force, train=train) as batch:
        todo = batch.plan(paths)
        for done, (_, found) in enumerate(batch.run(todo, processes), start=1):
            if on_progress is not None:
                on_progress(done, len(todo), found)
        results = batch.results(paths)
        batch.write_together(results)
        return results


class Batch:
    """Many scans of which the same is asked; a context, which lets go of the folder at its end.

    Parameters
    ----------
    request : AnalysisRequest
    output : Output
        Without a folder, results are kept in memory.
    force : bool
        Begin anew whatever the folder holds.
    train : callable or None
        See `Analyst`; networks are trained in this process alone.
    sources : Sources
        Where the request's names are looked up.

    Raises
    ------
    InputError
        If the request cannot be carried out, or the folder belongs to another one.
    """

    def __init__(
        self,
        request: AnalysisRequest,
        output: Output = Output(),  # noqa: B008
        *,
        force: bool = False,
        train: Train | None = finished_model,
        sources: Sources = Sources(),  # noqa: B008
    ) -> None:
        self.output = output
        self._analyst = Analyst(request, train, sources)
        self._kept: dict[Path, Analysis] = {}
        self.journal: Journal | None = None
        if output.folder is not None:
            self.journal = Journal(output.folder, fingerprint(self._analyst.request), force=force)

    def __enter__(self) -> Batch:
        return self

    def __exit__(self, *_: object) -> None:
        if self.journal is not None:
            self.journal.close()

    def plan(self, paths: Sequence[Path]) -> list[ScanJob]:
        """What is left to do of these scans."""
        if self.journal is None:
            return [ScanJob(path, str(path)) for path in paths]
        return [ScanJob(path, name) for path, name in self.journal.plan(paths).items()]

    def run(
        self, jobs: Sequence[ScanJob], processes: int | None = None
    ) -> Generator[tuple[ScanJob, Analysis], None, None]:
        """Analyse scans, write and note their results; they come as they are ready, without curves.

        Parameters
        ----------
        jobs : sequence of ScanJob
        processes : int, optional
            With 1 all is done in this process; one for each processor unless given.

        Raises
        ------
        UsageError
            If results cannot be written.
        """
        for outcome in self._outcomes(jobs, processes or default_jobs(len(jobs))):
            found = _result(outcome)
            self.note(outcome.job, found)
            yield outcome.job, found

    def attempt(self, job: ScanJob) -> Analysis:
        """Analyse one scan in this process and write its files, without a note."""
        (outcome,) = perform(self._analyst, [job], self.output)
        return _result(outcome)

    def note(self, job: ScanJob, found: Analysis) -> None:
        """Keep what became of a scan."""
        if self.journal is None:
            self._kept[job.path] = found
        else:
            self.journal.finish(self.journal.entry(job.path, job.name, found))

    def _outcomes(self, jobs: Sequence[ScanJob], processes: int) -> Generator[Outcome, None, None]:
        if processes <= 1 or len(jobs) <= 1:
            for some in groups(jobs):
                yield from perform(self._analyst, some, self.output)
            return
        analyst = self._analyst
        workers = Processes(analyst.request, self.output, min(processes, len(jobs)), analyst.sources)
        try:
            for outcome in workers.run(jobs):
                # This process trains, and others find the network in the cache; this scan it does itself.
                missing = outcome.network_missing
                yield from perform(analyst, [outcome.job], self.output) if missing else [outcome]
        finally:
            workers.close()

    def results(self, paths: Sequence[Path] | None = None) -> Sequence[Named]:
        """Name and result of those of these scans that are done, or of all."""
        if self.journal is None:
            chosen = self._kept if paths is None else [path for path in paths if path in self._kept]
            return [(str(path), self._kept[path]) for path in chosen]
        folder = self.journal.folder
        known = self.journal.entries if paths is None else map(self.journal.done, paths)
        entries = [entry for entry in known if entry is not None]
        return LazyResults([entry.name for entry in entries], lambda i: _kept(folder, entries[i]))

    def write_together(self, results: Sequence[Named], brief: Sequence[Named] | None = None) -> list[Path]:
        """Write table, heat map and report of results; `brief` are the same `in_brief`, where at hand."""
        folder = self.output.folder
        if folder is None or not results:
            return []
        brief = brief or [(name, in_brief(found)) for name, found in results]
        page = write_report(results, folder / BATCH_REPORT, pictures=folder, force=True)
        return [*write_batch(brief, folder, force=True), page]


def in_brief(analysis: Analysis) -> Analysis:
    """The result without what tables and pictures of a series leave out: thousands take little room."""
    return dataclasses.replace(analysis, provenance={}, curves=None, unexplained=None, refined_model=None)


def _kept(folder: Path, entry: Entry) -> Analysis:
    """The result of a scan that is done."""
    if entry.status == "failed":
        return failed_analysis(entry.file, entry.error or "")
    return Analysis.from_json(folder / f"{entry.name}.json")


def _result(outcome: Outcome) -> Analysis:
    if outcome.stopped_by is not None:
        cause, remedy, file = outcome.stopped_by
        raise UsageError(cause, remedy=remedy, file=file)
    assert outcome.analysis is not None, "a process that trains misses no network"
    return outcome.analysis
