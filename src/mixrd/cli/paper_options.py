"""What `mixrd paper run` takes: the grid, and how its cells are run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Group, Parameter

from mixrd.cli.options import Names, Switch

if TYPE_CHECKING:
    from mixrd.paper import Cell, Protocol

#: One option, several numbers: `--n 5 10`.
Numbers = Annotated[list[int], Parameter(consume_multiple=(1, None), allow_repeating=True)]
Kind = Literal["up_to_replacement", "exactly_distinct"]
Strain = Literal["symmetry", "general"]
Scaling = Literal["maximum", "area", "none"]
Shape = Literal["mixture", "phase"]
Kinds = Annotated[list[Kind], Parameter(consume_multiple=(1, None), allow_repeating=True)]


@Parameter(name="*", group=Group("The grid", sort_key=1))
@dataclass(frozen=True)
class GridOptions:
    """Which cells."""

    n: Numbers | None = None
    """Materials; 5 10 15 20 unless given."""

    k: Numbers | None = None
    """Most phases that coexist; 3 5 7 unless given."""

    kind: Kinds | None = None
    """What K means: 1 to K patterns, materials with replacement (usual), or K different materials."""

    architecture: Names | None = None
    """table1 (usual), compact, compact-heads, matched, matched-fits, matched-fits-3, mlp, knn, random_forest,
    nnls."""

    seeds: int = 3
    """Trainings of each cell, with seeds 0, 1, ..."""

    pool: str = "cod"
    """cod (50 structures that ship), stones (7 phases of urinary stones) or a file of `mixrd cod sample`."""


@Parameter(name="*", group=Group("The training", sort_key=2))
@dataclass(frozen=True)
class ProtocolOptions:
    """How; the paper's choices unless given."""

    samples: int | None = None
    """Mixtures of each training; 900000 N, knn 20000, random_forest 5000 unless given. Fewer: marked so."""

    batch: int | None = None
    """Mixtures a step; 512 unless given."""

    learning_rate: float | None = None
    """Of Adam; 0.0002 unless given."""

    schedule: Literal["constant", "cosine"] = "constant"
    """How the learning rate goes on: as it is, or up over a twentieth of the steps and down to zero."""

    loss: str = "tvd"
    """tvd, mse, cross-entropy or dirichlet."""

    precision: Literal["float32", "tf32", "bf16", "fp16"] = "float32"
    """Of the layers; bf16 and fp16 are fast on a GPU, bf16 on processors that have it."""

    largest_gradient: float | None = None
    """Norm that gradients are cut to; they are not unless given."""

    start: Path | None = None
    """Go on from the network of this result (CELL.json) with as many fresh mixtures as --samples says."""

    compile: Switch = False
    """Compile the network: faster on a GPU, after a minute."""

    @property
    def given(self) -> dict[str, object]:
        """As `Protocol` takes them; what is None there is so by default."""
        return {name: value for name, value in vars(self).items() if value is not None and name != "start"}


@Parameter(name="*", group=Group("The data", sort_key=3))
@dataclass(frozen=True)
class DataOptions:
    """What the paper leaves open, and sizes of the dataset."""

    strain: Strain = "symmetry"
    """Strain components: those that the crystal system allows, or all six."""

    simulator: Literal["mixrd", "pymatgen"] = "mixrd"
    """What calculates the lines."""

    scaling: Scaling = "maximum"
    """What a pattern is divided by before it is weighted."""

    shape_per: Shape = "mixture"
    """Whether all phases of a mixture share size and peak shape."""

    strains: int = 500
    """Strained copies of each material for training and validation."""

    test_strains: int = 200
    """Further copies for the test."""

    test_patterns: int = 2000
    """Mixtures of the test."""


def cells_of(which: GridOptions, how: ProtocolOptions, data: DataOptions) -> tuple[Cell, ...]:
    """The cells that these options ask for.

    Raises
    ------
    ParameterError, RecipeError, UsageError
        If one is impossible.
    """
    from mixrd.paper import grid, paper_materials
    from mixrd.paper.published import MATERIALS, PHASES

    return grid(
        paper_materials(which.pool).crystals,
        n=which.n or MATERIALS,
        k=which.k or PHASES,
        kinds=which.kind or ("up_to_replacement",),
        architectures=which.architecture or ("table1",),
        seeds=range(which.seeds),
        protocol=_protocol(how, data),
    )


def is_wanted(name: str, only: Sequence[str] | None) -> bool:
    """Whether a name begins as one of these, if any are given."""
    return not only or name.startswith(tuple(only))


def _protocol(how: ProtocolOptions, data: DataOptions) -> Protocol:
    from mixrd.paper import Protocol
    from mixrd.paper.figure1_settings import Figure1Settings
    from mixrd.paper.result import start_of

    return Protocol(
        **how.given,  # type: ignore[arg-type]
        start=None if how.start is None else start_of(how.start),
        strain=data.strain,
        simulator=data.simulator,
        strains=data.strains,
        test_strains=data.test_strains,
        test_patterns=data.test_patterns,
        figure1=Figure1Settings(scaling=data.scaling, shape_per=data.shape_per),
    )
