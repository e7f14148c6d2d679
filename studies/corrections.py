"""Which term of the forward model buys what: weighed mixtures refined with one after the other switched on.

Samples 1a, 1b, 1d, 1g of the round robin (corundum, fluorite, zincite), refinement alone, instrument
calibrated on pure corundum. Each row adds a term to the row above; then the complete model is refined
without each term alone, and with terms that an analysis leaves out unless it is asked. Writes
studies/results/corrections.json and .md. Needs the measured scans (MIXRD_DATA, default ../shared/data).
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from mixrd.analysis import calibrate, generic_instrument
from mixrd.analysis.inputs.setup import overlap, part_of
from mixrd.crystal import Crystal
from mixrd.diffraction import Scattering
from mixrd.experiments.weighed_table import read_rows
from mixrd.fit import Restraints, refine
from mixrd.mixture import true_weights
from mixrd.pattern import Instrument
from mixrd.phases import load_phase
from mixrd.scan import read_scan

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "studies" / "results"
PHASES = ("corundum", "fluorite", "zincite")
#: Planes that grains of each phase like to lie on: cleavage or habit.
TEXTURE_AXES = {"corundum": (0, 0, 1), "fluorite": (1, 1, 1), "zincite": (0, 0, 1)}


@dataclass(frozen=True)
class Setting:
    """One way to refine."""

    scattering: Scattering = Scattering()  # noqa: RUF009
    monochromator: bool = True
    sh_l: float = 0.0
    restraints: Restraints = field(default_factory=Restraints)
    fixed: tuple[str, ...] = ()
    texture: bool = False
    particle_size_um: float | None = None


BARE = Setting(
    scattering=Scattering(anomalous=False, thermal=False),
    monochromator=False,
    fixed=("microstrain", "inverse_size", "displacement"),
)
COMPLETE = Setting()
#: What each step adds to the one before.
STEPS: tuple[tuple[str, Callable[[Setting], Setting]], ...] = (
    ("f0 and geometry alone", lambda s: s),
    ("+ f', f''", lambda s: replace(s, scattering=Scattering(anomalous=True, thermal=False))),
    ("+ displacement factors", lambda s: replace(s, scattering=Scattering())),
    ("+ polarization by the monochromator", lambda s: replace(s, monochromator=True)),
    ("+ size and microstrain", lambda s: replace(s, fixed=("displacement",))),
    ("+ sample displacement (an analysis)", lambda s: replace(s, fixed=())),
)
VARIANTS: tuple[tuple[str, Setting], ...] = (
    ("without f', f''", replace(COMPLETE, scattering=Scattering(anomalous=False))),
    ("without displacement factors", replace(COMPLETE, scattering=Scattering(thermal=False))),
    ("without polarization by the monochromator", replace(COMPLETE, monochromator=False)),
    ("without size and microstrain", replace(COMPLETE, fixed=("microstrain", "inverse_size"))),
    ("with axial divergence, (S + H)/L = 0.06", replace(COMPLETE, sh_l=0.06)),
    ("with texture of all phases", replace(COMPLETE, texture=True, restraints=Restraints(texture=0.1))),
    ("with surface roughness", replace(COMPLETE, restraints=Restraints(roughness=0.3))),
    ("with transparency", replace(COMPLETE, restraints=Restraints(penetration_mm=0.05))),
    ("with microabsorption, particles of 2 um", replace(COMPLETE, particle_size_um=2.0)),
    ("with microabsorption, particles of 5 um", replace(COMPLETE, particle_size_um=5.0)),
)


def errors_of(setting: Setting, data: Path, standard: Instrument) -> dict[str, dict[str, float]]:
    """Found minus weighed wt% by sample and phase."""
    angle = standard.monochromator_two_theta if setting.monochromator else 0.0
    profile = replace(standard.profile, sh_l=setting.sh_l)
    instrument = replace(standard, monochromator_two_theta=angle, profile=profile)
    result = {}
    for row in read_rows(data):
        crystals = [load_phase(name) for name in PHASES]
        fractions = fractions_of(data / row.file, crystals, instrument, setting)
        result[row.file] = {
            name: 100 * float(w) - row.weighed.get(name, 0.0)
            for name, w in zip(PHASES, fractions, strict=True)
        }
    return result


def fractions_of(file: Path, crystals: list[Crystal], instrument: Instrument, setting: Setting) -> np.ndarray:
    """Weight fractions of one scan."""
    scan = read_scan(file)
    two_theta, counts, sigma = part_of(scan, overlap(scan, crystals, instrument))
    refined = refine(
        crystals,
        instrument,
        two_theta,
        counts[np.newaxis],
        sigma[np.newaxis],
        restraints=setting.restraints,
        fixed=setting.fixed,
        scattering=setting.scattering,
        texture_axes=TEXTURE_AXES if setting.texture else None,
    )[0]
    if setting.particle_size_um is None:
        return refined.weight_fractions
    return true_weights(crystals, refined.weight_fractions, instrument.radiation, setting.particle_size_um)


def settings() -> dict[str, Setting]:
    """All rows of the table by their name."""
    result, current = {}, BARE
    for name, change in STEPS:
        current = change(current)
        result[name] = current
    return result | dict(VARIANTS)


def summary(errors: dict[str, dict[str, float]]) -> dict[str, float]:
    """Mean absolute error over samples and phases, the worst, and the bias of each phase, in wt%."""
    table = np.array([list(row.values()) for row in errors.values()])
    bias = dict(zip(PHASES, table.mean(axis=0).tolist(), strict=True))
    return {"mae_wt": float(np.abs(table).mean()), "worst_wt": float(np.abs(table).max()), **bias}


def markdown(results: dict[str, dict[str, float]]) -> str:
    """The table of the documentation."""
    lines = [
        "# What each term of the forward model buys",
        "",
        "Found minus weighed wt% on round-robin samples 1a, 1b, 1d, 1g, refinement alone, by",
        "`make study-forward` (`studies/corrections.py`). The upper rows add one term after the other; the",
        "lower ones change one thing in the last of them.",
        "",
        "| model | mean abs. error | worst | " + " | ".join(f"{p}, mean" for p in PHASES) + " |",
        "|---|---|---|" + "---|" * len(PHASES),
    ]
    for name, row in results.items():
        means = " | ".join(f"{row[p]:+.2f}" for p in PHASES)
        lines.append(f"| {name} | {row['mae_wt']:.2f} | {row['worst_wt']:.2f} | {means} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Refine all samples under all settings."""
    data = Path(os.environ.get("MIXRD_DATA", ROOT.parent / "shared" / "data")) / "measured" / "cpd"
    if not data.is_dir():
        raise SystemExit("the measured scans were not found: set MIXRD_DATA to their folder")
    machine = generic_instrument("CuKa", monochromator_two_theta=26.6, goniometer_radius_mm=173.0)
    pure = read_scan(data / "corundum-pure.prn")
    standard = calibrate(pure, load_phase("corundum"), machine, name="round robin").instrument
    results = {}
    for name, setting in settings().items():
        errors = errors_of(setting, data, standard)
        results[name] = summary(errors) | {"samples": errors}
        print(f"{name:45s} {results[name]['mae_wt']:5.2f} {results[name]['worst_wt']:5.2f}", flush=True)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "corrections.json").write_text(json.dumps(results, indent=2) + "\n")
    (RESULTS / "corrections.md").write_text(markdown(results))


if __name__ == "__main__":
    main()
