"""`mixrd watch`: scans analysed as a running instrument writes them."""

from __future__ import annotations

import json as json_text
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter
from rich.text import Text

from mixrd.cli.analyze import DEFAULT_FOLDER
from mixrd.cli.console import output, say
from mixrd.cli.options import InstrumentOptions, Switch
from mixrd.cli.quantities import TIME, Quantity
from mixrd.cli.request_options import RequestOptions, described, train_and_say
from mixrd.cli.sample_options import SampleOptions
from mixrd.cli.series import EXIT_SOME_FAILED, Named, in_brief, write_together
from mixrd.errors import UsageError
from mixrd.report.numbers import amount_text, counted, percent

if TYPE_CHECKING:
    from mixrd.analysis import Analysis
    from mixrd.batch.folder_watch import FolderWatch
    from mixrd.batch.journal import Journal
    from mixrd.batch.request import Analyst
    from mixrd.batch.work import Job, Output

EXAMPLES = """Examples:
  mixrd watch /data/today --phases corundum fluorite zincite \\
      --instrument instrument.toml
  mixrd watch /data/today --model three.mixrd --no-refine --out live
  mixrd watch runs -r --model three.mixrd --settle 2min --stop-after 8h

Ctrl-C ends it; the same command goes on where it stopped, with all scans that
came meanwhile. `mixrd analyze FOLDER` with the same options shares its results."""

_SETTLE = Quantity("--settle", TIME.units, "5s, 500ms or 2min")
_STOP = Quantity("--stop-after", TIME.units, "30min or 8h")
#: Scans between two times that the summary is written.
_AT_ONCE = 20
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0


def watch(
    folder: Annotated[Path, Parameter(name="FOLDER")],
    /,
    *,
    request: RequestOptions = RequestOptions(),  # noqa: B008
    options: InstrumentOptions = InstrumentOptions(),  # noqa: B008
    sample: SampleOptions = SampleOptions(),  # noqa: B008
    recursive: Annotated[bool, Parameter(name=["--recursive", "-r"], show_default=False)] = False,
    settle: str = "5s",
    stop_after: str | None = None,
    out: Path = DEFAULT_FOLDER,
    plots: Annotated[bool, Parameter(negative="--no-plots", show_default=False)] = True,
    plot_scale: Literal["sqrt", "linear"] = "sqrt",
    json: Switch = False,
    force: Switch = False,
) -> int:
    """Analyse the scans of a folder as they come, beside a running instrument.

    A scan is analysed once its file has stayed as it is for a while. One that
    cannot be read is tried again when it changes; one that changes after it was
    analysed is analysed again, under another name.

    Parameters
    ----------
    folder
        Where the instrument puts its scans, with an ending of docs/formats.md that only scans have.
    recursive
        Watch the folders in it too.
    settle
        How long a file must stay as it is before it counts as complete: longer than any pause of the
        program that writes it.
    stop_after
        End when no scan has come for this time; goes on until Ctrl-C unless given.
    out
        Folder of the results.
    plots
        Whether each scan gets its plot; it does unless --no-plots is given.
    plot_scale
        Intensity scale of the plots.
    json
        Print each result as a line of JSON.
    force
        Begin anew and overwrite existing results.
    """
    quiet = None if stop_after is None else _STOP.parse(stop_after)
    settle_seconds = _SETTLE.parse(settle)
    if not folder.is_dir():
        raise UsageError("there is no such folder", remedy="Name the folder of the scans", file=folder)
    asked = request.load(options, sample)

    from mixrd.batch.folder_watch import FolderWatch
    from mixrd.batch.journal import Journal
    from mixrd.batch.request import Analyst
    from mixrd.batch.work import Output
    from mixrd.report.report_file import BATCH_REPORT

    with Journal(out, described(asked, options, sample), force=force) as journal:
        looking = FolderWatch(folder, settle_seconds, recursive)
        files = Output(out, plots, plot_scale)
        watcher = _Watcher(journal, looking, Analyst(asked, train_and_say), files, json)
        watcher.recall()
        say(f"watching {folder}, results in {out}; Ctrl-C ends it")
        try:
            watcher.run(quiet)
        except KeyboardInterrupt as interrupt:
            if str(interrupt):
                say(str(interrupt))
        watcher.report()
        failed = sum(analysis.status == "failed" for analysis in watcher.results.values())
        together = f", all together in {BATCH_REPORT}" if watcher.results else ""
        say(f"{counted(len(watcher.results), 'scan')} in {out}, {failed} of them failed{together}")
    return EXIT_SOME_FAILED if failed else 0


