"""`mixrd paper bound`: the noise floor beside which the networks of the experiment stand."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Group, Parameter

from mixrd.cli.console import show, show_json
from mixrd.cli.options import Switch
from mixrd.cli.paper_options import (
    DataOptions,
    GridOptions,
    Kinds,
    Numbers,
    ProtocolOptions,
    cells_of,
)

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

    strain: Literal["symmetry", "general"] = "symmetry"
    """Strain components: those that the crystal system allows, or all six."""

    scaling: Literal["maximum", "area", "none"] = "maximum"
    """What a pattern is divided by before it is weighted."""

    shape_per: Literal["mixture", "phase"] = "mixture"
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
    if json:
        show_json({"schema": 1, "bounds": found})
    else:
        show(bounds_table(found))
    return 0


def _settings_of(which: BoundOptions) -> tuple[Cell, ...]:
    """One cell for each setting that these options ask for; its network is of no account.

    Raises
    ------
    ParameterError, RecipeError, UsageError
        If one is impossible.
    """
    data = DataOptions(
        strain=which.strain, scaling=which.scaling, shape_per=which.shape_per, test_strains=which.test_strains
    )
    grid = GridOptions(n=which.n, k=which.k, kind=which.kind, seeds=1, pool=which.pool)
    return cells_of(grid, ProtocolOptions(), data)
