"""`mixrd watch`: scans analysed as a running instrument writes them."""

from __future__ import annotations

import json as json_text
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter
from rich.text import Text

from mixrd.cli.analyze import DEFAULT_FOLDER
from mixrd.cli.console import output, say
from mixrd.cli.options import InstrumentOptions, Switch
from mixrd.cli.preparation_options import PreparationOptions
from mixrd.cli.quantities import TIME, Quantity
from mixrd.cli.request_options import RequestOptions, train_and_say
from mixrd.cli.series import EXIT_SOME_FAILED
from mixrd.errors import UsageError
from mixrd.report.numbers import amount_text, counted, percent

if TYPE_CHECKING:
    from mixrd.analysis import Analysis

EXAMPLES = """Examples:
  mixrd watch /data/today --phases corundum fluorite zincite \\
      --instrument instrument.toml
  mixrd watch /data/today --model three.mixrd --no-refine --out live
  mixrd watch runs -r --model three.mixrd --settle 2min --stop-after 8h

Ctrl-C ends it; the same command goes on where it stopped, with all scans that
came meanwhile. `mixrd analyze FOLDER` with the same options shares its results."""

_SETTLE = Quantity("--settle", TIME.units, "5s, 500ms or 2min")
_STOP = Quantity("--stop-after", TIME.units, "30min or 8h")


def watch(
    folder: Annotated[Path, Parameter(name="FOLDER")],
    /,
    *,
    options: RequestOptions = RequestOptions(),  # noqa: B008
    instrument: InstrumentOptions = InstrumentOptions(),  # noqa: B008
    sample: PreparationOptions = PreparationOptions(),  # noqa: B008
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
    request = options.request(instrument, sample)
    quiet = None if stop_after is None else _STOP.parse(stop_after)
    settle_seconds = _SETTLE.parse(settle)
    if not folder.is_dir():
        raise UsageError("there is no such folder", remedy="Name the folder of the scans", file=folder)
    from mixrd.batch.folder_watch import FolderWatch
    from mixrd.batch.series import Batch
    from mixrd.batch.watching import Watcher
    from mixrd.batch.work import Output
    from mixrd.cli.progress import spinner
    from mixrd.report.report_file import BATCH_REPORT

    with Batch(request, Output(out, plots, plot_scale), force=force, train=train_and_say) as batch:
        watcher = Watcher(
            batch,
            FolderWatch(folder, settle_seconds, recursive),
            on_scan=_show_json if json else _show,
            on_trouble=lambda why: say(f"the folder cannot be read now ({why}); waiting for it"),
            busy=lambda path: spinner(f"analysing {path.name}"),
        )
        if watcher.results:
            were = "was" if len(watcher.results) == 1 else "were"
            say(f"{counted(len(watcher.results), 'scan')} {were} done before")
        say(f"watching {folder}, results in {out}; Ctrl-C ends it")
        try:
            watcher.run(quiet)
        except KeyboardInterrupt as interrupt:
            if str(interrupt):
                say(str(interrupt))
        together = ""
        if watcher.results:
            with spinner("putting all together"):
                watcher.write_together()
            together = f", all together in {BATCH_REPORT}"
        failed = sum(analysis.status == "failed" for analysis in watcher.results.values())
        say(f"{counted(len(watcher.results), 'scan')} in {out}, {failed} of them failed{together}")
    return EXIT_SOME_FAILED if failed else 0


def _show(found: Analysis) -> None:
    output().print(result_line(found), soft_wrap=True)


def _show_json(found: Analysis) -> None:
    print(json_text.dumps(found.to_dict(), allow_nan=False), flush=True)


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
