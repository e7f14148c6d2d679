"""A matched filter: how well strained copies of the materials fit what a network saw along a pattern."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from mixrd.network.candidate_lines import CandidateLines
from mixrd.network.log_sine_axis import LogSineAxis

#: Features of each kind of weight: by the areas of the lines, and by their square roots.
KINDS = 2
#: Materials at once: what is calculated of them stays in a processor's cache, several times as fast as all.
_AT_ONCE = 2


class StrainDictionary(nn.Module):
    """Sums a network's features over the lines of G strained copies of each of M materials, and reads them.

    Parameters
    ----------
    candidates : CandidateLines
    components : sequence of int
        C_m of each material.
    axis : LogSineAxis
        Of the features, X bins.
    max_strain : float
    copies : int
        G, a square: strains on a grid for one and two components, of a Sobol sequence for more.

    Attributes
    ----------
    strain : (M, G, C) tensor
        In units of `max_strain`.
    """

    strain: Tensor

    def __init__(
        self,
        candidates: CandidateLines,
        components: Sequence[int],
        axis: LogSineAxis,
        *,
        max_strain: float,
        copies: int,
    ) -> None:
        super().__init__()
        strain = torch.zeros(len(components), copies, candidates.components)
        for material, own in enumerate(components):
            strain[material, :, :own] = _strains(own, copies)
        self.register_buffer("strain", strain, persistent=False)
        number = torch.arange(len(components)).unsqueeze(1).expand(-1, copies)
        place = (candidates.at(max_strain * strain, number) - axis.origin) / axis.width
        area = candidates.area
        weights = (
            area / area.norm(dim=1, keepdim=True),
            area.sqrt() / area.sqrt().sum(1, keepdim=True),
        )
        self.groups = -(-len(components) // _AT_ONCE)
        for group in range(self.groups):
            some = slice(group * _AT_ONCE, (group + 1) * _AT_ONCE)
            for kind, weight in enumerate(weights):
                for name, table in _tables(place[some], weight[some], axis.bins).items():
                    self.register_buffer(f"_{name}{group}_{kind}", table, persistent=False)

    def forward(self, features: Tensor, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """How well each copy fits, and what is seen of a material at the copies that fit best.

        Parameters
        ----------
        features : (B, F, X) tensor
            The first half is weighted with the areas, the other with their square roots.
        weight : (F,) tensor
        bias : () tensor

        Returns
        -------
        reading : (M, G, B) tensor
            The weighted total of the sums over the lines, each after an activation (SiLU).
        share : (M, G, B) tensor
            Its softmax over the copies.
        seen : (M, F, B) tensor
            The activated sums' mean over the copies, by their share.
        """
        halves = [half.contiguous() for half in features.permute(2, 1, 0).chunk(KINDS, dim=1)]
        groups = [[self._table(group, kind) for kind in range(KINDS)] for group in range(self.groups)]
        copies = self.strain.shape[1]
        read, share, seen = _Reading.apply(copies, groups, weight, bias, *halves)  # type: ignore[no-untyped-call]
        return read, share, seen

    def _table(self, group: int, kind: int) -> list[Tensor]:
        names = ("index", "start", "weight", "back_index", "back_start", "back_weight")
        return [getattr(self, f"_{name}{group}_{kind}") for name in names]


def _strains(components: int, copies: int) -> Tensor:
    """(G, C) strains from -1 to 1."""
    if components == 1:
        return torch.linspace(-1, 1, copies).unsqueeze(1)
    side = round(copies**0.5)
    if components == 2 and side * side == copies:
        return torch.cartesian_prod(*[torch.linspace(-1, 1, side)] * 2)
    # Not scrambled: the same everywhere and always, as what is learnt with them has to be.
    return 2 * torch.quasirandom.SobolEngine(components).draw(copies) - 1


def _tables(place: Tensor, weight: Tensor, bins: int) -> dict[str, Tensor]:
    """A sparse (M G, X) matrix of the lines' weights, shared out to the bins beside; and its transpose."""
    materials, copies = place.shape[:2]
    inside = (place >= 0) & (place <= bins - 1) & (weight.unsqueeze(1) > 0)
    low = place.clamp(0, bins - 1.001).floor()
    share = (place - low).clamp(0, 1)
    row = torch.arange(materials * copies).view(materials, copies, 1).expand_as(place)[inside]
    given = weight.unsqueeze(1).expand_as(place)[inside]
    low, share = low.long()[inside], share[inside]
    rows, columns = row.repeat(2), torch.cat([low, low + 1])
    values = torch.cat([given * (1 - share), given * share])
    tables = {}
    for prefix, one, other, count in (
        ("", rows, columns, materials * copies),
        ("back_", columns, rows, bins),
    ):
        order = torch.argsort(one, stable=True)
        number = torch.bincount(one, minlength=count)
        tables[f"{prefix}index"] = other[order]
        tables[f"{prefix}start"] = number.cumsum(0) - number
        tables[f"{prefix}weight"] = values[order]
    return tables


