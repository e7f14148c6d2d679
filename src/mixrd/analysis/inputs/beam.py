"""Which instrument measured a scan: the user's, or a generic one with the beam that file and lines tell."""

from __future__ import annotations

import dataclasses
import math
from functools import lru_cache

import numpy as np

from mixrd.analysis.inputs.doublet import Doublet, kalpha2_seen
from mixrd.analysis.inputs.setup import SAME_WAVELENGTH, part_of
from mixrd.analysis.result.parts import AnalysisWarning
from mixrd.diffraction import radiation, tube_of
from mixrd.diffraction.radiation import K_LINES_ANGSTROM
from mixrd.errors import RadiationError
from mixrd.pattern import Instrument, load_instrument
from mixrd.scan import Scan
from mixrd.scan.optics import Monochromator, Optics

#: Nodes that draw an asymmetry which is only estimated from the Soller slits. With one, lines are shifted by
#: the right amount and keep their shape: on ten weighed scans that took the mean |zero| from 0.34 to 0.23 deg
#: for 4 % of time, two nodes to 0.22 for 30 %.
ESTIMATED_AXIAL_NODES = 1
#: Beyond this opening (radians) tube, mask and detector limit the axial divergence, not the Soller slits.
_WIDEST_SOLLER = 0.06


def instrument_for(scan: Scan, instrument: Instrument | None) -> Instrument:
    """The instrument that measured `scan`: the user's, else a generic one with the beam of the header.

    A header that gives a tube's K alpha1 or mean wavelength names the tube. Which of its lines are in the
    beam is what the lines of the scan show (`kalpha2_seen`); where they do not tell, a ratio of 0 or a
    monochromator of the header is K alpha1 alone, a name such as "K-Alpha 1" is not. The same decides what
    a bare number such as 1.5406 stands for, in a user's generic instrument.

    Raises
    ------
    RadiationError
        If neither says what the radiation is, or the two contradict each other.
    """
    tube = scan.anode or (tube_of(scan.wavelength_angstrom) if scan.wavelength_angstrom else None)
    named = _wavelength_of(tube) if tube else None
    if instrument is not None:
        stated = scan.wavelength_angstrom or named
        used = instrument.radiation.wavelength_angstrom
        if stated is not None and abs(stated / used - 1) > SAME_WAVELENGTH:
            raise RadiationError(
                f"the file says {stated:.5f} A, the instrument {instrument.name!r} has {used:.5f} A",
                remedy="Give the instrument that measured this scan",
                file=scan.path or None,
            )
        bare = bare_number_of(instrument)
        if bare is None:
            return instrument
        beam = radiation(f"{bare}Ka{_lines(scan, bare)}")
        name = instrument.name.replace(instrument.radiation.name, beam.name)
        return dataclasses.replace(instrument, radiation=beam, name=name)
    if tube is None or named is None:
        given = ""
        if tube is not None:
            given = f" (it names the anode {tube}, whose lines are not known here)"
        elif scan.wavelength_angstrom:
            given = f" (it gives {scan.wavelength_angstrom:g} A, no laboratory tube)"
        raise RadiationError(
            f"the file does not say with which radiation it was measured{given}",
            remedy="Give --instrument FILE, or --radiation CuKa (and --monochromator ANGLE if there is one)",
            file=scan.path or None,
        )
    return described_instrument(f"{tube}Ka{_lines(scan, tube)}", scan)


