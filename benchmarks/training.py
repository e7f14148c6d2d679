"""A whole training sample, of the paper's pipeline and of the laboratory's, on one thread.

The paper's (Hoefer et al. 2024): three phases, each with a strain, crystallite size and peak shape of its
own in every sample, each pattern scaled to its maximum, mixed, normalised, with noise and background.
"""

from __future__ import annotations

import resource
import statistics
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from timing import median_seconds
from torch import Tensor

from mixrd.crystal import Crystal
from mixrd.diffraction import lorentz_polarization, radiation, reflections, strained_sticks
from mixrd.experiments.demo import demo_instrument
from mixrd.mixture import MixtureSampler, SampleRanges
from mixrd.pattern.profile import pseudo_voigt, size_fwhm
from mixrd.pattern.render import Peaks
from mixrd.pattern.uniform import UniformRenderer
from mixrd.phases import catalog_names, load_phase

WAVELENGTH = 1.54184
TWO_THETA = np.linspace(10.0, 10.0 + 0.015 * 2666, 2667)
BATCH, LABORATORY_BATCH = 512, 192
#: Samples drawn at once, so that what is worked on stays in the processor's cache.
BLOCK = 128
MAX_STRAIN = 0.02
SIZE_NM, ETA, FRACTION_OF_NOISE, BACKGROUND = (10.0, 100.0), (0.1, 0.9), 0.01, 0.1
#: Of a pattern's maximum: the tolerance of the training mode.
TOLERANCE = 1e-3
#: (S + H) / L of a laboratory diffractometer with usual Soller slits.
AXIAL_DIVERGENCE = 0.03
LABORATORY_PHASES = ("corundum", "fluorite", "zincite")


class PaperSampler:
    """Draws samples of the paper's pipeline; every sample has conditions of its own."""

    def __init__(self, crystals: Sequence[Crystal], device: str = "cpu") -> None:
        limits = (float(TWO_THETA[0]), float(TWO_THETA[-1]))
        tables = (reflections(c, radiation(WAVELENGTH), two_theta_range=limits) for c in crystals)
        self.tables = [table.to(dtype=torch.float32, device=device) for table in tables]
        # The broadest peak is that of the smallest crystallite at the end of the range.
        theta = torch.tensor(np.radians(limits[1] / 2))
        widest = float(size_fwhm(torch.tensor(1 / SIZE_NM[0]), torch.tensor(WAVELENGTH), theta))
        self.renderer = UniformRenderer(TWO_THETA, widest_fwhm=widest, device=device)
        self.phase_of_peak = torch.cat([torch.full((len(t),), p) for p, t in enumerate(self.tables)])
        self.phase_of_peak = self.phase_of_peak.to(device)

    def draw(self, batch: int, generator: torch.Generator) -> Tensor:
        """(batch, N) patterns."""
        patterns = torch.empty(batch, len(TWO_THETA), device=self.renderer.grid.device)
        block = BLOCK if patterns.device.type == "cpu" else batch
        for part in patterns.split(block):
            part.copy_(self._draw(len(part), generator))
        return patterns

    def _draw(self, batch: int, generator: torch.Generator) -> Tensor:
        columns = self.render(self.peaks(batch, generator))
        shares = -torch.log(self._uniform((batch, len(self.tables)), 1e-6, 1.0, generator))
        # Each pattern scaled to its maximum, then mixed.
        factors = shares / shares.sum(1, keepdim=True) / columns.amax(-1)
        mixed = torch.bmm(factors.unsqueeze(1), columns).squeeze(1)
        mixed /= mixed.amax(-1, keepdim=True)
        # exp(-x / decay) over the range: an exponential background.
        x = (self.renderer.grid - self.renderer.grid[0]) / (self.renderer.grid[-1] - self.renderer.grid[0])
        height = self._uniform((batch, 1), 0.0, BACKGROUND, generator)
        mixed += height * torch.exp(-x / self._uniform((batch, 1), 0.1, 1.0, generator))
        noise = torch.randn(mixed.shape, generator=generator, device=mixed.device)
        return mixed.addcmul_(noise, self._uniform((batch, 1), 0.0, FRACTION_OF_NOISE, generator))

    def render(self, peaks: Peaks) -> Tensor:
        """(batch, 3, N) single-phase patterns."""
        return self.renderer.render(peaks, self.phase_of_peak, len(self.tables))

    def peaks(self, batch: int, generator: torch.Generator) -> Peaks:
        """Peaks of all phases under strain and size broadening."""
        parts = [self._peaks_of(table, batch, generator) for table in self.tables]
        return Peaks(**{key: torch.cat([part[key] for part in parts], dim=1) for key in parts[0]})

    def _peaks_of(self, table: Any, batch: int, generator: torch.Generator) -> dict[str, Tensor]:
        shape = (batch, len(table.strain_basis))
        sticks = strained_sticks(table, self._uniform(shape, -MAX_STRAIN, MAX_STRAIN, generator))
        theta = torch.arcsin((0.5 * WAVELENGTH * sticks.g_squared.sqrt()).clamp_max(0.999))
        inverse_size = 1 / self._uniform((batch, 1), *SIZE_NM, generator)
        return {
            "position": torch.rad2deg(2 * theta),
            "area": sticks.intensity * lorentz_polarization(2 * theta, monochromator_two_theta=0.0),
            "fwhm": size_fwhm(inverse_size, theta.new_tensor(WAVELENGTH), theta),
            "eta": self._uniform((batch, 1), *ETA, generator).expand_as(theta),
        }

    def _uniform(self, shape: tuple[int, ...], low: float, high: float, generator: torch.Generator) -> Tensor:
        return low + (high - low) * torch.rand(shape, generator=generator, device=self.renderer.grid.device)


