"""The materials of an experiment: a pool in its order, of which the first N are taken."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from mixrd.crystal import Crystal
from mixrd.errors import ParameterError
from mixrd.paper.pool import load_pool
from mixrd.phases import load_phase

#: Phases of urinary stones in the catalog, for the setting N = 7, K = 2 of Greasley and Hosein (2023). The
#: catalog has no cystine; newberyite, a rarer stone phase, stands in its place.
STONE_PHASES = (
    "whewellite",
    "weddellite",
    "struvite",
    "brushite",
    "hydroxyapatite",
    "uric-acid",
    "newberyite",
)
#: Pools by name; any other is a file that `mixrd cod sample` wrote.
POOLS = ("cod", "stones")


@dataclass(frozen=True)
class Materials:
    """A pool.

    Attributes
    ----------
    pool : str
        One of `POOLS`, or the path of a file.
    crystals : tuple of Crystal
    """

    pool: str
    crystals: tuple[Crystal, ...]

    def first(self, n: int) -> tuple[Crystal, ...]:
        """The first n.

        Raises
        ------
        ParameterError
            If there are fewer.
        """
        if not 1 <= n <= len(self.crystals):
            raise ParameterError(
                f"n = {n}: the pool {self.pool} has {len(self.crystals)} materials",
                remedy=f"Allowed: 2 to {len(self.crystals)}, or draw a larger pool with `mixrd cod sample`",
            )
        return self.crystals[:n]


def paper_materials(pool: str = "cod") -> Materials:
    """A pool by name or file.

    Parameters
    ----------
    pool : str
        "cod", the pool of 50 that ships with mixrd; "stones", seven phases of urinary stones; or a file
        that `mixrd cod sample` wrote.

    Raises
    ------
    UsageError
        If it is a file that cannot be used.
    """
    if pool == "cod":
        return Materials(pool, load_pool())
    if pool == "stones":
        return Materials(pool, tuple(_named(name) for name in STONE_PHASES))
    return Materials(Path(pool).name, load_pool(path=pool))


def _named(name: str) -> Crystal:
    # The catalog may know a phase by a longer name than its key.
    return dataclasses.replace(load_phase(name), name=name)
