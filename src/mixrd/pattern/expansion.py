"""Patterns of unit mass at some parameters and, drawn with the same profiles, their derivatives by these."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from mixrd.diffraction import Lines
from mixrd.pattern.lines import PeakTable
from mixrd.pattern.quantity import Quantity
from mixrd.pattern.render import Peaks

_OF_A_PEAK = tuple(field.name for field in dataclasses.fields(Peaks))


class Profiles(Protocol):
    """Peaks that were evaluated once, to be summed with several weights."""

    def combine(self, areas: Tensor) -> Tensor:
        """(B, N, T): T patterns of peaks with the areas (B, J, T)."""

    def tangents(self, area: Tensor, rates: Tensor) -> Tensor:
        """(B, N, T): derivatives of the pattern of areas (B, J) by rates (B, 4, J, T)."""


@dataclass(frozen=True, eq=False)
class Expansion:
    """Patterns of P phases at B sets of T parameters, and what their derivatives follow from.

    Attributes
    ----------
    peaks : Peaks
        (B, J) each, of unit mass.
    profiles : Profiles
    by_input : mapping
        (B, 4, J) derivatives of each peak by what `broadened` takes.
    reflections : Lines
        (B, R) each, from `ReflectionTable.at`.
    texture_rate : (B, R) tensor
    component : (P, C) int tensor
        From `ReflectionTable`.
    table : PeakTable
    quantities : sequence of Quantity
    places : mapping
        Where each stands among the T parameters, by name.
    free : (T,) bool tensor
        Parameters whose derivatives are wanted.
    """

    peaks: Peaks
    profiles: Profiles
    by_input: Mapping[str, Tensor]
    reflections: Lines
    texture_rate: Tensor
    component: Tensor
    table: PeakTable
    quantities: Sequence[Quantity]
    places: Mapping[str, slice]
    free: Tensor

    def columns(self) -> Tensor:
        """(B, P, N): the pattern of unit mass of each phase."""
        return self.profiles.combine(self.peaks.area.unsqueeze(-1) * self._of_phase).transpose(1, 2)

    def tangents(self, masses: Tensor) -> Tensor:
        """(B, F, N): derivatives of the pattern of these masses (B, P) by the free parameters."""
        mass = masses[:, self.table.phase]
        rates = self._rates()
        rates[:, 1] *= mass.unsqueeze(-1)
        return self.profiles.tangents(self.peaks.area * mass, rates).transpose(1, 2)

    @property
    def _of_phase(self) -> Tensor:
        """(J, P): 1 where a peak is of a phase."""
        mine = torch.nn.functional.one_hot(self.table.phase, len(self.component))
        return mine.to(self.peaks.area.dtype)

    def _rates(self) -> Tensor:
        """(B, 4, J, free): derivatives of each peak by the free parameters."""
        rates = [self.peaks.area.new_zeros(len(self.peaks.area), len(_OF_A_PEAK), len(self.table.phase), 0)]
        for quantity in self.quantities:
            free = self.free[self.places[quantity.name]]
            if not bool(free.any()):
                continue
            if quantity.scope == "component":
                rates.append(self._by_strain(len(free))[..., free])
            elif quantity.scope == "phase":
                rates.append(self._by(quantity.name).unsqueeze(-1) * self._of_phase[:, free])
            else:
                rates.append(self._by(quantity.name).unsqueeze(-1))
        return torch.cat(rates, dim=-1)

    def _by(self, name: str) -> Tensor:
        """(B, 4, J) by the quantity of its own phase or of the scan."""
        if name != "texture":
            return self.by_input[name]
        return self.by_input["intensity"] * self.texture_rate[:, self.table.reflection].unsqueeze(1)

    def _by_strain(self, count: int) -> Tensor:
        """(B, 4, J, count) by the strain amplitudes of all phases."""
        chosen, lines = self.table.reflection, self.reflections
        g, intensity = (self.by_input[name].unsqueeze(-1) for name in ("g_squared", "intensity"))
        own = g * lines.g_squared_rate[:, chosen].unsqueeze(1)
        own = own + intensity * lines.intensity_rate[:, chosen].unsqueeze(1)
        place = self.component[self.table.phase].expand_as(own)
        return own.new_zeros(*own.shape[:3], count + 1).scatter(3, place, own)[..., :count]


def copied(inputs: Mapping[str, Tensor], wanted: Sequence[str]) -> dict[str, Tensor]:
    """(4 B, J): a copy of each input (B, J) for each quantity of a peak, ready for `derivatives`."""
    copies = {name: value.detach().repeat(len(_OF_A_PEAK), 1) for name, value in inputs.items()}
    for name in wanted:
        copies[name].requires_grad_()
    return copies


def derivatives(copies: Mapping[str, Tensor], drawn: Peaks) -> tuple[Peaks, dict[str, Tensor]]:
    """The peaks (B, J), and (B, 4, J) their derivatives by the inputs that these were wanted by.

    Peaks depend on their own inputs alone: the gradient of the sum over a copy's own quantity holds each
    peak's derivatives of that quantity.
    """
    batch = len(drawn.position) // len(_OF_A_PEAK)
    own = {name: getattr(drawn, name)[i * batch : (i + 1) * batch] for i, name in enumerate(_OF_A_PEAK)}
    wanted = [name for name, value in copies.items() if value.requires_grad]
    with torch.enable_grad():
        total = torch.stack([value.sum() for value in own.values()]).sum()
    found = torch.autograd.grad(
        total, [copies[name] for name in wanted], allow_unused=True, materialize_grads=True
    )
    by_input = {
        name: x.unflatten(0, (len(_OF_A_PEAK), batch)).transpose(0, 1)
        for name, x in zip(wanted, found, strict=True)
    }
    return Peaks(**{name: value.detach() for name, value in own.items()}), by_input
