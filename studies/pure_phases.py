"""Pure phases of the round robin, catalog structures: only instrument, cell, size and background refined.

Writes studies/results/pure-phases.json and .md. Needs the measured scans (MIXRD_DATA, default
../shared/data).
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from mixrd.analysis import calibrate, generic_instrument
from mixrd.phases import load_phase
from mixrd.scan import read_scan

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "studies" / "results"
PHASES = ("corundum", "fluorite", "zincite", "zircon", "magnetite")


def main() -> None:
    """Fit each phase to its scan."""
    data = Path(os.environ.get("MIXRD_DATA", ROOT.parent / "shared" / "data")) / "measured" / "cpd"
    if not data.is_dir():
        raise SystemExit("the measured scans were not found: set MIXRD_DATA to their folder")
    machine = generic_instrument("CuKa", monochromator_two_theta=26.6, goniometer_radius_mm=173.0)
    results = {}
    for name in PHASES:
        fit = calibrate(read_scan(data / f"{name}-pure.prn"), load_phase(name), machine, name=name)
        results[name] = {
            "r_wp_percent": 100 * fit.r_wp,
            "r_exp_percent": 100 * fit.r_exp,
            "sh_l": fit.instrument.profile.sh_l,
            "displacement_mm": fit.displacement_mm,
        }
        print(name, *(f"{key} {value:.3f}" for key, value in results[name].items()), flush=True)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "pure-phases.json").write_text(json.dumps(results, indent=2) + "\n")
    lines = ["| phase | R_wp | expected | (S + H)/L |", "|---|---|---|---|"]
    lines += [
        f"| {name} | {row['r_wp_percent']:.1f} % | {row['r_exp_percent']:.1f} % | {row['sh_l']:.3f} |"
        for name, row in results.items()
    ]
    title = "# Pure phases of the round robin\n\n`make study-forward` (`studies/pure_phases.py`).\n\n"
    (RESULTS / "pure-phases.md").write_text(title + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
