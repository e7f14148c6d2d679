"""Time the forward model and the analysis; every comparison checks agreement before it times.

Prints a table and writes benchmarks/results.json. Times are medians of several runs on one thread;
ratios are of both sides measured in this run.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import gemmi
import numpy as np
import torch
from pymatgen.analysis.diffraction.xrd import XRDCalculator
from pymatgen.core import Lattice, Structure

from mixrd.analysis import analyze
from mixrd.crystal import Crystal, load_phase
from mixrd.diffraction import lorentz_polarization, radiation, reflections, strained_sticks
from mixrd.experiments.demo import demo_instrument, demo_scan
from mixrd.mixture import MixtureSampler, SampleRanges
from mixrd.pattern import ForwardModel
from mixrd.pattern.profile import pseudo_voigt

PHASES = ("corundum", "fluorite", "zincite")
RESULTS = Path(__file__).parent / "results.json"


def median_seconds(run: Callable[[], object], repeats: int = 7) -> float:
    """Median time of `run` after one warm-up."""
    run()
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        run()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def sticks_against_pymatgen() -> dict[str, float]:
    """Strained sticks of one phase: ours in a batch of 256, pymatgen's one by one."""
    crystal = load_phase("corundum")
    calculator = XRDCalculator(wavelength=1.5405929)
    structure = pymatgen_structure(crystal)
    table = reflections(crystal, radiation("CuKa1"), two_theta_range=(5.0, 90.0))
    reference = calculator.get_pattern(structure, two_theta_range=(5, 90))
    sticks = strained_sticks(table, torch.zeros(1, 2, dtype=torch.float64))
    two_theta = 2 * torch.arcsin(0.5 * 1.5405929 * sticks.g_squared[0].sqrt())
    ours = np.sort(np.degrees(two_theta.numpy()))
    theirs = np.sort(reference.x)
    worst = max(float(np.abs(ours - x).min()) for x in theirs)
    if worst > 1e-3:
        raise SystemExit(f"positions differ from pymatgen's by {worst:g} deg: not timed")
    strain = 0.01 * (2 * torch.rand(256, 2, dtype=torch.float64) - 1)

    def batch() -> object:
        result = strained_sticks(table, strain)
        angle = 2 * torch.arcsin(0.5 * 1.5405929 * result.g_squared.sqrt())
        return result.intensity * lorentz_polarization(angle, monochromator_two_theta=0.0)

    mine = median_seconds(batch) / 256
    other = median_seconds(lambda: calculator.get_pattern(structure, two_theta_range=(5, 90)))
    return {"mixrd_ms": 1e3 * mine, "pymatgen_ms": 1e3 * other, "ratio": other / mine, "worst_deg": worst}


def pymatgen_structure(crystal: Crystal) -> Structure:
    """The same crystal for pymatgen."""
    atoms = crystal.atoms
    species = [crystal.sites[i].element for i in atoms.site]
    return Structure(Lattice(crystal.lattice), species, atoms.fract)


def pattern_against_direct_sum() -> dict[str, float]:
    """A whole pattern (three phases, doublet, 3500 points, float64) against the sum of all full profiles."""
    model = ForwardModel([load_phase(p) for p in PHASES], demo_instrument(), np.arange(20.0, 90.0, 0.02))
    reference = model.reference()

    def direct() -> torch.Tensor:
        peaks = model.peaks(reference)
        offset = model.two_theta - peaks.position[0].unsqueeze(1)
        return (
            peaks.area[0].unsqueeze(1)
            * pseudo_voigt(offset, peaks.fwhm[0].unsqueeze(1), peaks.eta[0].unsqueeze(1))
        ).sum(0)

    exact = direct()
    error = float(((model.columns(reference)[0].sum(0) - exact).abs() / exact.max()).max())
    if error > 1e-4:
        raise SystemExit(f"the rendered pattern differs from the direct sum by {error:g}: not timed")
    mine, other = median_seconds(lambda: model.columns(reference)), median_seconds(direct)
    return {"mixrd_ms": 1e3 * mine, "direct_ms": 1e3 * other, "ratio": other / mine, "worst": error}


def training_batch() -> dict[str, float]:
    """A training sample of the laboratory pipeline at batch 192."""
    crystals = [load_phase(p) for p in PHASES]
    sampler = MixtureSampler(crystals, demo_instrument(), np.arange(22.0, 90.0, 0.023), SampleRanges())
    generator = torch.Generator().manual_seed(0)
    seconds = median_seconds(lambda: sampler.draw(192, generator=generator), 5)
    return {"ms_per_sample": 1e3 * seconds / 192}


def whole_analysis() -> dict[str, float]:
    """The demonstration's scan: network and refinement."""
    from importlib.resources import files

    from mixrd.network import Model

    folder = Path(str(files("mixrd.experiments") / "demo"))
    scan, model = demo_scan(folder), Model.load(folder / "demo.mixrd")
    results = [analyze(scan, [], demo_instrument(), model=model) for _ in range(5)]
    return {f"{key}_s": statistics.median(r.seconds[key] for r in results) for key in ("network", "refined")}


def main() -> None:
    """Run all benchmarks."""
    torch.set_num_threads(1)
    results: dict[str, dict[str, float]] = {}
    for benchmark in (sticks_against_pymatgen, pattern_against_direct_sum, training_batch, whole_analysis):
        results[benchmark.__name__] = benchmark()
        print(benchmark.__name__, {k: float(f"{v:.3g}") for k, v in results[benchmark.__name__].items()})
    versions = {"torch": torch.__version__.split("+")[0], "gemmi": gemmi.__version__}
    RESULTS.write_text(json.dumps({"threads": 1, "versions": versions, **results}, indent=2) + "\n")


if __name__ == "__main__":
    main()
