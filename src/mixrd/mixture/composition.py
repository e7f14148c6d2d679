"""Compositions: fractions that carry their kind, and conversions between kinds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from mixrd.crystal import Crystal
from mixrd.errors import CompositionError

Kind = Literal["weight", "volume", "mole", "intensity"]
_KINDS = ("weight", "volume", "mole", "intensity")


@dataclass(frozen=True)
class Composition:
    """How much of each phase there is.

    Attributes
    ----------
    names : tuple of str
        Phases.
    fractions : tuple of float
        Non-negative; scaled to sum to 1 on construction.
    kind : {"weight", "volume", "mole", "intensity"}
        What they are fractions of; "mole" counts formula units, "intensity" is the coefficient of
        single-phase patterns each scaled to its own maximum (the paper's protocol).
    """

    names: tuple[str, ...]
    fractions: tuple[float, ...]
    kind: Kind = "weight"

    def __post_init__(self) -> None:
        if self.kind not in _KINDS:
            raise CompositionError(f"unknown kind of fraction {self.kind!r}", remedy=f"Use one of {_KINDS}")
        if len(self.names) != len(self.fractions) or not self.names:
            raise CompositionError(
                f"{len(self.names)} phases but {len(self.fractions)} fractions",
                remedy="Give one fraction a phase",
            )
        if len(set(self.names)) < len(self.names):
            raise CompositionError("a phase is named twice", remedy="Name each phase once")
        total = sum(self.fractions)
        if not all(math.isfinite(f) and f >= 0 for f in self.fractions) or total <= 0:
            raise CompositionError(
                f"fractions {self.fractions} are negative, not finite or all zero",
                remedy="Give fractions of at least 0, at least one above",
            )
        object.__setattr__(self, "fractions", tuple(f / total for f in self.fractions))

    def to(self, kind: Kind, crystals: Sequence[Crystal]) -> Composition:
        """The same composition as fractions of another kind.

        Parameters
        ----------
        kind : {"weight", "volume", "mole"}
        crystals : sequence of Crystal
            The phases, in the order of `names`; densities and formula masses come from them.

        Raises
        ------
        CompositionError
            For intensity fractions, which depend on the measurement and not on the sample alone; if the
            crystals are not those of the composition.
        """
        if [c.name for c in crystals] != list(self.names):
            raise CompositionError(
                "the crystals are not those of the composition", remedy="Give them in the same order"
            )
        if kind == self.kind:
            return self
        if "intensity" in (kind, self.kind):
            raise CompositionError(
                "intensity fractions have no fixed relation to weight, volume or mole fractions",
                remedy="Analyse the pattern instead of converting",
            )
        masses = np.array(self.fractions) * [_mass_per_unit(c, self.kind) for c in crystals]
        return Composition(
            self.names,
            tuple(float(m / _mass_per_unit(c, kind)) for m, c in zip(masses, crystals, strict=True)),
            kind,
        )


def _mass_per_unit(crystal: Crystal, kind: Kind) -> float:
    if kind == "volume":
        return crystal.density_g_cm3
    if kind == "mole":
        return crystal.mass_per_cell / crystal.formula_units
    return 1.0
