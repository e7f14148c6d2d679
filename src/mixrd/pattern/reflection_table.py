"""Reflections of all phases of a model, in all families of lines, strained and textured."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from mixrd.diffraction import Lines, LineTable, march_dollase
from mixrd.pattern.lines import Source
from mixrd.pattern.parameters import Parameters


class ReflectionTable:
    """R reflections of P phases, source after source.

    Parameters
    ----------
    sources : sequence of Source
    dtype, device
        Of all tensors.

    Attributes
    ----------
    strain_sizes : list of int
        Strain amplitudes of each phase.
    component : (P, C) int tensor
        Where each phase's amplitudes stand among those of all; one behind the last where it has none.
    """

    def __init__(self, sources: Sequence[Source], *, dtype: torch.dtype, device: torch.device | str) -> None:
        self._sources = sources
        self._lines = LineTable([source.table for source in sources], dtype=dtype, device=device)
        self._phase = torch.tensor([source.phase for source in sources], device=device)
        self.strain_sizes = [
            len(next(s.table for s in sources if s.phase == p).strain_basis)
            for p in range(int(self._phase.max()) + 1)
        ]
        sizes = torch.tensor(self.strain_sizes, device=device)
        number = torch.arange(int(sizes.max()), device=device)
        first = (sizes.cumsum(0) - sizes).unsqueeze(1)
        self.component = torch.where(number < sizes.unsqueeze(1), first + number, int(sizes.sum()))

    def with_sources(self, sources: Sequence[Source]) -> ReflectionTable:
        """The same with other texture axes."""
        other = ReflectionTable.__new__(ReflectionTable)
        other.__dict__.update(self.__dict__, _sources=sources)
        return other

    def at(self, parameters: Parameters, *, rates: bool = True) -> Lines:
        """All reflections, (B, R) each, and with `rates` (B, R, C) by the strains of their phase."""
        batch = len(parameters.strain)
        padded = torch.nn.functional.pad(parameters.strain, (0, 1))
        strain = padded[:, self.component[self._phase]].flatten(0, 1)
        material = torch.arange(len(self._phase), device=strain.device).repeat(batch)
        found = self._lines.at(material, strain, rates=rates)
        rows = {name: value.unflatten(0, (batch, -1)) for name, value in vars(found).items()}
        for own, cosines, r in self._textured(parameters):
            factor = torch.ones_like(rows["intensity"])
            factor[:, own] = march_dollase(cosines, r)
            rows["intensity"] = rows["intensity"] * factor
            rows["intensity_rate"] = rows["intensity_rate"] * factor.unsqueeze(-1)
        return Lines(**rows)

    def texture_rate(self, parameters: Parameters, intensity: Tensor) -> Tensor:
        """(B, R): derivatives of the intensities (B, R) by the March-Dollase r of their phases."""
        rate = torch.zeros_like(intensity)
        for own, cosines, r in self._textured(parameters):
            with torch.enable_grad():
                each = r.detach().expand(-1, len(cosines)).requires_grad_()
                factor = march_dollase(cosines, each)
                (slope,) = torch.autograd.grad(factor.sum(), each)
            rate[:, own] = intensity[:, own] * slope / factor.detach()
        return rate

    def _textured(self, parameters: Parameters) -> list[tuple[slice, Tensor, Tensor]]:
        """Where the reflections of sources with a texture axis stand, their cosines, and r (B, 1)."""
        return [
            (
                slice(source.first, source.first + len(source.table)),
                source.texture_cosines,
                parameters.texture[:, source.phase : source.phase + 1],
            )
            for source in self._sources
            if source.texture_cosines is not None
        ]
