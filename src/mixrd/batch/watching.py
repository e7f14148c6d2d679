"""Scans of a folder analysed as a running instrument writes them."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from mixrd.analysis import Analysis
from mixrd.batch.folder_watch import FolderWatch
from mixrd.batch.journal import Journal
from mixrd.batch.series import Batch, Named, in_brief
from mixrd.batch.work import ScanJob
from mixrd.report.files import write_batch
from mixrd.training.interruption import Interruption

#: Scans between two times that the summary is written.
_AT_ONCE = 20
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0


@dataclass
class Watcher:
    """What is analysed as it comes, and what has come so far; what was done before counts.

    Parameters
    ----------
    batch : Batch
        With a folder for its results.
    folder : FolderWatch
    on_scan : callable
        Called with each result, once it is noted.
    on_trouble : callable
        Called with the reason why the folder cannot be read, once.
    busy : callable
        Gives a context for the analysis of a file.
    """

    batch: Batch
    folder: FolderWatch
    on_scan: Callable[[Analysis], None]
    on_trouble: Callable[[str], None]
    busy: Callable[[Path], AbstractContextManager[object]] = lambda _: nullcontext()
    results: dict[str, Analysis] = field(default_factory=dict)
    """In brief, by the file as the journal names it."""
    _summarised: bool = True

    def __post_init__(self) -> None:
        self._take_up()
        self._summarised = True

    def run(self, quiet_seconds: float | None = None) -> None:
        """Look, analyse, wait; end when nothing has come for `quiet_seconds`, or at Ctrl-C."""
        pause = min(max(self.folder.settle_seconds / 4, _SHORTEST_PAUSE), _LONGEST_PAUSE)
        last, trouble = time.monotonic(), None
        while True:
            ready = self.folder.complete()
            if self.folder.trouble is not None and self.folder.trouble != trouble:
                self.on_trouble(self.folder.trouble)
            trouble = self.folder.trouble
            # Ctrl-C waits for the end of a scan: its files and the journal belong together.
            with Interruption() as ctrl_c:
                for path in ready[:_AT_ONCE]:
                    if not ctrl_c.requested:
                        self._take(path)
                self._summarise()
            last = time.monotonic() if ready else max(last, self.folder.changed)
            quiet = quiet_seconds is not None and time.monotonic() - last >= quiet_seconds
            if ctrl_c.requested or quiet:
                return
            if len(ready) <= _AT_ONCE:
                time.sleep(pause)

    def write_together(self) -> None:
        """Write the summary once more, and the report of all scans."""
        self.batch.write_together(self.batch.results(), self._rows())

    @property
    def _journal(self) -> Journal:
        assert self.batch.journal is not None, "a watched folder has a folder of results"
        return self.batch.journal

    def _take(self, path: Path) -> None:
        """Analyse one scan unless it was before."""
        jobs = self.batch.plan([path])
        if not jobs:
            self.folder.give(path)
            self._take_up()
            return
        with self.busy(path):
            found = self.batch.attempt(jobs[0])
        if found.status == "failed" and not path.exists():
            return  # renamed or removed meanwhile: under its new name it comes again
        self.folder.give(path)
        self._keep(jobs[0], found)
        self.on_scan(found)

    def _keep(self, job: ScanJob, found: Analysis) -> None:
        self.batch.note(job, found)
        entry = self._journal.done(job.path)
        assert entry is not None
        self.results[entry.file] = in_brief(found)
        self._summarised = False

    def _take_up(self) -> None:
        """Take up what was done before; results go by the names that the scans have now."""
        files = [entry.file for entry in self._journal.entries]
        if set(files) != self.results.keys():
            kept = self.batch.results()
            self.results = {
                file: self.results.get(file) or in_brief(kept[i][1]) for i, file in enumerate(files)
            }
            self._summarised = False

    def _summarise(self) -> None:
        """Write the summary of all scans, where one has come."""
        if not self._summarised:
            write_batch(self._rows(), self._journal.folder, force=True)
            self._summarised = True

    def _rows(self) -> list[Named]:
        return [(entry.name, self.results[entry.file]) for entry in self._journal.entries]
