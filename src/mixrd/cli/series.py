"""Several scans at once: what is left to do is done, then all are told together."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from rich.text import Text

from mixrd.cli.console import say, show
from mixrd.report.numbers import counted, duration_text, two_digits

if TYPE_CHECKING:
    from mixrd.analysis import AnalysisRequest
    from mixrd.batch.series import Batch, Named
    from mixrd.batch.work import ScanJob

EXIT_SOME_FAILED = 3
#: Tables of more lines than this do not show all at once: failures are listed again below.
_LONG_TABLE = 30


@dataclass(frozen=True)
class SeriesOutput:
    """What becomes of the results of scans."""

    folder: Path | None
    plots: bool | None
    scale: Literal["sqrt", "linear"]
    json: bool
    force: bool


def analyze_series(
    paths: Sequence[Path], request: AnalysisRequest, wanted: SeriesOutput, *, processes: int | None
) -> int:
    """Analyse several scans; the exit code says whether some failed."""
    from mixrd.batch.series import Batch
    from mixrd.batch.work import MOST_WITH_PLOTS, Output
    from mixrd.cli.request_options import train_and_say

    output = Output(wanted.folder, wanted.plots, wanted.scale).for_scans(len(paths))
    if wanted.folder is not None and wanted.plots is None and not output.plots:
        say(f"more than {MOST_WITH_PLOTS} scans: they get no plots (--plots makes them)")
    with Batch(request, output, force=wanted.force, train=train_and_say) as batch:
        todo = batch.plan(paths)
        if len(todo) < len(paths):
            say(f"{len(paths) - len(todo)} of {len(paths)} scans were done before")
        try:
            _run(batch, todo, processes)
        except KeyboardInterrupt as interrupt:
            _tell(batch, paths, wanted)
            done = len(batch.results(paths))
            raise KeyboardInterrupt(_what_is_kept(str(interrupt), done, len(paths), wanted.folder)) from None
        return _tell(batch, paths, wanted)


def _run(batch: Batch, todo: Sequence[ScanJob], processes: int | None) -> None:
    """Do what is left to do, with a bar; a scan that fails is said at once."""
    from mixrd.cli.progress import counted_bar

    if not todo:
        return
    begin = time.monotonic()
    with closing(batch.run(todo, processes)) as found, counted_bar("analysing", len(todo)) as advance:
        for _, analysis in found:
            if analysis.status == "failed":
                say(Text.assemble(("failed: ", "red"), analysis.error or ""))
            advance()
    seconds = time.monotonic() - begin
    rate = two_digits(len(todo) / seconds)
    say(f"{counted(len(todo), 'scan')} in {duration_text(seconds)} ({rate} a second)")


def _tell(batch: Batch, paths: Sequence[Path], wanted: SeriesOutput) -> int:
    """Print and write what concerns all scans together."""
    from mixrd.batch.series import in_brief
    from mixrd.cli.progress import spinner

    results = batch.results(paths)
    brief = [(name, in_brief(analysis)) for name, analysis in results]
    if not brief:
        return 0
    if wanted.json:
        print_json_list(analysis.to_dict() for _, analysis in results)
    else:
        show_series(brief)
    if wanted.folder is not None:
        with spinner("putting all together"):
            written = batch.write_together(results, brief)
        say(f"wrote results to {wanted.folder}, all together to {', '.join(p.name for p in written)}")
    return EXIT_SOME_FAILED if any(a.status == "failed" for _, a in brief) else 0


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
