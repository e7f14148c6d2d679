"""Which scans are meant by files, folders and patterns, and in which order they stand."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mixrd.batch.journal import JOURNAL_FILE
from mixrd.errors import UsageError
from mixrd.scan.scan_format import folder_endings

_PATTERN = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class FoundScans:
    """The scans that arguments stand for.

    Attributes
    ----------
    paths : tuple of Path
        None twice. A file that was named is here though it may not exist.
    series : bool
        Whether they are several, or those of a folder or pattern.
    """

    paths: tuple[Path, ...]
    series: bool


def find_scans(named: Sequence[str | Path], *, recursive: bool = False) -> FoundScans:
    """Scans that files, folders and patterns (``runs/*.xy``, ``runs/**/*.xy``) stand for.

    The scans of a folder or pattern come in natural order, ``s2`` before ``s10``. So do files whose names
    come in the order of a shell, which writes ``s10`` before ``s2``; another order is kept.

    Parameters
    ----------
    named : sequence of path
    recursive : bool
        Whether a folder stands for the scans of the folders in it, too.

    Raises
    ------
    UsageError
        If a folder or a pattern holds no scan.
    """
    paths: list[Path] = []
    spread = False
    texts = [str(name) for name in named]
    for text in _as_people_count(texts):
        if Path(text).is_dir():
            paths += scans_in(Path(text), recursive=recursive) or _nothing_in(text, recursive)
            spread = True
        elif _PATTERN.search(text) and not Path(text).exists():
            paths += _matching(text) or _nothing_matches(text)
            spread = True
        else:
            paths.append(Path(text))
    distinct = tuple({path.resolve(): path for path in paths}.values())
    return FoundScans(distinct, spread or len(distinct) > 1)


def scans_in(folder: Path, *, recursive: bool = False) -> list[Path]:
    """Files of a folder with an ending that only scans have, in natural order."""
    inside = folder.rglob("*") if recursive else folder.iterdir()
    endings = folder_endings()
    return _in_order(path for path in inside if path.suffix.lower() in endings)


def natural_key(path: str | Path) -> list[tuple[int, int, str]]:
    """Key by which names sort as people count: ``s2`` before ``s10``, upper and lower case alike."""
    parts = re.split(r"(\d+)", str(path).lower())
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts if part]


def _as_people_count(texts: list[str]) -> list[str]:
    """Arguments in natural order where a shell put them into its own."""
    by_shell = texts in (sorted(texts), sorted(texts, key=str.lower))
    return sorted(texts, key=natural_key) if by_shell else texts


def _matching(pattern: str) -> list[Path]:
    return _in_order(Path(found) for found in glob.glob(pattern, recursive=True))  # noqa: PTH207  (absolute ones too)


def _in_order(paths: Iterable[Path]) -> list[Path]:
    """Regular files that are neither hidden nor results of a batch."""
    fit = (p for p in paths if not p.name.startswith(".") and p.is_file() and not _is_result(p))
    return sorted(fit, key=natural_key)


def _is_result(path: Path) -> bool:
    return (path.parent / JOURNAL_FILE).exists()


def _nothing_in(folder: str, recursive: bool) -> list[Path]:
    deeper = "" if recursive else ", add --recursive for the folders in it"
    raise UsageError(
        f"the folder holds no scan ({' '.join(folder_endings())})",
        remedy=f"Write a pattern for other endings ('{Path(folder) / '*.csv'}'){deeper}",
        file=folder,
    )


def _nothing_matches(pattern: str) -> list[Path]:
    raise UsageError(f"no file matches {pattern!r}", remedy="Check folder and ending")
