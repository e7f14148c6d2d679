"""Reflections of a crystal: what of a structure factor stays the same when the lattice is strained."""

from __future__ import annotations

from dataclasses import dataclass

import gemmi
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mixrd.crystal import Crystal, strain_basis
from mixrd.diffraction.form_factor import dispersion, f0_coefficients
from mixrd.diffraction.radiation import Radiation
from mixrd.errors import CrystalError, RadiationError

#: Reflections beyond this many are more than a laboratory scan resolves: refuse, not run out of memory.
MOST_REFLECTIONS = 60_000


@dataclass(frozen=True, eq=False)
class Reflections:
    """Powder lines of one crystal over a range of angles, with all that strain does not change.

    A strain multiplies the lattice and leaves fractional coordinates alone, so the phase sums
    S_g(h) = sum over atoms of group g of occupancy exp(2 pi i h.r) are constants; a strained copy
    needs only |g|, f(|g|) and the Lorentz-polarization factor.

    Attributes
    ----------
    name : str
        Name of the phase.
    hkl : (R, 3) int array
        One representative of each set of equivalent reflections.
    multiplicity : (R,) tensor
        Number of equivalent reflections, Friedel mates included.
    g : (R, 3) tensor
        Unstrained reciprocal-lattice vectors, Cartesian, 1/angstrom.
    phase_sums : (2, R, G) tensor
        Real and imaginary part of S_g(h); anisotropic displacement is inside.
    f0 : (G, 9) tensor
        Form-factor coefficients of each group of atoms (same element, same isotropic displacement).
    anomalous : (2, G) tensor
        f' and f'' of each group at the strongest wavelength.
    u_iso : (G,) tensor
        Isotropic displacement in angstrom^2 (zero for anisotropic groups).
    strain_basis : (K, 3, 3) tensor
        Strain components that the symmetry allows.
    volume, mass : float
        Of the unstrained cell: angstrom^3, atomic mass units.
    """

    name: str
    hkl: NDArray[np.int64]
    multiplicity: Tensor
    g: Tensor
    phase_sums: Tensor
    f0: Tensor
    anomalous: Tensor
    u_iso: Tensor
    strain_basis: Tensor
    volume: float
    mass: float

    def __len__(self) -> int:
        return len(self.hkl)

    def to(self, *, dtype: torch.dtype, device: torch.device | str = "cpu") -> Reflections:
        """The same with all tensors of this dtype on this device."""
        tensors = {
            key: value.to(dtype=dtype, device=device)
            for key, value in vars(self).items()
            if isinstance(value, Tensor)
        }
        return Reflections(**{**vars(self), **tensors})


def reflections(
    crystal: Crystal, radiation: Radiation, *, two_theta_range: tuple[float, float], margin: float = 0.02
) -> Reflections:
    """Reflections of `crystal` whose lines may fall into `two_theta_range`.

    Parameters
    ----------
    crystal : Crystal
    radiation : Radiation
    two_theta_range : (low, high)
        In degrees.
    margin : float
        Relative margin in 1/d on both sides, so that strained lines move in and out of the range.

    Raises
    ------
    RadiationError
        If no reflection of the crystal falls into the range.
    CrystalError
        If there are more than `MOST_REFLECTIONS`.
    """
    longest = max(line.wavelength_angstrom for line in radiation.lines)
    shortest = min(line.wavelength_angstrom for line in radiation.lines)
    low, high = (2 * np.sin(np.radians(angle / 2)) for angle in two_theta_range)
    g_range = (low / longest * (1 - margin), high / shortest * (1 + margin))
    hkl, multiplicity = _unique_reflections(crystal, g_range)
    phases, groups = _phase_sums(crystal, hkl)
    # Absent reflections stay absent under any strain: every group's sum is zero.
    present = np.abs(phases).max(axis=1) > 1e-5 if len(hkl) else np.zeros(0, dtype=bool)
    if not present.any():
        raise RadiationError(
            f"{crystal.name} has no reflection between {two_theta_range[0]:g} and {two_theta_range[1]:g} deg "
            f"at {radiation.wavelength_angstrom:.4f} A",
            remedy="Check the wavelength and the range, or leave the phase out",
        )
    hkl, multiplicity, phases = hkl[present], multiplicity[present], phases[present]
    values = [dispersion(element, radiation.wavelength_angstrom) for element, _ in groups]
    double = torch.float64
    return Reflections(
        name=crystal.name,
        hkl=hkl,
        multiplicity=torch.tensor(multiplicity, dtype=double),
        g=torch.tensor(hkl @ np.linalg.inv(crystal.lattice).T, dtype=double),
        phase_sums=torch.tensor(np.stack([phases.real, phases.imag]), dtype=double),
        f0=torch.tensor(f0_coefficients([element for element, _ in groups]), dtype=double),
        anomalous=torch.tensor([[v.real for v in values], [v.imag for v in values]], dtype=double),
        u_iso=torch.tensor([u for _, u in groups], dtype=double),
        strain_basis=torch.tensor(strain_basis(crystal), dtype=double),
        volume=crystal.volume,
        mass=crystal.mass_per_cell,
    )


