"""`mixrd paper bound` and `refine`: the noise floor, and refinements that start from a network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Group, Parameter

from mixrd.cli.console import show_result
from mixrd.cli.options import Names, Switch
from mixrd.cli.paper_options import (
    DataOptions,
    GridOptions,
    Kinds,
    Numbers,
    ProtocolOptions,
    Scaling,
    Shape,
    Strain,
    cells_of,
    is_wanted,
)
from mixrd.errors import UsageError

if TYPE_CHECKING:
    from mixrd.paper import Cell

BOUND_EXAMPLES = """Examples:
  mixrd paper bound --n 10 --k 3 --kind exactly_distinct -o out
  mixrd paper bound --n 5 10 20 --k 3 7 --patterns 200 -o out

`mixrd paper table out` shows each beside the networks of its setting."""


@Parameter(name="*", group=Group("The patterns", sort_key=1))
@dataclass(frozen=True)
class BoundOptions:
    """Which settings' test patterns; all as for `mixrd paper run`."""

    n: Numbers | None = None
    """Materials; 5 10 15 20 unless given."""

    k: Numbers | None = None
    """Most phases that coexist; 3 5 7 unless given."""

    kind: Kinds | None = None
    """What K means: 1 to K patterns, materials with replacement (usual), or K different materials."""

    pool: str = "cod"
    """cod (50 structures that ship), stones (7 phases of urinary stones) or a file of `mixrd cod sample`."""

    strain: Strain = "symmetry"
    """Strain components: those that the crystal system allows, or all six."""

    scaling: Scaling = "maximum"
    """What a pattern is divided by before it is weighted."""

    shape_per: Shape = "mixture"
    """Whether all phases of a mixture share size and peak shape."""

    test_strains: int = 200
    """Strained copies of each material in the test."""


def bound(
    *,
    which: BoundOptions = BoundOptions(),
    patterns: int = 1000,
    out: Annotated[Path, Parameter(name=["--out", "-o"])],
    json: Switch = False,
) -> int:
    """Calculate the noise floor: the mean error of the best estimator, told which phases there are.

    Parameters
    ----------
    patterns
        How many of the test's patterns.
    out
        Folder of the results; what is there is not calculated again.
    json
        Print JSON instead of a table.
    """
    from mixrd.cli.progress import counted_bar
    from mixrd.files import writing
    from mixrd.paper import measure_bound
    from mixrd.report.paper_tables import bounds_table

    found = []
    for cell in _settings_of(which):
        with writing(out), counted_bar(f"N = {cell.n}, K = {cell.k}, {cell.kind}", patterns) as step:
            found.append(measure_bound(cell, out, patterns=patterns, tell=step))
    show_result(json, {"schema": 1, "bounds": found}, bounds_table(found))
    return 0


def _settings_of(which: BoundOptions) -> tuple[Cell, ...]:
    """One cell for each setting that these options ask for; its network is of no account."""
    data = DataOptions(
        strain=which.strain, scaling=which.scaling, shape_per=which.shape_per, test_strains=which.test_strains
    )
    grid = GridOptions(n=which.n, k=which.k, kind=which.kind, seeds=1, pool=which.pool)
    return cells_of(grid, ProtocolOptions(), data)


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

    models = [m for m in sorted(folder.glob("*.safetensors")) if is_wanted(m.name, only)]
    if not models:
        raise UsageError(
            "there is no network of that name",
            remedy="Give a folder that `mixrd paper run` kept networks in, and the beginning of a name",
            file=folder,
        )
    found = []
    for model in models:
        with writing(folder), filling_bar(model.stem) as bar:
            told, materials = counting(bar, patterns), paper_materials(pool)
            found.append(measure_refinement(model, patterns=patterns, materials=materials, tell=told))
    show_result(json, {"schema": 1, "refinements": found}, refinements_table(found))
    return 0


def counting(bar: Callable[[int, int], None], total: int) -> Callable[[int], None]:
    """What adds up the counts that it is told, for a bar that takes (done, total)."""
    done = 0

    def tell(more: int) -> None:
        nonlocal done
        done += more
        bar(done, total)

    return tell
