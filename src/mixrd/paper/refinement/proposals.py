"""Changes of patterns that promise to explain them better."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mixrd.paper.refinement.copies import Copies


@dataclass(frozen=True, eq=False)
class Proposals:
    """Changes of patterns that promise most, one after the other.

    Attributes
    ----------
    pattern, slot, material : (M,) int64 tensor
        Which pattern, which of its slots is filled or filled anew, and with what.
    strain : (M, C) tensor
    gain : (M,) tensor
        By how much the pattern's cost is expected to fall, in the unit of a sharp pattern's cost. Proposals
        of one pattern, slot and material are starts of one change and have its gain.
    lost : (M,) tensor
        By how much it would rise if what stands in the slot (or both slots) were left out.
    other : (M,) int64 tensor
        A slot that takes over the material of the first, -1: none. Then the two change places.
    other_strain : (M, C) tensor
    """

    pattern: Tensor
    slot: Tensor
    material: Tensor
    strain: Tensor
    gain: Tensor
    lost: Tensor
    other: Tensor
    other_strain: Tensor

    def rows(self, index: Tensor) -> Proposals:
        """Some of the proposals, by index or mask."""
        return Proposals(*(value[index] for value in vars(self).values()))

    def applied(self, copies: Copies) -> Copies:
        """A changed pattern for each proposal."""
        material, strain = copies.material[self.pattern], copies.strain[self.pattern]
        row = torch.arange(len(self.pattern))
        swapped = row[self.other >= 0]
        place = self.other[swapped]
        material[swapped, place] = material[swapped, self.slot[swapped]]
        strain[swapped, place] = self.other_strain[swapped]
        material[row, self.slot], strain[row, self.slot] = self.material, self.strain
        return Copies(material, strain, copies.shape[self.pattern])
