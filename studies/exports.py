"""Exports read back and refined by other programs; writes results/exports.json.

``python studies/exports.py [--gsas2 PYTHON]``. Needs the measured scans (MIXRD_DATA, default ../shared/data).
CPD-1G is analysed and written in every format; each is read by an independent program, refined there from
what the files state, and its weight fractions are compared with ours.

rietx reads TOPAS, FullProf, CIF and its own documents. What it does not take over from a TOPAS or FullProf
file (emission lines, polarization, widths, shifts, background) is taken from the file's own statements, not
from mixrd. GSAS-II runs the exported script with the Python named by ``--gsas2``, in which GSASIIscriptable
can be imported; without it, its row keeps what was measured before. BGMN was not to be had: its row says so.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RIETX_COMPILED_THREADS"):
    os.environ.setdefault(_name, "1")

import gemmi  # noqa: E402
import numpy as np  # noqa: E402
import rietx  # noqa: E402
from rietx.io.projects import fullprof, read_fullprof_pcr, read_topas_inp, topas  # noqa: E402
from rietx.schemas.common import Parameter  # noqa: E402
from rietx.schemas.instrument import BackgroundChebyshev  # noqa: E402

from mixrd.analysis import Analysis, analyze, calibrate, generic_instrument  # noqa: E402
from mixrd.export import export  # noqa: E402
from mixrd.phases import load_phase  # noqa: E402
from mixrd.scan import Scan, read_scan  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).parent / "results" / "exports.json"
PHASES = ("corundum", "fluorite", "zincite")
#: What "the same fractions" means, in wt%.
TOLERANCE = 1.0


def analysed(data: Path) -> tuple[Analysis, Scan]:
    """CPD-1G on the diffractometer as calibrated with its corundum."""
    folder = data / "measured" / "cpd"
    start = generic_instrument("CuKa", monochromator_two_theta=26.6, goniometer_radius_mm=173.0)
    standard = read_scan(folder / "corundum-pure.prn")
    instrument = calibrate(standard, load_phase("corundum"), start, name="cpd").instrument
    scan = read_scan(folder / "CPD-1G.xye")
    return analyze(scan, [load_phase(name) for name in PHASES], instrument), scan


#: Scans with texture, a beam longer than the sample and an origin that GSAS-II cannot be told.
MORE = {
    "V2O5_0p2012-La(OH)3_0p5004-MnCO3_0p3013--8min": (
        "shcherbinaite",
        "lanthanum-hydroxide",
        "rhodochrosite",
    ),
    "TiO2_0p4009-ZnO_0p6010--8min": ("anatase", "zincite"),
}


def more_by(
    kind: str, read: Callable[[Path], dict[str, float]], data: Path, scratch: Path
) -> dict[str, float]:
    """Largest difference of another program to ours in wt% on each scan of `MORE`."""
    differences = {}
    for number, (name, phases) in enumerate(MORE.items()):
        scan = read_scan(data / "measured" / "dara" / f"{name}.xrdml")
        analysis = analyze(scan, [load_phase(phase) for phase in phases])
        folder = scratch / f"more-{kind}-{number}"
        folder.mkdir()
        for file, text in export(analysis, scan, kind).items():
            (folder / file).write_text(text, encoding="utf-8")
        found = read(folder)
        worst = max(abs(found[phase] - analysis.fractions[phase]) for phase in phases)
        differences[name] = round(worst, 3)
        print(f"{kind:10} {name}: largest difference {worst:.2f} wt%", flush=True)
    return differences


def refined_by_rietx(structure: Any, instrument: Any, data: Path) -> dict[str, float]:
    """Weight percent by phase after rietx' default plan."""
    result = rietx.Refinement(structure, instrument, history=False).fit(
        rietx.read_pattern(data), telemetry=False
    )
    if not result.usable or result.qpa is None:
        raise RuntimeError(f"rietx: {result.status}")
    return {phase.name: 100.0 * float(phase.weight_fraction) for phase in result.qpa.phases}


