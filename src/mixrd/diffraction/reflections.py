"""Reflections of a crystal: what of a structure factor stays the same when the lattice is strained."""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import gemmi
import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from mixrd.crystal import Crystal, StrainMode, strain_basis
from mixrd.diffraction.corrections import require_within
from mixrd.diffraction.form_factor import dispersion, f0_coefficients
from mixrd.diffraction.radiation import Radiation
from mixrd.errors import CrystalError, ParameterError, RadiationError

#: Reflections beyond this many are more than a laboratory scan resolves: refuse, not run out of memory.
MOST_REFLECTIONS = 60_000


@dataclass(frozen=True)
class Scattering:
    """Parts of the structure factor that can be left out, for comparison with calculators that lack them.

    Attributes
    ----------
    anomalous : bool
        Anomalous scattering f' and f''.
    thermal : bool
        Displacement factors, isotropic and anisotropic.
    """

    anomalous: bool = True
    thermal: bool = True


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
        One representative of each set of equivalent reflections; under a general strain of each pair
        of Friedel mates.
    multiplicity : (R,) tensor
        Number of equivalent reflections, Friedel mates included; 2 under a general strain.
    g : (R, 3) tensor
        Unstrained reciprocal-lattice vectors, Cartesian, 1/angstrom.
    phase_sums : (2, R, G) tensor
        Real and imaginary part of S_g(h); anisotropic displacement is inside.
    f0 : (G, 9) tensor
        Form-factor coefficients of each group of atoms (same element, same isotropic displacement); the
        groups of an element stand side by side.
    anomalous : (2, G) tensor
        f' and f'' of each group at the strongest wavelength.
    u_iso : (G,) tensor
        Isotropic displacement in angstrom^2 (zero for anisotropic groups).
    strain_basis : (K, 3, 3) tensor
        Strain components that the symmetry allows, or all six.
    volume, mass : float
        Of the unstrained cell: angstrom^3, atomic mass units.
    """

    name: str
    hkl: NDArray[np.int64]
    multiplicity: Float[Tensor, " R"]
    g: Float[Tensor, "R 3"]
    phase_sums: Float[Tensor, "2 R G"]
    f0: Float[Tensor, "G 9"]
    anomalous: Float[Tensor, "2 G"]
    u_iso: Float[Tensor, " G"]
    strain_basis: Float[Tensor, "K 3 3"]
    volume: float
    mass: float

    def __len__(self) -> int:
        return len(self.hkl)

    def to(self, *, dtype: torch.dtype, device: torch.device | str = "cpu") -> Reflections:
        """The same with all tensors of this dtype on this device."""
        if self.g.dtype == dtype and self.g.device == torch.device(device):
            return self
        tensors = {
            key: value.to(dtype=dtype, device=device)
            for key, value in vars(self).items()
            if isinstance(value, Tensor)
        }
        return Reflections(**{**vars(self), **tensors})


#: What was calculated before of crystals that are still in use: scans of a series ask for the same again.
_KNOWN: WeakKeyDictionary[Crystal, dict[object, Reflections]] = WeakKeyDictionary()


def reflections(
    crystal: Crystal,
    radiation: Radiation,
    *,
    two_theta_range: tuple[float, float],
    margin: float = 0.02,
    strain: StrainMode = "symmetry",
    scattering: Scattering = Scattering(),
) -> Reflections:
    """Reflections of `crystal` whose lines may fall into `two_theta_range`.

    Parameters
    ----------
    crystal : Crystal
    radiation : Radiation
    two_theta_range : (low, high)
        In degrees, within 0-180.
    margin : float
        Relative margin in 1/d on both sides, 0-0.5: strained lines move in and out of the range.
    strain : {"symmetry", "general"}
        Whether it keeps the crystal system, so that equivalent reflections stay one line, or every pair of
        Friedel mates is a line of its own.
    scattering : Scattering
        What of the structure factor counts.

    Raises
    ------
    RadiationError
        If no reflection of the crystal falls into the range.
    CrystalError
        If there are more than `MOST_REFLECTIONS`.
    ParameterError
        If the range is empty or outside 0-180 deg, or another argument outside its range.
    """
    known = _KNOWN.setdefault(crystal, {})
    asked = (radiation, two_theta_range, margin, strain, scattering)
    if asked not in known:
        known[asked] = _calculated(crystal, radiation, two_theta_range, margin, strain, scattering)
    return known[asked]


def _calculated(
    crystal: Crystal,
    radiation: Radiation,
    two_theta_range: tuple[float, float],
    margin: float,
    strain: StrainMode,
    scattering: Scattering,
) -> Reflections:
    g_range = _shell(radiation, two_theta_range, margin)
    hkl, multiplicity = _unique_reflections(crystal, g_range, _rotations(crystal, strain))
    phases, groups = _phase_sums(crystal, hkl, thermal=scattering.thermal)
    # Absent reflections stay absent under any strain: every group's sum is zero.
    present = np.abs(phases).max(axis=1) > 1e-5 if len(hkl) else np.zeros(0, dtype=bool)
    if not present.any():
        raise RadiationError(
            f"{crystal.name} has no reflection between {two_theta_range[0]:g} and {two_theta_range[1]:g} deg "
            f"at {radiation.wavelength_angstrom:.4f} A",
            remedy="Check the wavelength and the range, or leave the phase out",
        )
    hkl, multiplicity, phases = hkl[present], multiplicity[present], phases[present]
    return Reflections(
        name=crystal.name,
        hkl=hkl,
        multiplicity=torch.tensor(multiplicity, dtype=torch.float64),
        g=torch.tensor(hkl @ np.linalg.inv(crystal.lattice).T, dtype=torch.float64),
        phase_sums=torch.tensor(np.stack([phases.real, phases.imag]), dtype=torch.float64),
        f0=torch.tensor(f0_coefficients([element for element, _ in groups]), dtype=torch.float64),
        anomalous=_anomalous(groups, radiation, used=scattering.anomalous),
        u_iso=torch.tensor([u for _, u in groups], dtype=torch.float64),
        strain_basis=torch.tensor(strain_basis(crystal, strain), dtype=torch.float64),
        volume=crystal.volume,
        mass=crystal.mass_per_cell,
    )


def _shell(radiation: Radiation, two_theta_range: tuple[float, float], margin: float) -> tuple[float, float]:
    """Smallest and largest |g| in 1/angstrom that some line of the radiation brings into the range."""
    low, high = two_theta_range
    if not 0.0 <= low < high <= 180.0:
        raise ParameterError(
            f"two_theta_range is {low:g} to {high:g} deg",
            remedy="Allowed: 0 to 180 deg, the first angle below the second",
        )
    require_within("margin", margin, 0.0, 0.5)
    wavelengths = [line.wavelength_angstrom for line in radiation.lines]
    least, most = (2 * np.sin(np.radians(angle / 2)) for angle in two_theta_range)
    return least / max(wavelengths) * (1 - margin), most / min(wavelengths) * (1 + margin)


def _rotations(crystal: Crystal, strain: StrainMode) -> list[NDArray[np.int64]]:
    """Rotations, of the columns of indices, that keep the length of g under such strain."""
    if strain == "general":
        return [np.eye(3, dtype=np.int64)]
    rotations = {tuple(np.ravel(gemmi.Op(op).rot)) for op in crystal.symmetry_operations}
    return [np.array(rotation).reshape(3, 3) // gemmi.Op.DEN for rotation in rotations]


def _unique_reflections(
    crystal: Crystal, g_range: tuple[float, float], rotations: list[NDArray[np.int64]]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """One representative of each orbit under the rotations and inversion in a shell of |g|, and its size."""
    lengths = np.linalg.norm(crystal.lattice, axis=1)
    limits = np.floor(g_range[1] * lengths).astype(int)
    if np.prod(2.0 * limits + 1) > 60 * MOST_REFLECTIONS:
        raise _too_many(crystal)
    axes = [np.arange(-n, n + 1) for n in limits]
    hkl = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    g = np.linalg.norm(hkl @ np.linalg.inv(crystal.lattice).T, axis=1)
    hkl = hkl[(g >= max(g_range[0], 1e-9)) & (g <= g_range[1])]
    base = 2 * int(limits.max(initial=0)) + 1
    weights = np.array([base * base, base, 1])
    code = np.full(len(hkl), np.iinfo(np.int64).min)
    for rotation in rotations:
        # The larger of h and its Friedel mate -h: equal for both, so that the two fall into one orbit.
        code = np.maximum(code, np.abs(hkl @ (rotation @ weights)))
    codes, count = np.unique(code, return_counts=True)
    if len(codes) > MOST_REFLECTIONS:
        raise _too_many(crystal)
    order = np.argsort(hkl @ weights)
    return hkl[order[np.searchsorted(hkl @ weights, codes, sorter=order)]], count


def _anomalous(groups: list[tuple[str, float]], radiation: Radiation, *, used: bool) -> Float[Tensor, "2 G"]:
    """(2, G) f' and f'' at the strongest wavelength, zero if not used."""
    values = [dispersion(element, radiation.wavelength_angstrom) if used else 0j for element, _ in groups]
    return torch.tensor([[v.real for v in values], [v.imag for v in values]], dtype=torch.float64)


