"""Lines of strained copies of many materials at once, and their derivatives by the strains."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import torch
from numpy.polynomial.chebyshev import cheb2poly
from torch import Tensor

from mixrd.diffraction.reflections import Reflections
from mixrd.diffraction.sticks import strained_sticks

#: Largest |ln of the ratio of strained to unstrained 1/d^2| that the polynomials are made for, and their
#: degree: over it they are right to 1e-11 of the strongest line, from Cu K alpha to Mo K alpha.
_REACH, _DEGREE = 0.3, 10
#: Of tables that are still in use.
_POLYNOMIALS: WeakKeyDictionary[Reflections, Tensor] = WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class Lines:
    """All lines of S copies of any materials, one copy after the other: L in all.

    Attributes
    ----------
    copy : (L,) int64 tensor
        Which copy a line is of.
    g_squared : (L,) tensor
        1/d^2 in 1/angstrom^2.
    intensity : (L,) tensor
        In the unit of `Sticks`.
    g_squared_rate, intensity_rate : (L, C) tensor
        Derivatives by the strain amplitudes of its copy; 0 for those that its material does not have.
    """

    copy: Tensor
    g_squared: Tensor
    intensity: Tensor
    g_squared_rate: Tensor
    intensity_rate: Tensor


class LineTable:
    """Lines of M materials under any strain.

    The intensity of a line depends on the strain by its 1/d^2 alone, but for the volume, which all lines of a
    copy share. It is kept as a polynomial in u = ln of the ratio of strained to unstrained 1/d^2: what costs
    the same for an element oxide and for a protein, and for all materials at once.

    Parameters
    ----------
    tables : sequence of Reflections
        Of each material.
    line : sequence of tensor, optional
        (R,) number of the line that each reflection of a table is of, where several are one under every
        strain; default each its own.
    dtype, device : optional
        Of everything.

    Attributes
    ----------
    components : (M + 1,) int64 tensor
        Strain amplitudes of each material; the last entry, 0, is for no material (-1).
    count : (M,) int64 tensor
        Lines of each material.
    """

    def __init__(
        self,
        tables: Sequence[Reflections],
        line: Sequence[Tensor] | None = None,
        *,
        dtype: torch.dtype = torch.float64,
        device: torch.device | str = "cpu",
    ) -> None:
        bases = [table.strain_basis for table in tables]
        self.components = torch.tensor([*(len(basis) for basis in bases), 0], device=device)
        rows = [_merged(table, None if line is None else line[number]) for number, table in enumerate(tables)]
        self.count = torch.tensor([len(g) for g, _ in rows], device=device)
        self._first = self.count.cumsum(0) - self.count
        self._g = torch.cat([g for g, _ in rows]).to(dtype=dtype, device=device)
        self._intensity = torch.cat([p for _, p in rows]).T.contiguous().to(dtype=dtype, device=device)
        self._g_squared = self._g.square().sum(1)
        self._basis = self._g.new_zeros(len(bases), max(len(basis) for basis in bases), 3, 3)
        for number, basis in enumerate(bases):
            self._basis[number, : len(basis)] = basis.to(self._basis)

    def at(self, material: Tensor, strain: Tensor, *, rates: bool = True) -> Lines:
        """Lines of copies of the materials (S,), strained by (S, C) amplitudes; without `rates` C = 0.

        With D = 1 + strain: g = D^-1 g0, so d(g.g) = -2 g D^-1 E g for a component E, and
        d ln V = trace(D^-1 E).
        """
        count = self.count[material]
        copy = torch.repeat_interleave(count)
        line = (
            torch.arange(len(copy), device=copy.device)
            + (self._first[material] - count.cumsum(0) + count)[copy]
        )
        basis = self._basis[material]
        deformation = torch.eye(3, dtype=strain.dtype, device=strain.device) + torch.einsum(
            "sk,skij->sij", strain, basis
        )
        inverse = torch.linalg.inv(deformation)
        g = torch.einsum("lij,lj->li", inverse[copy], self._g[line])
        g_squared = g.square().sum(1)
        value, slope = _polynomial(self._intensity, line, torch.log(g_squared / self._g_squared[line]))
        volume = torch.linalg.det(deformation)[copy]
        intensity = value / volume
        if not rates:
            none = strain.new_zeros(len(copy), 0)
            return Lines(copy, g_squared, intensity, none, none)
        # g D^-1 E g is linear in the six products of g's components: one small product for all components.
        moved = torch.einsum("sij,skjm->skim", inverse, basis)
        by_strain = -2 * torch.einsum("lij,lkij->lk", g.unsqueeze(2) * g.unsqueeze(1), moved[copy])
        volume_rate = moved.diagonal(dim1=-2, dim2=-1).sum(-1)[copy]
        rate = (slope / (volume * g_squared)).unsqueeze(1) * by_strain - intensity.unsqueeze(1) * volume_rate
        return Lines(copy, g_squared, intensity, by_strain, rate)


def _merged(table: Reflections, line: Tensor | None) -> tuple[Tensor, Tensor]:
    """(J, 3) reciprocal vectors at rest of a material's lines, (J, _DEGREE + 1) their polynomials."""
    table = table.to(dtype=torch.float64)
    if table not in _POLYNOMIALS:
        _POLYNOMIALS[table] = _polynomials(table)
    coefficients = _POLYNOMIALS[table]
    if line is None:
        return table.g, coefficients
    lines = int(line.max()) + 1
    g = table.g.new_zeros(lines, 3)
    g[line] = table.g
    return g, coefficients.new_zeros(lines, _DEGREE + 1).index_add(0, line, coefficients)


def _polynomials(table: Reflections) -> Tensor:
    """(R, _DEGREE + 1) coefficients of each reflection's intensity, in u over the reach."""
    count = 2 * _DEGREE
    angle = math.pi * (torch.arange(count, dtype=torch.float64) + 0.5) / count
    # An isotropic strain moves all lines alike: u = -2 ln(1 + strain).
    strain = torch.expm1(-0.5 * _REACH * angle.cos())
    isotropic = dataclasses.replace(table, strain_basis=torch.eye(3, dtype=torch.float64).unsqueeze(0))
    intensity = strained_sticks(isotropic, strain.unsqueeze(1)).intensity * (1 + strain.unsqueeze(1)) ** 3
    # Chebyshev polynomials are orthogonal over their nodes.
    order = torch.arange(_DEGREE + 1)
    chebyshev = torch.cos(order.unsqueeze(1) * angle) * torch.where(order > 0, 2.0, 1.0).unsqueeze(1) / count
    powers = torch.zeros(_DEGREE + 1, _DEGREE + 1, dtype=torch.float64)
    for number in range(_DEGREE + 1):
        row = cheb2poly([0.0] * number + [1.0])
        powers[: len(row), number] = torch.from_numpy(row)
    # Sums in a fixed order: the same table has the same lines to the last digit.
    return torch.stack([(row.unsqueeze(1) * intensity).sum(0) for row in powers @ chebyshev], dim=1)


def _polynomial(coefficients: Tensor, line: Tensor, u: Tensor) -> tuple[Tensor, Tensor]:
    """Value and derivative at u (L,) of the polynomials (D + 1, J) of these lines (L,)."""
    own = coefficients[:, line]
    place = u / _REACH
    value, slope = own[-1], torch.zeros_like(u)
    for coefficient in own[:-1].flip(0).unbind(0):
        slope = slope * place + value
        value = value * place + coefficient
    return value.clamp_min(0), slope / _REACH
