"""A project for GSAS-II: instrument, data, phases, and a script that puts them together and refines.

A .gpx is a pickle of GSAS-II's own objects, which only GSAS-II can write; the script makes it with
GSASIIscriptable, in a GSAS-II of any version since 2020.
"""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np

from mixrd.export.export_format import export_format
from mixrd.export.formats.cif import phase_cif
from mixrd.export.handover import HandedPhase, Handover
from mixrd.export.symmetry import spellable
from mixrd.pattern.profile import SCHERRER_K

#: GSAS-II states Gaussian variances in centidegrees^2 where the profile here has fwhm^2 in deg^2.
VARIANCE_PER_FWHM2 = 1e4 / (8 * math.log(2))
#: GSAS-II's Scherrer constant is 1.
_SIZE_RATIO = 1.0 / SCHERRER_K
_NM_PER_UM, _UM_PER_MM = 1e3, 1e3
#: Its patterns are for profiles per centidegree (measured: the two calculate 0.3 % alike with it).
_UNIT = 100.0


@export_format("gsas2")
def gsas2_files(given: Handover) -> dict[str, str]:
    """``STEM.instprm``, ``STEM.xye``, a CIF for each phase and ``STEM_gsas2.py``."""
    files = {f"{given.stem}.instprm": instprm(given), f"{given.stem}.xye": given.columns()}
    for phase in given.phases:
        files[f"{phase.file_stem}.cif"] = phase_cif(_spelled(phase))
    script = _SCRIPT.replace("@SETTINGS@", _settings(given))
    files[f"{given.stem}_gsas2.py"] = "".join(f"# {c}\n" for c in given.comments[1:]) + script
    return files


def instprm(given: Handover) -> str:
    """Instrument parameters of constant-wavelength X-rays as GSAS-II's text file."""
    p = given.instrument.profile
    rows: list[tuple[str, float | str]] = [("Type", "PXC"), ("Bank", 1.0)]
    if len(given.lines) == 1:
        rows.append(("Lam", given.wavelength))
    else:
        (first, _), (second, ratio) = given.lines[:2]
        rows += [("Lam1", first), ("Lam2", second), ("I(L2)/I(L1)", ratio)]
    rows += [("Zero", given.zero_deg), ("Polariz.", given.perpendicular), ("Azimuth", 0.0)]
    rows += [(name, getattr(p, name.lower()) * VARIANCE_PER_FWHM2) for name in ("U", "V", "W")]
    rows += [("X", p.x * 100), ("Y", p.y * 100), ("Z", 0.0), ("SH/L", p.sh_l)]
    head = "#GSAS-II instrument parameter file; do not add/delete items!\n"
    return head + "".join(f"{name}:{value}\n" for name, value in rows)


def _spelled(phase: HandedPhase) -> HandedPhase:
    crystal, _ = spellable(phase.crystal, suffixes=False)
    return replace(phase, crystal=crystal)


def _settings(given: Handover) -> str:
    scales = [phase.mass / phase.crystal.mass_per_cell for phase in given.phases]
    whole = sum(max(s, 0.0) for s in scales) or 1.0
    share, depth = given.roughness or (0.0, 0.0)
    settings = {
        "project": given.stem,
        "data": f"{given.stem}.xye",
        "instrument": f"{given.stem}.instprm",
        "limits": [*given.limits],
        "excluded": [[*region] for region in given.excluded],
        "radius_mm": given.instrument.goniometer_radius_mm,
        "displacement_um": given.displacement_mm * _UM_PER_MM,
        "roughness": [1 - share, depth],
        "background": _powers(given),
        "scale": _UNIT * whole * given.first_line_weight,
        "phases": [
            {
                "name": phase.name,
                "cif": f"{phase.file_stem}.cif",
                "fraction": max(scale, 1e-9 * whole) / whole,
                "size_um": min(max((phase.size_nm or 1e4) * _SIZE_RATIO / _NM_PER_UM, 0.001), 10.0),
                "microstrain": max(4e6 * phase.microstrain, 1.0),
                "texture": [phase.texture_r, *(phase.texture_axis or (0, 0, 1))],
                "refine_cell": ";".join(_spelled(phase).crystal.symmetry_operations) != "x,y,z"
                or phase.crystal.crystal_system == "triclinic",
                "textured": phase.texture_axis is not None,
            }
            for phase, scale in zip(given.phases, scales, strict=True)
        ],
    }
    return json.dumps(settings, indent=4).replace("true", "True").replace("false", "False")


