"""A dictionary of strained copies: what could explain what a fit leaves over, or explain it better."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from mixrd.paper.refinement.copies import Copies
from mixrd.paper.refinement.fitting import Fitted, linearised
from mixrd.paper.refinement.pattern_model import PatternModel
from mixrd.paper.refinement.proposals import Proposals

ProposalKind = Literal["better", "twin", "elsewhere"]
#: Crystallite size (nm), eta and decay (degrees) of the dictionary's copies.
_SIZE_NM, _ETA, _DECAY_DEG = 30.0, 0.5, 10.0
#: Copies a side of the grid of strains for 0.15 deg of blur, by the number of strain components.
_SIDES = {0: 1, 1: 81, 2: 28}
#: Copies where a grid would be too large.
_SPREAD = {3: 1000, 4: 1000, 5: 1500, 6: 1500}
#: Strains of a material that are tried at once: many components are covered thinly, and need more starts.
_STARTS = {0: 1, 1: 1, 2: 1, 3: 4, 4: 8, 5: 12, 6: 16}
#: Copies rendered at once.
_BLOCK = 64
#: Share of a copy's length that must be left beside what stands in the pattern already.
_FEWEST_LEFT = 0.02
_RIDGE = 1e-4


@dataclass(frozen=True, eq=False)
class _Found:
    """Proposals of one pattern; copies are entries of the dictionary."""

    pattern: Tensor
    slot: Tensor
    entry: Tensor
    gain: Tensor
    lost: Tensor
    other: Tensor
    other_entry: Tensor

    @classmethod
    def nothing(cls) -> _Found:
        """No proposal."""
        none, nothing = torch.zeros(0, dtype=torch.int64), torch.zeros(0)
        return cls(none, none, none, nothing, nothing, none, none)

    @classmethod
    def of(cls, row: int, slot: Tensor, entry: Tensor, gain: Tensor, lost: Tensor) -> _Found:
        """Of one slot each."""
        none = torch.full_like(slot, -1)
        return cls(torch.full_like(slot, row), slot, entry, gain, lost, none, torch.zeros_like(slot))


@dataclass(frozen=True, eq=False)
class _Gains:
    """What each of D copies would bring in each of S slots of one pattern.

    Attributes
    ----------
    slots : (S,) tensor
        The slots that can be filled (anew).
    gain : (S, D) tensor
    lost : (S,) tensor
        What stands in a slot now explains so much.
    """

    slots: Tensor
    gain: Tensor
    lost: Tensor


class Dictionary:
    """Copies of all materials over the range of strains, as a model of some bluntness sees them.

    Parameters
    ----------
    model : PatternModel
        Its blur decides how dense the strains have to be.
    """

    def __init__(self, model: PatternModel) -> None:
        self.model = model
        lines = model.lines
        parts = [
            strains_of(own, lines.most_components, lines.max_strain, model.blur_deg)
            for own in lines.components[:-1].tolist()
        ]
        self.strain = torch.cat(parts)
        self.ends = torch.tensor([0, *(len(part) for part in parts)]).cumsum(0).tolist()
        counts = torch.tensor([len(part) for part in parts])
        self.material = torch.repeat_interleave(torch.arange(len(parts)), counts)
        shape = torch.tensor([[math.log(_SIZE_NM), _ETA, math.log(_DECAY_DEG)]])
        rows = []
        for low in range(0, len(self.material), _BLOCK):
            strain = self.strain[low : low + _BLOCK].unsqueeze(1)
            copies = Copies(
                self.material[low : low + _BLOCK].unsqueeze(1), strain, shape.expand(len(strain), -1)
            )
            rows.append(model.render(copies).columns[:, 0])
        self.patterns = torch.cat(rows)
        self._squared = self.patterns.square().sum(1)

    def propose(
        self,
        seen: Tensor,
        fitted: Fitted,
        *,
        count: int,
        capacity: Tensor,
        kind: ProposalKind = "better",
    ) -> Proposals:
        """What to add to each pattern, or to put in the place of what is there.

        For each slot in turn all else is fitted linearly (coefficients, and strains and shape to first
        order), and each copy of the dictionary is judged by how much of what is left it explains.

        Parameters
        ----------
        seen : (B, N) tensor
            Patterns as the dictionary's model sees them.
        fitted : Fitted
            What stands in them; an empty slot can be filled.
        count : int
            Changes of each pattern, and as many pairs that change places.
        capacity : (B, M) int64 tensor
            How many copies of each material may stand in a pattern.
        kind : {"better", "twin", "elsewhere"}
            Changes that gain most; those that explain nearly as much of what a slot explains, as isotypic
            materials do; or only other strains of what is there, of materials with so many components that
            a fit may have settled in the wrong place, whatever gain is expected.
        """
        copies = fitted.copies
        everything, owner = linearised(self.model, fitted)
        everything = everything / everything.norm(dim=-1, keepdim=True).clamp_min(1e-6)
        found = []
        for row in range(len(seen)):
            material = copies.material[row]
            considered = capacity[row] > 0
            considered[material[material >= 0]] = True
            if not considered.any():
                found.append(_Found.nothing())
                continue
            gains = self._gains(seen[row], everything[row], owner[row], material, considered)
            if kind == "elsewhere":
                found.append(self._elsewhere(row, gains, material))
                continue
            found.append(self._swaps(row, gains, material, count))
            self._forbid(gains, material, capacity[row])
            found.append(self._best(row, gains, count, relative=kind == "twin"))
        return Proposals(
            pattern=torch.cat([f.pattern for f in found]),
            slot=torch.cat([f.slot for f in found]),
            material=self.material[torch.cat([f.entry for f in found])],
            strain=self.strain[torch.cat([f.entry for f in found])],
            gain=torch.cat([f.gain for f in found]) * self.model.every,
            lost=torch.cat([f.lost for f in found]) * self.model.every,
            other=torch.cat([f.other for f in found]),
            other_strain=self.strain[torch.cat([f.other_entry for f in found])],
        )

    def _gains(
        self, seen: Tensor, everything: Tensor, owner: Tensor, material: Tensor, considered: Tensor
    ) -> _Gains:
        slots = torch.arange(len(material))
        there = everything.square().sum(1) > 0
        rows, owner = everything[there], owner[there]
        entries, products = self._products(torch.cat([rows, seen.unsqueeze(0)]), considered)
        against, along, squared = products[:-1], products[-1], self._squared[entries]
        gram, right = rows @ rows.T, rows @ seen
        total = seen.square().sum()
        now = _least_squares(gram, right, total)[0]
        open_slots = torch.cat([slots[material >= 0], slots[material < 0][:1]])
        gains, losses = [], []
        for slot in open_slots:
            kept = owner != slot
            left, solution, factor = _least_squares(gram[kept][:, kept], right[kept], total)
            beyond = against[kept]
            inside = torch.linalg.solve_triangular(factor, beyond, upper=False)
            beside = squared - inside.square_().sum(0)
            signal = (along - solution @ beyond).clamp_min(0)
            new = beside > _FEWEST_LEFT * squared
            gain = torch.full_like(self._squared, -math.inf)
            gain[entries] = torch.where(new, signal.square() / torch.where(new, beside, 1.0), 0.0)
            lost = left - now
            if (own := int(material[slot])) >= 0:
                # The dictionary's copies do not fit exactly; that of the present material neither.
                lost = torch.minimum(lost, gain[self.ends[own] : self.ends[own + 1]].max())
            gains.append(gain - lost)
            losses.append(lost)
        return _Gains(open_slots, torch.stack(gains), torch.stack(losses).clamp_min(0))

    def _products(self, rows: Tensor, considered: Tensor) -> tuple[Tensor, Tensor]:
        """The dictionary's copies of the `considered` materials (M,), (E,), and their products with rows."""
        spans = [(self.ends[m], self.ends[m + 1]) for m in torch.nonzero(considered)[:, 0].tolist()]
        entries = torch.cat([torch.arange(first, last) for first, last in spans])
        return entries, torch.cat([rows @ self.patterns[first:last].T for first, last in spans], dim=1)

    def _forbid(self, gains: _Gains, material: Tensor, capacity: Tensor) -> None:
        """Rule out what would be one copy too many."""
        there = torch.bincount(material[material >= 0], minlength=len(capacity))
        for row, slot in enumerate(gains.slots.tolist()):
            own = int(material[slot])
            for other in torch.nonzero(there >= capacity)[:, 0].tolist():
                if other != own or capacity[other] == 0:
                    gains.gain[row, self.ends[other] : self.ends[other + 1]] = -math.inf

    def _swaps(self, row: int, gains: _Gains, material: Tensor, count: int) -> _Found:
        """Two materials that change places: of isotypic ones each may have been taken for the other."""
        slots = gains.slots
        filled = [(place, int(material[slot])) for place, slot in enumerate(slots) if material[slot] >= 0]
        found = []
        for (one, own), (two, others) in itertools.combinations(filled, 2):
            if own == others:
                continue
            first = gains.gain[one, self.ends[others] : self.ends[others + 1]].max(0)
            second = gains.gain[two, self.ends[own] : self.ends[own + 1]].max(0)
            entries = self.ends[others] + int(first.indices), self.ends[own] + int(second.indices)
            found.append((float(first.values + second.values), one, two, *entries))
        found = sorted(found, reverse=True)[:count]
        if not found:
            return _Found.nothing()
        gain, *places = (torch.tensor(values) for values in zip(*found, strict=True))
        first_slot, second_slot, entry, other_entry = places
        pattern = torch.full_like(entry, row)
        lost = gains.lost[first_slot] + gains.lost[second_slot]
        return _Found(pattern, slots[first_slot], entry, gain, lost, slots[second_slot], other_entry)

    def _best(self, row: int, gains: _Gains, count: int, *, relative: bool) -> _Found:
        """Starts of the `count` best pairs of slot and material; `relative`: for what the slot explains."""
        best = torch.stack([gains.gain[:, a:b].amax(1) for a, b in itertools.pairwise(self.ends)], dim=1)
        if relative:
            best = best / gains.lost.clamp_min(1e-12).unsqueeze(1)
        chosen, materials = best.flatten().topk(min(count, best.numel())).indices, best.shape[1]
        parts = [self._starts(gains, int(pair) // materials, int(pair) % materials) for pair in chosen]
        return _Found.of(row, *(torch.cat(part) for part in zip(*parts, strict=True)))

    def _elsewhere(self, row: int, gains: _Gains, material: Tensor) -> _Found:
        none, nothing = gains.slots[:0], gains.lost[:0]
        parts = [(none, none, nothing, nothing)]
        for place, slot in enumerate(gains.slots.tolist()):
            own = int(material[slot])
            if own >= 0 and self.model.lines.components[own] > 2:
                parts.append(self._starts(gains, place, own))
        slot, entry, gain, lost = (torch.cat(part) for part in zip(*parts, strict=True))
        return _Found.of(row, slot, entry, torch.full_like(gain, math.inf), lost)

    def _starts(self, gains: _Gains, place: int, material: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        first, last = self.ends[material], self.ends[material + 1]
        number = min(_STARTS[int(self.model.lines.components[material])], last - first)
        top = gains.gain[place, first:last].topk(number)
        slot, lost = gains.slots[place].expand(number), gains.lost[place].expand(number)
        return slot, first + top.indices, top.values[:1].expand(number), lost


def strains_of(own: int, components: int, max_strain: float, blur_deg: float) -> Tensor:
    """(S, C) strains that cover a material of `own` components: on a grid, or of a Sobol sequence."""
    if own in _SIDES:
        # The sharper, the denser.
        count = max(1, round(_SIDES[own] * (0.15 / blur_deg) ** 0.5)) if own else 1
        side = torch.linspace(-1, 1, count)
        points = torch.cartesian_prod(*[side] * own).view(-1, own) if own else torch.zeros(1, 0)
    else:
        points = torch.quasirandom.SobolEngine(own, scramble=False).draw(_SPREAD[own]) * 2 - 1
    return torch.nn.functional.pad(max_strain * points, (0, components - own))


def _least_squares(gram: Tensor, right: Tensor, total: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """What is left of a pattern, the solution, and the Cholesky factor of the normal matrix."""
    factor = torch.linalg.cholesky(gram + _RIDGE * torch.eye(len(gram)))
    solution = torch.cholesky_solve(right.unsqueeze(1), factor)[:, 0]
    return total - right @ solution, solution, factor
