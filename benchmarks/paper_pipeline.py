"""The paper's data pipeline: time of a sample, and how much faster it is than the network that consumes it.

On one thread, and on a GPU where there is one. Patterns are compared with the float64 sum of all full
profiles before anything is timed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch
from timing import median_seconds

from mixrd.mixture import LineLists
from mixrd.network.table1 import Table1Network
from mixrd.paper.dataset import LineDataset, build_dataset
from mixrd.paper.dataset_recipe import DatasetRecipe
from mixrd.paper.figure1 import Figure1Sampler
from mixrd.paper.figure1_draw import Figure1Draw
from mixrd.paper.figure1_settings import Figure1Settings
from mixrd.paper.pool import load_pool
from mixrd.pattern.profile import pseudo_voigt, size_fwhm

BATCH, NETWORK_BATCH, GPU_BATCH = 512, 64, 4096
#: Materials and most phases of the corners of the paper's grid, and all of the pool.
CELLS = ((5, 3), (10, 3), (20, 7), (50, 7))
#: Of a pattern's maximum.
TOLERANCE = 1e-3


def worst_error(sampler: Figure1Sampler, lines: LineLists, drawn: Figure1Draw) -> float:
    """Largest difference from the float64 sum of all full profiles."""
    s, worst = sampler.settings, 0.0
    grid = torch.from_numpy(s.two_theta)
    clean = sampler.noise_free(drawn).cpu().double()
    for row, pattern in enumerate(clean):
        exact = torch.zeros_like(grid)
        size, eta = drawn.size_nm[row].cpu(), drawn.eta[row].cpu()
        for list_number, fraction in zip(
            drawn.pattern[row].tolist(), drawn.fraction[row].tolist(), strict=True
        ):
            positions, areas = (torch.from_numpy(x).double() for x in lines.lines(list_number))
            point = ((positions - s.start_deg) / s.step_deg).round().long()
            here = (point >= 0) & (point < s.points)
            centre = grid[point[here]].unsqueeze(-1)
            fwhm = size_fwhm(1 / size, torch.tensor(s.wavelength_angstrom), torch.deg2rad(centre / 2))
            weight = fraction / areas.max() * areas[here].unsqueeze(-1)
            exact += (weight * pseudo_voigt(grid - centre, fwhm, eta)).sum(0)
        worst = max(worst, float((pattern - exact / exact.max()).abs().max()))
    return worst


def sample_ms(dataset: LineDataset, materials: int, phases: int, device: str = "cpu") -> dict[str, Any]:
    """Time of a sample and what it is like."""
    lines = dataset.part("train", materials)
    sampler = Figure1Sampler(lines, Figure1Settings(max_phases=phases), device)
    generator = torch.Generator(device).manual_seed(0)
    error = worst_error(sampler, lines, sampler.conditions(20, generator=generator))
    if error > TOLERANCE:
        raise SystemExit(f"patterns differ from the direct sum by {error:g}: not timed")
    batch = BATCH if device == "cpu" else GPU_BATCH
    seconds = median_seconds(finished(lambda: sampler.draw(batch, generator=generator), device))
    return {"n": materials, "k": phases, "ms": 1e3 * seconds / batch, "batch": batch, "worst_error": error}


def network_ms(device: str = "cpu") -> float:
    """Time that a training step of the network of Table 1 takes for a sample."""
    batch = NETWORK_BATCH if device == "cpu" else BATCH
    network = Table1Network(points=Figure1Settings().points, materials=10).to(device)
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-4)
    patterns = torch.rand(batch, Figure1Settings().points, device=device)

    def step() -> None:
        optimizer.zero_grad()
        network(patterns).log_softmax(-1).mean().backward()
        optimizer.step()

    repeats = 1 if device == "cpu" else 10
    return 1e3 * median_seconds(finished(step, device), repeats, warm_up=device != "cpu") / batch


def finished(run: Callable[[], object], device: str) -> Callable[[], None]:
    """`run`, and on a GPU the wait for its end."""

    def whole() -> None:
        run()
        if device != "cpu":
            torch.cuda.synchronize()

    return whole


def paper_pipeline() -> dict[str, Any]:
    """Times of dataset, samples and network on the CPU, and on a GPU where there is one."""
    start = time.perf_counter()
    dataset = build_dataset(DatasetRecipe(load_pool()))
    result: dict[str, Any] = {
        "line_lists": len(dataset.lines),
        "dataset_s": time.perf_counter() - start,
    }
    for device in ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]:
        rows = [sample_ms(dataset, n, k, device) for n, k in CELLS]
        network = network_ms(device)
        result[device] = {"samples": rows, "network_ms": network, "ratio": network / rows[1]["ms"]}
    return result


def report_lines(result: dict[str, Any]) -> list[str]:
    """What was measured, in lines, with the targets."""
    lines = [f"Paper's dataset: {result['line_lists']} line lists in {result['dataset_s']:.2g} s"]
    for device in ("cpu", "cuda"):
        if device not in result:
            continue
        for row in result[device]["samples"]:
            lines.append(
                f"  {device}, N = {row['n']}, K = {row['k']}: {row['ms']:.3g} ms a sample, "
                f"within {row['worst_error']:.1g} of the direct sum"
            )
        lines.append(
            f"  {device}, network of Table 1: {result[device]['network_ms']:.3g} ms a sample, "
            f"{result[device]['ratio']:.0f} times what the pipeline takes (target 10)"
        )
    return lines


if __name__ == "__main__":
    torch.set_num_threads(1)
    print("\n".join(report_lines(paper_pipeline())))
