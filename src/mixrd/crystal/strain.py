"""Strain of a lattice: the components that leave the symmetry of a crystal as it is, or all six."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import gemmi
import numpy as np

from mixrd.crystal.cell import Cell, Floats, cell_of
from mixrd.crystal.structure import Crystal
from mixrd.errors import ParameterError

#: "symmetry" keeps the crystal system, "general" may break it.
StrainMode = Literal["symmetry", "general"]
#: A symmetric tensor as (11, 22, 33, 23, 13, 12); basis for the search below.
_VOIGT = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))


def strain_basis(crystal: Crystal, strain: StrainMode = "symmetry") -> Floats:
    """Strain components that the crystal system allows, or all.

    A strain keeps all multiplicities if it commutes with every rotation of the point group. Averaging
    each unit strain over the group projects onto that space; its reduced basis is one component for
    cubic crystals (a), two for uniaxial ones (a = b, c), three for orthorhombic, four for monoclinic,
    six for triclinic. A general strain has six components in every system, in the order 11, 22, 33, 23,
    13, 12, where a component of two indices stands on both sides of the diagonal.

    Parameters
    ----------
    crystal : Crystal
    strain : {"symmetry", "general"}

    Returns
    -------
    (K, 3, 3) array
        Symmetric dimensionless tensors, Cartesian (axes as in `Crystal.lattice`); a lattice strained
        by amplitudes p has the vectors ``lattice @ (1 + sum_k p_k basis_k)``.

    Raises
    ------
    ParameterError
        If `strain` is neither of the two.
    """
    if strain not in ("symmetry", "general"):
        raise ParameterError(
            f"strain {strain!r} is unknown", remedy="Give strain='symmetry' or strain='general'"
        )
    return _basis(crystal, strain).copy()


@lru_cache(maxsize=256)
def _basis(crystal: Crystal, strain: StrainMode) -> Floats:
    rotations = _cartesian_rotations(crystal) if strain == "symmetry" else np.eye(3)[np.newaxis]
    images = []
    for i, j in _VOIGT:
        unit = np.zeros((3, 3))
        unit[i, j] = unit[j, i] = 1.0
        mean = (rotations @ unit @ rotations.transpose(0, 2, 1)).mean(axis=0)
        images.append([mean[k, m] for k, m in _VOIGT])
    rows = _reduced_rows(np.array(images))
    basis = np.zeros((len(rows), 3, 3))
    for n, row in enumerate(rows):
        for value, (i, j) in zip(row, _VOIGT, strict=True):
            basis[n, i, j] = basis[n, j, i] = value
    return basis


def strained_cell(crystal: Crystal, amplitudes: Floats, strain: StrainMode = "symmetry") -> Cell:
    """Cell (angstrom, degrees) after strain by `amplitudes` (K,) along `strain_basis(crystal, strain)`."""
    deformation = np.eye(3) + np.einsum("k,kij->ij", amplitudes, strain_basis(crystal, strain))
    return cell_of(crystal.lattice @ deformation)


def _cartesian_rotations(crystal: Crystal) -> Floats:
    """(G, 3, 3): the rotations of the point group."""
    frame = crystal.lattice.T
    inverse = np.linalg.inv(frame)
    distinct = {tuple(np.ravel(gemmi.Op(op).rot)) for op in crystal.symmetry_operations}
    turned: Floats = frame @ (np.array(sorted(distinct)).reshape(-1, 3, 3) / gemmi.Op.DEN) @ inverse
    return turned


def _reduced_rows(matrix: Floats) -> Floats:
    """Non-zero rows of the reduced row echelon form."""
    rows = matrix.copy()
    rank = 0
    for column in range(rows.shape[1]):
        pivot = rank + int(np.argmax(np.abs(rows[rank:, column]))) if rank < len(rows) else rank
        if rank >= len(rows) or abs(rows[pivot, column]) < 1e-6:
            continue
        rows[[rank, pivot]] = rows[[pivot, rank]]
        rows[rank] /= rows[rank, column]
        for other in range(len(rows)):
            if other != rank:
                rows[other] -= rows[other, column] * rows[rank]
        rank += 1
    result = rows[:rank]
    result[np.abs(result) < 1e-9] = 0.0
    return result
