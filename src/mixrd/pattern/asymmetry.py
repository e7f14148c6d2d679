"""Asymmetry of low-angle peaks by axial divergence, after Finger, Cox & Jephcoat."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from mixrd.pattern.instrument import MOST_NODES

#: Relative error of the peak's maximum that a number of nodes keeps to.
_ONE_NODE_FWHM = {1e-3: 0.06, 1e-4: 0.02, 1e-6: 0.002}
_NODES = {1e-3: (1.0, 2.0), 1e-4: (1.8, 2.3), 1e-6: (2.6, 2.9)}


@cache
def axial_nodes(count: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Heights t in 0-1 and weights of a quadrature for the weight 2 (1 - t); weights sum to 1.

    The shift of a peak goes with t^2, so this is the Gauss rule for polynomials in t^2: already one node
    has the right centroid. It is that of the weight 1 - |t| on (-1, 1), found from its recurrence (Gautschi
    2004, Orthogonal Polynomials, section 2.2: discretised Stieltjes procedure) by Golub & Welsch (1969).
    """
    nodes, weights = np.polynomial.legendre.leggauss(4 * count + 8)
    t = (nodes + 1) / 2
    weights, squared = weights * (1 - t), t * t
    before, polynomial = np.zeros_like(t), np.full_like(t, 1 / np.sqrt(weights.sum()))
    diagonal, beside = [], [0.0]
    for _ in range(count):
        diagonal.append(float((weights * squared * polynomial**2).sum()))
        following = (squared - diagonal[-1]) * polynomial - beside[-1] * before
        beside.append(float(np.sqrt((weights * following**2).sum())))
        before, polynomial = polynomial, following / beside[-1]
    places, vectors = np.linalg.eigh(
        np.diag(diagonal) + np.diag(beside[1:count], 1) + np.diag(beside[1:count], -1)
    )
    return tuple(float(x) for x in np.sqrt(places)), tuple(float(v) for v in vectors[0] ** 2)


def axial_shift(
    two_theta: Float[Tensor, "*#shape"], sh_l: Float[Tensor, "*#shape"], height: Float[Tensor, "*#shape"]
) -> Float[Tensor, "*shape"]:
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


def axial_share(
    two_theta: Float[Tensor, "*B J"],
    sh_l: Float[Tensor, "*#B #J"],
    heights: Float[Tensor, "J M"],
    weights: Float[Tensor, "J M"],
    index: Int[Tensor, " J"],
) -> Float[Tensor, "*B J"]:
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


def nodes_needed(two_theta: float, sh_l: float, fwhm_deg: float, *, tolerance: float) -> int:
    """Nodes that keep a peak at `two_theta` (radians) within `tolerance` (1e-3, 1e-4 or 1e-6) of its maximum.

    Rules found for a Gaussian, which needs the most, from its largest shift over its fwhm.
    """
    if sh_l <= 0:
        return 1
    widths = abs(math.degrees(0.5 * sh_l * sh_l / math.tan(two_theta))) / fwhm_deg
    if widths < _ONE_NODE_FWHM[tolerance]:
        return 1
    least, per_width = _NODES[tolerance]
    return min(MOST_NODES, max(2, math.ceil(least + per_width * widths)))
