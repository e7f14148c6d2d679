"""A unit cell and the sites in it, as plain data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Cell = tuple[float, float, float, float, float, float]
UAniso = tuple[float, float, float, float, float, float]


@dataclass(frozen=True)
class Site:
    """One site of the asymmetric unit.

    Attributes
    ----------
    label : str
        Label of the site in its source.
    element : str
        Element symbol ("D" is deuterium).
    fract : tuple of three float
        Fractional coordinates.
    occupancy : float
        Chemical occupancy, 0-1: share of the site that holds this element.
    u_iso : float
        Isotropic (or equivalent) mean-square displacement in angstrom^2, 0-5.
    u_aniso : tuple of six float or None
        U11, U22, U33, U12, U13, U23 in angstrom^2, referred to a*, b*, c*.
    charge : int
        Formal charge where the source states one.
    """

    label: str
    element: str
    fract: tuple[float, float, float]
    occupancy: float
    u_iso: float
    u_aniso: UAniso | None = None
    charge: int = 0


def cell_of(lattice: Floats) -> Cell:
    """Cell lengths (angstrom) and angles (degrees) of lattice vectors given as rows."""
    lengths = np.linalg.norm(lattice, axis=1)
    cosines = [lattice[i] @ lattice[j] / (lengths[i] * lengths[j]) for i, j in ((1, 2), (0, 2), (0, 1))]
    angles = np.degrees(np.arccos(np.clip(cosines, -1, 1)))
    a, b, c = (float(x) for x in lengths)
    alpha, beta, gamma = (float(x) for x in angles)
    return a, b, c, alpha, beta, gamma
