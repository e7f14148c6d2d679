"""Displacement parameters of the sites of a CIF: as stated, or by default where none makes sense."""

from __future__ import annotations

import math

import gemmi
import numpy as np

from mixrd.crystal.cell import Floats, UAniso
from mixrd.crystal.validity import MOST_U, U_TOLERANCE, fractional_displacement, not_negative

#: Displacement (angstrom^2) given to sites whose source states none, by class of element. Room-temperature
#: averages: B = 8 pi^2 U is about 0.5 A^2 for metal atoms of inorganic solids, 0.8 for their anions and 4
#: for organic structures (International Tables C, chapter 6.1, gives such ranges); H rides on its neighbour.
DEFAULT_U_ISO = {"metal": 0.0060, "nonmetal": 0.0100, "hydrogen": 0.0300}
DEFAULT_U_ISO_ORGANIC = 0.0450


def default_u_iso(element: str, *, organic: bool) -> float:
    """Displacement in angstrom^2 for a site whose source states none (see `DEFAULT_U_ISO`)."""
    entry = gemmi.Element(element)
    if entry.is_hydrogen:
        return DEFAULT_U_ISO["hydrogen"] if not organic else 1.2 * DEFAULT_U_ISO_ORGANIC
    if organic:
        return DEFAULT_U_ISO_ORGANIC
    return DEFAULT_U_ISO["metal" if entry.is_metal else "nonmetal"]


def stated_displacement(
    raw: gemmi.SmallStructure.Site, cell: gemmi.UnitCell, lattice: Floats
) -> tuple[float | None, UAniso | None, str]:
    """U_iso and U_ij of a site, and a note where they are not used as stated.

    U_iso is None where the default has to be taken: none is given (zeros are placeholders), or it is
    negative beyond its precision. U_ij that are not positive definite give way to U_iso.
    """
    tensor = raw.aniso
    values = (tensor.u11, tensor.u22, tensor.u33, tensor.u12, tensor.u13, tensor.u23)
    if not (all(math.isfinite(x) for x in values) and any(values)):
        return _isotropic(raw)
    u_aniso = not_negative(values, lattice)
    principal = np.linalg.eigvalsh(lattice.T @ fractional_displacement(u_aniso, lattice) @ lattice)
    if principal[0] < -U_TOLERANCE:
        equivalent = raw.u_iso if math.isfinite(raw.u_iso) and 0 < raw.u_iso <= MOST_U else None
        used = "the default of its element" if equivalent is None else f"U_iso = {equivalent:.3g} A^2"
        parts = ", ".join(f"{x:.3g}" for x in principal)
        return (
            equivalent,
            None,
            f"its anisotropic U is not positive definite (principal values {parts} A^2), {used} is used",
        )
    note = "" if u_aniso == values else "anisotropic U negative within its precision, 0 is used there"
    return float(cell.calculate_u_eq(gemmi.SMat33d(*u_aniso))), u_aniso, note


def _isotropic(raw: gemmi.SmallStructure.Site) -> tuple[float | None, None, str]:
    u = float(raw.u_iso)
    if not math.isfinite(u) or u == 0:
        return None, None, ""
    if u >= 0:
        return u, None, ""
    if u >= -U_TOLERANCE:
        return 0.0, None, f"U = {u:.2g} A^2 is negative within its precision, 0 is used"
    return None, None, f"U = {u:.3g} A^2 is negative, the default of its element is used"
