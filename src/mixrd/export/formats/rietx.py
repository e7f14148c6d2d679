"""Input for rietx: structure and instrument as its own JSON documents, the data, and a script."""

from __future__ import annotations

from typing import Any

from mixrd.crystal import B_OVER_U, Crystal
from mixrd.export.export_format import export_format
from mixrd.export.handover import HandedPhase, Handover
from mixrd.export.symmetry import labelled_sites, scatterer, spellable

_CELL_KEYS = ("a", "b", "c", "alpha", "beta", "gamma")
_U_KEYS = ("u11", "u22", "u33", "u12", "u13", "u23")


@export_format("rietx")
def rietx_files(given: Handover) -> dict[str, str]:
    """``STEM.structure.json``, ``STEM.instrument.json``, ``STEM.xye`` and ``STEM_rietx.py``."""
    structure, instrument = rietx_documents(given)
    warnings = "".join(f"# {comment}\n" for comment in given.comments[1:])
    return {
        f"{given.stem}.structure.json": structure.model_dump_json(indent=1) + "\n",
        f"{given.stem}.instrument.json": instrument.model_dump_json(indent=1) + "\n",
        f"{given.stem}.xye": given.columns(),
        f"{given.stem}_rietx.py": warnings
        + _SCRIPT.replace("@STEM@", given.stem).replace("@EXCLUDED@", str([*given.excluded])),
    }


def rietx_documents(given: Handover) -> tuple[Any, Any]:
    """Structure and Instrument of rietx, as refined here."""
    import rietx
    from rietx.schemas.instrument import BackgroundChebyshev, RoughnessSuortti

    structure = rietx.Structure(phases=[_refined_phase(given, phase) for phase in given.phases])
    machine = rietx_instrument(given)
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
    return structure, machine


def rietx_phase(name: str, crystal: Crystal) -> Any:
    """A Phase of rietx with this structure, scale and widths at their defaults."""
    from rietx.schemas.structure import AnisoU, Atom, Cell, Phase

    told, group = spellable(crystal)
    atoms = []
    for label, site in labelled_sites(told):
        x, y, z = site.fract
        numbers = {"x": x, "y": y, "z": z, "occ": site.occupancy, "biso": site.u_iso * B_OVER_U}
        tensor = None
        if site.u_aniso is not None:
            tensor = AnisoU(**{k: _value(u) for k, u in zip(_U_KEYS, site.u_aniso, strict=True)})
        fields = {k: _value(v) for k, v in numbers.items()}
        atoms.append(Atom(label=label, species=scatterer(site), aniso=tensor, **fields))
    cell = Cell(**{k: _value(v) for k, v in zip(_CELL_KEYS, told.cell, strict=True)})
    return Phase(name=name, space_group=group.xhm(), cell=cell, atoms=atoms)


def rietx_instrument(given: Handover) -> Any:
    """An Instrument of rietx with the lines, the polarization and the radius of the diffractometer."""
    import rietx

    machine = rietx.Instrument.bragg_brentano(
        radiation="CuKa", goniometer_radius_mm=given.instrument.goniometer_radius_mm
    )
    template = machine.source.lines[0]
    machine.source.lines = [
        template.model_copy(update={"wavelength": _value(wavelength), "weight": _value(weight)})
        for wavelength, weight in given.lines
    ]
    machine.source.polarization.value = given.perpendicular
    return machine


def _refined_phase(given: Handover, phase: HandedPhase) -> Any:
    from rietx.schemas.structure import PreferredOrientation

    made = rietx_phase(phase.name, phase.crystal)
    made.scale.value = phase.rietveld_scale * given.first_line_weight
    made.lor_size.value = phase.size_width_deg(given.wavelength)
    made.lor_strain.value = phase.strain_width_deg
    if phase.texture_axis is not None:
        made.preferred_orientation = PreferredOrientation(axis=phase.texture_axis, r=_value(phase.texture_r))
    return made


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
pattern = rietx.read_pattern(folder / "@STEM@.xye")
pattern.excluded_regions = @EXCLUDED@
result = refinement.fit(pattern, telemetry=False)
print(f"{result.status}, Rwp {100 * result.statistics.rwp:.2f} %")
for phase in result.qpa.phases:
    print(f"{phase.name:24s} {100 * phase.weight_fraction:8.2f} wt%")
'''
