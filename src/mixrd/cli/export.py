"""`mixrd export`: a result as input of another program, a network as ONNX."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from mixrd.cli.console import say
from mixrd.cli.options import Switch
from mixrd.extensions import names_of

if TYPE_CHECKING:
    from mixrd.export.export_format import WriteNetwork

EXAMPLES = """Examples:
  mixrd export mixrd-results/sample.json --to topas
  mixrd export mixrd-results/sample.json --to gsas2 -o for-gsas
  mixrd export sample.json --to fullprof --scan data/sample.xrdml
  mixrd export model.mixrd --to onnx

What each format holds, and what was checked by which program: docs/exports.md."""


def export(
    result: Annotated[Path, Parameter(name="RESULT")],
    /,
    *,
    to: Annotated[str, Parameter(choices=names_of("mixrd.export_formats", "mixrd.export.formats"))],
    scan: Path | None = None,
    number: int | None = None,
    out: Annotated[Path | None, Parameter(name=["--out", "-o"])] = None,
    force: Switch = False,
) -> int:
    """Write input for another program that starts from a refined result.

    Cells, scales, profile, background, texture, zero and displacement are the
    refined ones. The scan is found beside the result, in the folder above it or
    here, and must be the one that was analysed. A trained network becomes ONNX.

    Parameters
    ----------
    result
        JSON of `mixrd analyze`; for ONNX a network, from `mixrd train`.
    to
        Program or format.
    scan
        The scan that was analysed, where it is elsewhere.
    number
        Which scan, where the file holds several, counted from 1.
    out
        Folder of the files, RESULT-FORMAT beside the result unless given; for ONNX the file.
    force
        Overwrite existing files.
    """
    from mixrd import export as room
    from mixrd.analysis import Analysis
    from mixrd.files import refuse_existing, write_whole, writing

    write_network = room.export_format_named(to).write_network
    if write_network is not None:
        return _network(result, out or result.with_suffix(f".{to}"), write_network, force=force)
    analysis = Analysis.from_json(result)
    folder = out or result.parent / f"{result.stem}-{to}"
    contents = room.export(analysis, room.find_scan(analysis, result, scan, number=number), to)
    paths = {folder / name: text for name, text in contents.items()}
    refuse_existing(list(paths), force=force)
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in paths.items():
            write_whole(path, text)
    say(f"wrote {', '.join(contents)} to {folder}")
    said = analysis.statement.sentence
    if said:
        say(f"warning: {said}; the refined model is handed over as a start, not as a result")
    return 0


def _network(path: Path, out: Path, write: WriteNetwork, *, force: bool) -> int:
    from mixrd.cli.progress import spinner
    from mixrd.files import refuse_existing, write_whole, writing
    from mixrd.network import Model

    refuse_existing([out], force=force)
    with spinner("exporting the network"):
        contents = write(Model.load(path))
    with writing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        write_whole(out, contents)
    say(f"wrote {out}")
    return 0
