"""Input for TOPAS: an INP file and the data that it names.

Peak shape, shifts and intensities are those of `mixrd.pattern.forward`, written with keywords of the kernel
where they are as short as a macro; the scale is TOPAS' for its LP_Factor (1 + A cos^2) / (sin^2 cos).
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import gemmi

from mixrd.crystal import B_OVER_U
from mixrd.export.export_format import export_format
from mixrd.export.handover import HandedPhase, Handover
from mixrd.export.symmetry import cell_parameters, labelled_sites, spellable

_CELL_KEYS = ("a", "b", "c", "al", "be", "ga")
_U_KEYS = ("u11", "u22", "u33", "u12", "u13", "u23")


@export_format("topas")
def topas_files(given: Handover) -> dict[str, str]:
    """``STEM.inp`` and ``STEM.xye``."""
    data = f"{given.stem}.xye"
    lines = [
        *(f"' {comment}" for comment in given.comments),
        "' @ refines. Sites and displacement factors are held.",
        "r_wp 0",
        "do_errors",
        f'xdd "{data}" xye_format',
        *(f"  {line}" for line in _pattern(given)),
    ]
    for number, phase in enumerate(given.phases, start=1):
        lines += ["  str", *(f"    {line}" for line in _phase(given, phase, number))]
    return {f"{given.stem}.inp": "\n".join(lines) + "\n", data: given.columns()}


def _pattern(given: Handover) -> Iterator[str]:
    machine, profile = given.instrument, given.instrument.profile
    radius = machine.goniometer_radius_mm
    yield "weighting = 1 / SigmaYobs^2;"
    for low, high in given.excluded:
        yield f"exclude {low:.4f} {high:.4f}"
    yield f"Rp {radius:g} Rs {radius:g}"
    yield "bkg @ " + " ".join(f"{value:.6g}" for value in given.chebyshev())
    yield "lam ymin_on_ymax 0.00001"
    for wavelength, weight in given.lines:
        # Natural widths are part of the instrument's profile here.
        yield f"  la {weight:.6f} lo {wavelength:.7f} lh 0.00001"
    yield _polarization(given)
    yield f"th2_offset ! {given.zero_deg:.6f}"
    yield f"prm displacement {given.displacement_mm:.6f} ' mm"
    yield f"th2_offset = -2 Rad displacement Cos(Th) / {radius:g};"
    if profile.sh_l > 0:
        length = profile.sh_l * radius
        yield f"Finger_et_al({length:.4f}, {length:.4f}) ' full lengths in mm"
    for name in ("u", "v", "w", "x", "y"):
        yield f"prm !pk{name} {getattr(profile, name):.8g}"


def _polarization(given: Handover) -> str:
    """LP_Factor with the angle whose squared cosine is (1 - P) / P: 26.6 for graphite and Cu, 0 for none."""
    share = given.perpendicular
    if share >= 0.5:
        return f"LP_Factor({math.degrees(math.acos(math.sqrt((1 - share) / share))):.4f})"
    return f"scale_pks = (1 + {1 / share - 1:.6g} Cos(2 Th)^2) / (Sin(Th)^2 Cos(Th));"


def _phase(given: Handover, phase: HandedPhase, number: int) -> Iterator[str]:
    crystal, group = spellable(phase.crystal)
    yield f'phase_name "{phase.name.replace(chr(34), chr(39))}"'
    yield f'space_group "{_symbol(group)}"'
    # TOPAS divides the polarization factor by P.
    yield f"scale @ {phase.rietveld_scale * given.first_line_weight * given.perpendicular:.8g}"
    yield from _cell(crystal.cell, cell_parameters(crystal), number)
    yield from _widths(given, phase, number)
    if phase.texture_axis is not None:
        h, k, l = phase.texture_axis
        yield f"PO(@, {phase.texture_r:.5f}, , {h} {k} {l})"
    if given.roughness is not None:
        share, depth = given.roughness
        smooth = 1 - share
        yield (
            f"scale_pks = ({smooth:.6g} + {share:.6g} Exp(-{depth:.6g} / Sin(Th)))"
            f" / ({smooth:.6g} + {share:.6g} Exp(-{depth:.6g})); ' rough surface, Suortti"
        )
    for label, site in labelled_sites(crystal):
        x, y, z = (f"{value:.7g}" for value in site.fract)
        displacement = f"beq {site.u_iso * B_OVER_U:.5f}"
        if site.u_aniso is not None:
            tensor = zip(_U_KEYS, site.u_aniso, strict=True)
            displacement = " ".join(f"{key} {value:.10f}" for key, value in tensor)
        yield f"site {label} x {x} y {y} z {z} occ {site.element} {site.occupancy:g} {displacement}"
    if phase.apparent_percent is not None:
        yield f"weight_percent {phase.apparent_percent:.3f}"


def _cell(cell: tuple[float, ...], ties: list[int | None], number: int) -> Iterator[str]:
    for key, value, source in zip(_CELL_KEYS, cell, ties, strict=True):
        # One name is one parameter: what symmetry makes equal stays equal.
        yield f"{key} {value:g}" if source is None else f"{key} cell{number}_{_CELL_KEYS[source]} {value:.6f}"


def _widths(given: Handover, phase: HandedPhase, number: int) -> Iterator[str]:
    """A Voigt profile: TOPAS convolutes what Thompson, Cox & Hastings approximate."""
    size, strain = phase.size_width_deg(given.wavelength), phase.strain_width_deg
    yield f"prm size{number} {size:.6g} min 0 ' fwhm of crystallite size at Th = 0, deg"
    yield f"prm strain{number} {strain:.6g} min 0 ' fwhm of microstrain at Tan(Th) = 1, deg"
    yield "gauss_fwhm = Sqrt(Max(pku Tan(Th)^2 + pkv Tan(Th) + pkw, 0.000001));"
    yield f"lor_fwhm = (pkx + size{number}) / Cos(Th) + (pky + strain{number}) Tan(Th);"


def _symbol(group: gemmi.SpaceGroup) -> str:
    """As TOPAS spells settings: origin choice 1 is a suffix S, others as in International Tables."""
    name: str = group.xhm()
    return name.removesuffix(":1").replace(" ", "") + "S" if name.endswith(":1") else name
