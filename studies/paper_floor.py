"""The noise floor of the paper's patterns: how much it matters that lines move to grid points.

``python studies/paper_floor.py`` prints, for 100 patterns of the test each, the mean bound, that of an
estimator which is told all strains, so that it need not see where lines are, and how far a fit with lines
where they are is led astray by the moved ones, to first order and without noise. Some ten seconds.
"""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor

from mixrd.fit import expected_tvd, fraction_covariance
from mixrd.paper import NoiseFloor, grid, paper_materials
from mixrd.paper.dataset import build_dataset
from mixrd.paper.figure1 import Figure1Sampler
from mixrd.paper.floor import FloorModel
from mixrd.paper.result import seed_of_test
from mixrd.paper.sources import chunks_drawn
from mixrd.pattern import take_rows

SETTINGS = ((5, 3), (10, 3), (20, 7))
PATTERNS = 100


def bound(model: FloorModel, sigma: float, *, strains_known: bool) -> float:
    """Mean TVD of an efficient estimator."""
    nuisance = model.by_nuisance
    if strains_known:
        # Size, eta, level and decay are the last four.
        nuisance = nuisance[:, -4:]
    noise = torch.full_like(model.pattern, sigma)
    covariance = fraction_covariance(model.by_mass[None], nuisance[None], noise[None], model.masses[None])
    return float(expected_tvd(covariance))


def astray(model: FloorModel, pattern: Tensor) -> float:
    """TVD of a linear fit to a pattern whose lines were moved."""
    slopes = torch.cat([model.by_mass, model.by_nuisance], dim=1)
    length = slopes.norm(dim=0).clamp_min(1e-12)
    moved = torch.linalg.lstsq(slopes / length, (pattern - model.pattern)[:, None]).solution[:, 0] / length
    masses = model.masses + moved[: len(model.masses)]
    return float(0.5 * (masses / masses.sum() - model.masses / model.masses.sum()).abs().sum())


def main() -> None:
    """Print one row for each setting."""
    pool = paper_materials().crystals
    print(f"{'N, K':8}{'bound':>10}{'strains known':>15}{'led astray':>12}")
    for n, k in SETTINGS:
        (cell,) = grid(pool, n=[n], k=[k], kinds=["exactly_distinct"], seeds=[0])
        recipe = dataclasses.replace(cell.protocol.dataset(cell.crystals), strains=2, validation_share=0.0)
        sampler = Figure1Sampler(build_dataset(recipe).part("test"), cell.figure1())
        ((drawn, count),) = chunks_drawn(sampler, PATTERNS, seed_of_test(cell.recipe))
        floor, rows = NoiseFloor(recipe, cell.figure1()), []
        for i in range(count):
            one = take_rows(drawn, slice(i, i + 1))
            model, sigma = floor.model(one), float(one.noise.sigma)
            bounds = [bound(model, sigma, strains_known=known) for known in (False, True)]
            rows.append([*bounds, astray(model, sampler.noise_free(one)[0].double())])
        free, known, led = torch.tensor(rows).mean(0).tolist()
        print(f"{f'{n}, {k}':8}{free:10.4f}{known:15.4f}{led:12.4f}", flush=True)


if __name__ == "__main__":
    main()