def _unique_reflections(
    crystal: Crystal, g_range: tuple[float, float]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """One representative of each orbit under the Laue group within a shell of |g|, and the orbit's size."""
    lengths = np.linalg.norm(crystal.lattice, axis=1)
    limits = np.floor(g_range[1] * lengths).astype(int)
    if np.prod(2.0 * limits + 1) > 60 * MOST_REFLECTIONS:
        raise CrystalError(
            f"{crystal.name}: its cell gives far more reflections in this range than a scan resolves",
            remedy="Narrow the range, or check the cell (angstrom) and the wavelength",
        )
    axes = [np.arange(-n, n + 1) for n in limits]
    hkl = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    g = np.linalg.norm(hkl @ np.linalg.inv(crystal.lattice).T, axis=1)
    hkl = hkl[(g >= max(g_range[0], 1e-9)) & (g <= g_range[1])]
    rotations = {tuple(np.ravel(gemmi.Op(op).rot)) for op in crystal.symmetry_operations}
    base = 2 * int(limits.max(initial=0)) + 1
    weights = np.array([base * base, base, 1])
    code = np.full(len(hkl), np.iinfo(np.int64).min)
    for rotation in rotations:
        image = hkl @ (np.array(rotation).reshape(3, 3) // gemmi.Op.DEN)
        # The larger of h and its Friedel mate -h: equal for both, so that the two fall into one orbit.
        code = np.maximum(code, np.abs(image @ weights))
    codes, count = np.unique(code, return_counts=True)
    order = np.argsort(hkl @ weights)
    return hkl[order[np.searchsorted(hkl @ weights, codes, sorter=order)]], count


def _phase_sums(
    crystal: Crystal, hkl: NDArray[np.int64]
) -> tuple[NDArray[np.complex128], list[tuple[str, float]]]:
    """(R, G) sums of occupancy exp(2 pi i h.r), and the (element, U_iso) that each of the G groups shares."""
    atoms = crystal.atoms
    keys = [
        (s.element, 0.0 if s.u_aniso is not None else s.u_iso) for s in (crystal.sites[i] for i in atoms.site)
    ]
    groups = list(dict.fromkeys(keys))
    sums = np.zeros((len(hkl), len(groups)), dtype=np.complex128)
    for key, fract, u_star, site in zip(keys, atoms.fract, atoms.u_star, atoms.site, strict=True):
        wave = crystal.sites[site].occupancy * np.exp(2j * np.pi * (hkl @ fract))
        if crystal.sites[site].u_aniso is not None:
            wave = wave * np.exp(-2 * np.pi**2 * np.einsum("ri,ij,rj->r", hkl, u_star, hkl))
        sums[:, groups.index(key)] += wave
    return sums, groups
