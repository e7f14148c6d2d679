"""Time the fit of the paper's patterns by the number of phases; prints it and writes refinement.json.

On one thread. A fit is five steps at the sharp level with all derivatives, from the truth. Before anything is
timed, fits to the end are compared with what the patterns were made from.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import torch
from timing import median_seconds

from mixrd.paper.dataset import build_dataset
from mixrd.paper.dataset_recipe import DatasetRecipe
from mixrd.paper.figure1 import Figure1Sampler
from mixrd.paper.figure1_draw import Figure1Draw
from mixrd.paper.figure1_settings import Figure1Settings
from mixrd.paper.pool import load_pool
from mixrd.paper.refinement.copies import Copies
from mixrd.paper.refinement.fitting import Prior, fit
from mixrd.paper.refinement.lines import LineTable
from mixrd.paper.refinement.pattern_model import PatternModel

RESULTS = Path(__file__).parent / "refinement.json"
MATERIALS, PHASES, PATTERNS, STEPS = 20, (1, 2, 4, 8), 64, 5
#: Mean TVD of fits from the truth: near the noise floor, which is 0.01 to 0.02.
TOLERANCE = 0.03


def copies_of(recipe: DatasetRecipe, lines: LineTable, drawn: Figure1Draw) -> Copies:
    """What the patterns were drawn from."""
    count = recipe.copies("test")
    strains = torch.zeros(len(recipe.crystals), count, lines.most_components)
    for number, crystal in enumerate(recipe.crystals):
        own = torch.from_numpy(recipe.amplitudes(crystal, "test"))
        strains[number, :, : own.shape[1]] = own
    material = drawn.pattern // count
    decay = drawn.background.decay_deg.flatten().log()
    shape = torch.stack([drawn.size_nm[:, 0].log(), drawn.eta[:, 0], decay], dim=1).float()
    return Copies(material, strains[material, drawn.pattern % count], shape)


def fit_ms(recipe: DatasetRecipe, phases: int) -> dict[str, Any]:
    """Time of a pattern's fit, and the error of fits to the end."""
    settings = Figure1Settings(kind="exactly_distinct", max_phases=phases)
    lines = LineTable(recipe, settings)
    model = PatternModel(lines, settings, blur_deg=0.0, every=1)
    prior = Prior.of(settings, recipe.max_strain, MATERIALS)
    sampler = Figure1Sampler(build_dataset(recipe).part("test"), settings)
    drawn = sampler.conditions(PATTERNS, generator=torch.Generator().manual_seed(phases))
    patterns, copies = sampler.make(drawn).patterns, copies_of(recipe, lines, drawn)
    whole = fit(model, patterns, copies, prior, steps=20)
    share = whole.coefficients[:, :-1] / whole.coefficients[:, :-1].sum(1, keepdim=True)
    error = float(0.5 * (share - drawn.fraction).abs().sum(1).mean())
    if error > TOLERANCE:
        raise SystemExit(f"fits of {phases} phases are off by {error:g}: not timed")
    seconds = median_seconds(lambda: fit(model, patterns, copies, prior, steps=STEPS, enough=0.0))
    return {"phases": phases, "ms": 1e3 * seconds / PATTERNS, "mean_tvd": error}


def main() -> None:
    """Time all numbers of phases."""
    torch.set_num_threads(1)
    recipe = DatasetRecipe(load_pool(MATERIALS), strains=2, validation_share=0.0)
    rows = [fit_ms(recipe, phases) for phases in PHASES]
    first, last = rows[0], rows[-1]
    exponent = math.log(last["ms"] / first["ms"]) / math.log(last["phases"] / first["phases"])
    for row in rows:
        print(f"{row['phases']} phases: {row['ms']:.2f} ms a pattern for {STEPS} steps")
    print(f"grows as the {exponent:.2f}th power of the number of phases")
    RESULTS.write_text(json.dumps({"threads": 1, "rows": rows, "exponent": exponent}, indent=2) + "\n")


if __name__ == "__main__":
    main()
