"""Textures that a phase may have, as factors on the areas of its peaks."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from mixrd.crystal import Crystal
from mixrd.diffraction import axis_cosines, march_dollase
from mixrd.pattern import Axis, ForwardModel

#: Directions that a texture is looked for along.
MOST_AXES = 8


def texture_directions(crystal: Crystal, hkl: Sequence[Sequence[int]]) -> list[Axis]:
    """Directions that a texture may have: normals of the planes farthest apart (Bravais).

    Parameters
    ----------
    crystal : Crystal
    hkl : sequence of (h, k, l)
        Reflections, largest d first.

    Returns
    -------
    list of (h, k, l)
        `MOST_AXES` at most; none for a cubic crystal, where texture hardly moves intensities and its axis
        cannot be told.
    """
    a, b, c, *angles = crystal.cell
    if a == b == c and angles == [90.0, 90.0, 90.0]:
        return []
    found: dict[Axis, None] = {}
    for row in hkl:
        divisor = math.gcd(*(int(x) for x in row))
        h, k, l = (int(x) // divisor for x in row)
        found.setdefault((h, k, l))
        if len(found) == MOST_AXES:
            break
    return list(found)


class TextureTrials:
    """Factors of textures on the peaks of a model; what was worked out once is kept.

    Parameters
    ----------
    model : ForwardModel
        Its grid does not matter.
    crystals : sequence of Crystal
    """

    def __init__(self, model: ForwardModel, crystals: Sequence[Crystal]) -> None:
        self._sources, self._peaks, self._crystals = model.sources, model.peak_table, crystals
        self._reflections = model.reflections
        self._cosines: dict[tuple[int, Axis], list[Tensor]] = {}
        self._slopes: dict[tuple[int, Axis], Tensor] = {}
        self._directions: dict[int, list[Axis]] = {}
        self._tables = model.tables

    def directions(self, phase: int) -> list[Axis]:
        """Axes that a texture of this phase may have."""
        if phase not in self._directions:
            table = self._tables[phase]
            order = np.argsort(table.g.norm(dim=1).numpy(), kind="stable")
            hkl = [[int(x) for x in table.hkl[n]] for n in order]
            self._directions[phase] = texture_directions(self._crystals[phase], hkl)
        return self._directions[phase]

    def factors(self, phase: int, axis: Axis, r: float) -> Tensor:
        """(J,) March-Dollase factors on the peaks of this phase, 0 on all others."""
        ratio = torch.tensor([[r]], dtype=torch.float64)
        return self._of_peaks(phase, axis, lambda cosines: march_dollase(cosines, ratio)[0])

    def slopes(self, phase: int, axis: Axis) -> Tensor:
        """(J,) derivatives of the factors by r at r = 1, 0 on the peaks of all others."""
        if (phase, axis) not in self._slopes:
            found = self._of_peaks(phase, axis, lambda cosines: -1.5 * (3 * cosines - 1).mean(dim=1))
            self._slopes[phase, axis] = found
        return self._slopes[phase, axis]

    def _of_peaks(self, phase: int, axis: Axis, value: Callable[[Tensor], Tensor]) -> Tensor:
        own = [source for source in self._sources if source.phase == phase]
        if (phase, axis) not in self._cosines:
            crystal = self._crystals[phase]
            self._cosines[phase, axis] = [
                source.table.g.new_tensor(axis_cosines(crystal, source.table.hkl, axis)) for source in own
            ]
        whole = torch.zeros(self._reflections, dtype=torch.float64)
        for source, cosines in zip(own, self._cosines[phase, axis], strict=True):
            whole[source.first : source.first + len(source.table)] = value(cosines)
        return whole[self._peaks.reflection]
