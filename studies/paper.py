"""The reproduction of the paper on a processor: a shortened grid, learning curves, Greasley's setting.

``python studies/paper.py [grid] [curves] [greasley] [ablation] [losses]`` (default grid). The commands are
a user's; results go to studies/results/paper*/, and what is done is not done again.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from matplotlib.figure import Figure

from mixrd.network import load_estimator, total_variation_distance
from mixrd.paper import paper_materials, read_results
from mixrd.paper.dataset import build_dataset
from mixrd.paper.dataset_recipe import without_training
from mixrd.paper.figure1 import Figure1Sampler
from mixrd.paper.result import seed_of_test
from mixrd.paper.sources import drawn
from mixrd.paper.verification import kept_recipe, test_split
from mixrd.report.colours import phase_style
from mixrd.report.paper_figure import write_figure

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "studies" / "results"
IMAGES = ROOT / "docs" / "images"
#: How the compact network learns fastest on a processor; the paper's network has the paper's optimiser.
FAST = ("--batch", "192", "--learning-rate", "0.002", "--schedule", "cosine")
#: Mixtures of each training of the shortened grid: 12 cells in 20 minutes on two cores.
GRID_SAMPLES = 60_000
GREASLEY_SAMPLES = 80_000
#: As many mixtures as the paper's network sees in 30 to 50 minutes on one core.
CURVE_SAMPLES = 40_000
#: What learning curves are drawn against: key of their points, and the axis.
AGAINST = {"samples": "mixtures learnt from", "seconds": "seconds of drawing and learning"}
#: Mixtures that nearest neighbours are fitted to, for their curve.
KNN_SAMPLES = (500, 1000, 2000, 5000, 10_000, 20_000, 40_000)
#: The paper's network with two losses, for as many mixtures as show where it stands still.
LOSSES = ("tvd", "cross-entropy")
LOSS_CELL = ("--n", "5", "--k", "3", "--seeds", "1", "--architecture", "table1", "--batch", "64",
             "--precision", "bf16", "--samples", "6000")  # fmt: skip
SATURATION_PATTERNS = 512
CURVE_CELLS = ((5, 3), (10, 3))
#: What the paper leaves open, each against our choice.
ABLATIONS: dict[str, tuple[str, ...]] = {
    "as-chosen": (),
    "general-strain": ("--strain", "general"),
    "scaled-to-area": ("--scaling", "area"),
    "shape-per-phase": ("--shape-per", "phase"),
    "exactly-distinct": ("--kind", "exactly_distinct"),
}


def run(folder: Path, *arguments: str) -> None:
    """Run cells; their progress goes to the terminal."""
    command = ("paper", "run", *arguments, "-o", str(folder), "--device", "cpu")
    print("$ mixrd", *command, flush=True)
    subprocess.run([sys.executable, "-m", "mixrd", *command], check=True)


def grid() -> None:
    """Eq. 2 with the compact network, one seed, shortened."""
    run(RESULTS / "paper", "--architecture", "compact", "--seeds", "1", *FAST, "--samples", str(GRID_SAMPLES))


def curves() -> None:
    """TVD against mixtures and against seconds, with as many mixtures for each network."""
    folder = RESULTS / "paper-curves"
    for n, k in CURVE_CELLS:
        cell = ("--n", str(n), "--k", str(k), "--seeds", "1", "--no-models")
        count = ("--samples", str(CURVE_SAMPLES))
        for architecture in ("compact", "mlp", "table1"):
            # The large network takes twice as long in float32.
            precision = ("--precision", "bf16") if architecture == "table1" else ()
            run(folder, *cell, *count, "--architecture", architecture, "--batch", "64", *precision)
        for samples in KNN_SAMPLES:
            run(folder, *cell, "--architecture", "knn", "--samples", str(samples))
        run(folder, *cell, "--architecture", "nnls")
    results = read_results([folder])
    for n, k in CURVE_CELLS:
        here = [r for r in results if (r["n"], r["k"]) == (n, k)]
        plot_curves(curves_of(here), IMAGES / f"paper-curves-{n}-{k}.png", title=f"N = {n}, K = {k}")


def curves_of(results: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """One curve for each architecture; each number of mixtures that was fitted to gives one point."""
    joined: dict[str, list[dict[str, Any]]] = {}
    for result in sorted(results, key=lambda r: r["samples"]):
        joined.setdefault(result["architecture"], []).extend(result["learning_curve"])
    return joined


def plot_curves(curves: Mapping[str, Sequence[Mapping[str, Any]]], path: Path, *, title: str = "") -> None:
    """Draw learning curves twice: validation TVD against mixtures learnt from, and against seconds.

    Parameters
    ----------
    curves : mapping
        Name of a curve to its points, each with `samples`, `seconds` and `validation_tvd`. A curve with no
        samples is a level line.
    path : path
    title : str

    Raises
    ------
    UsageError
        If the file cannot be written.
    """
    figure = Figure(figsize=(9.2, 4.0), layout="constrained")
    for column, (key, label) in enumerate(AGAINST.items()):
        axes = figure.add_subplot(1, 2, column + 1)
        for i, (name, points) in enumerate(curves.items()):
            colour, style = phase_style(i)
            heights = [point["validation_tvd"] for point in points]
            if not any(point["samples"] for point in points):
                axes.axhline(heights[-1], color=colour, ls="--", lw=1.2, label=name)
                continue
            axes.plot([p[key] for p in points], heights, color=colour, ls=style, marker=".", label=name)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel(label)
        axes.set_ylabel("validation TVD")
        axes.grid(alpha=0.3, which="both", lw=0.4)
        axes.legend(frameon=False, fontsize=8)
    figure.suptitle(title, fontsize=10)
    write_figure(figure, path)


def greasley() -> None:
    """N = 7, K = 2 with phases of urinary stones: nearest neighbours, forest, compact network."""
    folder = RESULTS / "paper-greasley"
    cell = ("--pool", "stones", "--n", "7", "--k", "2", "--seeds", "1", "--no-models")
    kinds = ("--kind", "exactly_distinct", "up_to_replacement")
    run(folder, *cell, *kinds, "--architecture", "knn", "random_forest", "nnls")
    run(folder, *cell, *kinds, "--architecture", "compact", *FAST, "--samples", str(GREASLEY_SAMPLES))
    rows = [
        {key: r[key] for key in ("kind", "architecture", "samples")} | {"tvd": r["test"]["mean"]}
        for r in read_results([folder])
    ]
    print(json.dumps(rows, indent=1))


def ablation() -> None:
    """(10, 3) with the compact network, one choice at a time changed."""
    cell = ("--n", "10", "--k", "3", "--seeds", "1", "--no-models", "--architecture", "compact")
    for name, options in ABLATIONS.items():
        folder = RESULTS / "paper-ablation" / name
        run(folder, *cell, *FAST, "--samples", str(GRID_SAMPLES), *options)


def losses() -> None:
    """Why the paper's network stands still with the paper's loss: its outputs name one phase and no other."""
    folder = RESULTS / "paper-losses"
    for loss in LOSSES:
        run(folder, *LOSS_CELL, "--loss", loss)
    found = {r["recipe"]["training"]["loss"]: r for r in read_results([folder])}
    models = {loss: folder / f"{found[loss]['cell']}.safetensors" for loss in LOSSES}
    # Networks are not committed: only those that were trained here can be asked.
    rows = {loss: saturation(model) for loss, model in models.items() if model.is_file()}
    (folder / "saturation.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(rows, indent=1))


def saturation(model: Path) -> dict[str, float]:
    """How often a network names one phase alone, and the error of naming the largest phase alone."""
    kept = kept_recipe(model)
    dataset, settings = test_split(kept["cell"], paper_materials(), model)
    sampler = Figure1Sampler(build_dataset(without_training(dataset)).part("test"), settings)
    patterns, true = drawn(sampler, SATURATION_PATTERNS, seed_of_test(kept["cell"]))
    estimated = load_estimator(model).predict(patterns)
    largest = torch.nn.functional.one_hot(true.argmax(1), true.shape[1]).float()
    return {
        "patterns": SATURATION_PATTERNS,
        "mean_tvd": float(total_variation_distance(estimated, true).mean()),
        "mean_tvd_of_the_largest_phase_alone": float(total_variation_distance(largest, true).mean()),
        "share_of_estimates_above_0.99": float((estimated.amax(1) > 0.99).double().mean()),
        "share_of_mixtures_above_0.99": float((true.amax(1) > 0.99).double().mean()),
        "largest_phase_right": float((estimated.argmax(1) == true.argmax(1)).double().mean()),
    }


STUDIES = {"ablation": ablation, "grid": grid, "curves": curves, "greasley": greasley, "losses": losses}


def main() -> None:
    """Run the studies that are named."""
    names = sys.argv[1:] or ["grid"]
    if unknown := sorted(set(names) - set(STUDIES)):
        raise SystemExit(f"there is no study {', '.join(unknown)}; there are {', '.join(STUDIES)}")
    for name in names:
        begin = time.monotonic()
        STUDIES[name]()
        print(f"{name}: {time.monotonic() - begin:.0f} s", flush=True)


if __name__ == "__main__":
    main()
