"""How far the fast precisions of the forward model are from the plain sum over all peaks.

Three phases, K alpha doublet, Thompson-Cox-Hastings profile, displacement; with and without axial divergence,
small and large crystallites, fine and coarse steps. Writes studies/results/rendering.json and .md.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from mixrd.pattern import TOLERANCES, ForwardModel, Precision, load_instrument
from mixrd.phases import load_phase

RESULTS = Path(__file__).resolve().parents[1] / "studies" / "results"
PHASES = ("corundum", "zincite", "calcite")
FAST: tuple[Precision, ...] = ("training", "refinement")
AXIAL, SIZES_NM, STEPS_DEG = (0.0, 0.02, 0.06), (15.0, 40.0, 300.0), (0.01, 0.02, 0.05)


def worst_error(precision: Precision, sh_l: float, size_nm: float, step_deg: float) -> float:
    """Largest difference from the exact patterns of all phases, relative to each one's maximum."""
    machine = load_instrument("lab-cu")
    machine = replace(machine, profile=replace(machine.profile, sh_l=sh_l))
    crystals, grid = [load_phase(p) for p in PHASES], np.arange(15.0, 110.0, step_deg)
    patterns = []
    for mode in ("exact", precision):
        model = ForwardModel(crystals, machine, grid, precision=mode, widest_fwhm=0.8)
        start = model.reference()
        start = replace(start, inverse_size=start.inverse_size + 1 / size_nm, displacement=start.zero + 0.05)
        with torch.no_grad():
            patterns.append(model.columns(start)[0].double())
    return float(((patterns[1] - patterns[0]).abs().amax(-1) / patterns[0].amax(-1)).max())


def main() -> None:
    """Compare all cases."""
    torch.set_num_threads(1)
    cases = list(itertools.product(AXIAL, SIZES_NM, STEPS_DEG))
    rows = [
        {"sh_l": sh_l, "size_nm": size, "step_deg": step}
        | {mode: worst_error(mode, sh_l, size, step) for mode in FAST}
        for sh_l, size, step in cases
    ]
    worst = {mode: max(row[mode] for row in rows) for mode in FAST}
    lines = [
        "# Rendering against the plain sum",
        "",
        "Largest difference relative to the maximum, by `make study-forward` (`studies/rendering.py`).",
        "",
        "| (S + H)/L | size, nm | step, deg | training | refinement |",
        "|---|---|---|---|---|",
        *(
            f"| {r['sh_l']:g} | {r['size_nm']:g} | {r['step_deg']:g} | {r['training']:.1e} | "
            f"{r['refinement']:.1e} |"
            for r in rows
        ),
        f"| worst | | | {worst['training']:.1e} | {worst['refinement']:.1e} |",
        f"| allowed | | | {TOLERANCES['training']:.0e} | {TOLERANCES['refinement']:.0e} |",
    ]
    print("\n".join(lines))
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "rendering.json").write_text(json.dumps({"worst": worst, "cases": rows}, indent=2) + "\n")
    (RESULTS / "rendering.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
