"""How strongly matter absorbs X-rays, and what that does to the phases of a mixture."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import Literal

import gemmi
import numpy as np
import torch
from torch import Tensor

from mixrd.crystal import Crystal
from mixrd.crystal.structure import AMU_PER_A3_IN_G_CM3
from mixrd.diffraction.corrections import require_within
from mixrd.diffraction.form_factor import dispersion
from mixrd.diffraction.radiation import Radiation
from mixrd.errors import CrystalError, RadiationError

#: Classical electron radius in angstrom (CODATA 2018).
ELECTRON_RADIUS_ANGSTROM = 2.8179403262e-5
#: Upper limits of mu D (linear attenuation coefficient times particle diameter) of the classes of powders
#: by Brindley (1945, Phil. Mag. 36, 347); above the last a powder is very coarse.
BRINDLEY_CLASSES = {"fine": 0.01, "medium": 0.1, "coarse": 1.0}
#: Largest |mu difference| times diameter that `brindley_factor` takes; far beyond its use.
MAX_CONTRAST = 20.0
#: f'' rises by at least this factor over an absorption edge (M1 edges, the faintest: 1.04).
EDGE_JUMP = 1.02
#: Steps in which `near_edge` walks through its window.
EDGE_STEPS = 40
#: A line with a smaller share of the beam (K beta that passed the filter) may lie near an edge: what it
#: adds to a pattern is then wrong by a part of little.
LEAST_EDGE_SHARE = 0.05

#: Gauss-Legendre nodes and weights on -1 to 1.
_QUADRATURE = np.polynomial.legendre.leggauss(24)

PowderClass = Literal["fine", "medium", "coarse", "very coarse"]


def absorption_cross_section(element: str, wavelength_angstrom: float) -> float:
    """Photoelectric cross section of an atom in angstrom^2 by the optical theorem, 2 r_e lambda f''.

    International Tables C, section 4.2.6; f'' of `mixrd.diffraction.form_factor.dispersion`. Scattering
    (Rayleigh, Compton) also attenuates and is not in it: total coefficients are larger by 1-5 % at Cu K
    alpha for Z > 12, 8 % for O and 12 % for C; for light elements and Mo K alpha it is no small part.

    Raises
    ------
    CrystalError
        If the element is unknown.
    RadiationError
        If the wavelength is outside 0.05-10 A.
    """
    _check(element, wavelength_angstrom)
    return 2 * ELECTRON_RADIUS_ANGSTROM * wavelength_angstrom * dispersion(element, wavelength_angstrom).imag


def mass_attenuation_cm2_g(substance: str | Crystal, wavelength_angstrom: float) -> float:
    """Mass attenuation coefficient of an element or a crystal in cm^2/g, photoelectric part.

    Raises
    ------
    CrystalError, RadiationError
        As `absorption_cross_section`, where the physics is said, and what is left out.
    """
    if isinstance(substance, Crystal):
        area, mass = _cell_cross_section(substance, wavelength_angstrom), substance.mass_per_cell
    else:
        area = absorption_cross_section(substance, wavelength_angstrom)
        mass = gemmi.Element(substance).weight
    # angstrom^2 per u: 1e-16 cm^2 over 1.66e-24 g.
    return area / mass * 1e8 / AMU_PER_A3_IN_G_CM3


def linear_attenuation_per_mm(crystal: Crystal, wavelength_angstrom: float) -> float:
    """Linear attenuation coefficient of the solid crystal in 1/mm, photoelectric part.

    The sum of the atoms' cross sections over the volume of the cell; multiply by the packing fraction for
    a powder. Atoms without coordinates (`Crystal.unlocated`) count.

    Raises
    ------
    RadiationError
        If the wavelength is outside 0.05-10 A.
    """
    return _cell_cross_section(crystal, wavelength_angstrom) / crystal.volume * 1e7


def brindley_factor(mu_difference_per_mm: Tensor | float, particle_size_um: Tensor | float) -> Tensor:
    """Particle absorption contrast factor tau of spherical particles (Brindley 1945, Phil. Mag. 36, 347).

    tau = (1/V) integral of exp(-(mu_p - mu_mean) x) dV, x the path of the rays inside the particle
    (International Tables H (2019), eq. 3.9.48); a phase's intensity, and its apparent amount, is multiplied
    by it. The path is taken as the chord of the sphere through the point (scattering forward), where

        tau = 3 integral_0^1 s^2 exp(-u s) ds = 3 (2 - exp(-u) (u^2 + 2 u + 2)) / u^3,  u = (mu_p - mu_mean) D

    and is evaluated by Gauss-Legendre quadrature, which stays smooth and exact at u = 0. The angle of
    scattering changes tau in second order of u only: at |u| = 0.2 by 0.2 % between 0 and 90 deg 2theta.

    Parameters
    ----------
    mu_difference_per_mm : tensor or float
        Linear attenuation of the solid phase minus the mean of the mixture's solids (weighted by
        volume), in 1/mm.
    particle_size_um : tensor or float
        Diameter D of the particles (not of the crystallites) in micrometres, 1e-3 to 1e4.

    Returns
    -------
    tensor
        Above 1 for phases that absorb less than the mixture; shape of the arguments broadcast.

    Raises
    ------
    ParameterError
        If the size is outside its range or |u| above 20.
    """
    require_within("particle_size_um", particle_size_um, 1e-3, 1e4, "um")
    contrast = torch.as_tensor(
        mu_difference_per_mm * particle_size_um / 1e3,
        dtype=None if _any_tensor(mu_difference_per_mm, particle_size_um) else torch.float64,
    )
    require_within("mu_difference_per_mm times particle size", contrast, -MAX_CONTRAST, MAX_CONTRAST)
    nodes, weights = _QUADRATURE
    s = torch.as_tensor((nodes + 1) / 2, dtype=contrast.dtype, device=contrast.device)
    w = torch.as_tensor(weights / 2, dtype=contrast.dtype, device=contrast.device)
    return (3 * w * s**2 * torch.exp(-contrast.unsqueeze(-1) * s)).sum(-1)


def powder_class(mu_per_mm: float, particle_size_um: float) -> PowderClass:
    """Class of a powder by mu D after Brindley (1945): fine < 0.01, medium < 0.1, coarse < 1, very coarse.

    Microabsorption is negligible in fine powders; `brindley_factor` is meant for fine and medium ones, and
    in coarser ones it is no longer reliable.

    Raises
    ------
    ParameterError
        If a value is outside its range.
    """
    require_within("mu_per_mm", mu_per_mm, 0.0, 1e5, "1/mm")
    require_within("particle_size_um", particle_size_um, 1e-3, 1e4, "um")
    mu_d = mu_per_mm * particle_size_um / 1e3
    if mu_d < BRINDLEY_CLASSES["fine"]:
        return "fine"
    if mu_d < BRINDLEY_CLASSES["medium"]:
        return "medium"
    return "coarse" if mu_d < BRINDLEY_CLASSES["coarse"] else "very coarse"


def contrast_warning_limit(mu_per_mm: float) -> float:
    """Particle diameter in micrometres from which a phase is no longer a fine powder (mu D = 0.01).

    Raises
    ------
    ParameterError
        If mu is outside 1e-3 to 1e5 1/mm.
    """
    require_within("mu_per_mm", mu_per_mm, 1e-3, 1e5, "1/mm")
    return BRINDLEY_CLASSES["fine"] / mu_per_mm * 1e3


@lru_cache(maxsize=1024)
def near_edge(element: str, wavelength_angstrom: float, tolerance: float = 0.01) -> bool:
    """Whether a wavelength lies near an absorption edge of an element, where f' and f'' are unreliable.

    The calculated f'' of a free atom jumps at an edge; near it the real one depends on the compound.

    Parameters
    ----------
    element : str
    wavelength_angstrom : float
    tolerance : float
        Relative distance in wavelength that counts as near, 1e-4 to 0.1.

    Raises
    ------
    CrystalError, RadiationError
        As `absorption_cross_section`.
    ParameterError
        If the tolerance is outside its range.
    """
    _check(element, wavelength_angstrom)
    require_within("tolerance", tolerance, 1e-4, 0.1)
    window = wavelength_angstrom * np.linspace(1 + tolerance, 1 - tolerance, EDGE_STEPS + 1)
    rising = [dispersion(element, float(x)).imag for x in window]
    return any(after > EDGE_JUMP * before for before, after in pairwise(rising))


def edges_near(crystal: Crystal, radiation: Radiation) -> tuple[str, ...]:
    """Elements of a crystal with an absorption edge near a line of the radiation, see `near_edge`.

    Lines with less than `LEAST_EDGE_SHARE` of the beam do not count.
    """
    lines = [x.wavelength_angstrom for x in radiation.lines if x.weight >= LEAST_EDGE_SHARE]
    return tuple(e for e in crystal.cell_content if any(near_edge(e, wavelength) for wavelength in lines))


def _any_tensor(*values: Tensor | float) -> bool:
    return any(isinstance(value, Tensor) for value in values)


def _cell_cross_section(crystal: Crystal, wavelength_angstrom: float) -> float:
    """Sum of the cross sections of all atoms of the cell, in angstrom^2."""
    return sum(
        number * absorption_cross_section(element, wavelength_angstrom)
        for element, number in crystal.cell_content.items()
    )


def _check(element: str, wavelength_angstrom: float) -> None:
    if gemmi.Element(element).atomic_number == 0:
        raise CrystalError(f"the element {element!r} is unknown", remedy="Give an element symbol, such as Fe")
    if not 0.05 <= wavelength_angstrom <= 10.0:
        raise RadiationError(
            f"wavelength {wavelength_angstrom:g} A is outside 0.05-10 A",
            remedy="Give the wavelength in angstrom (Cu K alpha is 1.5406)",
        )
