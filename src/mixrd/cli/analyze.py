"""`mixrd analyze`: weight fractions of phases in scans."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from mixrd.cli.console import say, show, show_json
from mixrd.cli.options import InstrumentOptions, Switch
from mixrd.cli.preparation_options import PreparationOptions
from mixrd.cli.request_options import RequestOptions, train_and_say
from mixrd.cli.series import SeriesOutput, analyze_series
from mixrd.errors import UsageError

if TYPE_CHECKING:
    from mixrd.analysis import Analysis, AnalysisRequest

EXAMPLES = """Examples:
  mixrd analyze scan.xy --phases corundum fluorite zincite \\
      --instrument instrument.toml
  mixrd analyze scan.xy --model corundum-fluorite-zincite.mixrd
  mixrd analyze scan.xy --phases quartz calcite --radiation CuKa --no-network --json
  mixrd analyze scan.xy --phases quartz corundum --standard corundum:20
  mixrd analyze runs/ --phases quartz calcite my-phase.cif --out results
  mixrd analyze 'runs/**/*.xrdml' --model three.mixrd --no-refine --jobs 2

For each scan NAME.json, NAME.csv and NAME.png are written into the folder of
--out; for a single scan the report NAME.html, for several report.html,
summary.csv and summary.png. A batch that was
interrupted or killed goes on when the same command is given again."""

DEFAULT_FOLDER = Path("mixrd-results")


def analyze(
    scans: Annotated[list[str], Parameter(name="SCANS")],
    /,
    *,
    options: RequestOptions = RequestOptions(),  # noqa: B008
    instrument: InstrumentOptions = InstrumentOptions(),  # noqa: B008
    sample: PreparationOptions = PreparationOptions(),  # noqa: B008
    recursive: Annotated[bool, Parameter(name=["--recursive", "-r"], show_default=False)] = False,
    jobs: int | None = None,
    out: Path | None = None,
    plots: Annotated[bool | None, Parameter(negative="--no-plots")] = None,
    plot_scale: Literal["sqrt", "linear"] = "sqrt",
    json: Switch = False,
    force: Switch = False,
) -> int:
    """Find the weight fractions of phases in one or more powder scans.

    A trained network estimates, a whole-pattern refinement finishes. Without
    --model a network is trained for these phases, once: it is kept, and the next
    analysis of the same phases starts at once.

    Parameters
    ----------
    scans
        Files, folders and patterns ('runs/*.xy') of powder scans, in any of the formats that docs/formats.md
        lists.
    recursive
        Take the scans of folders in a folder too.
    jobs
        Processes that share several scans; one for each processor unless given.
    out
        Folder of the results (mixrd-results unless given; with --json none unless given).
    plots
        Whether each scan gets its plot; unless given, those of up to 50 scans do.
    plot_scale
        Intensity scale of the plots.
    json
        Print the results as JSON: an object for one scan, a list for several.
    force
        Overwrite existing results.
    """
    from mixrd.batch.scan_files import find_scans

    request = options.request(instrument, sample)
    if jobs is not None and jobs < 1:
        raise UsageError(f"--jobs {jobs} leaves nobody to do the work", remedy="Give 1 or more")
    found = find_scans(scans, recursive=recursive)
    folder = out if out is not None or json else DEFAULT_FOLDER
    if not found.series:
        output = SeriesOutput(folder, plots is not False, plot_scale, json=json, force=force)
        return _analyze_one(found.paths[0], request, output)
    output = SeriesOutput(folder, plots, plot_scale, json=json, force=force)
    return analyze_series(found.paths, request, output, processes=jobs)


def show_analysis(analysis: Analysis) -> None:
    """Print one result as a table with what belongs below it."""
    from mixrd.report.tables import analysis_lines, analysis_table, statement_lines

    said, table = statement_lines(analysis), analysis_table(analysis)
    show(analysis.file, *said, table, *analysis_lines(analysis), "")


def _analyze_one(path: Path, request: AnalysisRequest, output: SeriesOutput) -> int:
    """One scan: what is wrong with it is raised."""
    from mixrd.files import refuse_existing
    from mixrd.report.files import output_names, result_files, write_result
    from mixrd.report.report_file import REPORT_ENDING, write_scan_report

    (name,) = output_names([path])
    folder, plots = output.folder, bool(output.plots)
    if folder is not None:
        report = folder / f"{name}{REPORT_ENDING}"
        refuse_existing([*result_files(folder, [name]), report], force=output.force)
    found = _result_of(path, request, with_plot=folder is not None and plots)
    if output.json:
        show_json(found.to_dict())
    else:
        show_analysis(found)
    if folder is not None:
        how: dict[str, Any] = {"name": name, "plots": plots, "force": output.force, "scale": output.scale}
        written = [*write_result(found, folder, **how), write_scan_report(found, folder, **how)]
        say(f"wrote {', '.join(p.name for p in written)} to {folder}")
    return 0


def _result_of(path: Path, request: AnalysisRequest, *, with_plot: bool) -> Analysis:
    from mixrd.batch.analyst import Analyst
    from mixrd.cli.progress import spinner

    analyst = Analyst(request, train_and_say)
    if with_plot:
        # Plotting takes a second to load: that passes while the scan is fitted.
        Thread(target=import_module, args=("mixrd.report.plot",), daemon=True).start()
    with spinner(f"analysing {path.name}"):
        return analyst.analyse(path)
