"""The demonstration: a synthetic scan and a small model that ship with mixrd.

``python -m mixrd.experiments.demo`` makes both anew where the package lies.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

import torch

from mixrd.analysis import Analysis, analyze, finished_model, recipe_for
from mixrd.files import write_whole
from mixrd.mixture import Composition, ScanSettings, simulate
from mixrd.network import Model
from mixrd.pattern import Instrument, load_instrument
from mixrd.phases import load_phase
from mixrd.scan import Scan, read_scan, write_scan
from mixrd.training import TrainingProgress

#: What the example sample holds, in wt%.
COMPOSITION = {"corundum": 30.0, "fluorite": 34.4, "zincite": 35.6}
SEED = 1
_SETTINGS = ScanSettings(
    peak_counts=8000, background_counts=250, max_strain=0.001, zero_deg=0.02, displacement_mm=0.05
)
_SCAN, _TRUTH, _MODEL = "demo.xy", "demo.truth.json", "demo.mixrd"


@dataclass(frozen=True, eq=False)
class Demo:
    """What the demonstration shows.

    Attributes
    ----------
    analysis : Analysis
    truth_percent : dict
        The composition in wt% that the scan was made with.
    """

    analysis: Analysis
    truth_percent: dict[str, float]


def demo_instrument() -> Instrument:
    """The generic laboratory preset over 20-90 degrees."""
    return dataclasses.replace(load_instrument("lab-cu"), two_theta_range=(20.0, 90.0))


def run_demo(
    *, retrain_in: Path | None = None, on_progress: Callable[[TrainingProgress], None] | None = None
) -> Demo:
    """Analyse the example scan.

    Parameters
    ----------
    retrain_in : path, optional
        Make scan and model anew in this folder and use those.
    on_progress : callable, optional
        Told of the training's progress.
    """
    if retrain_in is not None:
        make_demo(retrain_in, on_progress=on_progress)
        return _analyse(retrain_in)
    with as_file(files("mixrd.experiments") / "demo") as folder:
        return _analyse(folder)


def make_demo(folder: Path, *, on_progress: Callable[[TrainingProgress], None] | None = None) -> None:
    """Simulate the example scan, train the model for it and write both into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    crystals = [load_phase(name) for name in COMPOSITION]
    composition = Composition(tuple(COMPOSITION), tuple(COMPOSITION.values()))
    simulated = simulate(
        crystals,
        composition,
        demo_instrument(),
        generator=torch.Generator().manual_seed(SEED),
        settings=_SETTINGS,
    )
    write_scan(simulated.scan, folder / _SCAN, overwrite=True)
    write_whole(folder / _TRUTH, json.dumps(simulated.truth, indent=2) + "\n")
    recipe = recipe_for(read_scan(folder / _SCAN), crystals, demo_instrument())
    finished_model(recipe, on_progress=on_progress).save(folder / _MODEL, half=True)


def demo_scan(folder: Path) -> Scan:
    """The example scan of `folder`."""
    return read_scan(folder / _SCAN)


def _analyse(folder: Path) -> Demo:
    truth = json.loads((folder / _TRUTH).read_text(encoding="utf-8"))
    analysis = analyze(demo_scan(folder), [], demo_instrument(), model=Model.load(folder / _MODEL))
    return Demo(analysis, dict(truth["weight_percent"]))


if __name__ == "__main__":
    make_demo(
        Path(str(files("mixrd.experiments") / "demo")),
        on_progress=lambda p: print(f"\r{p.step}/{p.steps}  TVD {p.tvd:.4f}", end="", flush=True),
    )