@dataclass
class _Watcher:
    """What is analysed as it comes, and what has come so far."""

    journal: Journal
    folder: FolderWatch
    analyst: Analyst
    files: Output
    json: bool
    results: dict[str, Analysis] = field(default_factory=dict)
    _summarised: bool = True

    def recall(self) -> None:
        """Take up what was done before."""
        from mixrd.batch.series import result_of

        for entry in self.journal.entries:
            self.results[entry.file] = in_brief(result_of(self.journal, entry))
        if self.results:
            were = "was" if len(self.results) == 1 else "were"
            say(f"{counted(len(self.results), 'scan')} {were} done before")

    def run(self, quiet_seconds: float | None) -> None:
        """Look, analyse, wait; end when nothing has come for `quiet_seconds`, or at Ctrl-C."""
        from mixrd.training.interruption import Interruption

        pause = min(max(self.folder.settle_seconds / 4, _SHORTEST_PAUSE), _LONGEST_PAUSE)
        last, trouble = time.monotonic(), None
        while True:
            ready = self.folder.complete()
            if self.folder.trouble not in (None, trouble):
                say(f"the folder cannot be read now ({self.folder.trouble}); waiting for it")
            trouble = self.folder.trouble
            # Ctrl-C waits for the end of a scan: its files and the journal belong together.
            with Interruption() as ctrl_c:
                for path in ready[:_AT_ONCE]:
                    if not ctrl_c.requested:
                        self._take(path)
                self.summarise()
            last = time.monotonic() if ready else max(last, self.folder.changed)
            quiet = quiet_seconds is not None and time.monotonic() - last >= quiet_seconds
            if ctrl_c.requested or quiet:
                return
            if len(ready) <= _AT_ONCE:
                time.sleep(pause)

    def summarise(self) -> None:
        """Write the summary of all scans, where one has come."""
        from mixrd.report.files import write_batch

        if not self._summarised:
            write_batch(self._rows(), self.journal.folder, force=True)
            self._summarised = True

    def report(self) -> None:
        """Write the summary once more, and the report of all scans."""
        from mixrd.cli.progress import spinner

        if self.results:
            with spinner("putting all together"):
                write_together(self._rows(), self.journal, self.journal.entries)

    def _rows(self) -> list[Named]:
        return [(entry.name, self.results[entry.file]) for entry in self.journal.entries]

    def _take(self, path: Path) -> None:
        """Analyse one scan unless it was before."""
        from mixrd.batch.work import Job

        names = self.journal.plan([path])
        if path not in names:
            self.folder.give(path)
            self._forget_renamed()
            return
        found = self._analysed(Job(path, names[path]))
        if found.status == "failed" and not path.exists():
            return  # renamed or removed meanwhile: under its new name it comes again
        self.folder.give(path)
        entry = self.journal.entry(path, names[path], found)
        self.journal.finish(entry)
        self.results[entry.file] = in_brief(found)
        self._summarised = False
        self._show(found)

    def _analysed(self, job: Job) -> Analysis:
        from mixrd.batch.series import run_jobs
        from mixrd.cli.progress import spinner

        with spinner(f"analysing {job.path.name}"):
            ((_, found),) = run_jobs([job], self.analyst.request, self.files, analyst=self.analyst)
        return found

    def _forget_renamed(self) -> None:
        """Results go by the names that the scans have now."""
        from mixrd.batch.series import result_of

        now = {entry.file: entry for entry in self.journal.entries}
        if now.keys() != self.results.keys():
            self.results = {
                file: self.results.get(file) or in_brief(result_of(self.journal, entry))
                for file, entry in now.items()
            }
            self._summarised = False

    def _show(self, found: Analysis) -> None:
        if self.json:
            print(json_text.dumps(found.to_dict(), allow_nan=False), flush=True)
        else:
            output().print(result_line(found), soft_wrap=True)


def result_line(analysis: Analysis) -> Text:
    """A result in one line, with the time of day first."""
    line = Text(f"{datetime.now():%H:%M:%S}  {analysis.file}  ")
    if analysis.status == "failed":
        return line.append(f"failed: {analysis.error}", style="red")
    stated = analysis.statement
    if stated.kind == "none":
        line.append(stated.sentence, style="bold red")
    elif stated.kind == "presence":
        line.append(", ".join(f"{p.name}: {p.presence}" for p in analysis.phases))
    else:
        line.append(", ".join(f"{p.name} {amount_text(p, stated)}" for p in analysis.phases) + " wt%")
    if analysis.r_wp is not None:
        line.append(f"  R_wp {percent(analysis.r_wp)}")
    codes = ", ".join(dict.fromkeys(w.code for w in analysis.warnings))
    return line.append(f"  {codes}", style="yellow") if codes else line