def phases_at_quartiles() -> list[Crystal]:
    """Three phases of the catalog: at the quartiles of the number of lines in the range."""
    limits = (float(TWO_THETA[0]), float(TWO_THETA[-1]))
    counts = {}
    for crystal in map(load_phase, catalog_names()):
        counts[crystal.name] = len(reflections(crystal, radiation(WAVELENGTH), two_theta_range=limits))
    order = sorted(counts, key=lambda name: (counts[name], name))
    return [load_phase(order[round(q * (len(order) - 1))]) for q in (0.25, 0.5, 0.75)]


def worst_error(sampler: PaperSampler, peaks: Peaks) -> float:
    """Largest difference from the float64 sum of all full profiles, relative to each pattern's maximum."""
    grid = sampler.renderer.grid.double()
    position, area, fwhm, eta = (x.double().unsqueeze(-1) for x in (
        peaks.position, peaks.area, peaks.fwhm, peaks.eta))  # fmt: skip
    exact = area.new_zeros(len(area), len(sampler.tables), len(grid))
    exact.index_add_(1, sampler.phase_of_peak, area * pseudo_voigt(grid - position, fwhm, eta))
    difference = (sampler.render(peaks) - exact).abs() / exact.amax(-1, keepdim=True)
    return float(difference.max())


def training_sample() -> dict[str, Any]:
    """Time of a sample of the paper's pipeline, of its rendering alone, and memory."""
    crystals = phases_at_quartiles()
    sampler, generator = PaperSampler(crystals), torch.Generator().manual_seed(0)
    error = worst_error(sampler, sampler.peaks(4, generator))
    if error > TOLERANCE:
        raise SystemExit(f"rendered patterns differ from the direct sum by {error:g}: not timed")
    whole = median_seconds(lambda: sampler.draw(BATCH, generator), 5)
    peaks = sampler.peaks(BATCH, generator)
    return {
        "training_sample_ms": 1e3 * whole / BATCH,
        "rendering_ms": 1e3 * median_seconds(lambda: sampler.render(peaks), 3) / BATCH,
        "phases": {c.name: len(t) for c, t in zip(crystals, sampler.tables, strict=True)},
        "batch": BATCH,
        "worst_error": error,
        "peak_memory_mib": peak_memory_mib(),
    }


def laboratory_sample() -> dict[str, Any]:
    """Time of a sample of the laboratory pipeline: doublet, displacement, axial divergence and all."""
    instrument = demo_instrument()
    instrument = replace(instrument, profile=replace(instrument.profile, sh_l=AXIAL_DIVERGENCE))
    sampler = MixtureSampler(
        [load_phase(p) for p in LABORATORY_PHASES], instrument, np.arange(22.0, 90.0, 0.023), SampleRanges()
    )
    generator = torch.Generator().manual_seed(0)
    seconds = median_seconds(lambda: sampler.draw(LABORATORY_BATCH, generator=generator), 5)
    return {
        "laboratory_sample_ms": 1e3 * seconds / LABORATORY_BATCH,
        "batch": LABORATORY_BATCH,
        "mixtures_per_condition": sampler.mixtures_per_condition,
        "peaks": len(sampler.model.peak_table.phase),
    }


def peak_memory_mib() -> float:
    """Most memory that this process has held so far, all libraries included."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


def on_gpu() -> dict[str, Any]:
    """Samples per second on a GPU and their share of what its memory could copy; says if there is none."""
    if not torch.cuda.is_available():
        return {"available": False}
    batch, device = 4096, "cuda"
    sampler, generator = PaperSampler(phases_at_quartiles(), device), torch.Generator(device).manual_seed(0)

    def seconds(run: Any) -> float:
        def finished() -> None:
            run()
            torch.cuda.synchronize()

        return statistics.median(median_seconds(finished, 5) for _ in range(3))

    per_second = batch / seconds(lambda: sampler.draw(batch, generator))
    block = torch.empty(2**28, device=device)
    bandwidth = 2 * 4 * block.numel() / seconds(block.clone)
    # At the very least the single-phase patterns and the mixture are written once and read once.
    least = 2 * 4 * len(TWO_THETA) * (len(sampler.tables) + 1)
    return {
        "available": True,
        "device": torch.cuda.get_device_name(),
        "samples_per_second": per_second,
        "copy_gb_per_second": bandwidth / 1e9,
        "share_of_bandwidth": per_second * least / bandwidth,
    }


if __name__ == "__main__":
    torch.set_num_threads(1)
    for result in (training_sample(), laboratory_sample(), on_gpu()):
        print(result)
