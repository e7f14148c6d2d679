"""What the paper's patterns are made from: random numbers, and the truth for a network's further heads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mixrd.errors import UsageError
from mixrd.mixture.lines import LineLists
from mixrd.pattern import ExponentialFall, GaussianNoise


@dataclass(frozen=True, eq=False)
class Figure1Draw:
    """All random numbers of B samples; with the sampler they make the same patterns again.

    Attributes
    ----------
    pattern : (B, K) int64 tensor
        Which of the sampler's line lists; slots that are not used have no fraction.
    fraction : (B, K) tensor
        Of each drawn pattern; they sum to 1.
    size_nm, eta : (B, 1) or (B, K) tensor
        Per mixture or per phase.
    noise : GaussianNoise
    background : ExponentialFall
    """

    pattern: Tensor
    fraction: Tensor
    size_nm: Tensor
    eta: Tensor
    noise: GaussianNoise
    background: ExponentialFall


class StrainTable:
    """Strain amplitudes of line lists, and the target that a network is trained to.

    Parameters
    ----------
    lines : LineLists
    amplitudes : sequence of (copies, C_m) arrays
        Of each material: one row for each of its lists, in their order.
    device : device

    Attributes
    ----------
    components : tuple of int
        C_m of each material.

    Raises
    ------
    UsageError
        If a material has another number of lists than rows.
    """

    def __init__(
        self,
        lines: LineLists,
        amplitudes: Sequence[NDArray[np.float64]],
        device: torch.device | str = "cpu",
    ) -> None:
        counts = np.bincount(lines.material, minlength=len(lines.materials))
        if [len(rows) for rows in amplitudes] != counts.tolist():
            raise UsageError(
                "the strain amplitudes are not those of the line lists",
                remedy="Give one row for each list of each material",
            )
        self.components = tuple(rows.shape[1] for rows in amplitudes)
        self._widest = max(1, *self.components)
        table = np.zeros((len(lines), self._widest), dtype=np.float32)
        order = np.argsort(lines.material, kind="stable")
        padded = [np.pad(rows, ((0, 0), (0, self._widest - rows.shape[1]))) for rows in amplitudes]
        table[order] = np.concatenate(padded)
        self._table = torch.from_numpy(table).to(device)
        self._material = torch.from_numpy(lines.material).to(device)
        there = np.arange(self._widest) < np.array(self.components)[:, None]
        self._kept = torch.from_numpy(np.flatnonzero(there)).to(device)

    def of(self, drawn: Figure1Draw) -> Tensor:
        """(B, T) amplitudes, all components of the first material, then of the next; T = sum of C_m.

        Of a material that stands twice in a pattern those of the larger share; 0 of absent ones.
        """
        fraction, order = drawn.fraction.sort(dim=1, stable=True)
        pattern = drawn.pattern.gather(1, order)
        material = self._material[pattern]
        batch = len(pattern)
        strain = self._table.new_zeros(batch, len(self.components), self._widest)
        rows = torch.arange(batch, device=strain.device)
        # From the smallest share to the largest, which stays.
        for slot in range(pattern.shape[1]):
            own = material[:, slot]
            there = (fraction[:, slot] > 0).unsqueeze(1)
            strain[rows, own] = torch.where(there, self._table[pattern[:, slot]], strain[rows, own])
        return strain.flatten(1)[:, self._kept]


def shape_of(drawn: Figure1Draw) -> Tensor:
    """(B, 4) ln of the crystallite size in nm, eta, level of the background and ln of its decay in degrees.

    Raises
    ------
    UsageError
        If the phases of a mixture have a size and eta each.
    """
    if drawn.size_nm.shape[1] != 1:
        raise UsageError(
            "each phase has a crystallite size of its own, not the pattern",
            remedy="Take shape_per = mixture, or a network without further heads",
        )
    fall = drawn.background
    columns = (drawn.size_nm.log(), drawn.eta, fall.level, fall.decay_deg.log())
    return torch.cat([column.float() for column in columns], dim=1)
