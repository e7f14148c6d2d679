"""Several scans at once: what is left to do is done, then all are told together."""

from __future__ import annotations

import dataclasses
import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from rich.text import Text

from mixrd.cli.console import say, show
from mixrd.report.numbers import counted, duration_text, two_digits

if TYPE_CHECKING:
    from mixrd.analysis import Analysis
    from mixrd.batch.journal import Entry, Journal
    from mixrd.batch.request import Request
    from mixrd.batch.work import Job, Output
    from mixrd.network import Model
    from mixrd.training import Recipe

EXIT_SOME_FAILED = 3
#: Batches of more scans than this get no plots unless asked for: plots then take longer than anything else.
MOST_WITH_PLOTS = 50
#: Tables of more lines than this do not show all at once: failures are listed again below.
_LONG_TABLE = 30
Named = tuple[str, "Analysis"]
Train = Callable[["Recipe"], "Model"]


@dataclass(frozen=True)
class SeriesOutput:
    """What becomes of the results of several scans."""

    folder: Path | None
    plots: bool | None
    scale: Literal["sqrt", "linear"]
    json: bool
    force: bool

    def files(self, scans: int) -> Output:
        """Files for each of so many scans."""
        from mixrd.batch.work import Output

        plots = scans <= MOST_WITH_PLOTS if self.plots is None else self.plots
        if self.folder is not None and self.plots is None and not plots:
            say(f"more than {MOST_WITH_PLOTS} scans: they get no plots (--plots makes them)")
        return Output(self.folder, plots, self.scale)


def analyze_series(
    paths: Sequence[Path],
    request: Request,
    asked: Mapping[str, Any],
    output: SeriesOutput,
    *,
    processes: int | None,
    train: Train,
) -> int:
    """Analyse several scans; the exit code says whether some failed."""
    from mixrd.batch.journal import Journal
    from mixrd.batch.processes import default_jobs
    from mixrd.batch.work import Job

    files = output.files(len(paths))
    with ExitStack() as stack:
        journal: Journal | None = None
        todo = [Job(path, str(path)) for path in paths]
        if output.folder is not None:
            journal = stack.enter_context(Journal(output.folder, asked, force=output.force))
            todo = [Job(path, name) for path, name in journal.plan(paths).items()]
            if len(todo) < len(paths):
                say(f"{len(paths) - len(todo)} of {len(paths)} scans were done before")
        count = processes or default_jobs(len(todo))
        fresh: dict[Path, Analysis] = {}
        try:
            _run(todo, request, files, journal, None if journal else fresh, count, train)
        except KeyboardInterrupt as interrupt:
            done = len(fresh) if journal is None else sum(1 for p in paths if journal.done(p))
            _tell(paths, journal, fresh, output)
            raise KeyboardInterrupt(_what_is_kept(str(interrupt), done, len(paths), output.folder)) from None
        return _tell(paths, journal, fresh, output)


def _run(
    todo: Sequence[Job],
    request: Request,
    files: Output,
    journal: Journal | None,
    kept: dict[Path, Analysis] | None,
    processes: int,
    train: Train,
) -> None:
    """Do what is left to do, with a bar; a scan that fails is said at once."""
    from mixrd.batch.series import run_jobs
    from mixrd.cli.progress import counted_bar

    if not todo:
        return
    begin = time.monotonic()
    outcomes = run_jobs(todo, request, files, processes=processes, train=train)
    with closing(outcomes), counted_bar("analysing", len(todo)) as advance:
        for job, analysis in outcomes:
            if journal is not None:
                journal.finish(journal.entry(job.path, job.name, analysis))
            if kept is not None:
                kept[job.path] = analysis
            if analysis.status == "failed":
                say(Text.assemble(("failed: ", "red"), analysis.error or ""))
            advance()
    seconds = time.monotonic() - begin
    rate = two_digits(len(todo) / seconds)
    say(f"{counted(len(todo), 'scan')} in {duration_text(seconds)} ({rate} a second)")


def _tell(
    paths: Sequence[Path], journal: Journal | None, fresh: Mapping[Path, Analysis], output: SeriesOutput
) -> int:
    """Print and write what concerns all scans together."""

    def results() -> Iterator[Named]:
        from mixrd.batch.series import results_of

        if journal is not None:
            return results_of(journal, paths)
        return ((str(path), fresh[path]) for path in paths if path in fresh)

    brief = [(name, in_brief(analysis)) for name, analysis in results()]
    if not brief:
        return 0
    if output.json:
        print_json_list(analysis.to_dict() for _, analysis in results())
    else:
        show_series(brief)
    if output.folder is not None and journal is not None:
        from mixrd.cli.progress import spinner

        with spinner("putting all together"):
            entries = [entry for path in paths if (entry := journal.done(path)) is not None]
            written = write_together(brief, journal, entries)
        say(f"wrote results to {output.folder}, all together to {', '.join(p.name for p in written)}")
    return EXIT_SOME_FAILED if any(a.status == "failed" for _, a in brief) else 0


def write_together(brief: Sequence[Named], journal: Journal, entries: Sequence[Entry]) -> list[Path]:
    """Write table, heat map and report of these scans; `brief` holds their results in the same order."""
    from mixrd.batch.series import KeptSeries
    from mixrd.report.files import write_batch
    from mixrd.report.report_file import BATCH_REPORT, write_report

    folder = journal.folder
    written = write_batch(brief, folder, force=True)
    page = write_report(KeptSeries(journal, entries), folder / BATCH_REPORT, pictures=folder, force=True)
    return [*written, page]


def in_brief(analysis: Analysis) -> Analysis:
    """The result without what tables and pictures of a series leave out: thousands take little room."""
    return dataclasses.replace(analysis, provenance={}, curves=None, unexplained=None, refined_model=None)


def show_series(results: Sequence[Named]) -> None:
    """Print a table of all scans and below it what to look at."""
    from mixrd.report.tables import batch_table

    files = [analysis.file for _, analysis in results]
    unique = len(set(files)) == len(files)
    show(batch_table([(a.file if unique else name, a) for name, a in results]), "")
    failed = [a for _, a in results if a.status == "failed"]
    doubted = sum(bool(a.warnings) for _, a in results)
    refused = sum(a.statement.kind == "none" for _, a in results)
    parts = [f"{counted(len(results) - len(failed), 'scan')} analysed", f"{doubted} with warnings"]
    parts += [f"{refused} without a statement"] if refused else []
    show(", ".join([*parts, f"{len(failed)} failed"]))
    codes = Counter(code for _, a in results for code in {w.code for w in a.warnings})
    if codes:
        show(Text(", ".join(f"{code} {count}" for code, count in codes.most_common()), style="yellow"))
    if len(results) > _LONG_TABLE:
        show(*(Text(f"failed: {a.error}", style="red") for a in failed))
        unstated = [a for _, a in results if a.statement.kind == "none"]
        show(*(Text(f"{a.file}: {a.statement.sentence}", style="red") for a in unstated))


def print_json_list(items: Iterable[Mapping[str, Any]]) -> None:
    """Print a JSON list item by item, none kept."""
    empty = True
    for item in items:
        print("[" if empty else ",")
        print(json.dumps(item, indent=2, allow_nan=False), end="")
        empty = False
    print("[]" if empty else "\n]")


def _what_is_kept(reason: str, done: int, scans: int, folder: Path | None) -> str:
    """What to tell a user who pressed Ctrl-C."""
    where = f", their results are in {folder}; the same command goes on from there" if folder else ""
    return f"{(reason or 'interrupted').rstrip('.')}; {done} of {scans} scans are done{where}."
