"""`mixrd export`: a result as input of another program."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from mixrd.cli.console import say
from mixrd.cli.options import Switch

EXAMPLES = """Examples:
  mixrd export mixrd-results/sample.json --to topas
  mixrd export mixrd-results/sample.json --to gsas2 -o for-gsas
  mixrd export sample.json --to fullprof --scan data/sample.xrdml

What each format holds, and what was checked by which program: docs/exports.md."""


def export(
    result: Annotated[Path, Parameter(name="RESULT")],
    /,
    *,
    to: Literal["topas", "fullprof", "gsas2", "bgmn", "rietx", "cif"],
    scan: Path | None = None,
    number: int | None = None,
    out: Annotated[Path | None, Parameter(name=["--out", "-o"])] = None,
    force: Switch = False,
) -> int:
    """Write input for another program that starts from a refined result.

    Cells, scales, profile, background, texture, zero and displacement are the
    refined ones. The scan is found beside the result, in the folder above it or
    here, and must be the one that was analysed.

    Parameters
    ----------
    result
        JSON of `mixrd analyze`.
    to
        Program or format.
    scan
        The scan that was analysed, where it is elsewhere.
    number
        Which scan, where the file holds several, counted from 1.
    out
        Folder of the files; RESULT-FORMAT beside the result unless given.
    force
        Overwrite existing files.
    """
    from mixrd import export as room
    from mixrd.analysis import Analysis
    from mixrd.report.files import refuse_existing, writing

    analysis = Analysis.from_json(result)
    folder = out or result.parent / f"{result.stem}-{to}"
    contents = room.export(analysis, room.find_scan(analysis, result, scan, number=number), to)
    paths = {folder / name: text for name, text in contents.items()}
    refuse_existing(list(paths), force=force)
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in paths.items():
            path.write_text(text, encoding="utf-8")
    say(f"wrote {', '.join(contents)} to {folder}")
    return 0
