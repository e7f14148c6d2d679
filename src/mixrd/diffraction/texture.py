"""Preferred orientation of a powder: the March-Dollase model."""

from __future__ import annotations

import gemmi
import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from mixrd.crystal import Crystal
from mixrd.errors import CrystalError


def axis_cosines(
    crystal: Crystal, hkl: NDArray[np.int64], axis: tuple[int, int, int], *, merged: bool = True
) -> NDArray[np.float64]:
    """Squared cosines between the normals of equivalent reflections and a texture axis.

    Parameters
    ----------
    crystal : Crystal
    hkl : (R, 3) int array
    axis : tuple of three int
        Indices of the plane whose normal is the axis (for platelets the plane they lie on).
    merged : bool
        Whether a line stands for all equivalent reflections, as it does unless a general strain parts
        them; if not, each has its own direction only.

    Returns
    -------
    (R, M) array
        For each of the M rotations of the point group; equivalents that coincide appear as often as
        they must to count right. (R, 1) if not merged.

    Raises
    ------
    CrystalError
        If the axis is (0, 0, 0).
    """
    if axis == (0, 0, 0):
        raise CrystalError("the texture axis is (0, 0, 0)", remedy="Give the indices of a plane, e.g. 1 0 4")
    to_cartesian = np.linalg.inv(crystal.lattice).T
    direction = np.array(axis) @ to_cartesian
    direction = direction / np.linalg.norm(direction)
    rotations = sorted({tuple(np.ravel(gemmi.Op(op).rot)) for op in crystal.symmetry_operations})
    if not merged:
        rotations = [tuple(np.ravel(gemmi.Op("x,y,z").rot))]
    columns = []
    for rotation in rotations:
        g = hkl @ (np.array(rotation).reshape(3, 3) // gemmi.Op.DEN) @ to_cartesian
        columns.append((g @ direction) ** 2 / (g * g).sum(axis=1))
    cosines: NDArray[np.float64] = np.clip(np.stack(columns, axis=1), 0.0, 1.0)
    return cosines


def march_dollase(squared_cosines: Float[Tensor, "R M"], r: Float[Tensor, " B #R"]) -> Float[Tensor, "B R"]:
    """Factor on the intensity of each reflection: mean over equivalents of (r^2 cos^2 + sin^2 / r)^(-3/2).

    Dollase 1986, J. Appl. Cryst. 19, 267, equation 1. Its mean over all directions is 1 for every r, so
    texture moves intensity between lines and keeps the phase's scale.

    Parameters
    ----------
    squared_cosines : (R, M) tensor
        From `axis_cosines`.
    r : (B, 1) or (B, R) tensor
        1 without texture, below 1 for platelets lying flat, above 1 for needles; positive.

    Returns
    -------
    (B, R) tensor
    """
    r = r.unsqueeze(-1)
    return torch.pow(r * r * squared_cosines + (1 - squared_cosines) / r, -1.5).mean(dim=-1)
