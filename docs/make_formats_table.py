"""Print the tables of docs/formats.md: the formats, which reader reads what, and what headers tell.

Usage: python docs/make_formats_table.py FOLDER        (FOLDER/formats/<kind>/<file>)
"""

from __future__ import annotations

import sys
from pathlib import Path

from mixrd.errors import ScanError
from mixrd.scan import Scan, read_scan
from mixrd.scan.scan_format import scan_formats

_FACTS = ("wavelength_angstrom", "anode", "counting_time_s", "scan_axis", "goniometer_radius_mm", "sigma")


def readings(folder: Path) -> list[tuple[str, Scan | ScanError]]:
    """Every sample file below folder/formats with the scan, or the error, that came of it."""
    found: list[tuple[str, Scan | ScanError]] = []
    for path in sorted((folder / "formats").glob("*/*")):
        try:
            result: Scan | ScanError = read_scan(path)
        except ScanError as error:
            result = error
        found.append((f"{path.parent.name}/{path.name}", result))
    return found


def formats_table(results: list[tuple[str, Scan | ScanError]]) -> str:
    """One row for each format: reader, files read, and in how many of them the header had each fact."""
    lines = [
        "| format | read by | files | wavelength | anode | time per step | axis | radius | uncertainties |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    scans = [result for _, result in results if isinstance(result, Scan)]
    for name in sorted({scan.format for scan in scans}):
        these = [scan for scan in scans if scan.format == name]
        readers = ", ".join(sorted({scan.reader.split()[0] for scan in these}))
        told = [sum(getattr(scan, fact) is not None for scan in these) for fact in _FACTS]
        lines.append(f"| {name} | {readers} | {len(these)} | {' | '.join(map(str, told))} |")
    return "\n".join(lines)


def endings_table() -> str:
    """One row for each format that is read: the endings of its files."""
    lines = ["| format | a folder is searched for | also read |", "|---|---|---|"]
    for one in sorted(scan_formats(), key=lambda one: one.name.lower()):
        endings = (" ".join(f"`{e}`" for e in group) for group in (one.endings, one.other_endings))
        lines.append(f"| {one.name} | {' | '.join(endings)} |")
    return "\n".join(lines)


def files_table(results: list[tuple[str, Scan | ScanError]]) -> str:
    """One row for each sample file: what came of it."""
    lines = ["| file | result |", "|---|---|"]
    for name, result in results:
        if isinstance(result, ScanError):
            text = f"refused: {result.cause}"
        else:
            x, codes = result.two_theta, sorted({code for code, _ in result.warnings})
            text = f"{len(result)} points, {x[0]:.4f}-{x[-1]:.4f} deg" + "".join(
                f", `{code}`" for code in codes
            )
        lines.append(f"| {name} | {text.replace('|', '/')} |")
    return "\n".join(lines)


def main() -> None:
    """Print all three."""
    results = readings(Path(sys.argv[1]))
    print(endings_table(), formats_table(results), files_table(results), sep="\n\n")


if __name__ == "__main__":
    main()
