"""Asymmetry of low-angle peaks by axial divergence, after Finger, Cox & Jephcoat."""

from __future__ import annotations

import math
from functools import cache

import torch
from torch import Tensor


@cache
def axial_nodes(count: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Heights t in 0-1 and weights of a Gauss-Jacobi rule for the weight 2 (1 - t); weights sum to 1."""
    from scipy.special import roots_sh_jacobi

    nodes, weights = roots_sh_jacobi(count, 2.0, 1.0)
    return tuple(float(t) for t in nodes), tuple(float(w) for w in weights / weights.sum())


def axial_shift(two_theta: Tensor, sh_l: Tensor, height: Tensor) -> Tensor:
    """Shift in radians of what a detector slit sees at this height above the plane of diffraction.

    The cone of angle 2theta meets height h = height * sh_l (in units of the goniometer radius) at 2phi with
    cos 2phi = cos 2theta sqrt(1 + h^2) (Finger, Cox & Jephcoat 1994, J. Appl. Cryst. 27, 892, equation 4).

    Parameters
    ----------
    two_theta : tensor
        In radians.
    sh_l : tensor
        (S + H) / L: half heights of sample and receiving slit over the radius; S = H is taken, because a
        scan tells their sum alone.
    height : tensor
        0-1.
    """
    cosine = torch.cos(two_theta) * torch.sqrt(1 + (height * sh_l) ** 2)
    return torch.arccos(cosine.clamp(-0.999999, 0.999999)) - two_theta


def axial_share(two_theta: Tensor, sh_l: Tensor, heights: Tensor, weights: Tensor, index: Tensor) -> Tensor:
    """Share of a peak's intensity that stands at one of its nodes; the shares of a peak sum to 1.

    Intensity per height is (1 - t) / ((1 + h^2) sin 2phi) up to a constant: equations 2 and 7 of Finger,
    Cox & Jephcoat with S = H and the height as variable of integration, which removes the singularity.

    Parameters
    ----------
    two_theta, sh_l : (..., J) tensor
        Radians; (S + H) / L.
    heights, weights : (J, M) tensor
        The rule of each peak (`axial_nodes`), padded with weights 0.
    index : (J,) int tensor
        Which node of its rule.
    """
    h = sh_l.unsqueeze(-1) * heights
    cosine = (torch.cos(two_theta.unsqueeze(-1)) * torch.sqrt(1 + h * h)).clamp(-0.999999, 0.999999)
    share = weights / ((1 + h * h) * torch.sqrt(1 - cosine * cosine))
    where = index.expand(two_theta.shape).unsqueeze(-1)
    return share.gather(-1, where).squeeze(-1) / share.sum(-1)


def nodes_needed(two_theta: float, sh_l: float, fwhm_deg: float, *, per_fwhm: float, most: int) -> int:
    """Nodes of a peak at `two_theta` (radians): so many per fwhm of its largest shift, or 1."""
    largest = abs(math.degrees(0.5 * sh_l * sh_l / math.tan(two_theta))) if sh_l > 0 else 0.0
    if largest < 0.02 * fwhm_deg:
        return 1
    return min(most, 2 + math.ceil(per_fwhm * largest / fwhm_deg))
