"""What a network expected of patterns, beside what a search found in them."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from mixrd.paper.refinement.fitting import Fitted
from mixrd.paper.refinement.proposals import Proposals

#: Materials that a network takes to be there at least so surely are tried where it has them, so many of a
#: pattern: in an empty slot and in place of the fainter half of what was found.
_NAMED, _MOST_NAMED = 0.1, 4


class Expected(NamedTuple):
    """What was expected of B patterns: how probable each material is (B, M), and its strain (B, M, C)."""

    presence: Tensor
    strain: Tensor

    def rows(self, index: Tensor | slice) -> Expected:
        """Some of the patterns."""
        return Expected(self.presence[index], self.strain[index])


def named(state: Fitted, expected: Expected) -> Proposals:
    """Copies of what was expected and not found, in free slots and in place of the fainter half."""
    material, mass = state.copies.material, state.coefficients[:, :-1]
    slots, materials = material.shape[1], expected.presence.shape[1]
    found = torch.zeros(len(material), materials + 1, dtype=torch.bool).scatter(1, material + 1, True)
    likely = expected.presence.masked_fill(found[:, 1:], 0.0)
    likeliest = likely.topk(min(_MOST_NAMED, materials), dim=1)
    # Free slots first, of which one is enough, then the faintest.
    order = torch.where(material < 0, -1.0, mass).argsort(dim=1)
    free = (material < 0).sum(1, keepdim=True)
    place = torch.arange(slots) - (free - 1).clamp_min(0)
    open_slot = (place >= 0) & (place < (slots + 1) // 2 + (free > 0).long())
    pattern, number, slot = torch.nonzero(
        (likeliest.values > _NAMED).unsqueeze(2) & open_slot.unsqueeze(1), as_tuple=True
    )
    chosen, slot = likeliest.indices[pattern, number], order[pattern, slot]
    none = torch.zeros(len(pattern))
    strain = expected.strain[pattern, chosen]
    nobody = torch.full_like(pattern, -1)
    return Proposals(pattern, slot, chosen, strain, none, none, nobody, torch.zeros_like(strain))


def surprise(state: Fitted, expected: Tensor) -> Tensor:
    """(B,) the share of each pattern in materials that were not expected; `expected` (B, M) is 0 to 1."""
    mass = state.coefficients[:, :-1].clamp_min(0)
    share = mass / mass.sum(1, keepdim=True).clamp_min(1e-12)
    doubt = 1 - expected.gather(1, state.copies.material.clamp_min(0))
    result: Tensor = (share * doubt).sum(1)
    return result