class _Reading(torch.autograd.Function):
    """One group of materials after the other. The sums are not kept: to calculate them again is faster."""

    @staticmethod
    def forward(
        ctx: Any, copies: int, groups: list[list[list[Tensor]]], weight: Tensor, bias: Tensor, *halves: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        parts = []
        for tables in groups:
            seen = functional.silu(_sums(halves, tables, copies))
            flat = seen.flatten(0, 1)
            reading = (weight.expand(len(flat), 1, -1) @ flat).view(-1, copies, seen.shape[3]) + bias
            share = reading.softmax(1)
            parts.append((reading, share, (seen * share.unsqueeze(2)).sum(1)))
        reading, share, mean = (torch.cat(x) for x in zip(*parts, strict=True))
        ctx.groups = groups
        ctx.save_for_backward(weight, share, *halves)
        return reading, share, mean

    @staticmethod
    def backward(
        ctx: Any, by_reading: Tensor, by_share: Tensor, by_mean: Tensor
    ) -> tuple[Tensor | None, ...]:
        weight, whole, *halves = ctx.saved_tensors
        by_halves = [torch.zeros_like(half) for half in halves]
        by_weight = torch.zeros_like(weight)
        by_bias = weight.new_zeros(())
        values = zip(*(x.split(_AT_ONCE) for x in (whole, by_reading, by_share, by_mean)), strict=True)
        for tables, (share, direct, further, said) in zip(ctx.groups, values, strict=True):
            sums = _sums(halves, tables, whole.shape[1])
            seen, said = functional.silu(sums), said.unsqueeze(1)
            pull = (seen * said).sum(2) + further
            change = direct + share * (pull - (share * pull).sum(1, keepdim=True))
            by_bias += change.sum()
            by_weight += (seen * change.unsqueeze(2)).sum((0, 1, 3))
            by_seen = torch.addcmul(share.unsqueeze(2) * said, change.unsqueeze(2), weight.unsqueeze(1))
            by_sums = torch.ops.aten.silu_backward(by_seen, sums).chunk(KINDS, dim=2)
            for total, own, table in zip(by_halves, by_sums, tables, strict=True):
                total += _summed(own.flatten(0, 1).flatten(1), *table[3:]).view_as(total)
        return None, None, by_weight, by_bias, *by_halves


def _sums(halves: Sequence[Tensor], tables: list[list[Tensor]], copies: int) -> Tensor:
    """(materials of the group, G, F, B)."""
    sums = [
        _summed(half.flatten(1), *table[:3]).view(-1, copies, *half.shape[1:])
        for half, table in zip(halves, tables, strict=True)
    ]
    return torch.cat(sums, dim=2)


def _summed(dense: Tensor, index: Tensor, start: Tensor, weight: Tensor) -> Tensor:
    """Product with a sparse matrix; embedding bags are several times as fast as sparse tensors here."""
    return functional.embedding_bag(index, dense.contiguous(), start, per_sample_weights=weight, mode="sum")