def machine(
    lines: list[tuple[float, float]], perpendicular: float, radius: float, widths: dict[str, float]
) -> Any:
    """An instrument of rietx from what a file states; displacement and zero stay rietx' to refine."""
    instrument = rietx.Instrument.bragg_brentano(radiation="CuKa", goniometer_radius_mm=radius)
    template = instrument.source.lines[0]
    instrument.source.lines = [
        template.model_copy(update={"wavelength": Parameter(value=w), "weight": Parameter(value=s)})
        for w, s in lines
    ]
    instrument.source.polarization.value = perpendicular
    for name, value in widths.items():
        getattr(instrument.profile, name).value = value
    return instrument


def by_topas(folder: Path) -> dict[str, float]:
    """The reader of TOPAS input of rietx."""
    path = next(folder.glob("*.inp"))
    stated = read_topas_inp(path)
    structure = topas.to_structure(stated, aniso=True, scale="rietx")
    text = path.read_text(encoding="utf-8")
    radius = float(re.search(r"Rs (\S+)", text)[1])  # type: ignore[index]
    passed = np.cos(np.radians(stated.lp_factor)) ** 2
    widths = {name: stated.symbols[f"pk{name}"].value for name in ("u", "v", "w", "x", "y")}
    for number, phase in enumerate(structure.phases, start=1):
        phase.lor_size.value = stated.symbols[f"size{number}"].value
        phase.lor_strain.value = stated.symbols[f"strain{number}"].value
    lines = [(line.wavelength, line.area) for line in stated.emission_lines]
    instrument = machine(lines, 1 / (1 + passed), radius, widths)
    levels = re.search(r"bkg @ (.*)", text)[1].split()  # type: ignore[index]
    instrument.background = BackgroundChebyshev(coefficients=[Parameter(value=float(c)) for c in levels])
    return refined_by_rietx(structure, instrument, folder / f"{path.stem}.xye")


def by_fullprof(folder: Path) -> dict[str, float]:
    """The reader of FullProf control files of rietx; its data are those of the XYDATA file."""
    path = next(folder.glob("*.pcr"))
    stated = read_fullprof_pcr(path)
    structure = fullprof.to_structure(stated)
    ratio = stated.pattern["ratio"]
    first = stated.phases[0].profile
    widths = {name: first[name].value for name in ("u", "v", "w")}
    widths |= {"x": first["y"].value, "y": first["x"].value}
    instrument = machine(
        [(stated.lambda1, 1.0), (stated.lambda2, ratio)], 1 / (1 + stated.pattern["cthm"]), 173.0, widths
    )
    angles, levels = zip(*[(angle, level.value) for angle, level in stated.background], strict=True)
    low, high = angles[0], angles[-1]
    x = (2 * np.array(angles) - low - high) / (high - low)
    series = np.polynomial.chebyshev.chebfit(x, levels, 10)
    instrument.background = BackgroundChebyshev(coefficients=[Parameter(value=float(c)) for c in series])
    rows = np.loadtxt(folder / f"{path.stem}.dat", skiprows=6)
    data = folder / "from-dat.xye"
    np.savetxt(data, rows)
    return refined_by_rietx(structure, instrument, data)


def by_rietx(folder: Path) -> dict[str, float]:
    """The exported script, as a user would run it."""
    return printed(subprocess.run([sys.executable, str(next(folder.glob("*.py")))], **_RUN))  # type: ignore[call-overload]


def by_gsas2(folder: Path, python: str) -> dict[str, float]:
    """The exported script in GSAS-II's own Python."""
    command = [*python.split(), str(next(folder.glob("*_gsas2.py")))]
    return printed(subprocess.run(command, **_RUN))  # type: ignore[call-overload]


