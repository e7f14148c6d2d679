"""Input for rietx: structure and instrument as its own JSON documents, the data, and a script."""

from __future__ import annotations

import math
from typing import Any

from mixrd.export.handover import HandedPhase, Handover
from mixrd.export.symmetry import special_positions, spellable, unique_labels

B_OVER_U = 8 * math.pi**2


def rietx_files(given: Handover) -> dict[str, str]:
    """``STEM.structure.json``, ``STEM.instrument.json``, ``STEM.xye`` and ``STEM_rietx.py``."""
    structure, instrument = rietx_documents(given)
    return {
        f"{given.stem}.structure.json": structure.model_dump_json(indent=1) + "\n",
        f"{given.stem}.instrument.json": instrument.model_dump_json(indent=1) + "\n",
        f"{given.stem}.xye": given.columns(),
        f"{given.stem}_rietx.py": _SCRIPT.replace("@STEM@", given.stem),
    }


def rietx_documents(given: Handover) -> tuple[Any, Any]:
    """Structure and Instrument of rietx."""
    import rietx

    structure = rietx.Structure(phases=[_phase(given, phase) for phase in given.phases])
    return structure, _instrument(given)


def _phase(given: Handover, phase: HandedPhase) -> Any:
    from rietx.schemas.structure import AnisoU, Atom, Cell, Phase, PreferredOrientation

    crystal, group = spellable(phase.crystal)
    names = ("a", "b", "c", "alpha", "beta", "gamma")
    atoms = []
    for label, site in zip(unique_labels(crystal), special_positions(crystal), strict=True):
        x, y, z = site.fract
        element = "H" if site.element == "D" else site.element
        numbers = {"x": x, "y": y, "z": z, "occ": site.occupancy, "biso": site.u_iso * B_OVER_U}
        tensor = None
        if site.u_aniso is not None:
            keys = ("u11", "u22", "u33", "u12", "u13", "u23")
            tensor = AnisoU(**{k: _value(u) for k, u in zip(keys, site.u_aniso, strict=True)})
        fields = {k: _value(v) for k, v in numbers.items()}
        atoms.append(Atom(label=label, species=element, aniso=tensor, **fields))
    oriented = None
    if phase.texture_axis is not None:
        oriented = PreferredOrientation(axis=phase.texture_axis, r=_value(phase.texture_r))
    return Phase(
        name=phase.name,
        space_group=group.xhm(),
        cell=Cell(**{k: _value(v) for k, v in zip(names, crystal.cell, strict=True)}),
        atoms=atoms,
        scale=_value(phase.rietveld_scale * given.first_line_weight),
        preferred_orientation=oriented,
        lor_size=_value(phase.size_width_deg(given.wavelength)),
        lor_strain=_value(phase.strain_width_deg),
    )


def _instrument(given: Handover) -> Any:
    import rietx
    from rietx.schemas.instrument import BackgroundChebyshev, RoughnessSuortti

    machine = rietx.Instrument.bragg_brentano(
        radiation="CuKa", goniometer_radius_mm=given.instrument.goniometer_radius_mm
    )
    template = machine.source.lines[0]
    machine.source.lines = [
        template.model_copy(update={"wavelength": _value(wavelength), "weight": _value(weight)})
        for wavelength, weight in given.lines
    ]
    machine.source.polarization.value = given.perpendicular
    machine.zero_shift.value = given.zero_deg
    machine.geometry.sample_displacement.value = given.displacement_mm
    for name in ("u", "v", "w", "x", "y"):
        getattr(machine.profile, name).value = getattr(given.instrument.profile, name)
    half = given.instrument.profile.sh_l / 2
    machine.geometry.axial_sl.value = machine.geometry.axial_hl.value = half
    if given.roughness is not None:
        share, depth = given.roughness
        machine.geometry.surface_roughness = RoughnessSuortti(a=_value(1 - share), b=_value(depth))
    machine.background = BackgroundChebyshev(coefficients=[_value(float(c)) for c in given.chebyshev()])
    return machine


def _value(number: float) -> Any:
    from rietx.schemas.common import Parameter

    return Parameter(value=float(number))


_SCRIPT = '''"""Refine the result beside this file with rietx (pip install rietx)."""

from pathlib import Path

import rietx

folder = Path(__file__).resolve().parent
structure = rietx.Structure.model_validate_json((folder / "@STEM@.structure.json").read_text("utf-8"))
instrument = rietx.Instrument.model_validate_json((folder / "@STEM@.instrument.json").read_text("utf-8"))
refinement = rietx.Refinement(structure, instrument, history=False)
result = refinement.fit(rietx.read_pattern(folder / "@STEM@.xye"), telemetry=False)
print(f"{result.status}, Rwp {100 * result.statistics.rwp:.2f} %")
for phase in result.qpa.phases:
    print(f"{phase.name:24s} {100 * phase.weight_fraction:8.2f} wt%")
'''
