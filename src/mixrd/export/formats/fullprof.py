"""Input for FullProf: a PCR file of the single-pattern layout and the data beside it.

Profile 7 (Thompson-Cox-Hastings, axial divergence): U, V, W as here; FullProf's X goes with tan(theta) and
its Y with 1/cos(theta), the other way round than here.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import cos, degrees, radians

import gemmi
import numpy as np

from mixrd.crystal import B_OVER_U
from mixrd.diffraction.form_factor import dispersion
from mixrd.export.export_format import export_format
from mixrd.export.handover import HandedPhase, Handover
from mixrd.export.symmetry import cell_parameters, labelled_sites, multiplicities, scatterer, spellable

#: Of the background; FullProf interpolates linearly between them.
_BACKGROUND_POINTS = 25


class _Codes:
    """Codewords: 10 times the parameter's number, plus its multiplier 1."""

    def __init__(self) -> None:
        self.used = 0

    def new(self) -> float:
        self.used += 1
        return 10.0 * self.used + 1.0


@export_format("fullprof")
def fullprof_files(given: Handover) -> dict[str, str]:
    """``STEM.pcr`` and ``STEM.dat`` (X, Y, sigma columns)."""
    codes = _Codes()
    scattering = _scattering(given)
    textured = any(phase.texture_axis for phase in given.phases)
    # Body first: the header states how many parameters it refines.
    background = list(_background(given, codes))
    body = list(_shifts(given, codes))
    for number, phase in enumerate(given.phases, start=1):
        body += _phase(given, phase, number, codes)
    counts = len(given.phases), len(background), len(given.excluded), len(scattering), int(textured)
    low, high = given.limits
    lines = [
        f"COMM {given.source}",
        *(f"! {comment}" for comment in given.comments[1:]),
        f"! Files => DAT-file: {given.stem}.dat,  PCR-file: {given.stem}",
        "!Job Npr Nph Nba Nex Nsc Nor Dum Iwg Ilo Ias Res Ste Nre Cry Uni Cor Opt Aut",
        "   0   7" + "".join(f" {count:3d}" for count in counts) + "   0" * 12,
        "!Ipr Ppl Ioc Mat Pcr Ls1 Ls2 Ls3 NLI Prf Ins Rpa Sym Hkl Fou Sho Ana",
        "   0   0   1   0   1   0   4   0   0   1  10   0   0   0   0   0   1",
        *_beam(given),
        "!NCY  Eps  R_at  R_an  R_pr  R_gl     Thmin       Step       Thmax    PSD    Sent0",
        f" 20  0.10  0.80  0.80  0.80  0.80 {low:10.4f} {_step(given):10.6f} {high:10.4f}   0.000   0.000",
        "!2Theta  Background  Code",
        *background,
        *_excluded(given),
        *scattering,
        f"{codes.used:8d}    !Number of refined parameters",
        *body,
        "!  2Th1/TOF1    2Th2/TOF2  Pattern to plot",
        f" {low:10.4f} {high:10.4f}   1",
    ]
    head = "XYDATA\n" + f"! {given.source}\n" + "! 2theta intensity sigma\n" + "!\n" * 3
    return {f"{given.stem}.pcr": "\n".join(lines) + "\n", f"{given.stem}.dat": head + given.columns()}


def _step(given: Handover) -> float:
    return float(np.median(np.diff(given.two_theta)))


def _beam(given: Handover) -> Iterator[str]:
    first = given.lines[0]
    second = given.lines[1] if len(given.lines) > 1 else (first[0], 0.0)
    if given.instrument.polarized_fraction is None:
        transmitted, polarized = cos(radians(given.instrument.monochromator_two_theta)) ** 2, 0.5
        tube = True
    else:
        transmitted, polarized, tube = 1.0, 1 - given.perpendicular, False
    yield "! Lambda1  Lambda2    Ratio    Bkpos    Wdt    Cthm     muR   AsyLim   Rpolarz  2nd-muR -> Patt# 1"
    yield (
        f" {first[0]:.6f} {second[0]:.6f} {second[1]:8.5f}   40.000 40.0000 {transmitted:7.4f}"
        f"  0.0000  180.00  {0.0 if tube else polarized:7.4f}  0.0000"
    )


def _background(given: Handover, codes: _Codes) -> Iterator[str]:
    angles = np.linspace(*given.limits, _BACKGROUND_POINTS)
    for angle, level in zip(angles, np.interp(angles, *given.background.T), strict=True):
        yield f" {angle:12.4f} {level:14.4f} {codes.new():10.2f}"


def _excluded(given: Handover) -> Iterator[str]:
    if given.excluded:
        yield "! Excluded regions (LowT  HighT)"
    for low, high in given.excluded:
        yield f" {low:12.4f} {high:12.4f}"


def _scattering(given: Handover) -> list[str]:
    """Lines of f' and f'' of every element at the strongest line (ITY 2: FullProf's own f0)."""
    elements = sorted({scatterer(site) for phase in given.phases for site in phase.crystal.sites})
    rows = [(element, dispersion(element, given.wavelength)) for element in elements]
    return [f"{name.lower():4s} {value.real:9.5f} {value.imag:9.5f}  2" for name, value in rows]


