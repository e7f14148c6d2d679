"""Whether two structures in one cell have the same powder pattern."""

from __future__ import annotations

import gemmi
import numpy as np
from numpy.typing import NDArray

from mixrd.crystal.structure import Crystal


def same_powder(one: Crystal, other: Crystal) -> bool:
    """Whether two readings in one cell have the same powder pattern (to 1e-3, by electrons at rest)."""
    if one.cell != other.cell or not _same_content(one, other):
        return False
    numbers = np.stack(np.meshgrid(*[np.arange(-3, 4)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    reciprocal = np.linalg.inv(one.lattice)
    shell = np.round(np.linalg.norm(numbers @ reciprocal.T, axis=1), 5)
    _, group = np.unique(shell, return_inverse=True)
    powders = [np.bincount(group, _intensities(crystal, numbers)) for crystal in (one, other)]
    return bool(np.abs(powders[0] - powders[1]).max() <= 1e-3 * powders[0][1:].max(initial=1.0))


def _same_content(one: Crystal, other: Crystal) -> bool:
    contents = one.cell_content, other.cell_content
    return contents[0].keys() == contents[1].keys() and all(
        abs(number - contents[1][element]) < 1e-3 * max(1.0, number)
        for element, number in contents[0].items()
    )


def _intensities(crystal: Crystal, numbers: NDArray[np.int64]) -> NDArray[np.float64]:
    sites = [crystal.sites[int(i)] for i in crystal.atoms.site]
    electrons = np.array([gemmi.Element(s.element).atomic_number * s.occupancy for s in sites])
    amplitude = np.exp(2j * np.pi * (numbers @ crystal.atoms.fract.T)) @ electrons
    intensity: NDArray[np.float64] = np.abs(amplitude) ** 2
    return intensity