def _powers(given: Handover) -> list[float]:
    """Coefficients of 1, x, x^2, ... of the background: what "chebyschev" is in every GSAS-II."""
    return [float(c) for c in np.polynomial.chebyshev.cheb2poly(given.chebyshev())]


_SCRIPT = '''"""Make a GSAS-II project from the files beside this one and refine it.

Run with the Python that GSAS-II is installed in:  python THIS_FILE [--no-refine]
"""

import os
import sys

try:
    import GSASII.GSASIIscriptable as G2sc
except ImportError:
    import GSASIIscriptable as G2sc

SETTINGS = @SETTINGS@


def fractions(project, histogram):
    """Weight percent by phase: phase fraction times mass of the cell."""
    masses = {}
    for phase in project.phases():
        pair = phase.data["Histograms"][histogram.name]
        masses[phase.name] = pair["Scale"][0] * phase.data["General"]["Mass"]
    whole = sum(masses.values())
    return {name: 100 * mass / whole for name, mass in masses.items()}


def build():
    """The project as the result has it: nothing is refined yet."""
    os.chdir(os.path.dirname(os.path.abspath(__file__)))
    project = G2sc.G2Project(newgpx=SETTINGS["project"] + ".gpx")
    histogram = project.add_powder_histogram(SETTINGS["data"], SETTINGS["instrument"])
    sample = histogram.data["Sample Parameters"]
    sample["Type"] = "Bragg-Brentano"
    sample["Gonio. radius"] = SETTINGS["radius_mm"]
    sample["Scale"] = [SETTINGS["scale"], False]
    sample["Shift"] = [SETTINGS["displacement_um"], False]
    sample["SurfRoughA"] = [SETTINGS["roughness"][0], False]
    sample["SurfRoughB"] = [SETTINGS["roughness"][1], False]
    levels = SETTINGS["background"]
    histogram.data["Background"][0] = ["chebyschev", False, len(levels)] + levels
    histogram.set_refinements({"Limits": SETTINGS["limits"]})
    # What follows the measured and the used limits are regions that are left out.
    histogram.data["Limits"].extend(SETTINGS["excluded"])
    for given in SETTINGS["phases"]:
        phase = project.add_phase(given["cif"], phasename=given["name"], histograms=[histogram])
        pair = phase.data["Histograms"][histogram.name]
        pair["Scale"] = [given["fraction"], False]
        pair["Size"][1][0] = given["size_um"]
        pair["Mustrain"][1][0] = given["microstrain"]
        if given["textured"]:
            r, h, k, l = given["texture"]
            pair["Pref.Ori."] = ["MD", r, False, [h, k, l], 0, {}, [""], 0.1]
    project.save()
    return project, histogram


def refine(project, histogram):
    """Amounts and background, then cells and displacement, then sizes and texture."""
    project.data["Controls"]["data"]["max cyc"] = 10
    for phase in project.phases():
        phase.data["Histograms"][histogram.name]["Scale"][1] = True
    histogram.data["Background"][0][1] = True
    project.refine()
    for phase, given in zip(project.phases(), SETTINGS["phases"]):
        # In P 1 nothing would hold the metric of a group that could not be told: the cell stays as it is.
        phase.set_refinements({"Cell": given["refine_cell"]})
    histogram.set_refinements({"Sample Parameters": ["Shift"]})
    project.refine()
    for phase, given in zip(project.phases(), SETTINGS["phases"]):
        pair = phase.data["Histograms"][histogram.name]
        pair["Size"][2][0] = given["size_um"] < 9.9
        pair["Pref.Ori."][2] = given["textured"]
    project.refine()


if __name__ == "__main__":
    made, measured = build()
    if "--no-refine" not in sys.argv:
        refine(made, measured)
        print("wR %.2f %%" % measured.get_wR())
    for name, percent in fractions(made, measured).items():
        print("%-24s %8.2f wt%%" % (name, percent))
'''