def _shifts(given: Handover, codes: _Codes) -> Iterator[str]:
    # 2theta shift SyCos cos(theta): a surface off the axis by s gives -2 s / R.
    cosine = degrees(-2 * given.displacement_mm / given.instrument.goniometer_radius_mm)
    yield "!  Zero    Code    SyCos    Code   SySin    Code  Lambda     Code MORE ->Patt# 1"
    zero = f" {given.zero_deg:8.5f}    0.0 {cosine:8.5f} {codes.new():8.1f}"
    yield f"{zero}  0.00000    0.0 0.000000    0.00   0"


def _phase(given: Handover, phase: HandedPhase, number: int, codes: _Codes) -> Iterator[str]:
    crystal, group = spellable(phase.crystal, suffixes=False)
    h, k, l = phase.texture_axis or (0, 0, 1)
    yield f"!  Data for PHASE number:   {number}  ==> Current R_Bragg for Pattern#  1:     0.00"
    yield "".join(ch for ch in phase.name if ch not in "!#<").strip() or f"phase {number}"
    yield "!Nat Dis Ang Pr1 Pr2 Pr3 Jbt Irf Isy Str Furth       ATZ    Nvk Npr More"
    yield (
        f" {len(crystal.sites):3d}   0   0 {h:.1f} {k:.1f} {l:.1f}   0   0   0   0   0"
        f" {crystal.mass_per_cell:14.4f}   0   7   0"
    )
    yield f"{_bare(group):24s}<--Space group symbol"
    yield "!Atom   Typ       X        Y        Z     Biso       Occ     In Fin N_t Spc /Codes"
    general = len(crystal.symmetry_operations)
    sites = labelled_sites(crystal, longest=4)
    for (label, site), multiplicity in zip(sites, multiplicities(crystal), strict=True):
        x, y, z = (f"{value:9.6f}" for value in site.fract)
        occupancy = site.occupancy * multiplicity / general
        yield (
            f"{label:6s} {scatterer(site).upper():4s} {x} {y} {z} {site.u_iso * B_OVER_U:9.5f}"
            f" {occupancy:9.6f}   0   0   0    0"
        )
        yield " " * 12 + "     0.00" * 5
    yield from _profile(given, phase, crystal.cell, cell_parameters(crystal), codes)


def _profile(
    given: Handover, phase: HandedPhase, cell: tuple[float, ...], ties: list[int | None], codes: _Codes
) -> Iterator[str]:
    profile = given.instrument.profile
    # FullProf's Lorentz factor holds 1/2; of a tube's beam it divides the polarization factor by P.
    tube = given.instrument.polarized_fraction is None
    scale = 2 * phase.rietveld_scale * given.first_line_weight * (given.perpendicular if tube else 1.0)
    yield "!  Scale        Shape1      Bov      Str1      Str2      Str3   Strain-Model"
    yield f" {scale:.7E}   0.00000   0.00000   0.00000   0.00000   0.00000       0"
    yield f" {codes.new():14.2f}     0.000     0.000     0.000     0.000     0.000"
    tangent = profile.y + phase.strain_width_deg
    inverse_cosine = profile.x + phase.size_width_deg(given.wavelength)
    yield "!       U         V          W           X          Y        GauSiz   LorSiz Size-Model"
    yield (
        f" {profile.u:10.6f} {profile.v:10.6f} {profile.w:10.6f} {tangent:10.6f} {inverse_cosine:10.6f}"
        "   0.000000   0.000000    0"
    )
    yield "      0.000      0.000      0.000" + f" {0.0:10.3f} {codes.new():10.3f}      0.000      0.000"
    yield "!     a          b         c        alpha      beta       gamma      #Cell Info"
    yield "".join(f" {value:10.6f}" for value in cell)
    words = [codes.new() if ties[i] == i else 0.0 for i in range(6)]
    words = [words[j] if (j := ties[i]) is not None else 0.0 for i in range(6)]
    yield "".join(f" {word:10.3f}" for word in words)
    half = profile.sh_l / 2
    textured = phase.texture_axis is not None
    yield "!  Pref1    Pref2      Asy1     Asy2     Asy3     Asy4      S_L      D_L"
    yield (
        f" {phase.texture_r if textured else _no_texture(given):8.5f}" + "  0.00000" * 5 + f" {half:8.5f}" * 2
    )
    yield f" {codes.new() if textured else 0.0:8.2f}" + "     0.00" * 7


def _no_texture(given: Handover) -> float:
    """Pref1 without texture: 1 in the March function (Nor 1), 0 in the exponential one (Nor 0)."""
    return 1.0 if any(phase.texture_axis for phase in given.phases) else 0.0


def _bare(group: gemmi.SpaceGroup) -> str:
    """FullProf writes no suffix: it takes origin choice 2, and the axes that the cell tells."""
    name: str = group.xhm()
    return name.split(":")[0]
