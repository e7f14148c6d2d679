"""`mixrd paper refine`: the refinement that starts from a trained network, beside it and the noise floor."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from mixrd.cli.console import show, show_json
from mixrd.cli.options import Names, Switch
from mixrd.errors import UsageError

REFINE_EXAMPLES = """Examples:
  mixrd paper refine out
  mixrd paper refine out --only n10-k3-exactly_distinct --patterns 200

`mixrd paper table out` shows each beside its network."""


def refine(
    folder: Annotated[Path, Parameter(name="FOLDER")],
    /,
    *,
    only: Names | None = None,
    patterns: int = 1000,
    pool: str = "cod",
    json: Switch = False,
) -> int:
    """Refine the test patterns of networks that `mixrd paper run` kept, and calculate their noise floor.

    Parameters
    ----------
    folder
        Where the networks are; results are kept beside them, and what is there is not done again.
    only
        Only networks whose name begins so.
    patterns
        How many of the test's patterns.
    pool
        Their pool, as for `mixrd paper run`.
    json
        Print JSON instead of a table.
    """
    from mixrd.cli.progress import filling_bar
    from mixrd.files import writing
    from mixrd.paper import measure_refinement, paper_materials
    from mixrd.report.paper_tables import refinements_table

    models = [m for m in sorted(folder.glob("*.safetensors")) if _is_wanted(m.name, only or [])]
    if not models:
        raise UsageError(
            "there is no network of that name",
            remedy="Give a folder that `mixrd paper run` kept networks in, and the beginning of a name",
            file=folder,
        )
    found = []
    for model in models:
        with writing(folder), filling_bar(model.stem) as bar:
            told = counting(bar, patterns)
            found.append(
                measure_refinement(model, patterns=patterns, materials=paper_materials(pool), tell=told)
            )
    if json:
        show_json({"schema": 1, "refinements": found})
    else:
        show(refinements_table(found))
    return 0


def counting(bar: Callable[[int, int], None], total: int) -> Callable[[int], None]:
    """What adds up the counts that it is told, for a bar that takes (done, total)."""
    done = 0

    def tell(more: int) -> None:
        nonlocal done
        done += more
        bar(done, total)

    return tell


def _is_wanted(name: str, only: list[str]) -> bool:
    return not only or any(name.startswith(beginning) for beginning in only)
