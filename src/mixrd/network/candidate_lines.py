"""The strongest lines of every candidate material, and where they lie under strain."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mixrd.errors import ParameterError

#: Of one material: reciprocal-lattice vector (3) in 1/angstrom and area of each line.
Lines = Sequence[Sequence[float]]
#: Of one material: symmetric strain tensors, 3 x 3 each (`mixrd.crystal.strain_basis`).
Basis = Sequence[Sequence[Sequence[float]]]


class CandidateLines(nn.Module):
    """Lines of M materials, J of each at most, C strain components of each at most.

    Parameters
    ----------
    lines : sequence of M sequences of (gx, gy, gz, area)
        Unstrained, the strongest first.
    bases : sequence of M sequences of 3 x 3 tensors
    wavelength_angstrom : float

    Attributes
    ----------
    area : (M, J) tensor
        Relative to the strongest; 0 where a material has fewer lines.
    slope : (M, J, C) tensor
        ln d of each line grows by this for each unit of a strain, to first order.
    there : (M, C) tensor of bool
        Whether a material has a strain component.

    Raises
    ------
    ParameterError
        If there is a material without lines or strain, or their numbers do not fit.
    """

    area: Tensor
    slope: Tensor
    there: Tensor
    _direction: Tensor
    _place: Tensor
    _basis: Tensor

    def __init__(self, lines: Sequence[Lines], bases: Sequence[Basis], wavelength_angstrom: float) -> None:
        super().__init__()
        if len(lines) != len(bases) or min(map(len, lines), default=0) < 1 or min(map(len, bases)) < 1:
            raise ParameterError(
                f"lines of {len(lines)} materials and strain tensors of {len(bases)}",
                remedy="Give lines and strain tensors of each material",
            )
        materials, most = len(lines), max(map(len, lines))
        widest = max(map(len, bases))
        vector = torch.zeros(materials, most, 3)
        vector[..., 0] = 1.0
        area = torch.zeros(materials, most)
        basis = torch.zeros(materials, widest, 3, 3)
        for number, (own, tensors) in enumerate(zip(lines, bases, strict=True)):
            table = torch.tensor([list(line) for line in own])
            vector[number, : len(own)], area[number, : len(own)] = table[:, :3], table[:, 3]
            basis[number, : len(tensors)] = torch.tensor([[list(row) for row in t] for t in tensors])
        length = vector.norm(dim=-1)
        direction = vector / length.unsqueeze(-1)
        self.register_buffer("area", area / area.amax(1, keepdim=True), persistent=False)
        self.register_buffer("_direction", direction, persistent=False)
        self.register_buffer(
            "_place", torch.log(length) + math.log(wavelength_angstrom / 2), persistent=False
        )
        self.register_buffer("_basis", basis, persistent=False)
        slope = torch.einsum("mji,mkil,mjl->mjk", direction, basis, direction)
        self.register_buffer("slope", slope, persistent=False)
        there = torch.arange(widest) < torch.tensor([len(tensors) for tensors in bases]).unsqueeze(1)
        self.register_buffer("there", there, persistent=False)

    @property
    def components(self) -> int:
        """C."""
        return self._basis.shape[1]

    def at(self, strain: Tensor, material: Tensor) -> Tensor:
        """Ln sin theta of the lines of strained copies, to the third order in the strain.

        A symmetric strain E takes a reciprocal-lattice vector g to (1 + E)^-1 g, so that
        |g|^2 changes by the factor 1 - 2 gEg + 3 gE^2g - 4 gE^3g + ..., g of unit length on the right.

        Parameters
        ----------
        strain : (..., C) tensor
        material : (...) int64 tensor

        Returns
        -------
        (..., J) tensor
        """
        tensor = torch.einsum("...k,...kij->...ij", strain, self._basis[material])
        direction = self._direction[material]
        once = direction @ tensor
        first, second = (once * direction).sum(-1), once.square().sum(-1)
        third = (once * (once @ tensor)).sum(-1)
        return self._place[material] + 0.5 * torch.log(1 - 2 * first + 3 * second - 4 * third)
