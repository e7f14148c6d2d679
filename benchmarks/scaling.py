"""How the cost grows with reflections and points, and rendering beside a direct sum."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
from timing import median_seconds
from torch import Tensor

from mixrd.diffraction import radiation, reflections, strained_sticks
from mixrd.diffraction.reflections import Reflections
from mixrd.pattern.profile import pseudo_voigt
from mixrd.pattern.render import Peaks, Renderer
from mixrd.phases import load_phase

REFLECTIONS = (10, 30, 100, 300, 1000, 3000, 10_000)
POINTS = (1000, 3000, 10_000, 30_000, 100_000)
LIMITS = (10.0, 110.0)
#: Of the pattern's maximum: the tolerance of the refinement mode.
TOLERANCE = 1e-4


def random_peaks(count: int) -> Peaks:
    """(1, count) peaks over the range, widths and shapes of a laboratory scan."""
    generator = torch.Generator().manual_seed(count)
    uniform = torch.rand(4, 1, count, generator=generator, dtype=torch.float64)
    low, high = LIMITS
    return Peaks(
        position=low + (high - low) * uniform[0],
        area=0.1 + uniform[1],
        fwhm=0.05 + 0.15 * uniform[2],
        eta=uniform[3],
    )


def renderer(points: int) -> Renderer:
    """A grid of this many points over the range, in the precision of a refinement."""
    return Renderer(np.linspace(*LIMITS, points), widest_fwhm=0.2, dtype=torch.float64)


def direct_sum(grid: Tensor, peaks: Peaks) -> Tensor:
    """(N,) sum of all full profiles, without any window."""
    position, area, fwhm, eta = (
        x[0].unsqueeze(1) for x in (peaks.position, peaks.area, peaks.fwhm, peaks.eta)
    )
    return (area * pseudo_voigt(grid - position, fwhm, eta)).sum(0)


def rendering_beside_direct_sum() -> dict[str, float]:
    """One pattern of 300 peaks on 5000 points, float64."""
    render, peaks = renderer(5000), random_peaks(300)
    exact = direct_sum(render.grid, peaks)
    error = float((render.render(peaks)[0, 0] - exact).abs().max() / exact.max())
    if error > TOLERANCE:
        raise SystemExit(f"the rendered pattern differs from the direct sum by {error:g}: not timed")
    mine = median_seconds(lambda: render.render(peaks))
    other = median_seconds(lambda: direct_sum(render.grid, peaks))
    return {"mixrd_ms": 1e3 * mine, "direct_ms": 1e3 * other, "ratio": other / mine, "worst_error": error}


def cost_of_sticks() -> dict[str, Any]:
    """Strained sticks of one crystal, by the number of reflections."""
    table = reflections(load_phase("corundum"), radiation("CuKa1"), two_theta_range=(5.0, 150.0))
    strain = torch.zeros(1, len(table.strain_basis), dtype=torch.float64)
    seconds = [median_seconds(partial(strained_sticks, _repeated(table, n), strain)) for n in REFLECTIONS]
    return _fitted(REFLECTIONS, seconds)


def cost_of_reflections() -> dict[str, Any]:
    """Rendering on 5000 points, by the number of peaks."""
    render = renderer(5000)
    seconds = [median_seconds(partial(render.render, random_peaks(n)), 5) for n in REFLECTIONS]
    return _fitted(REFLECTIONS, seconds)


def cost_of_points() -> dict[str, Any]:
    """Rendering of 100 peaks, by the number of points."""
    peaks = random_peaks(100)
    seconds = [median_seconds(partial(renderer(n).render, peaks), 5) for n in POINTS]
    return _fitted(POINTS, seconds)


def _repeated(table: Reflections, count: int) -> Reflections:
    """The table with `count` reflections, its own over and over."""
    index = torch.arange(count) % len(table)
    return replace(
        table,
        hkl=table.hkl[index.numpy()],
        multiplicity=table.multiplicity[index],
        g=table.g[index],
        phase_sums=table.phase_sums[:, index],
    )


def _fitted(counts: tuple[int, ...], seconds: list[float]) -> dict[str, Any]:
    """Times in ms, and the exponents of power laws over the whole range and over its last decade.

    A fixed cost of every call flattens the whole range: the last decade is the one that tells.
    """
    x, y = np.log(counts), np.log(seconds)
    last = x >= x[-1] - np.log(10) - 1e-9
    return {
        "ms": {str(n): 1e3 * s for n, s in zip(counts, seconds, strict=True)},
        "exponent": float(np.polyfit(x, y, 1)[0]),
        "exponent_last_decade": float(np.polyfit(x[last], y[last], 1)[0]),
    }


if __name__ == "__main__":
    torch.set_num_threads(1)
    for benchmark in (rendering_beside_direct_sum, cost_of_sticks, cost_of_reflections, cost_of_points):
        print(benchmark.__name__, benchmark())
