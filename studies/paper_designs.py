"""Designs of networks with heads side by side: as long a training on one core, the same test patterns.

``python studies/paper_designs.py [design ...]`` (default all); results go to studies/results/paper-designs/,
one JSON each, and what is done is not done again.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch

from mixrd.network import NetworkEstimator, architecture_named, build_trainable, total_variation_distance
from mixrd.paper import grid, paper_materials
from mixrd.paper.figure1 import Figure1Sampler
from mixrd.paper.network_options import network_options
from mixrd.paper.result import write_json
from mixrd.paper.sources import CellSources, cached_dataset
from mixrd.training import TrainingSettings, train_network

RESULTS = Path(__file__).resolve().parent / "results" / "paper-designs"
N, K, KIND = 10, 3, "exactly_distinct"
#: Seconds of each training on one core, and steps that tell how many mixtures that is.
SECONDS, TRIAL_STEPS = 300.0, 40
TEST_PATTERNS, CHUNK, TEST_SEED = 2048, 256, 4_000_003
#: Architecture and options of each design.
DESIGNS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "convolutions": ("compact-heads", {}),
    "dictionary": ("matched", {"rounds": 0}),
    "dictionary, closer looks": ("matched", {}),
    "dictionary, closer looks, attention": ("matched", {"mixing": "attention"}),
    "dictionary, closer looks, fits": ("matched-fits", {}),
}


def run(name: str) -> dict[str, Any]:
    """Train a design and judge it."""
    architecture, chosen = DESIGNS[name]
    (cell,) = grid(
        paper_materials().crystals, n=[N], k=[K], kinds=[KIND], architectures=[architecture], seeds=[0]
    )
    options = {**network_options(cell), **chosen}
    sources = CellSources.of(cell, cached_dataset(cell.protocol.dataset(cell.crystals)))
    points = sources.training.points
    build = partial(build_trainable, architecture, points=points, materials=N, seed=0, **options)
    defaults = dict(architecture_named(architecture).training)
    trial = TrainingSettings(samples=TRIAL_STEPS * defaults["batch"], validation_samples=1, **defaults)
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder)
        both = {"source": sources.training, "validation": sources.validation}
        first = train_network(build, settings=trial, checkpoint=state / "trial", **both)
        each = first.seconds / first.samples
        settings = TrainingSettings(samples=round(SECONDS / each), **defaults)
        result = train_network(build, settings=settings, checkpoint=state / "whole", **both)
        estimator = NetworkEstimator(
            architecture, result.network, loss=settings.loss, points=points, materials=N, options=options
        )
        estimator.save(state / "file", half=True)
        size = (state / "file").stat().st_size
    last = result.curve[-1]
    return {
        "design": name,
        "architecture": architecture,
        "options": dict(chosen),
        "n": N,
        "k": K,
        "kind": KIND,
        "training": settings.to_dict(),
        "seconds": result.seconds,
        "ms_a_mixture": 1e3 * result.seconds / result.samples,
        "parameters": estimator.parameters_count,
        "file_bytes": size,
        "training_tvd": last.training_tvd,
        "validation_tvd": last.validation_tvd,
        "test": judged(estimator, sources.test),
    }


def judged(estimator: NetworkEstimator, sampler: Figure1Sampler) -> dict[str, Any]:
    """Errors of all heads on mixtures of the test split; those of strains weighted with the fractions."""
    generator = torch.Generator().manual_seed(TEST_SEED)
    distance, right, moved, weight, shaped, covered = [], [], [], [], [], []
    network: Any = estimator.network
    for _ in range(TEST_PATTERNS // CHUNK):
        batch = sampler.draw(CHUNK, generator=generator)
        found = estimator.estimate(batch.patterns)
        assert batch.strain is not None
        distance.append(total_variation_distance(found.fractions, batch.fractions))
        right.append(((found.presence > 0.5) == (batch.fractions > 0)).float().mean(1))
        error = (found.strain - batch.strain).abs()
        moved.append(error)
        covered.append(error / found.strain_sigma)
        weight.append(batch.fractions[:, network.material_of_strain])
        shape = torch.stack([found.log_size, found.eta, found.level, found.log_decay], dim=1)
        shaped.append((shape - batch.shape).abs())
    tvd, share, error = torch.cat(distance), torch.cat(weight), torch.cat(moved)
    names = ("log_size", "eta", "level", "log_decay")

    def weighted(values: torch.Tensor) -> float:
        return float((share * values).sum() / share.sum())

    return {
        "patterns": len(tvd),
        "mean_tvd": float(tvd.mean()),
        "median_tvd": float(tvd.median()),
        "presence_right": float(torch.cat(right).mean()),
        "mean_strain_error": weighted(error),
        "strain_within_0.003": weighted((error < 0.003).float()),
        "strain_within_2_sigma": weighted((torch.cat(covered) < 2).float()),
        "mean_shape_error": dict(zip(names, torch.cat(shaped).mean(0).tolist(), strict=True)),
    }


def main() -> None:
    """Run the designs that have no result yet."""
    torch.set_num_threads(1)
    for name in sys.argv[1:] or DESIGNS:
        path = RESULTS / f"{name.replace(', ', '-').replace(' ', '-')}.json"
        if not path.is_file():
            write_json(path, run(name))
        content = json.loads(path.read_text(encoding="utf-8"))
        print(name, json.dumps({k: v for k, v in content.items() if k not in ("training", "options")}))


if __name__ == "__main__":
    main()
