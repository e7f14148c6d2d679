"""`mixrd cod`: structures from the Crystallography Open Database."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from mixrd.cli.cod_options import LineOptions, QueryOptions, SourceOptions
from mixrd.cli.console import say, show, show_json
from mixrd.cli.options import Switch
from mixrd.errors import UsageError
from mixrd.report.numbers import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mixrd.paper.pool import Pool
    from mixrd.phases import Screening, Verdict

GET_EXAMPLES = """Examples:
  mixrd cod get 9009668                         one structure, as 9009668.cif
  mixrd cod get --mineral calcite -o calcite    all that pass the filter
  mixrd cod get --elements Ca C O --only --mirror structures -o carbonates

What has been fetched is kept: an interrupted command goes on where it stopped."""

SEARCH_EXAMPLES = """Examples:
  mixrd cod search --mineral whewellite
  mixrd cod search --formula "Ca(OH)2" --json
  mixrd cod search --elements Ti O --only --mirror structures"""

SAMPLE_EXAMPLES = """Examples:
  mixrd cod sample --n 50 --seed 0 --mirror structures -o pool.json
  mixrd cod sample --n 20 --elements O --without C -o oxides.json"""

EXIT_INCOMPLETE = 3

cod = App(
    name="cod",
    help="Get, search, filter and draw structures of the Crystallography Open Database.",
    help_format="plaintext",
    help_epilogue="Example:\n  mixrd cod search --mineral whewellite",
    sort_key=7,
)


@cod.command(help_epilogue=GET_EXAMPLES)
def get(
    numbers: Annotated[list[int] | None, Parameter(name="NUMBERS")] = None,
    /,
    *,
    which: QueryOptions = QueryOptions(),  # noqa: B008
    source: SourceOptions = SourceOptions(),  # noqa: B008
    out: Annotated[Path, Parameter(name=["--out", "-o"])] = Path(),
    max_atoms: int = 300,
    all: Switch = False,
    force: Switch = False,
    json: Switch = False,
) -> int:
    """Get structures as CIF files, by number or by a search.

    Found structures are filtered: no crystalline polymers, no duplicates, no
    cell that is too large or whose content cannot be. Those named by number
    are written in any case, with what the filter says of them.

    Parameters
    ----------
    numbers
        COD numbers, seven digits each.
    out
        Folder for the files, which are named by their number.
    max_atoms
        Largest number of atoms in a unit cell.
    all
        Write what the filter rejects as well.
    force
        Overwrite existing files.
    json
        Print JSON instead of tables.
    """
    from mixrd.cli.progress import filling_bar
    from mixrd.phases import REASONS, Screening
    from mixrd.report.pool_tables import reasons_table, verdicts_table

    named = list(dict.fromkeys(numbers or ()))
    if not named and not which.given:
        raise UsageError(
            "nothing is asked for", remedy="Give COD numbers, --formula, --elements or --mineral"
        )
    database = source.open()
    found = [r.number for r in database.search(which.query())] if which.given else []
    wanted = [*named, *(number for number in found if number not in named)]
    screening = Screening(max_atoms)
    verdicts, written = [], 0
    with _kept_when_interrupted(), filling_bar("getting structures") as update:
        for done, number in enumerate(wanted):
            update(done, len(wanted))
            verdict, path = screening.judge_from(database, number)
            if path is not None and (verdict.kept or all or number in named):
                _copy(path, out / f"{number}.cif", force=force)
                written += 1
            verdicts.append(verdict)
    if json:
        show_json({"structures": [_plain_verdict(v) for v in verdicts], **_plain_counts(screening)})
    else:
        show(verdicts_table(verdicts), reasons_table(len(screening.kept), screening.counts, REASONS))
    say(f"{counted(written, 'file')} in {out}" if written else "nothing was written")
    missing = any(v.reason == "not found" and int(v.name) in named for v in verdicts)
    return EXIT_INCOMPLETE if missing else 0


@cod.command(help_epilogue=SEARCH_EXAMPLES)
def search(
    *,
    which: QueryOptions = QueryOptions(),  # noqa: B008
    source: SourceOptions = SourceOptions(),  # noqa: B008
    json: Switch = False,
) -> int:
    """List structures by formula, elements or mineral name.

    Parameters
    ----------
    json
        Print JSON instead of a table.
    """
    from mixrd.cli.progress import spinner
    from mixrd.report.pool_tables import records_table

    query = which.query()
    database = source.open()
    with spinner("searching"):
        records = database.search(query)
    if json:
        show_json([asdict(record) for record in records])
    elif records:
        show(records_table(records))
    say(counted(len(records), "structure"))
    return 0


@cod.command(help_epilogue=SAMPLE_EXAMPLES)
def sample(
    *,
    out: Annotated[Path, Parameter(name=["--out", "-o"])],
    n: int = 50,
    seed: int = 0,
    which: QueryOptions = QueryOptions(),  # noqa: B008
    source: SourceOptions = SourceOptions(),  # noqa: B008
    lines: LineOptions = LineOptions(),  # noqa: B008
    max_atoms: int = 300,
    count_all: Switch = False,
    force: Switch = False,
    json: Switch = False,
) -> int:
    """Draw a pool of structures that pass the filter.

    Structures whose pattern has few lines are left out too: a strained cell
    could have them by chance (--spare-lines).

    The file holds numbers, hashes of the CIF files, cells and sites: all that
    is needed to use the pool, or to draw it again.

    Parameters
    ----------
    out
        File of the pool (.json).
    n
        Number of structures.
    seed
        The same seed gives the same pool.
    max_atoms
        Largest number of atoms in a unit cell.
    count_all
        Look at the remaining structures as well, to count all that pass.
    force
        Overwrite an existing file.
    json
        Print JSON instead of tables.
    """
    from mixrd.cli.progress import filling_bar
    from mixrd.files import refuse_existing, writing
    from mixrd.paper.pool import POOL_REASONS, write_pool
    from mixrd.paper.pool_draw import sample_pool
    from mixrd.phases import CodMirror
    from mixrd.report.pool_tables import pool_table, reasons_table

    refuse_existing([out], force=force)
    criterion = lines.criterion()
    database = source.open()
    if which.given:
        numbers: Sequence[int] = [record.number for record in database.search(which.query())]
    elif isinstance(database, CodMirror):
        numbers = database.numbers
    else:
        raise UsageError(
            "the whole of COD is too much to draw from over the network",
            remedy="Say from which structures (--elements O), or give a mirror with --mirror",
        )
    with _kept_when_interrupted(), filling_bar("screening") as update:
        pool = sample_pool(
            database,
            numbers,
            n=n,
            seed=seed,
            max_atoms=max_atoms,
            criterion=criterion,
            screen_all=count_all,
            on_structure=update,
        )
    with writing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        write_pool(pool, out)
    if json:
        show_json(_plain_pool(pool))
    else:
        show(pool_table(pool), reasons_table(pool.passed, pool.reasons, POOL_REASONS))
    say(f"wrote {out}: {n} of {pool.population} structures, {pool.screened} of which were looked at")
    return 0


@contextmanager
def _kept_when_interrupted() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            "interrupted; what has been fetched is kept: the same command goes on from there."
        ) from None


def _copy(path: Path, target: Path, *, force: bool) -> None:
    """Copy a CIF file; a file that is there already stays if it is the same."""
    from mixrd.files import refuse_existing, write_whole, writing

    content = path.read_bytes()
    if target.is_file() and target.read_bytes() == content:
        return
    refuse_existing([target], force=force)
    with writing(target, remedy="Choose a folder that can"):
        target.parent.mkdir(parents=True, exist_ok=True)
        write_whole(target, content)


def _plain_verdict(verdict: Verdict) -> dict[str, Any]:
    crystal = verdict.crystal
    return {
        "number": int(verdict.name),
        "formula": crystal.formula if crystal else None,
        "space_group": crystal.space_group if crystal else None,
        "kept": verdict.kept,
        "reason": verdict.reason,
        "detail": verdict.detail,
    }


def _plain_counts(screening: Screening) -> dict[str, Any]:
    return {"kept": len(screening.kept), "rejected": screening.counts}


def _plain_pool(pool: Pool) -> dict[str, Any]:
    return {
        "seed": pool.seed,
        "population": pool.population,
        "screened": pool.screened,
        "kept": pool.passed,
        "rejected": pool.reasons,
        "criterion": None if pool.criterion is None else asdict(pool.criterion),
        "structures": [
            {
                "number": e.number,
                "sha256": e.sha256,
                "name": e.crystal.name,
                "formula": e.crystal.formula,
                "lines": e.lines,
            }
            for e in pool.entries
        ],
    }
