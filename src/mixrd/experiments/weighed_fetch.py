"""Public scans of weighed mixtures, fetched and checked by their SHA-256."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from mixrd.errors import DatabaseError, UsageError
from mixrd.files import whole_file

#: Longest silence of a server in seconds.
TIMEOUT_SECONDS = 60


@dataclass(frozen=True)
class WeighedSet:
    """A set of scans as the registry has it.

    Attributes
    ----------
    name, title : str
    url : str or None
        Folder of the files on the web; None where there is no address to fetch single files from.
    page : str
        Where the data are described.
    licence, citation : str
    compositions : tuple of dict
        Rows of ``compositions.csv``; phases by their names in the catalog.
    files : dict
        SHA-256 by file name.
    """

    name: str
    title: str
    url: str | None
    page: str
    licence: str
    citation: str
    compositions: tuple[dict[str, str], ...]
    files: dict[str, str]


@cache
def weighed_sets() -> dict[str, WeighedSet]:
    """All sets of the registry by name."""
    folder = files("mixrd.experiments") / "weighed_sets"
    found = {}
    for entry in sorted(folder.iterdir(), key=lambda item: item.name):
        if entry.name.endswith(".json"):
            data = json.loads(entry.read_text(encoding="utf-8"))
            name = entry.name.removesuffix(".json")
            found[name] = WeighedSet(name, **{**data, "compositions": tuple(data["compositions"])})
    return found


def fetch_weighed(
    name: str,
    folder: Path,
    *,
    url: str | None = None,
    local: Path | None = None,
    on_file: Callable[[str], None] | None = None,
) -> list[Path]:
    """Put a set into `folder` as `mixrd benchmark weighed` takes it.

    Files that are there already, whole, are not asked for again: what was interrupted goes on.

    Parameters
    ----------
    name : str
        Of `weighed_sets`.
    folder : path
        Is made if need be.
    url : str, optional
        Folder on the web, instead of the registry's.
    local : path, optional
        Folder that holds the files already: they are checked and copied, nothing is fetched.
    on_file : callable, optional
        Called with each file's name once it is there.

    Returns
    -------
    list of path
        The scans and ``compositions.csv``.

    Raises
    ------
    UsageError
        If there is no such set, or nowhere to fetch it from.
    DatabaseError
        If a file cannot be had, or is not the registry's.
    """
    known = weighed_sets()
    if name not in known:
        raise UsageError(f"there is no set {name!r}", remedy=f"Sets: {', '.join(known)}")
    chosen = known[name]
    base = url or chosen.url
    if local is None and base is None:
        raise UsageError(
            f"the files of {name} have no address of their own: see {chosen.page}",
            remedy="Get them there and give their folder with --from, or a mirror with --url",
        )
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for file, sha256 in chosen.files.items():
        if local is not None:
            written.append(_copied(local / file, folder / file, sha256))
        else:
            written.append(_fetched(f"{str(base).rstrip('/')}/", file, folder, sha256))
        if on_file:
            on_file(file)
    written.append(_write_compositions(chosen, folder))
    return written


def _fetched(base: str, file: str, folder: Path, sha256: str) -> Path:
    from urllib.parse import quote

    import pooch
    import requests

    downloader = pooch.HTTPDownloader(timeout=TIMEOUT_SECONDS, progressbar=False)
    pooch.get_logger().setLevel("ERROR")
    address = base + quote(file)
    try:
        found = pooch.retrieve(
            address, known_hash=f"sha256:{sha256}", fname=file, path=folder, downloader=downloader
        )
    except requests.RequestException as problem:
        raise DatabaseError(
            f"{address} cannot be had ({_brief(problem)})",
            remedy="Try again: what is there stays, and the rest is fetched; or give a mirror with --url",
        ) from problem
    except ValueError as problem:
        raise DatabaseError(
            f"{address} is not the file of the registry: its SHA-256 differs",
            remedy="The data may have been changed there; nothing of it was kept",
        ) from problem
    return Path(found)


def _copied(source: Path, target: Path, sha256: str) -> Path:
    import pooch

    if not source.is_file():
        raise DatabaseError("it is not there", remedy="Give the folder of all files", file=source)
    if pooch.file_hash(str(source)) != sha256:
        raise DatabaseError(
            "it is not the file of the registry: its SHA-256 differs",
            remedy="Get the original, not a converted one",
            file=source,
        )
    if source.resolve() != target.resolve():
        shutil.copyfile(source, target)
    return target


def _write_compositions(chosen: WeighedSet, folder: Path) -> Path:
    path = folder / "compositions.csv"
    with whole_file(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, list(chosen.compositions[0]))
        table.writeheader()
        table.writerows(chosen.compositions)
    return path


def _brief(problem: Exception) -> str:
    response = getattr(problem, "response", None)
    return type(problem).__name__ if response is None else f"status {response.status_code}"
