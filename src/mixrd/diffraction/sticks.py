"""Sticks: position and intensity of every powder line, of a strained crystal, batched."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from mixrd.crystal import B_OVER_U
from mixrd.diffraction.corrections import displacement_factor, lorentz, polarization
from mixrd.diffraction.reflections import Reflections


@dataclass(frozen=True, eq=False)
class Sticks:
    """Powder lines before the diffractometer broadens them.

    Attributes
    ----------
    g_squared : (B, R) tensor
        1/d^2 in 1/angstrom^2.
    intensity : (B, R) tensor
        m |F|^2 / (V M): intensity per unit mass of the phase, without Lorentz-polarization; electrons^2
        over angstrom^3 and atomic mass units.
    """

    g_squared: Float[Tensor, "B R"]
    intensity: Float[Tensor, "B R"]


def strained_sticks(table: Reflections, strain: Float[Tensor, "B K"]) -> Sticks:
    """Sticks of one phase under strain.

    The integrated intensity of a line from the mass fraction w of a phase is proportional to
    w / rho * m |F|^2 LP / V^2, and rho = M / V (International Tables C, section 6.2; Hill & Howard
    1987, J. Appl. Cryst. 20, 467), so m |F|^2 / (V M) is kept here and never normalised.

    Parameters
    ----------
    table : Reflections
    strain : (B, K) tensor
        Amplitudes along `table.strain_basis`, dimensionless.

    Returns
    -------
    Sticks
        Friedel mates are averaged: (|F(h)|^2 + |F(-h)|^2) / 2 = |A|^2 + |B|^2 with A = sum (f0 + f') S
        and B = sum f'' S.
    """
    deformation = _deformation(table, strain)
    g = torch.einsum("bij,rj->bri", torch.linalg.inv(deformation), table.g)
    g_squared = (g * g).sum(-1)
    return Sticks(g_squared, _intensity(table, g_squared, torch.linalg.det(deformation)))


def _deformation(table: Reflections, strain: Tensor) -> Tensor:
    unit = torch.eye(3, dtype=strain.dtype, device=strain.device)
    return unit + torch.einsum("bk,kij->bij", strain, table.strain_basis)


def _intensity(table: Reflections, g_squared: Tensor, volume_ratio: Tensor) -> Tensor:
    squared = _structure_factor_squared(table, g_squared)
    return table.multiplicity * squared / (table.volume * volume_ratio.unsqueeze(-1) * table.mass)


def _structure_factor_squared(table: Reflections, g_squared: Tensor) -> Tensor:
    """|F|^2 in electrons^2, (B, R), Friedel mates averaged.

    Summed group by group: what is in work at a time then stays small enough for the processor's cache.
    """
    s_squared = g_squared / 4
    # Real and imaginary parts of one group's sums, (2, 1, R), and its B.
    sums = table.phase_sums.permute(2, 0, 1).unsqueeze(2).contiguous().unbind()
    displacements = (B_OVER_U * table.u_iso).unbind()
    a = b = s_squared.new_zeros(2, *s_squared.shape)
    # f0, f' and f'' are a matter of the element; its groups differ in displacement only.
    for first, last in _runs(table.f0):
        row, exponents = table.f0[first], (-table.f0[first, 4:8]).unbind()
        f = row[8] + table.anomalous[0, first]
        for height, exponent in zip(row[:4].unbind(), exponents, strict=True):
            f = torch.addcmul(f, height, torch.exp(exponent * s_squared))
        total = displacement_factor(s_squared, displacements[first]) * sums[first]
        for displacement, group in zip(displacements[first + 1 : last], sums[first + 1 : last], strict=True):
            total = torch.addcmul(total, displacement_factor(s_squared, displacement), group)
        a = torch.addcmul(a, f, total)
        b = torch.addcmul(b, table.anomalous[1, first], total)
    return (a * a + b * b).sum(0)


def _runs(rows: Tensor) -> list[tuple[int, int]]:
    """First and one past the last of each run of equal rows."""
    ends = torch.unique_consecutive(rows, dim=0, return_counts=True)[1].cumsum(0).tolist()
    return list(zip([0, *ends], ends, strict=False))


def lorentz_polarization(
    two_theta: Float[Tensor, "*shape"], *, monochromator_two_theta: float
) -> Float[Tensor, "*shape"]:
    """Lorentz-polarization factor of a powder in Bragg-Brentano geometry.

    (1 + A cos^2 2theta) / ((1 + A) sin^2 theta cos theta) with A = cos^2 2theta_m, the monochromator in
    the incident or the diffracted beam (0 deg: none); International Tables C, section 6.2.

    Parameters
    ----------
    two_theta : tensor
        In radians.
    monochromator_two_theta : float
        In degrees.
    """
    return polarization(two_theta, monochromator_two_theta=monochromator_two_theta) * lorentz(two_theta)