def described_instrument(
    name: str | float,
    scan: Scan | None,
    *,
    monochromator_two_theta: float | None = None,
    goniometer_radius_mm: float | None = None,
) -> Instrument:
    """The generic instrument with this radiation; what is left open is as the scan's header says.

    Parameters
    ----------
    name : str or float
        "CuKa", or a wavelength in angstrom.
    scan : Scan or None
    monochromator_two_theta : float, optional
        In degrees, 0 for none.
    goniometer_radius_mm : float, optional
    """
    optics = (scan.optics if scan else None) or Optics()
    radius = goniometer_radius_mm or (scan.goniometer_radius_mm if scan else None)
    beam = radiation(name)
    if monochromator_two_theta is None:
        alone = len(beam.lines) == 1
        monochromator_two_theta = _monochromator_two_theta(optics, beam.wavelength_angstrom, primary=alone)
    made = generic_instrument(
        name,
        monochromator_two_theta=monochromator_two_theta,
        goniometer_radius_mm=radius,
        axial_divergence=axial_divergence(optics),
    )
    automatic = optics.divergence_slit == "automatic"
    return dataclasses.replace(made, divergence_slit="automatic") if automatic else made


def generic_instrument(
    name: str | float,
    *,
    monochromator_two_theta: float = 0.0,
    goniometer_radius_mm: float | None = None,
    axial_divergence: float = 0.0,
) -> Instrument:
    """The generic laboratory diffractometer with this radiation ("CuKa", or a wavelength in angstrom).

    Parameters
    ----------
    name : str or float
    monochromator_two_theta : float
        In degrees, 0 for none.
    goniometer_radius_mm : float, optional
    axial_divergence : float
        (S + H) / L, see `axial_divergence`; 0 for symmetric lines.
    """
    preset = load_instrument("lab-cu")
    rays = radiation(name)
    return dataclasses.replace(
        preset,
        name=f"generic laboratory instrument, {rays.name}",
        radiation=rays,
        monochromator_two_theta=monochromator_two_theta,
        goniometer_radius_mm=goniometer_radius_mm or preset.goniometer_radius_mm,
        two_theta_range=(1.0, 160.0),
        profile=dataclasses.replace(preset.profile, sh_l=axial_divergence),
        axial_nodes=ESTIMATED_AXIAL_NODES if axial_divergence else preset.axial_nodes,
    )


def axial_divergence(optics: Optics | None) -> float:
    """(S + H) / L that stands for Soller slits before and behind the sample; 0 unless both are known.

    Rays that are tilted by a before and b behind the sample shift a line by -(a^2 + b^2) / 2 cot 2theta on
    average (Cheary & Coelho 1998, J. Appl. Cryst. 31, 851). Slits of opening D (length over spacing,
    1 / D) pass tilts with a triangle of half base D: <a^2> = D^2 / 6. The peak of Finger, Cox & Jephcoat
    (see `mixrd.pattern.asymmetry`) has <h^2> = sh_l^2 / 6 for one ray: equal shifts are those of
    sh_l^2 = D1^2 + D2^2. An estimate: the shape differs, tube and mask may let less pass.
    """
    before, behind = (None, None) if optics is None else optics.soller_rad
    if before is None or behind is None or max(before, behind) > _WIDEST_SOLLER:
        return 0.0
    return math.hypot(before, behind)


def bare_number_of(instrument: Instrument) -> str | None:
    """The tube whose K alpha1 a user gave as a mere number ("1.5406"), None for any other instrument."""
    beam = instrument.radiation
    if len(beam.lines) != 1 or instrument.polarized_fraction is not None:
        return None
    try:
        float(beam.name)
    except ValueError:
        return None
    return tube_of(beam.wavelength_angstrom)


def _lines(scan: Scan, tube: str) -> str:
    """Of a tube's K alpha: "1" for the first line alone, "" for both."""
    seen = doublet_of(scan, tube).answer
    stated = scan.optics is not None and scan.optics.single_line is not None
    return "1" if seen == "alone" or (seen == "unclear" and stated) else ""


@lru_cache(maxsize=16)
def doublet_of(scan: Scan, tube: str) -> Doublet:
    """What the lines of the scan say of K alpha2 of this tube."""
    alpha1, alpha2, _ = K_LINES_ANGSTROM[tube]
    if not np.isfinite(scan.counts).all() or len(scan) < 50:
        return Doublet("unclear", float("nan"), 0)
    two_theta, counts, sigma = part_of(scan, (0.0, 180.0))
    return kalpha2_seen(two_theta, counts, sigma, (alpha1, alpha2))