def _too_many(crystal: Crystal) -> CrystalError:
    return CrystalError(
        f"{crystal.name}: its cell gives far more reflections in this range than a scan resolves",
        remedy="Narrow the range, or check the cell (angstrom) and the wavelength. "
        f"Allowed: {MOST_REFLECTIONS} reflections",
    )


def _phase_sums(
    crystal: Crystal, hkl: NDArray[np.int64], *, thermal: bool
) -> tuple[NDArray[np.complex128], list[tuple[str, float]]]:
    """(R, G) sums of occupancy exp(2 pi i h.r), and the (element, U_iso) that each of the G groups shares."""
    atoms = crystal.atoms
    anisotropic = [thermal and site.u_aniso is not None for site in crystal.sites]
    shared = [
        (site.element, site.u_iso if thermal and not own else 0.0)
        for site, own in zip(crystal.sites, anisotropic, strict=True)
    ]
    elements = list(dict.fromkeys(site.element for site in crystal.sites))
    groups = sorted(set(shared), key=lambda group: (elements.index(group[0]), group[1]))
    sums = np.zeros((len(hkl), len(groups)), dtype=np.complex128)
    for fract, u_star, site in zip(atoms.fract, atoms.u_star, atoms.site, strict=True):
        wave = crystal.sites[site].occupancy * np.exp(2j * np.pi * (hkl @ fract))
        if anisotropic[site]:
            wave = wave * np.exp(-2 * np.pi**2 * np.einsum("ri,ij,rj->r", hkl, u_star, hkl))
        sums[:, groups.index(shared[site])] += wave
    return sums, groups
