"""`mixrd benchmark`: measured accuracy, data for everyone, and programs beside each other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from mixrd.cli.console import say, show_result
from mixrd.cli.options import InstrumentOptions, Names, Switch
from mixrd.errors import UsageError
from mixrd.report.numbers import counted

if TYPE_CHECKING:
    from mixrd.experiments.weighed_result import WeighedSample
    from mixrd.pattern import Instrument

EXAMPLES = """Examples:
  mixrd benchmark weighed measured/cpd --phases corundum fluorite zincite \\
      --instrument instrument.toml
  mixrd benchmark weighed measured/dara --select scan=8min --json
  mixrd benchmark weighed measured/dara --select scan=8min --left-out \\
      --impurities anatase=rutile

DIR holds compositions.csv with columns file and wt_pct (name=value;...); its
phases.csv, if there is one, says which CIF a name stands for."""

FETCH_EXAMPLES = """Examples:
  mixrd benchmark fetch dara
  mixrd benchmark fetch cpd --from downloads/qarr
  mixrd benchmark weighed weighed/dara --select scan=8min"""

LEADERBOARD_EXAMPLES = """Example:
  mixrd benchmark leaderboard results/*.json > table.md"""

EXIT_SOME_FAILED = 3

benchmark = App(
    name="benchmark",
    help="Measure accuracy on samples of known composition.",
    help_format="plaintext",
    help_epilogue="Example:\n  mixrd benchmark weighed measured/cpd --instrument instrument.toml",
    sort_key=8,
)


@benchmark.command(help_epilogue=FETCH_EXAMPLES)
def fetch(
    name: str,
    /,
    *,
    out: Annotated[Path | None, Parameter(name=["--out", "-o"])] = None,
    url: str | None = None,
    local: Annotated[Path | None, Parameter(name="--from")] = None,
) -> int:
    """Fetch public scans of weighed mixtures, each checked by its SHA-256.

    Parameters
    ----------
    name
        Set: cpd or dara.
    out
        Folder of the set; weighed/NAME unless given.
    url
        Folder on the web that holds the files, instead of the registry's.
    local
        Folder that holds the files already: they are checked and copied.
    """
    from mixrd.cli.progress import counted_bar
    from mixrd.experiments.weighed_fetch import fetch_weighed, weighed_sets

    folder = out or Path("weighed") / name
    known = weighed_sets().get(name)
    with counted_bar(f"fetching {name}", len(known.files) if known else 1) as advance:
        written = fetch_weighed(name, folder, url=url, local=local, on_file=lambda _: advance())
    assert known is not None  # another name was refused
    say(f"{known.title}\n{known.licence}\nCite: {known.citation}\n{known.page}")
    say(f"{counted(len(written), 'file')} in {folder}")
    return 0


@benchmark.command(help_epilogue=LEADERBOARD_EXAMPLES)
def leaderboard(results: Annotated[list[Path], Parameter(name="FILES")], /) -> int:
    """Check results of several programs and print them as a table in Markdown.

    Parameters
    ----------
    results
        JSON files of the format that docs/leaderboard.md shows.
    """
    from mixrd.experiments.leaderboard import markdown_table, read_entry, standings

    print(markdown_table(standings([read_entry(path) for path in results])))
    return 0


@benchmark.command(help_epilogue=EXAMPLES)
def weighed(
    folder: Annotated[Path, Parameter(name="DIR")],
    /,
    *,
    phases: Names | None = None,
    options: InstrumentOptions = InstrumentOptions(),  # noqa: B008
    model: Path | None = None,
    select: Names | None = None,
    no_refine: Switch = False,
    no_network: Switch = False,
    left_out: Switch = False,
    impurities: Names | None = None,
    json: Switch = False,
) -> int:
    """Compare analyses of weighed mixtures with what was weighed.

    Parameters
    ----------
    folder
        Folder with scans and compositions.csv.
    phases
        Candidates for every scan; the phases that were weighed into each unless given.
    model
        Trained network; one is trained for each set of candidates unless given.
    select
        Only samples with this value in this further column of compositions.csv: COLUMN=VALUE.
    no_refine
        The network alone.
    no_network
        The refinement alone.
    left_out
        Instead, leave each weighed phase out of the candidates in turn, and count how often the result warns.
    impurities
        With --left-out: what comes with a weighed phase though nobody weighed it, PHASE=IMPURITY; a further
        candidate wherever that phase is one.
    json
        Print JSON instead of tables.
    """
    chosen = _pairs(select or [], "selects nothing", "COLUMN=VALUE, for example scan=8min")
    instrument = options.load()
    impure = _pairs(impurities or [], "names no impurity", "PHASE=IMPURITY, for example anatase=rutile")
    if left_out:
        return _left_out(folder, instrument, chosen, impure, as_json=json)
    if impure:
        raise UsageError("impurities without phases that are left out", remedy="Give --left-out as well")

    from mixrd.cli.progress import training_bar
    from mixrd.experiments.weighed import benchmark_weighed
    from mixrd.network import Model
    from mixrd.report.benchmark_tables import (
        coverage_line,
        doubts_line,
        refused_line,
        time_line,
        weighed_summary_table,
        weighed_table,
    )

    trained = None if model is None else Model.load(model)
    with training_bar("training") as update:
        result = benchmark_weighed(
            folder,
            phases=phases,
            instrument=instrument,
            model=trained,
            select=chosen,
            network=not no_network,
            refine=not no_refine,
            on_sample=_say_done,
            on_training=update,
        )
    lines = filter(None, (line(result) for line in (refused_line, coverage_line, doubts_line, time_line)))
    show_result(json, result.to_dict(), weighed_table(result), "", weighed_summary_table(result), *lines)
    return EXIT_SOME_FAILED if result.failed else 0


def _left_out(
    folder: Path,
    instrument: Instrument | None,
    chosen: dict[str, str],
    impurities: dict[str, str],
    *,
    as_json: bool,
) -> int:
    from mixrd.experiments.left_out import benchmark_left_out
    from mixrd.report.benchmark_tables import left_out_line, left_out_table

    result = benchmark_left_out(
        folder,
        instrument=instrument,
        select=chosen,
        impurities=impurities,
        on_case=lambda case: say(f"{case.file}: {case.phase}"),
    )
    show_result(as_json, result.to_dict(), left_out_table(result), "", left_out_line(result))
    return 0


def _say_done(sample: WeighedSample) -> None:
    word = "failed" if sample.failed else "done" if sample.refused is None else "refused"
    say(f"{sample.file}: {word}")


def _pairs(conditions: list[str], wrong: str, form: str) -> dict[str, str]:
    pairs = [condition.partition("=") for condition in conditions]
    for condition, pair in zip(conditions, pairs, strict=True):
        if not (pair[0] and pair[1]):
            raise UsageError(f"{condition!r} {wrong}", remedy=f"Write {form}")
    return {name: value for name, _, value in pairs}
