"""`mixrd demo`: an example, analysed."""

from __future__ import annotations

from pathlib import Path

from mixrd.cli.console import say, show_result
from mixrd.cli.options import Switch

EXAMPLES = """Examples:
  mixrd demo
  mixrd demo --out elsewhere
  mixrd demo --json
  mixrd demo --retrain"""

DEFAULT_FOLDER = Path("mixrd-demo")


def demo(
    *, retrain: Switch = False, out: Path | None = None, json: Switch = False, force: Switch = False
) -> int:
    """Analyse an example scan that ships with mixrd.

    The scan is synthetic: simulated from a composition that is shown beside the
    result.

    Parameters
    ----------
    retrain
        Simulate the scan and train its small network anew, instead of using those that ship.
    out
        Folder of the results; unless given mixrd-demo, where a former demo's are overwritten.
    json
        Print the result, and what was simulated, as JSON.
    force
        Overwrite existing results in the folder of --out.
    """
    from mixrd.files import refuse_existing, writing
    from mixrd.report.files import ENDINGS, write_result
    from mixrd.report.report_file import REPORT_ENDING, write_scan_report

    folder = out or DEFAULT_FOLDER
    overwrite = force or out is None
    refuse_existing([folder / f"demo{ending}" for ending in (*ENDINGS, REPORT_ENDING)], force=overwrite)

    from mixrd.cli.progress import spinner, training_bar
    from mixrd.experiments.demo import run_demo
    from mixrd.report.tables import analysis_lines, statement_lines, truth_table

    if retrain:
        with training_bar("training the demo's network") as update, writing(folder):
            found = run_demo(retrain_in=folder, on_progress=update)
    else:
        with spinner("analysing the example"):
            found = run_demo()
    analysis, truth = found.analysis, found.truth_percent
    show_result(
        json,
        {"schema": 1, "analysis": analysis.to_dict(), "true_weight_percent": truth},
        "An example: a synthetic scan, made by the virtual diffractometer of mixrd.",
        *statement_lines(analysis),
        truth_table(analysis, truth),
        *analysis_lines(analysis),
    )
    written = write_result(analysis, folder, name="demo", force=overwrite)
    written.append(write_scan_report(analysis, folder, name="demo", force=overwrite))
    say(f"wrote {', '.join(path.name for path in written)} to {folder}")
    return 0
