"""Three small materials with lines in a short pattern, for networks that know their candidates."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

POINTS, START, STEP, WAVELENGTH = 1500, 20.0, 0.02, 1.54184
#: Cubic (a), tetragonal (a, c) and one with three components.
BASES = [
    [[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]],
    [
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]],
        [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 1.0]],
    ],
    [
        [[1.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]],
        [[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]],
        [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 1.0]],
    ],
]
#: Reciprocal-lattice vectors (1/angstrom) and areas, of other numbers of lines.
LINES = [
    [(0.3, 0.0, 0.0, 1.0), (0.3, 0.3, 0.0, 0.5), (0.3, 0.3, 0.3, 0.25)],
    [(0.35, 0.0, 0.0, 1.0), (0.0, 0.0, 0.28, 0.6), (0.35, 0.0, 0.28, 0.4), (0.35, 0.35, 0.0, 0.2)],
    [(0.32, 0.0, 0.1, 1.0), (0.0, 0.4, 0.1, 0.9), (0.1, 0.1, 0.38, 0.3)],
]
OPTIONS: dict[str, Any] = {
    "lines": LINES,
    "bases": BASES,
    "wavelength_angstrom": WAVELENGTH,
    "start_deg": START,
    "step_deg": STEP,
}
#: Sizes that build and run in a blink.
SMALL: dict[str, Any] = {
    **OPTIONS,
    "copies": 25,
    "bins": 256,
    "features": 4,
    "widths": (4, 4, 6, 8),
    "hidden": 12,
    "width": 12,
    "window": 9,
}


def angles(material: int, strain: Tensor) -> Tensor:
    """(J,) 2theta in degrees of the lines of a strained material, without any expansion."""
    basis = torch.tensor(BASES[material], dtype=torch.float64)
    vectors = torch.tensor(LINES[material], dtype=torch.float64)[:, :3]
    deformation = torch.eye(3, dtype=torch.float64) + torch.einsum("k,kij->ij", strain.double(), basis)
    length = (vectors @ torch.linalg.inv(deformation)).norm(dim=1)
    return torch.rad2deg(2 * torch.arcsin(WAVELENGTH / 2 * length))


def pattern(material: int, strain: Tensor, fwhm_deg: float = 0.15) -> Tensor:
    """(N,) Gaussian peaks of one strained material."""
    grid = START + STEP * torch.arange(POINTS, dtype=torch.float64)
    areas = torch.tensor(LINES[material], dtype=torch.float64)[:, 3:]
    place = angles(material, strain).unsqueeze(1)
    peaks = areas * torch.exp(-4 * torch.log(torch.tensor(2.0)) * ((grid - place) / fwhm_deg) ** 2)
    return peaks.sum(0).float()
