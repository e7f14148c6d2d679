"""Time the forward model and the analysis on one thread; agreement is checked before anything is timed.

Prints ratios and times beside their targets and writes benchmarks/results.json. Times are medians of several
runs; ratios are of both sides measured in this run.
"""

from __future__ import annotations

import json
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch
from analysis import whole_analysis
from paper_pipeline import paper_pipeline, report_lines
from scaling import cost_of_points, cost_of_reflections, cost_of_sticks, rendering_beside_direct_sum
from sticks import sticks_against_others
from training import laboratory_sample, on_gpu, training_sample

RESULTS = Path(__file__).parent / "results.json"
PACKAGES = ("torch", "numpy", "gemmi", "pymatgen", "xrd-rust")


def measure() -> dict[str, Any]:
    """All results; memory first, before the other calculators are loaded."""
    training, laboratory = training_sample(), laboratory_sample()
    sticks = sticks_against_others()
    return {
        "strained_sticks_vs_pymatgen": sticks.pop("pymatgen"),
        "strained_sticks_vs_xrd_rust": sticks.pop("xrd_rust"),
        "strained_sticks": sticks,
        "training_sample_ms": training.pop("training_sample_ms"),
        "training_sample": training,
        "laboratory_sample_ms": laboratory.pop("laboratory_sample_ms"),
        "laboratory_sample": laboratory,
        "rendering_vs_direct_sum": rendering_beside_direct_sum(),
        "cost_of_sticks": cost_of_sticks(),
        "cost_of_reflections": cost_of_reflections(),
        "cost_of_points": cost_of_points(),
        "paper_pipeline": paper_pipeline(),
        "whole_analysis": whole_analysis(),
        "gpu": on_gpu(),
    }


def report(results: dict[str, Any]) -> str:
    """What was measured, in lines, with the target where there is one."""
    sticks = results["strained_sticks"]
    lines = [
        f"Strained sticks, {sticks['set']}, {sticks['structures']} structures: {sticks['mixrd_ms']:.3g} ms"
    ]
    lines += [
        f"  left out: {row['name']} (by {row['position']:.1g} in d, {row['intensity']:.1%} of the strongest)"
        for row in (*sticks["left_out"], *sticks["catalog_left_out"])
    ]
    for name, target in (("pymatgen", " (targets 100 and 20)"), ("xrd_rust", "")):
        row = results[f"strained_sticks_vs_{name}"]
        if row is None:
            lines.append(f"  {name} is not installed (extra: bench)")
        else:
            lines.append(
                f"  times {name}: median {row['median']:.0f}, worst {row['worst']:.0f}; over the catalog "
                f"{row['catalog_median']:.0f}, {row['catalog_worst']:.0f}{target}"
            )
    training, laboratory = results["training_sample"], results["laboratory_sample"]
    lines += [
        f"Training sample: {results['training_sample_ms']:.3g} ms (target 0.3), of which rendering "
        f"{training['rendering_ms']:.3g} ms; peak memory {training['peak_memory_mib']:.0f} MiB (target 1024)",
        f"Laboratory sample: {results['laboratory_sample_ms']:.3g} ms (target 1), "
        f"{laboratory['peaks']} peaks, {laboratory['mixtures_per_condition']} mixtures of each condition",
        f"Rendering: {results['rendering_vs_direct_sum']['ratio']:.2g} times a direct sum",
    ]
    for name in ("cost_of_sticks", "cost_of_reflections", "cost_of_points"):
        row = results[name]
        times = ", ".join(f"{count}: {ms:.3g}" for count, ms in row["ms"].items())
        lines.append(
            f"{name.replace('_', ' ').capitalize()}: exponent {row['exponent']:.2f}, in the last decade "
            f"{row['exponent_last_decade']:.2f} (ms by count: {times})"
        )
    lines += report_lines(results["paper_pipeline"])
    analysis, gpu = results["whole_analysis"], results["gpu"]
    lines.append(f"Analysis: network {analysis['network_s']:.2g} s, refinement {analysis['refined_s']:.2g} s")
    lines.append(
        f"GPU {gpu['device']}: {gpu['samples_per_second']:.3g} samples/s, "
        f"{100 * gpu['share_of_bandwidth']:.0f} % of its memory bandwidth"
        if gpu["available"]
        else "GPU: none available"
    )
    return "\n".join(lines)


def installed(package: str) -> str | None:
    """Version without local suffix, None where not installed."""
    try:
        return version(package).split("+")[0]
    except PackageNotFoundError:
        return None


def main() -> None:
    """Run all benchmarks."""
    torch.set_num_threads(1)
    results = measure()
    print(report(results))
    versions = {"python": platform.python_version()} | {name: installed(name) for name in PACKAGES}
    RESULTS.write_text(json.dumps({"threads": 1, "versions": versions, **results}, indent=2) + "\n")


if __name__ == "__main__":
    main()
