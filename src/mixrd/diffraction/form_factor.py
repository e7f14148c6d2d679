"""Atomic scattering factors: f0 of the angle, f' and f'' of the wavelength."""

from __future__ import annotations

import gemmi
import numpy as np
from numpy.typing import NDArray

from mixrd.errors import CrystalError

#: h c in eV angstrom (CODATA 2018, exact by definition of the SI).
HC_EV_ANGSTROM = 12398.419843320026


def f0_coefficients(elements: list[str]) -> NDArray[np.float64]:
    """Coefficients of f0(s) = sum_i a_i exp(-b_i s^2) + c with s = sin(theta)/lambda in 1/angstrom.

    International Tables for Crystallography C (1992), table 6.1.1.4, neutral atoms, as gemmi holds it.
    Neutral, because the charge that a crystal's atoms really carry is well below the formal one, and
    f0 of atom and ion differ only below s = 0.2. Hydrogen is the bonded atom (Stewart, Davidson & Simpson).

    Returns
    -------
    (E, 9) array
        a1..a4, b1..b4 (angstrom^2), c of each element.
    """
    rows = []
    for name in elements:
        table = gemmi.Element("H" if name == "D" else name).it92
        if table is None:
            raise CrystalError(f"no form factor is known for {name}", remedy="Use another element symbol")
        rows.append([*table.a, *table.b, table.c])
    return np.array(rows)


def dispersion(element: str, wavelength_angstrom: float) -> complex:
    """Anomalous scattering f' + i f'' in electrons (Cromer & Liberman 1970, 1981, as gemmi calculates it)."""
    number = gemmi.Element(element).atomic_number
    if number < 3:
        return 0j
    real, imaginary = gemmi.cromer_liberman(number, HC_EV_ANGSTROM / wavelength_angstrom)
    return complex(real, imaginary)
