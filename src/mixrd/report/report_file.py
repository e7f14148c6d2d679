"""The report as a file: beside the results of a scan, of a batch, or from results that were kept."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, overload

from mixrd.errors import InputError
from mixrd.files import refuse_existing, write_whole, writing
from mixrd.report.files import output_names, summary_of

if TYPE_CHECKING:
    from mixrd.analysis import Analysis
    from mixrd.report.plot import IntensityScale

REPORT_ENDING = ".html"
#: The report of a batch, in the folder of its results.
BATCH_REPORT = "report.html"


def write_report(
    results: Sequence[tuple[str, Analysis]],
    path: str | Path,
    *,
    pictures: str | Path | None = None,
    title: str | None = None,
    force: bool = False,
    scale: IntensityScale = "sqrt",
) -> Path:
    """Write the report of an analysis or a batch.

    Parameters
    ----------
    results : sequence of (name, Analysis)
        May load each result when it is asked for (`KeptResults`).
    path : path
        Its folder is made if need be.
    pictures : path, optional
        Folder that holds plots as ``NAME.png``: they are taken instead of being drawn anew.
    title : str, optional
    force : bool
        Overwrite what exists.
    scale : "linear" or "sqrt"
        Of plots that are drawn.

    Raises
    ------
    UsageError
        If the file exists and `force` is False, or cannot be written.
    """
    from mixrd.report.html import analysis_report

    path = Path(path)
    refuse_existing([path], force=force)
    today = datetime.date.today()
    text = analysis_report(
        results,
        title=title,
        date=f"{today.day} {today:%B %Y}",
        plots=None if pictures is None else _Pictures(Path(pictures)),
        scale=scale,
    )
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text)
    return path


def write_scan_report(
    analysis: Analysis,
    folder: str | Path,
    *,
    name: str,
    plots: bool = True,
    force: bool = False,
    scale: IntensityScale = "sqrt",
) -> Path:
    """Write ``NAME.html`` beside the other files of a result; without `plots` it shows none."""
    shown = analysis if plots else dataclasses.replace(analysis, curves=None)
    path = Path(folder) / f"{name}{REPORT_ENDING}"
    return write_report([(name, shown)], path, pictures=folder if plots else None, force=force, scale=scale)


class LazyResults(Sequence[tuple[str, "Analysis"]]):
    """Names and results in order, each of which is read when it is asked for: a thousand need no room.

    Parameters
    ----------
    names : sequence of str
    read : callable
        The result of this number.
    """

    def __init__(self, names: Sequence[str], read: Callable[[int], Analysis]) -> None:
        self._names, self._read = names, read

    def __len__(self) -> int:
        return len(self._names)

    @overload
    def __getitem__(self, index: int) -> tuple[str, Analysis]: ...
    @overload
    def __getitem__(self, index: slice) -> list[tuple[str, Analysis]]: ...
    def __getitem__(self, index: int | slice) -> tuple[str, Analysis] | list[tuple[str, Analysis]]:
        """A name and its result, or a list of them; raises InputError if the file of one is none."""
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        number = range(len(self))[index]
        return self._names[number], self._read(number)


class KeptResults(LazyResults):
    """Results in JSON files; then scans that failed.

    Parameters
    ----------
    paths : sequence of path
        Files that `Analysis.to_json` wrote.
    failed : sequence of (name, Analysis)
        What has no file (`failed_scans`).
    """

    def __init__(self, paths: Sequence[Path], failed: Sequence[tuple[str, Analysis]] = ()) -> None:
        from mixrd.analysis import Analysis

        count = len(paths)
        super().__init__(
            [*output_names(paths), *(name for name, _ in failed)],
            lambda i: failed[i - count][1] if i >= count else Analysis.from_json(paths[i]),
        )


def kept_files(given: Sequence[Path]) -> list[Path]:
    """The files named, and those with the ending .json in the folders named.

    Raises
    ------
    InputError
        If one is not there, or a folder holds none.
    """
    found: list[Path] = []
    for path in given:
        inside = sorted(path.glob("*.json")) if path.is_dir() else [path]
        if not inside or not path.exists():
            raise InputError(
                "there is no result",
                remedy="Name NAME.json of `mixrd analyze`, or a folder of such files",
                file=path,
            )
        found += inside
    return list(dict.fromkeys(found))


def failed_scans(given: Sequence[Path]) -> list[tuple[str, Analysis]]:
    """Names and results of the scans that failed in the batches of the folders given, by their summaries."""
    from mixrd.analysis import failed_analysis

    found = []
    for folder in dict.fromkeys(given):
        try:
            rows = summary_of(folder)
        except InputError:  # no batch: a file, or a folder of single results
            continue
        failed = {name: row for name, row in rows.items() if row["status"] == "failed"}
        found += [(name, failed_analysis(row["file"], row["error"])) for name, row in failed.items()]
    return found


def report_of_kept(
    given: Sequence[Path], out: str | Path, *, title: str | None = None, force: bool = False
) -> Path:
    """Write a report of results that were kept: of files, and of folders with what failed in their batches.

    Plots are taken from beside them, where they are.

    Raises
    ------
    InputError
        If there is no result, or a file holds none.
    UsageError
        If `out` exists and `force` is False, or cannot be written.
    """
    paths, failed = kept_files(given), failed_scans(given)
    folders = {path.parent for path in paths}
    pictures = folders.pop() if len(folders) == 1 else None
    try:
        return write_report(KeptResults(paths, failed), out, pictures=pictures, title=title, force=force)
    except (TypeError, ValueError, KeyError, AttributeError) as problem:
        raise InputError(
            f"a result holds something that mixrd never writes ({type(problem).__name__})",
            remedy="Give files that `mixrd analyze` wrote, unchanged",
            file=paths[0] if len(paths) == 1 else None,
        ) from problem


class _Pictures(Mapping[str, bytes]):
    """Plots of a folder by the name of their scan, read when they are asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __getitem__(self, name: str) -> bytes:
        try:
            return (self._folder / f"{name}.png").read_bytes()
        except OSError:
            raise KeyError(name) from None

    def __iter__(self) -> Iterator[str]:
        return (path.stem for path in self._folder.glob("*.png"))

    def __len__(self) -> int:
        return sum(1 for _ in self)
