"""`mixrd paper`: the experiment of Hoefer et al. 2024, run, tabulated, drawn and verified."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from mixrd.cli.console import say, show, show_json, show_result
from mixrd.cli.options import Names, Switch
from mixrd.cli.paper_options import DataOptions, GridOptions, Kind, ProtocolOptions, cells_of, is_wanted
from mixrd.cli.paper_refine import BOUND_EXAMPLES, REFINE_EXAMPLES, bound, counting, refine
from mixrd.errors import UsageError

if TYPE_CHECKING:
    from mixrd.paper import Cell, Row

Folders = Annotated[list[Path] | None, Parameter(name="FOLDER")]

RUN_EXAMPLES = """Examples:
  mixrd paper run --n 5 --k 3 --architecture compact --samples 400000 -o out
  mixrd paper run --n 5 10 15 20 --k 3 5 7 --seeds 3 --architecture table1 \\
      --device cuda --precision bf16 --compile -o out
  mixrd paper run --pool stones --n 7 --k 2 --architecture knn compact -o stones
  torchrun --nproc-per-node 4 -m -- mixrd paper run --device cuda -o out

Every cell that is done has a file FOLDER/CELL.json and is skipped; interrupted
or killed, the same command goes on, to the same result."""
TABLE_EXAMPLES = "Examples:\n  mixrd paper table out\n  mixrd paper table --json"
FIGURE_EXAMPLES = "Example:\n  mixrd paper figure out -o fig3.png"
VERIFY_EXAMPLES = """Examples:
  mixrd paper verify --n 10 --k 3 --patterns 1000
  mixrd paper verify --n 5 --k 3 --seed 42 --json"""
SIZES_EXAMPLES = "Example:\n  mixrd paper sizes out --n 10 --k 3"

paper = App(
    name="paper",
    help="Run the experiment of Hoefer et al. 2024 again, and compare with it.",
    help_format="plaintext",
    help_epilogue="Example:\n  mixrd paper verify --n 10 --k 3",
    sort_key=9,
)
paper.command(bound, help_epilogue=BOUND_EXAMPLES)
paper.command(refine, help_epilogue=REFINE_EXAMPLES)


@paper.command(help_epilogue=RUN_EXAMPLES)
def run(
    *,
    which: GridOptions = GridOptions(),  # noqa: B008
    how: ProtocolOptions = ProtocolOptions(),  # noqa: B008
    data: DataOptions = DataOptions(),  # noqa: B008
    out: Annotated[Path, Parameter(name=["--out", "-o"])],
    only: Names | None = None,
    list_cells: Annotated[Switch, Parameter(name="--list")] = False,
    no_models: Switch = False,
    device: str | None = None,
) -> int:
    """Train and test a grid of cells, one for each N, K, kind, architecture and seed.

    Parameters
    ----------
    out
        Folder of the results; what is done there is not done again.
    only
        Only cells whose name begins so (--list shows the names).
    list_cells
        Print the cells of the grid and run none.
    no_models
        Do not keep the trained networks beside the results.
    device
        cpu, cuda, ...; a GPU is used where there is one.
    """
    cells = _chosen(cells_of(which, how, data), only or [])

    from mixrd.paper.result import is_done
    from mixrd.report.paper_tables import cells_table

    if list_cells:
        show(cells_table([(cell, is_done(out, cell)) for cell in cells]))
        return 0
    _run(cells, out, device, keep_models=not no_models)
    return 0


@paper.command(help_epilogue=TABLE_EXAMPLES)
def table(folders: Folders = None, /, *, json: Switch = False) -> int:
    """Print the results beside the paper's: mean total variation distances of the test.

    Parameters
    ----------
    folders
        Folders of results; the committed ones of a checkout unless given.
    json
        Print JSON instead of a table.
    """
    from mixrd.report.paper_tables import SHORTENED_NOTE, paper_table

    rows = _rows(folders)
    note = ("", SHORTENED_NOTE) if any(row.shortened for row in rows) else ()
    show_result(json, {"schema": 1, "rows": [row.to_dict() for row in rows]}, paper_table(rows), *note)
    return 0


@paper.command(help_epilogue=FIGURE_EXAMPLES)
def figure(
    folders: Folders = None,
    /,
    *,
    out: Annotated[Path, Parameter(name=["--out", "-o"])] = Path("fig3.png"),
    force: Switch = False,
) -> int:
    """Draw Fig. 3 of the paper from the results, with the paper's numbers beside them.

    Parameters
    ----------
    folders
        Folders of results; the committed ones of a checkout unless given.
    out
        File of the figure.
    force
        Overwrite an existing file.
    """
    from mixrd.files import refuse_existing
    from mixrd.report.paper_figure import plot_figure3

    refuse_existing([out], force=force)
    plot_figure3(_rows(folders), out)
    say(f"wrote {out}")
    return 0


@paper.command(help_epilogue=VERIFY_EXAMPLES)
def verify(
    *,
    n: int,
    k: int,
    patterns: int = 100,
    kind: Kind = "up_to_replacement",
    seed: int | None = None,
    model: Path | None = None,
    pool: str = "cod",
    refined: Annotated[bool, Parameter(name="--refine", negative="--no-refine")] = True,
    json: Switch = False,
) -> int:
    """Draw fresh test patterns and judge a shipped network by them, and the refinement.

    Parameters
    ----------
    n
        Materials.
    k
        Most phases that coexist.
    patterns
        How many to draw.
    kind
        What K means, as for `mixrd paper run`.
    seed
        Of the patterns; new ones each time unless given.
    model
        A network that `mixrd paper run` kept, instead of the shipped one.
    pool
        Its pool, as for `mixrd paper run`.
    refined
        Refine the same patterns too, and calculate their noise floor; --no-refine judges the network alone.
    json
        Print JSON instead of a table.
    """
    from mixrd.cli.progress import filling_bar
    from mixrd.paper import paper_materials
    from mixrd.paper import verify as verified
    from mixrd.report.paper_tables import verification_notes, verification_table

    with filling_bar("refining") as bar:
        found = verified(
            n, k, patterns=patterns, kind=kind, seed=seed, model=model,
            materials=paper_materials(pool), with_refinement=refined, tell=counting(bar, patterns),
        )  # fmt: skip
    if json:
        show_json({"schema": 1, **found.to_dict()})
    else:
        show(verification_table(found))
        for note in verification_notes(found):
            say(note)
        say(f"seed {found.seed}: the same patterns again with --seed {found.seed}")
    return 0


@paper.command(help_epilogue=SIZES_EXAMPLES)
def sizes(
    folders: Folders = None,
    /,
    *,
    n: int = 10,
    k: int = 3,
    kind: Kind = "up_to_replacement",
    json: Switch = False,
) -> int:
    """Print size against accuracy: error, parameters, file size and training time of each architecture.

    Parameters
    ----------
    folders
        Folders of results; the committed ones of a checkout unless given.
    n
        Materials.
    k
        Most phases that coexist.
    kind
        What K means.
    json
        Print JSON instead of a table.
    """
    from mixrd.paper import read_results, results_folders, size_rows
    from mixrd.report.paper_tables import SHORTENED_NOTE, sizes_table

    rows = size_rows(read_results(folders or results_folders()), n=n, k=k, kind=kind)
    note = ("", SHORTENED_NOTE) if any(row.shortened for row in rows) else ()
    plain = {"schema": 1, "n": n, "k": k, "kind": kind, "rows": [row.to_dict() for row in rows]}
    show_result(json, plain, sizes_table(rows), *note)
    return 0


def _rows(folders: list[Path] | None) -> list[Row]:
    from mixrd.paper import paper_rows, read_bounds, read_refinements, read_results, results_folders

    chosen = folders or results_folders()
    return paper_rows(read_results(chosen), read_bounds(chosen), read_refinements(chosen))


def _chosen(cells: tuple[Cell, ...], only: list[str]) -> tuple[Cell, ...]:
    chosen = tuple(cell for cell in cells if is_wanted(cell.name, only))
    if not chosen:
        raise UsageError(f"no cell's name begins with {only[0]!r}", remedy="--list shows the names")
    return chosen


def _run(cells: tuple[Cell, ...], out: Path, device: str | None, *, keep_models: bool) -> None:
    from mixrd.cli.progress import grid_bar
    from mixrd.cli.train import checked_device
    from mixrd.files import writing
    from mixrd.paper import run_grid
    from mixrd.training import best_device

    place = checked_device(device) or best_device()
    short = sum(cell.shortened for cell in cells)
    if os.environ.get("RANK", "0") == "0":
        say(f"{len(cells)} cells on {place}" + (f", {short} of them shortened" if short else ""))
    try:
        with writing(out), grid_bar() as bar:
            run_grid(
                cells,
                out,
                device=place,
                keep_models=keep_models,
                on_dataset=bar.dataset,
                on_progress=bar.running,
                on_cell=bar.done,
            )
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"interrupted; what is done is in {out}, and the same command goes on from there."
        ) from None
