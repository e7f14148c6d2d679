"""Two simulators of single-phase line lists, which agree: our forward model, and pymatgen.

Both leave out what pymatgen lacks (f', f'' and displacement), merge lines that coincide, leave out faint
ones, and scale the strongest line to 100, as pymatgen's calculator does. What is left between them are
the tables of atomic form factors, worth some parts in a hundred of the strongest line.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from mixrd.crystal import Crystal, StrainMode, strain_basis
from mixrd.diffraction import Scattering, lorentz_polarization, radiation, reflections, strained_sticks
from mixrd.diffraction.bragg import sine_from_inverse_d
from mixrd.errors import CrystalError, UsageError

SimulatorName = Literal["mixrd", "pymatgen"]
#: Positions in degrees and areas of one pattern.
Lines = tuple[NDArray[np.float64], NDArray[np.float32]]
#: (crystal, amplitudes (S, K), strain mode, wavelength in angstrom, range in degrees) -> S line lists.
Simulator = Callable[[Crystal, NDArray[np.float64], StrainMode, float, tuple[float, float]], list[Lines]]

#: pymatgen adds up lines nearer than this (degrees), and leaves out those fainter than this (of 100).
SAME_LINE_DEG, FAINTEST, STRONGEST = 1e-5, 1e-3, 100.0
#: Numbers that one batch of strained copies works on.
_BATCH_NUMBERS = 1_000_000


def mixrd_lines(
    crystal: Crystal,
    amplitudes: NDArray[np.float64],
    mode: StrainMode,
    wavelength_angstrom: float,
    two_theta_range: tuple[float, float],
) -> list[Lines]:
    """Line lists of strained copies from our own structure factors.

    Parameters
    ----------
    crystal : Crystal
    amplitudes : (S, K) array
        Along `strain_basis(crystal, mode)`.
    mode : {"symmetry", "general"}
    wavelength_angstrom : float
    two_theta_range : (low, high)
        In degrees.

    Returns
    -------
    list of (positions, areas)
        One a copy.

    Raises
    ------
    CrystalError
        If a strained copy has no line in the range.
    RadiationError
        If the crystal has none.
    """
    basis = strain_basis(crystal, mode)
    # No eigenvalue is beyond the largest row sum, so no line comes from farther outside the range.
    margin = float(np.abs(np.einsum("sk,kij->sij", np.abs(amplitudes), np.abs(basis))).sum(-1).max())
    table = reflections(
        crystal,
        radiation(wavelength_angstrom),
        two_theta_range=two_theta_range,
        margin=margin + 1e-6,
        strain=mode,
        scattering=Scattering(anomalous=False, thermal=False),
    )
    strain = torch.from_numpy(np.ascontiguousarray(amplitudes))
    lists: list[Lines] = []
    for part in strain.split(max(1, _BATCH_NUMBERS // table.phase_sums[0].numel())):
        sticks = strained_sticks(table, part)
        sine = sine_from_inverse_d(inverse_d=sticks.g_squared.sqrt(), wavelength_angstrom=wavelength_angstrom)
        two_theta = 2 * torch.arcsin(sine.clamp_max(1.0))
        area = sticks.intensity * lorentz_polarization(two_theta, monochromator_two_theta=0.0)
        degrees = torch.rad2deg(two_theta)
        inside = (degrees >= two_theta_range[0]) & (degrees <= two_theta_range[1]) & (sine < 1)
        for row in range(len(part)):
            here = inside[row]
            lists.append(_as_listed(crystal, degrees[row, here].numpy(), area[row, here].numpy()))
    return lists


def pymatgen_lines(
    crystal: Crystal,
    amplitudes: NDArray[np.float64],
    mode: StrainMode,
    wavelength_angstrom: float,
    two_theta_range: tuple[float, float],
) -> list[Lines]:
    """Line lists of strained copies from pymatgen's `XRDCalculator`, one by one; otherwise as `mixrd_lines`.

    Raises
    ------
    UsageError
        If pymatgen is not installed.
    CrystalError
        If it has no form factor of an element, or a strained copy has no line in the range.
    """
    try:
        from pymatgen.analysis.diffraction.xrd import XRDCalculator
        from pymatgen.core.lattice import Lattice
        from pymatgen.core.structure import Structure
    except ImportError:
        raise UsageError(
            "pymatgen is not installed", remedy="Install mixrd[paper], or take the simulator mixrd"
        ) from None
    calculator = XRDCalculator(wavelength_angstrom)
    sites = [crystal.sites[int(index)] for index in crystal.atoms.site]
    # Atoms that share a place stand as two sites: the structure factor is a sum over sites anyway.
    species = [{("H" if s.element == "D" else s.element): min(s.occupancy, 1.0)} for s in sites]
    basis = strain_basis(crystal, mode)
    lists: list[Lines] = []
    for amplitude in amplitudes:
        lattice = crystal.lattice @ (np.eye(3) + np.einsum("k,kij->ij", amplitude, basis))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                structure = Structure(Lattice(lattice), species, crystal.atoms.fract)
                pattern: Any = calculator.get_pattern(structure, two_theta_range=two_theta_range)
        except ValueError as error:
            raise CrystalError(
                f"{crystal.name}: pymatgen gives no pattern ({error})",
                remedy="Leave the structure out, or take the simulator mixrd",
            ) from None
        lists.append((np.asarray(pattern.x, dtype=np.float64), np.asarray(pattern.y, dtype=np.float32)))
    return lists


SIMULATORS: Mapping[SimulatorName, Simulator] = {"mixrd": mixrd_lines, "pymatgen": pymatgen_lines}


def _as_listed(crystal: Crystal, positions: NDArray[np.float64], areas: NDArray[np.float64]) -> Lines:
    """In order, coinciding lines added up, faint ones left out, the strongest scaled to 100."""
    order = np.argsort(positions, kind="stable")
    positions, areas = positions[order], areas[order]
    first = np.flatnonzero(np.diff(positions, prepend=-1.0) > SAME_LINE_DEG)
    if not len(first) or not areas.any():
        raise CrystalError(
            f"{crystal.name}: a strained copy has no line in the range",
            remedy="Leave the structure out, widen the range or lower the strain",
        )
    sums = np.add.reduceat(areas, first)
    scaled = STRONGEST * sums / sums.max()
    visible = scaled > FAINTEST
    return positions[first][visible], scaled[visible].astype(np.float32)
