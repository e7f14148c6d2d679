"""What a pattern is linear in, solved at given cells and widths: masses, never negative, and background."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class LinearPart:
    """Solution of the linear parameters at given non-linear ones.

    Attributes
    ----------
    coefficients : (B, P + Q) tensor
        Masses of the phases (never negative), then background coefficients.
    active : (B, P + Q) bool tensor
        Which of them are free (a mass held at zero is not).
    design : (B, P + Q, N) tensor
        Weighted basis functions: each phase's pattern and the background basis over sigma.
    residual : (B, N) tensor
        (observed - calculated) / sigma.
    """

    coefficients: Tensor
    active: Tensor
    design: Tensor
    residual: Tensor


def solve_linear(columns: Tensor, basis: Tensor, observed: Tensor, sigma: Tensor) -> LinearPart:
    """Masses (non-negative) and background that fit best.

    Parameters
    ----------
    columns : (B, P, N) tensor
        Pattern of unit mass of each phase.
    basis : (Q, N) tensor
        Background basis, sign free.
    observed, sigma : (B, N) tensor

    Returns
    -------
    LinearPart
    """
    phases = columns.shape[1]
    design = torch.cat([columns, basis.expand(len(columns), -1, -1)], dim=1) / sigma.unsqueeze(1)
    target = observed / sigma
    normal = torch.einsum("bin,bjn->bij", design, design)
    right = torch.einsum("bin,bn->bi", design, target)
    coefficients, active = solve_non_negative(normal, right, phases)
    residual = target - torch.einsum("bi,bin->bn", coefficients, design)
    return LinearPart(coefficients, active, design, residual)


def solve_non_negative(normal: Tensor, right: Tensor, phases: int) -> tuple[Tensor, Tensor]:
    """Least squares from normal equations, the first `phases` of the C coefficients not negative.

    Block principal pivoting (Portugal, Judice & Vicente 1994, Math. Comput. 63, 625): coefficients that
    come out negative are held at zero, held ones that the residual calls for are freed, all at once; should
    that go in circles, one at a time (Murty's rule), which always ends.

    Parameters
    ----------
    normal : (B, C, C) tensor
    right : (B, C) tensor
    phases : int

    Returns
    -------
    coefficients : (B, C) tensor
    active : (B, C) bool tensor
        Which of them are free.
    """
    # The smallest that does not vanish when squared.
    norm = normal.diagonal(dim1=1, dim2=2).sqrt().clamp_min(torch.finfo(normal.dtype).tiny ** 0.5)
    normal = normal / (norm.unsqueeze(1) * norm.unsqueeze(2))
    right = right / norm
    active = torch.ones_like(norm, dtype=torch.bool)
    # Columns may be nearly collinear, as a background basis over a short scan: a ridge far below any esd.
    ridge = _ridge(norm.dtype) * torch.eye(norm.shape[1], dtype=norm.dtype, device=norm.device)
    noise = 1e-9 * right.abs().amax(dim=1, keepdim=True)
    solution = right
    for pivot in range(10 * phases + 10):
        keep = active.to(norm.dtype)
        held = torch.diag_embed(1 - keep)
        system = normal * keep.unsqueeze(1) * keep.unsqueeze(2) + held + ridge
        solution = torch.linalg.solve(system, right * keep)
        called_for = right - torch.einsum("bij,bj->bi", normal, solution) > noise
        wrong = torch.where(active, solution < 0, called_for)
        wrong[:, phases:] = False
        if not wrong.any():
            break
        if pivot > phases:
            wrong = wrong & (wrong.cumsum(1) == wrong.sum(1, keepdim=True))
        active = active ^ wrong
    coefficients = torch.where(active, solution, torch.zeros_like(solution)) / norm
    coefficients[:, :phases] = coefficients[:, :phases].clamp_min(0)
    return coefficients, active


def _ridge(dtype: torch.dtype) -> float:
    return 1e-12 if dtype == torch.float64 else 1e-6