def by_cif(folder: Path) -> dict[str, float]:
    """Phases as rietx reads them from the CIF; the pattern as gemmi reads it."""
    path = next(folder.glob("*.cif"))
    document = gemmi.cif.read(str(path))
    pattern = document[-1]
    names = ["_pd_meas_2theta_scan", "_pd_meas_counts_total", "_pd_proc_ls_weight"]
    rows = np.array([[float(cell) for cell in row] for row in pattern.find(names)])
    rows[:, 2] = rows[:, 2] ** -0.5
    data = folder / "from-cif.xye"
    np.savetxt(data, rows)
    phases = []
    for block in list(document)[:-1]:
        alone = gemmi.cif.Document()
        alone.add_copied_block(block)
        part = folder / f"{block.name}-alone.cif"
        part.write_text(alone.as_string(), encoding="utf-8")
        phase = rietx.Structure.from_cif(part).phases[0]
        phase.name = gemmi.cif.as_string(block.find_value("_pd_phase_name"))
        phases.append(phase)
    lines = [
        (float(row[0]), float(row[1]))
        for row in pattern.find(["_diffrn_radiation_wavelength_value", "_diffrn_radiation_wavelength_wt"])
    ]
    ratio = float(pattern.find_value("_diffrn_radiation_polarisn_ratio"))
    radius = float(pattern.find_value("_pd_instr_dist_spec/detc"))
    instrument = machine(lines, 1 / (1 + ratio), radius, {"w": 0.01, "x": 0.03})
    pattern_data = rietx.read_pattern(data)
    instrument.background = rietx.auto_background(pattern_data, kind="chebyshev").background
    return refined_by_rietx(rietx.Structure(phases=phases), instrument, data)


_RUN = {"capture_output": True, "text": True, "timeout": 600}


def printed(run: subprocess.CompletedProcess[str]) -> dict[str, float]:
    """Fractions from lines such as ``corundum   32.30 wt%``."""
    found = re.findall(r"^(\S+)\s+([\d.]+) wt%$", run.stdout, flags=re.MULTILINE)
    if not found:
        raise RuntimeError(run.stderr[-500:] or run.stdout[-500:])
    return {name: float(value) for name, value in found}


def main() -> None:
    """Analyse, export, read back, refine, compare."""
    parser = argparse.ArgumentParser(description="exports read back by other programs")
    parser.add_argument("--gsas2", help="command of the Python in which GSASIIscriptable can be imported")
    options = parser.parse_args()
    data = Path(os.environ.get("MIXRD_DATA", ROOT.parent / "shared" / "data"))
    if not (data / "measured" / "cpd" / "CPD-1G.xye").is_file():
        print(f"exports: skipped, {data} was not found (set MIXRD_DATA to the measured scans)")
        return
    document = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {"formats": {}}
    analysis, scan = analysed(data)
    document["mixrd"] = {name: round(value, 3) for name, value in analysis.fractions.items()}
    readers: dict[str, Callable[[Path], dict[str, float]]] = {
        "topas": by_topas, "fullprof": by_fullprof, "rietx": by_rietx, "cif": by_cif
    }  # fmt: skip
    if options.gsas2:
        readers["gsas2"] = lambda folder: by_gsas2(folder, options.gsas2)
    with tempfile.TemporaryDirectory() as scratch:
        for name, read in readers.items():
            folder = Path(scratch) / name
            folder.mkdir()
            for file, text in export(analysis, scan, name).items():
                (folder / file).write_text(text, encoding="utf-8")
            found = read(folder)
            worst = max(abs(found[phase] - analysis.fractions[phase]) for phase in PHASES)
            document["formats"][name] = {
                "wt_percent": {phase: round(found[phase], 3) for phase in PHASES},
                "largest_difference": round(worst, 3),
            }
            values = "  ".join(f"{phase} {found[phase]:6.2f}" for phase in PHASES)
            print(f"{name:10} {values}   largest difference {worst:.2f} wt%", flush=True)
        for name in ("rietx", "gsas2"):
            if name in readers:
                document[f"more_by_{name}"] = more_by(name, readers[name], data, Path(scratch))
    RESULTS.write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    main()
