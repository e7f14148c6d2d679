"""X-ray radiation: which emission lines the tube sends, and how strong."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from mixrd.errors import RadiationError

#: K alpha1, K alpha2 and K beta wavelengths in angstrom by anode: experimental values of International
#: Tables for Crystallography C (2004), table 4.2.2.4 (Cu, Co, Fe, Cr after Hoelzer et al. 1997,
#: Phys. Rev. A 56, 4554).
K_LINES_ANGSTROM = {
    "Cr": (2.2897260, 2.2936510, 2.0848810),
    "Fe": (1.9360410, 1.9399730, 1.7566040),
    "Co": (1.7889960, 1.7928350, 1.6208260),
    "Cu": (1.5405929, 1.5444274, 1.3922340),
    "Mo": (0.70931715, 0.713607, 0.632303),
    "Ag": (0.55942178, 0.5638131, None),
}
#: Integrated intensity of K alpha2 over K alpha1: 1/2 by the statistical weights of the 2p levels, as
#: usual in powder work (measured for Cu: 0.51-0.52, Hoelzer et al. 1997).
K_ALPHA2_RATIO = 0.5
#: W L alpha1 and alpha2 of tungsten from the filament on the anode, in angstrom: Bearden (1967), Rev. Mod.
#: Phys. 39, 78 (his unit is 1.000015 A).
W_L_LINES_ANGSTROM = (1.47639, 1.48743)
#: Intensity of W L alpha2 over W L alpha1: 11 to 100 (X-ray Data Booklet, LBNL 2009, table 1-3).
W_L_ALPHA2_RATIO = 0.11
#: Greatest share of a contaminating line, relative to K alpha1.
MAX_CONTAMINATION = 0.5


@dataclass(frozen=True)
class EmissionLine:
    """One emission line.

    Attributes
    ----------
    wavelength_angstrom : float
    weight : float
        Share of the beam's intensity; the weights of a radiation sum to 1.
    """

    wavelength_angstrom: float
    weight: float


@dataclass(frozen=True)
class Radiation:
    """The lines in the beam, strongest first.

    Attributes
    ----------
    name : str
        "CuKa", "CoKa1", ... or the wavelength as text.
    lines : tuple of EmissionLine
    """

    name: str
    lines: tuple[EmissionLine, ...]

    def __post_init__(self) -> None:
        if not self.lines:
            raise RadiationError(
                f"the radiation {self.name!r} has no line",
                remedy="Give at least one wavelength and its weight",
            )
        for line in self.lines:
            if not (math.isfinite(line.wavelength_angstrom) and 0.05 <= line.wavelength_angstrom <= 10.0):
                raise RadiationError(
                    f"wavelength {line.wavelength_angstrom:g} A is outside 0.05-10 A",
                    remedy="Give the wavelength in angstrom (Cu K alpha is 1.5406)",
                )
            if not (math.isfinite(line.weight) and line.weight > 0):
                raise RadiationError(
                    f"a line of the beam has the weight {line.weight:g}",
                    remedy="Give each line its share of the intensity, above 0",
                )

    @property
    def wavelength_angstrom(self) -> float:
        """Wavelength of the strongest line in angstrom."""
        return self.lines[0].wavelength_angstrom


def radiation(name: str | float) -> Radiation:
    """Radiation of a name such as "CuKa", "CuKa1" or "MoKa", or of a wavelength in angstrom.

    ``<anode>Ka`` is the doublet of K alpha1 and K alpha2, ``<anode>Ka1`` the first alone (incident-beam
    monochromator), a number a single line (synchrotron).

    Raises
    ------
    RadiationError
        If the name is unknown or the wavelength outside 0.05-10 A.
    """
    text = str(name).strip()
    try:
        return Radiation(text, (EmissionLine(float(text), 1.0),))
    except ValueError:
        pass
    match = re.fullmatch(r"([A-Z][a-z])[\s-]*k[\s-]*a(lpha)?[\s-]*(1|12)?", text, flags=re.IGNORECASE)
    anode = match.group(1).capitalize() if match else ""
    if match is None or anode not in K_LINES_ANGSTROM:
        known = ", ".join(f"{a}Ka, {a}Ka1" for a in K_LINES_ANGSTROM)
        raise RadiationError(
            f"unknown radiation {text!r}", remedy=f"Use one of {known}, or a wavelength in angstrom"
        )
    alpha1, alpha2, _ = K_LINES_ANGSTROM[anode]
    if match.group(3) == "1":
        return Radiation(f"{anode}Ka1", (EmissionLine(alpha1, 1.0),))
    total = 1.0 + K_ALPHA2_RATIO
    return Radiation(
        f"{anode}Ka",
        (EmissionLine(alpha1, 1.0 / total), EmissionLine(alpha2, K_ALPHA2_RATIO / total)),
    )


def with_contamination(beam: Radiation, *, kbeta: float = 0.0, tungsten: float = 0.0) -> Radiation:
    """The beam of a tube with what a filter or monochromator leaves of other lines.

    Shares are those at the detector, of equal structure factors: what the sample absorbs more or less of
    them than of K alpha is part of the share.

    Parameters
    ----------
    beam : Radiation
        Of an X-ray tube: named, or of a wavelength that `tube_of` knows.
    kbeta : float
        Intensity of K beta relative to K alpha1, 0 to 0.5. Unfiltered it is about 0.2.
    tungsten : float
        Intensity of W L alpha1 relative to K alpha1, 0 to 0.5; W L alpha2 comes with it.

    Returns
    -------
    Radiation
        The same object where both are 0; else of the same name, its weights summing to 1.

    Raises
    ------
    RadiationError
        If a share is outside 0 to 0.5, the beam is not that of a known tube, K beta of that tube is not
        known, or the beam has the line already.
    """
    for name, share in (("kbeta", kbeta), ("tungsten", tungsten)):
        if not 0 <= share <= MAX_CONTAMINATION:
            raise RadiationError(
                f"{name} = {share:g} is out of range",
                remedy=f"Allowed: 0 to {MAX_CONTAMINATION:g}, relative to K alpha1",
            )
    if kbeta == tungsten == 0:
        return beam
    anode = tube_of(beam.wavelength_angstrom)
    if anode is None:
        raise RadiationError(
            f"a beam of {beam.wavelength_angstrom:g} A is not that of a known tube, so what else is in it is "
            "not known",
            remedy=f"Use a tube's radiation ({', '.join(K_LINES_ANGSTROM)}), or leave out kbeta and tungsten",
        )
    strongest = beam.lines[0].weight
    added = list(_k_beta(anode, kbeta * strongest)) if kbeta else []
    if tungsten:
        alpha1, alpha2 = W_L_LINES_ANGSTROM
        added.append(EmissionLine(alpha1, tungsten * strongest))
        added.append(EmissionLine(alpha2, tungsten * W_L_ALPHA2_RATIO * strongest))
    for line in added:
        if any(abs(line.wavelength_angstrom / own.wavelength_angstrom - 1) < 3e-4 for own in beam.lines):
            raise RadiationError(
                f"the beam has the line at {line.wavelength_angstrom:.4f} A already",
                remedy="Change its share there, or leave out kbeta and tungsten",
            )
    lines = (*beam.lines, *added)
    total = sum(line.weight for line in lines)
    return Radiation(beam.name, tuple(EmissionLine(e.wavelength_angstrom, e.weight / total) for e in lines))


def _k_beta(anode: str, weight: float) -> tuple[EmissionLine, ...]:
    wavelength = K_LINES_ANGSTROM[anode][2]
    if wavelength is None:
        known = ", ".join(name for name, lines in K_LINES_ANGSTROM.items() if lines[2] is not None)
        raise RadiationError(
            f"the wavelength of {anode} K beta is not known", remedy=f"It is known for {known}"
        )
    return (EmissionLine(wavelength, weight),)


def tube_of(wavelength_angstrom: float) -> str | None:
    """Anode whose K alpha1, K alpha2 or mean wavelength this is (within 3e-4 relative), else None."""
    for anode, (alpha1, alpha2, _) in K_LINES_ANGSTROM.items():
        mean = (alpha1 + K_ALPHA2_RATIO * alpha2) / (1 + K_ALPHA2_RATIO)
        if any(abs(wavelength_angstrom / known - 1) < 3e-4 for known in (alpha1, alpha2, mean)):
            return anode
    return None
