"""`mixrd report`: one HTML file from results that were kept."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from mixrd.cli.console import say
from mixrd.cli.options import Switch

EXAMPLES = """Examples:
  mixrd report mixrd-results/scan.json -o scan.html
  mixrd report mixrd-results -o monday.html --title "Batch of Monday"

The file needs nothing from the network, can be sent by mail and printed to PDF.
`mixrd analyze` writes such a report by itself."""


def report(
    results: Annotated[list[Path], Parameter(name="RESULTS")],
    /,
    *,
    out: Annotated[Path, Parameter(name=["--out", "-o"])] = Path("report.html"),
    title: str | None = None,
    force: Switch = False,
) -> int:
    """Make a report of results that `mixrd analyze` kept.

    Plots are taken from beside the results, where they are.

    Parameters
    ----------
    results
        JSON files of results, or folders of them. Several give one report of a batch; scans that failed in
        it are told too where its folder is named.
    out
        The HTML file.
    title
        Heading; the scan's name, or the number of scans, unless given.
    force
        Overwrite an existing file.
    """
    from mixrd.errors import UsageError
    from mixrd.report.report_file import report_of_kept

    if out.suffix.lower() not in (".html", ".htm"):
        raise UsageError("a report is an HTML file", remedy=f"Use -o {out.stem}.html", file=out)
    say(f"wrote {report_of_kept(results, out, title=title, force=force)}")
    return 0
