"""Measured I/I_corundum and relative intensities of certified standards beside calculated ones.

Reads reference/reference_values.csv of the measured data (MIXRD_DATA, default ../shared/data) and writes
studies/results/published-intensities.json and .md.
"""

from __future__ import annotations

import csv
import json
import os
import re
from pathlib import Path

import numpy as np
import torch

from mixrd.crystal import Crystal
from mixrd.diffraction import lorentz_polarization, radiation, reflections, strained_sticks
from mixrd.experiments.catalog_check import powder_lines
from mixrd.phases import load_phase

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "studies" / "results"
PHASES = {"SRM 674 corundum": "corundum", "SRM 674 ZnO": "zincite", "SRM 674 rutile": "rutile"}


def line_intensity(crystal: Crystal, indices: str) -> float:
    """Intensity per unit mass of all reflections with the spacing of these indices, such as 104."""
    beam = radiation("CuKa1")
    table = reflections(crystal, beam, two_theta_range=(15.0, 90.0), margin=0.0)
    sticks = strained_sticks(table, torch.zeros(1, len(table.strain_basis), dtype=torch.float64))
    two_theta = 2 * torch.arcsin(0.5 * beam.wavelength_angstrom * sticks.g_squared[0].sqrt())
    values = sticks.intensity[0] * lorentz_polarization(two_theta, monochromator_two_theta=0.0)
    hkl = np.array([int(digit) for digit in indices])
    wanted = np.sum((hkl @ np.linalg.inv(crystal.lattice).T) ** 2)
    return float(values.numpy()[np.isclose(sticks.g_squared[0].numpy(), wanted, rtol=1e-6)].sum())


def calculated(quantity: str, material: str) -> float | None:
    """Our value of a row of the table, None where the row is of something else."""
    phase = next((name for key, name in PHASES.items() if material.startswith(key)), None)
    if phase is None:
        return None
    if quantity.startswith("I/Ic"):
        return powder_lines(load_phase(phase))[1]
    match = re.fullmatch(r"Irel (\d+)/(\d+)", quantity)
    if match is None:
        return None
    first, second = (line_intensity(load_phase(phase), part) for part in match.groups())
    return 100 * first / second


def main() -> None:
    """Compare all rows that hold intensities."""
    data = Path(os.environ.get("MIXRD_DATA", ROOT.parent / "shared" / "data"))
    table = data / "reference" / "reference_values.csv"
    if not table.is_file():
        raise SystemExit("the reference values were not found: set MIXRD_DATA to their folder")
    rows = []
    with table.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            ours = calculated(row["quantity"], row["material"])
            if ours is not None:
                rows.append({key: row[key] for key in ("quantity", "material", "value", "uncertainty")})
                rows[-1]["calculated"] = round(ours, 3)
    lines = [
        "# Measured intensities of standards beside calculated ones",
        "",
        "`make study-forward` (`studies/published.py`). Real standards hold some amorphous material and",
        "texture; the calculation is of a perfect powder and is not bent towards them.",
        "",
        "| quantity | standard | measured | calculated |",
        "|---|---|---|---|",
        *(
            f"| {r['quantity']} | {r['material']} | {r['value']} ± {r['uncertainty']} | "
            f"{r['calculated']:.3g} |"
            for r in rows
        ),
    ]
    print("\n".join(lines))
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "published-intensities.json").write_text(json.dumps(rows, indent=2) + "\n")
    (RESULTS / "published-intensities.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
