"""Instruments from GSAS-II's parameter files (.instprm), constant wavelength.

Units there: Gaussian variance U, V, W in centidegrees^2, so fwhm^2 = 8 ln 2 of it; Lorentzian fwhm X / cos
and Y tan in centidegrees; SH/L is (S + H) / L. Polariz. is the share P of P + (1 - P) cos^2 2theta.
"""

from __future__ import annotations

import math

from mixrd.diffraction import EmissionLine, Radiation
from mixrd.errors import InstrumentError
from mixrd.pattern.instrument import Instrument, Profile

#: Fwhm^2 in deg^2 of a Gaussian variance in centidegrees^2.
FWHM2_PER_VARIANCE = 8 * math.log(2) / 1e4
#: P of an unpolarized beam: less than this much above it, no monochromator is meant.
_UNPOLARIZED = (0.5, 0.005)


def parse_instprm(text: str, name: str) -> Instrument:
    """Instrument from the text of an .instprm file; its first bank where there are several.

    P between 1/2 and 1 is what a monochromator makes of a tube's beam, P = 1 / (1 + cos^2 2theta_m); at 0.9
    and above it is a synchrotron's. The zero shift is not the instrument's here (it is refined with every
    scan), and Z, a constant width, has no counterpart.

    Raises
    ------
    InstrumentError
        If it is another file, not of constant-wavelength X-rays, lacks an entry, or holds a Z.
    """
    items = _items(text)
    kind = items.get("Type", "")
    if not kind.startswith("PX") or "C" not in kind:
        raise InstrumentError(
            f"it describes {kind or 'no type of instrument'}, not constant-wavelength X-rays (PXC)",
            remedy="Export the parameters of an X-ray instrument from GSAS-II",
        )
    if abs(_number(items, "Z", 0.0)) > 1e-6:
        raise InstrumentError(
            f"Z = {items['Z']} is a constant Lorentzian width, which is not known here",
            remedy="Refine X and Y with Z = 0 in GSAS-II",
        )
    polarization = _number(items, "Polariz.", 0.5)
    synchrotron = polarization >= 0.9
    return Instrument(
        name=name,
        radiation=_radiation(items),
        goniometer_radius_mm=_number(items, "Gonio. radius", 200.0),
        monochromator_two_theta=0.0 if synchrotron else _monochromator(polarization),
        polarized_fraction=min(polarization, 1.0) if synchrotron else None,
        profile=Profile(
            u=_number(items, "U") * FWHM2_PER_VARIANCE,
            v=_number(items, "V") * FWHM2_PER_VARIANCE,
            w=_number(items, "W") * FWHM2_PER_VARIANCE,
            x=_number(items, "X") / 100,
            y=_number(items, "Y") / 100,
            sh_l=max(_number(items, "SH/L", 0.0), 0.0),
        ),
        two_theta_range=(1.0, 160.0),
        note="from a GSAS-II .instprm file",
    )


def _items(text: str) -> dict[str, str]:
    lines = text.splitlines()
    if not lines or "GSAS-II" not in lines[0]:
        raise InstrumentError(
            "it is not a GSAS-II instrument file: its first line does not say so",
            remedy="Save it with GSAS-II (Instrument Parameters, Operations, Save profile)",
        )
    items: dict[str, str] = {}
    for line in lines[1:]:
        if line.startswith("#"):
            if items:
                break
            continue
        for part in line.split(";"):
            key, colon, value = part.partition(":")
            if colon:
                items[key.strip()] = value.strip()
    return items


def _number(items: dict[str, str], key: str, default: float | None = None) -> float:
    text = items.get(key)
    if text is None and default is not None:
        return default
    try:
        value = float(text or "")
    except ValueError:
        found = "is missing" if text is None else f"is {text!r}"
        raise InstrumentError(f"the entry {key} {found}", remedy="Save the file with GSAS-II again") from None
    return value


def _radiation(items: dict[str, str]) -> Radiation:
    if "Lam1" not in items:
        wavelength = _number(items, "Lam")
        return Radiation(f"{wavelength:g}", (EmissionLine(wavelength, 1.0),))
    ratio = _number(items, "I(L2)/I(L1)", 0.5)
    first, second = _number(items, "Lam1"), _number(items, "Lam2")
    if ratio <= 0:
        return Radiation(f"{first:g}", (EmissionLine(first, 1.0),))
    lines = (EmissionLine(first, 1 / (1 + ratio)), EmissionLine(second, ratio / (1 + ratio)))
    return Radiation(items.get("Source", f"{first:g}"), lines)


def _monochromator(polarization: float) -> float:
    """Diffraction angle of the monochromator in degrees that makes this P of a tube's beam."""
    middle, near = _UNPOLARIZED
    if polarization < middle - near:
        raise InstrumentError(
            f"Polariz. = {polarization:g} is less than an unpolarized beam's 0.5",
            remedy="Check the azimuth in GSAS-II: 0 deg is the usual plane of a laboratory instrument",
        )
    if polarization < middle + near:
        return 0.0
    return math.degrees(math.acos(math.sqrt(1 / polarization - 1)))
