"""What stands in patterns that are fitted: copies of materials, their strains, and the shape of all peaks."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

#: Columns of `Copies.shape`.
LOG_SIZE, ETA, LOG_DECAY = 0, 1, 2
SHAPES = 3


@dataclass(frozen=True, eq=False)
class Copies:
    """What stands in each of B patterns, in up to P slots, and how it looks.

    Attributes
    ----------
    material : (B, P) int64 tensor
        -1 where a slot is empty.
    strain : (B, P, C) tensor
        Amplitudes; those that a material does not have are 0.
    shape : (B, 3) tensor
        ln of the crystallite size in nm, eta, and ln of the background's decay in degrees.
    """

    material: Tensor
    strain: Tensor
    shape: Tensor

    def rows(self, index: Tensor | slice) -> Copies:
        """Some of the patterns, by index, mask or slice."""
        return Copies(self.material[index], self.strain[index], self.shape[index])

    def replaced(self, index: Tensor, other: Copies) -> Copies:
        """These with those of `other` in the rows `index`."""
        return Copies(
            self.material.index_copy(0, index, other.material),
            self.strain.index_copy(0, index, other.strain),
            self.shape.index_copy(0, index, other.shape),
        )


@dataclass(frozen=True, eq=False)
class Amplitudes:
    """The strain amplitudes that B patterns have, slot by slot; at most T in a pattern.

    Attributes
    ----------
    there : (B, T) bool tensor
        False behind the last one of a pattern.
    slot, component : (B, T) int64 tensor
        Where an amplitude stands in `Copies.strain`; 0 where there is none.
    """

    there: Tensor
    slot: Tensor
    component: Tensor

    def rows(self, index: Tensor) -> Amplitudes:
        """Those of some of the patterns, by index or mask."""
        return Amplitudes(self.there[index], self.slot[index], self.component[index])

    @property
    def place(self) -> Tensor:
        """(B, T) patterns' rows, to index `Copies.strain` with."""
        return torch.arange(len(self.slot)).unsqueeze(1).expand_as(self.slot)


def amplitudes_of(copies: Copies, components: Tensor) -> Amplitudes:
    """The strain amplitudes of `copies`; `components` (M + 1,) are those of each material, 0 of none."""
    has = torch.arange(copies.strain.shape[2]) < components[copies.material].unsqueeze(-1)
    count = has.flatten(1).sum(1)
    there = torch.arange(max(int(count.max()), 0) if len(count) else 0) < count.unsqueeze(1)
    slot, component = torch.zeros_like(there, dtype=torch.long), torch.zeros_like(there, dtype=torch.long)
    _, slot[there], component[there] = torch.nonzero(has, as_tuple=True)
    return Amplitudes(there, slot, component)
