"""The process that draws plots and writes reports and tables: ``python -m mixrd.web.rendering``."""

from __future__ import annotations

import csv
import json
import zipfile
from pathlib import Path
from typing import Any

from mixrd.files import whole_file
from mixrd.web.child import Conversation
from mixrd.web.stored import Stored, StoredSources, stored_calibration


def main() -> None:
    """Answer until the server goes."""
    Conversation().answer(_write)


def _write(message: dict[str, Any]) -> bool:
    with whole_file(message["out"]) as part:
        _WRITERS[message["do"]](message, part)
    return True


def write_plot(message: dict[str, Any], out: Path) -> None:
    """The plot of one result."""
    from mixrd.report.plot import plot_analysis, plot_calibration

    if message["calibration"] is not None:
        plot_calibration(stored_calibration(message), message["phase"], out)
        return
    stored = Stored(Path(message["folder"]), message["results"], curves=True)
    plot_analysis(stored[message["position"]][1], out)


def write_report(message: dict[str, Any], out: Path) -> None:
    """The report of all results."""
    from mixrd.report.html import MOST_PLOTS, analysis_report

    folder, results = Path(message["folder"]), message["results"]
    pictures = {}
    for result in results[:MOST_PLOTS]:
        path = folder / f"{result['number']}.png"
        if path.is_file():
            pictures[result["name"]] = path.read_bytes()
    stored = Stored(folder, results, curves=True)
    out.write_text(analysis_report(stored, date=message["date"], plots=pictures), encoding="utf-8")


def write_json(message: dict[str, Any], out: Path) -> None:
    """All results as `mixrd analyze --json` prints them."""
    stored = Stored(Path(message["folder"]), message["results"])
    data = [analysis.to_dict() for _, analysis in stored]
    text = json.dumps(data[0] if message["alone"] else data, indent=2, allow_nan=False)
    out.write_text(text + "\n", encoding="utf-8")


def write_csv(message: dict[str, Any], out: Path) -> None:
    """All results as a table: a row for each scan and phase."""
    from mixrd.report.files import CSV_COLUMNS, csv_rows

    with out.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, CSV_COLUMNS)
        table.writeheader()
        for name, analysis in Stored(Path(message["folder"]), message["results"]):
            for row in csv_rows(name, analysis):
                table.writerow({column: _harmless(value) for column, value in row.items()})


def write_export(message: dict[str, Any], out: Path) -> None:
    """One result as input of another program: its files in a ZIP."""
    from mixrd.export import export

    stored = Stored(Path(message["folder"]), message["results"])
    scan = StoredSources({}, {"scan": message["scan"]}).scan("scan")
    contents = export(stored[message["position"]][1], scan, message["to"])
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in contents.items():
            archive.writestr(name, text)


def _harmless(value: Any) -> Any:
    """A value that no spreadsheet takes for a formula: names of files are their users'."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


_WRITERS = {
    "plot": write_plot,
    "report": write_report,
    "json": write_json,
    "csv": write_csv,
    "export": write_export,
}

if __name__ == "__main__":
    main()
