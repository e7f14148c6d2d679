"""`mixrd benchmark fetch` and `leaderboard`: data for everyone, and programs beside each other."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from mixrd.cli.console import say
from mixrd.report.numbers import counted

FETCH_EXAMPLES = """Examples:
  mixrd benchmark fetch dara
  mixrd benchmark fetch cpd --from downloads/qarr
  mixrd benchmark weighed weighed/dara --select scan=8min"""

LEADERBOARD_EXAMPLES = """Example:
  mixrd benchmark leaderboard results/*.json > table.md"""


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
