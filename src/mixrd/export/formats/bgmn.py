"""Input for BGMN (and Profex): a control file, a structure file for each phase, and the data.

Structures are written as all atoms of the cell in P 1, with the cell's own ties: BGMN names settings by its
own table, which is not free to copy. Peak shapes are BGMN's: it calculates them from the geometry of the
diffractometer, so the file of the user's device has to be named.
"""

from __future__ import annotations

from collections.abc import Iterator

from mixrd.crystal import B_OVER_U
from mixrd.diffraction import tube_of
from mixrd.export.export_format import export_format
from mixrd.export.handover import HandedPhase, Handover
from mixrd.export.symmetry import cell_parameters, in_p1, scatterer

_KEYS = ("A", "B", "C", "ALPHA", "BETA", "GAMMA")
#: Cells may move this far (relative) from where they start.
_FREEDOM = 0.01


@export_format("bgmn")
def bgmn_files(given: Handover) -> dict[str, str]:
    """``STEM.sav``, ``STEM.xy`` and a ``.str`` for each phase."""
    files = {f"{given.stem}.sav": _control(given), f"{given.stem}.xy": _data(given)}
    for number, phase in enumerate(given.phases, start=1):
        files[f"{phase.file_stem}.str"] = structure_file(phase, number)
    return files


def _data(given: Handover) -> str:
    """Angle and counts; BGMN takes no counts of zero."""
    rows = zip(given.two_theta, given.counts, strict=True)
    return "".join(f"{x:.6f} {max(y, 1e-6):.6f}\n" for x, y in rows)


def _control(given: Handover) -> str:
    anode = tube_of(given.wavelength)
    beam = f"LAMBDA={anode.upper()}" if anode else f"SYNCHROTRON={given.wavelength / 10:.7f}"
    names = [variable(phase, number) for number, phase in enumerate(given.phases, start=1)]
    structures = [f"STRUC[{n}]={phase.file_stem}.str" for n, phase in enumerate(given.phases, start=1)]
    lines = [
        *(f"% {comment}" for comment in given.comments),
        "% Put the file of your diffractometer here: BGMN's or Profex' devices, or made by MakeGEQ",
        "VERZERR=device.geq",
        beam,
        f"WMIN={given.limits[0]:.3f}",
        f"WMAX={given.limits[1]:.3f}",
        *(f"CUT[{n}]={low:.3f}:{high:.3f}" for n, (low, high) in enumerate(given.excluded, start=1)),
        *structures,
        f"VAL[1]={given.stem}.xy",
        f"LIST={given.stem}.lst",
        f"OUTPUT={given.stem}.par",
        f"DIAGRAMM={given.stem}.dia",
        "PARAM[1]=EPS2=0_-0.05^0.05",
        "EPS1=0",
        f"sum={'+'.join(names)}",
        *(f"Q{name}={name}/sum" for name in names),
        *(f"GOAL[{n}]=Q{name}" for n, name in enumerate(names, start=1)),
    ]
    found = [
        f"% {phase.name}: {phase.weight_percent:.2f} wt% by mixrd"
        for phase in given.phases
        if phase.weight_percent is not None
    ]
    return "\n".join([*lines, *found]) + "\n"


def variable(phase: HandedPhase, number: int) -> str:
    """A name that BGMN takes for a variable: letters and digits, none the beginning of another."""
    letters = "".join(ch for ch in phase.name if ch.isascii() and ch.isalpha())
    return f"{letters or 'phase'}x{number}"


def structure_file(phase: HandedPhase, number: int) -> str:
    """A ``.str`` file of one phase."""
    name = variable(phase, number)
    crystal = in_p1(phase.crystal)
    lines = [
        f"PHASE={name} // {phase.name}",
        f"Formula={phase.crystal.formula} //",
        "SpacegroupNo=1 HermannMauguin=P1 Setting=1 Lattice=Triclinic //",
        " ".join(_cell(phase)) + " //",
        "RP=4 PARAM=B1=0_0^0.01 k1=0 PARAM=k2=0_0^0.01 PARAM=GEWICHT=0_0 //",
        f"GOAL:{name}=GEWICHT*ifthenelse(ifdef(d),exp(my*d*3/4),1) //",
    ]
    for site in crystal.sites:
        x, y, z = (f"{value:.6f}" for value in site.fract)
        element = scatterer(site).upper()
        what = element if site.occupancy >= 0.9999 else f"({element}({site.occupancy:.4f}))"
        # Squared displacements in nm^2: TDS is B / 100.
        lines.append(f"E={what} Wyckoff=a x={x} y={y} z={z} TDS={site.u_iso * B_OVER_U / 100:.6f}")
    return "\n".join(lines) + "\n"


def _cell(phase: HandedPhase) -> Iterator[str]:
    """Lengths in nm, each free within a per cent or equal to an earlier one."""
    cell = phase.crystal.cell
    ties = cell_parameters(phase.crystal)
    for index, (key, source) in enumerate(zip(_KEYS, ties, strict=True)):
        value = cell[index] / 10 if index < 3 else cell[index]
        if source is None:
            yield f"{key}={value:g}"
        elif source == index:
            low, high = value * (1 - _FREEDOM), value * (1 + _FREEDOM)
            yield f"PARAM={key}={value:.6f}_{low:.6f}^{high:.6f}"
        else:
            yield f"{key}={_KEYS[source]}"
