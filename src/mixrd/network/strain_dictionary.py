"""A matched filter: how well each strained copy of each material fits what a network saw along a pattern."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mixrd.network.candidate_lines import CandidateLines
from mixrd.network.log_sine_axis import LogSineAxis

#: Features of each kind of weight: by the areas of the lines, and by their square roots.
KINDS = 2


class StrainDictionary(nn.Module):
    """Sums a network's features over the lines of G strained copies of each of M materials.

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
        for kind, weight in enumerate(weights):
            for name, table in _tables(place, weight, axis.bins).items():
                self.register_buffer(f"_{name}{kind}", table, persistent=False)

    def forward(self, features: Tensor) -> Tensor:
        """(B, F, X) features to their weighted sums over the lines, (M, G, B, F).

        The first half of the features is weighted with the areas, the other with their square roots.
        """
        batch = len(features)
        halves = features.permute(2, 0, 1).chunk(KINDS, dim=2)
        sums = [
            _line_sums(half.flatten(1), self._table(kind)).view(-1, batch, half.shape[2])
            for kind, half in enumerate(halves)
        ]
        return torch.cat(sums, dim=2).view(*self.strain.shape[:2], batch, -1)

    def _table(self, kind: int) -> list[Tensor]:
        names = ("index", "start", "weight", "back_index", "back_start", "back_weight")
        return [getattr(self, f"_{name}{kind}") for name in names]


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


class _LineSums(torch.autograd.Function):
    """Product with a sparse matrix; embedding bags are several times as fast as sparse tensors here."""

    @staticmethod
    def forward(ctx: Any, dense: Tensor, *tables: Tensor) -> Tensor:
        ctx.save_for_backward(*tables[3:])
        return _summed(dense, *tables[:3])

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        return _summed(gradient.contiguous(), *ctx.saved_tensors), *[None] * 6


def _line_sums(dense: Tensor, tables: Sequence[Tensor]) -> Tensor:
    sums: Tensor = _LineSums.apply(dense, *tables)  # type: ignore[no-untyped-call]
    return sums


def _summed(dense: Tensor, index: Tensor, start: Tensor, weight: Tensor) -> Tensor:
    return nn.functional.embedding_bag(
        index, dense.contiguous(), start, per_sample_weights=weight, mode="sum"
    )