def _monochromator_two_theta(optics: Optics, wavelength_angstrom: float, *, primary: bool) -> float:
    """Angle (degrees) of the one monochromator that polarizes as those of the header do, 0 for none.

    Each passes the share cos^2 2theta_m of one component, wherever it stands (see `polarization`).
    """
    crystals: list[Monochromator | None] = [optics.secondary, optics.primary if primary else None]
    angles = [c.two_theta_deg(wavelength_angstrom) for c in crystals if c is not None]
    passed = math.prod(math.cos(math.radians(angle)) for angle in angles if angle is not None)
    return math.degrees(math.acos(min(max(abs(passed), 0.0), 1.0)))


def _wavelength_of(tube: str) -> float | None:
    """K alpha1 in angstrom of a tube with this anode, None where it is not known."""
    try:
        return radiation(f"{tube}Ka").wavelength_angstrom
    except RadiationError:
        return None


def beam_warnings(scan: Scan, instrument: Instrument, given: Instrument | None) -> list[AnalysisWarning]:
    """What was decided about K alpha2 and taken from the header, or speaks against the instrument.

    Parameters
    ----------
    scan : Scan
    instrument : Instrument
        That of `instrument_for`.
    given : Instrument or None
        What the user named.
    """
    tube = tube_of(instrument.radiation.wavelength_angstrom)
    if tube is None:
        return []
    seen = doublet_of(scan, tube)
    both = _has_both(instrument, tube)
    optics = scan.optics or Optics()
    bare = given is not None and bare_number_of(given) is not None
    used = "K alpha1 and K alpha2" if both else "K alpha1 alone"
    lines = f"{seen.lines} lines of the scan show K alpha2 at {max(seen.ratio, 0.0):.2f} of K alpha1"
    if seen.answer != "unclear" and both != (seen.answer == "both"):
        return [AnalysisWarning("KALPHA2_MISMATCH", f"the instrument has {used}, but {lines}")]
    if seen.answer == "unclear" and both and optics.single_line is not None:
        said = f"the file has {optics.single_line}: K alpha1 alone; the instrument has both lines"
        return [AnalysisWarning("KALPHA2_MISMATCH", said)]
    if bare and given is not None:
        why = lines if seen.answer != "unclear" else "the scan does not show which of its lines there are"
        said = f"{given.radiation.name} A is K alpha1 of a {tube} tube; {why}: {used} was taken"
        return [AnalysisWarning("KALPHA2_FROM_SCAN", said)]
    if seen.answer == "both" and optics.single_line is not None:
        said = f"the file has {optics.single_line}, but {lines}: both were taken"
        return [AnalysisWarning("KALPHA2_FROM_SCAN", said)]
    if seen.answer == "alone" and optics.single_line is None and (given is None or optics.kalpha2_ratio):
        return [AnalysisWarning("KALPHA2_FROM_SCAN", f"{lines}: K alpha1 alone was taken")]
    return [] if given is not None else _from_header(optics, instrument, both)


def _has_both(instrument: Instrument, tube: str) -> bool:
    alpha2 = K_LINES_ANGSTROM[tube][1]
    return any(abs(line.wavelength_angstrom / alpha2 - 1) < 1e-3 for line in instrument.radiation.lines)


def _from_header(optics: Optics, instrument: Instrument, both: bool) -> list[AnalysisWarning]:
    """What of the header makes the generic instrument another than a filtered beam with fixed slits."""
    found = []
    if not both and optics.single_line is not None:
        found.append(f"K alpha1 alone ({optics.single_line})")
    if optics.secondary is not None and instrument.monochromator_two_theta > 0:
        found.append(f"the monochromator {optics.secondary.name!r} behind the sample, taken for graphite")
    if instrument.divergence_slit == "automatic":
        found.append("an automatic divergence slit")
    if not found:
        return []
    return [AnalysisWarning("BEAM_FROM_HEADER", f"the header of the file was used: {'; '.join(found)}")]
