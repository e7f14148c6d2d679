"""The scan that belongs to a result."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mixrd.analysis import Analysis
from mixrd.errors import InputError
from mixrd.scan import Scan, read_scan


def find_scan(
    analysis: Analysis, result: Path, given: Path | None = None, *, number: int | None = None
) -> Scan:
    """Read the scan that was analysed.

    Parameters
    ----------
    analysis : Analysis
        Names the scan and its SHA-256.
    result : path
        The result's file: the scan is looked for in its folder, that folder's parent and here.
    given : path, optional
        The scan, where it is elsewhere.
    number : int, optional
        Which scan, where the file holds several, counted from 1.

    Raises
    ------
    InputError
        If it is not there, or only a file of its name with other contents.
    ScanError
        If it cannot be read.
    """
    if given is not None:
        return read_scan(given, scan=number)
    wanted = analysis.provenance.get("scan_sha256")
    others: list[Path] = []
    for path in _places(analysis.file, result):
        if not path.is_file():
            continue
        scan = read_scan(path, scan=number)
        if not wanted or scan.sha256 == wanted:
            return scan
        others.append(path)
    if others:
        raise InputError(
            f"{others[0]} has the name of the scan that was analysed, but other contents (SHA-256)",
            remedy="Name the scan that was analysed with --scan FILE",
            file=result,
        )
    raise InputError(
        f"the scan {analysis.file} is not beside the result, in the folder above, nor here",
        remedy="Name it with --scan FILE",
        file=result,
    )


def _places(name: str, result: Path) -> Iterator[Path]:
    folder = result.resolve().parent
    yield folder / name
    yield folder.parent / name
    yield Path(name)
