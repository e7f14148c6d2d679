"""Noise: counting statistics, Gaussian noise, spikes.

Pairs of `draw_*` and `apply_*` (see `mixrd.pattern.drawing`). What makes `apply_*` deterministic: the
normal numbers themselves for fast and for Gaussian noise, in float32 for every precision (their tails end
near 6 standard deviations); for true Poisson counts, whose number of random numbers depends on the counts,
one seed for each pattern. Counts drawn from a seed are the same on the same kind of device and version of
torch.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Float32, Int64
from torch import Tensor

from mixrd.pattern.drawing import Limits, check_limits, draw_present, log_uniform, uniform

_HIGHEST_SEED = 2**63 - 1


@dataclass(frozen=True)
class GaussianNoiseRanges:
    """Noise of the same width at every point.

    Attributes
    ----------
    sigma : (low, high)
        Standard deviation relative to the pattern's maximum; uniform. Default: 3-7 %.
    """

    sigma: Limits = (0.03, 0.07)

    def __post_init__(self) -> None:
        check_limits(self, {"sigma": (0.0, 1.0, "of the maximum")})


@dataclass(frozen=True)
class SpikeRanges:
    """Single points far too high: cosmic rays, sparks in the electronics.

    Attributes
    ----------
    count : (low, high)
        Number of spikes in a pattern; uniform.
    height : (low, high)
        Above the pattern, relative to its maximum; log-uniform.
    """

    count: tuple[int, int] = (0, 2)
    height: Limits = (0.05, 1.0)

    def __post_init__(self) -> None:
        check_limits(self, {"count": (0, 1000, "counted"), "height": (1e-6, 1e3, "of the maximum")})


@dataclass(frozen=True, eq=False)
class PoissonNoise:
    """`seed` (B,) int64 on the CPU, one for each pattern."""

    seed: Int64[Tensor, " B"]


@dataclass(frozen=True, eq=False)
class FastPoissonNoise:
    """`normal` (B, N) float32, standard normal numbers."""

    normal: Float32[Tensor, "*shape"]


@dataclass(frozen=True, eq=False)
class GaussianNoise:
    """`sigma` (B, 1) relative to the pattern's maximum, and `normal` (B, N) float32, standard normal."""

    sigma: Float[Tensor, "B 1"]
    normal: Float32[Tensor, "B N"]


@dataclass(frozen=True, eq=False)
class Spikes:
    """At most S spikes in each of B patterns.

    Attributes
    ----------
    index : (B, S) int64 tensor
        Points of the grid.
    height : (B, S) tensor
        Relative to the pattern's maximum; 0 where there is none.
    """

    index: Int64[Tensor, "B S"]
    height: Float[Tensor, "B S"]


def draw_poisson_noise(batch: int, *, generator: torch.Generator) -> PoissonNoise:
    """Seeds for the counts of `batch` patterns."""
    seed = torch.randint(_HIGHEST_SEED, (batch,), generator=generator, device=generator.device)
    return PoissonNoise(seed.cpu())


def apply_poisson_noise(expected: Float[Tensor, "B N"], noise: PoissonNoise) -> Float[Tensor, "B N"]:
    """Whole counts of a Poisson distribution with the `expected` (B, N) counts, which are not negative."""
    rows = []
    for row, seed in zip(expected, noise.seed.tolist(), strict=True):
        generator = torch.Generator(expected.device).manual_seed(seed)
        rows.append(torch.poisson(row, generator=generator))
    return torch.stack(rows)


def draw_fast_poisson_noise(batch: int, points: int, *, generator: torch.Generator) -> FastPoissonNoise:
    """Normal numbers for `batch` patterns of `points` points."""
    return FastPoissonNoise(_randn((batch, points), generator))


def apply_fast_poisson_noise(
    expected: Float[Tensor, "*shape"], noise: FastPoissonNoise
) -> Float[Tensor, "*shape"]:
    """Nearly Poisson counts, not whole numbers, in a tenth of the time: for training.

    The square root of a count has a standard deviation of nearly 1/2 whatever its mean (Anscombe 1948,
    Biometrika 35, 246), so a Gaussian is added there: mean and variance are those of a Poisson
    distribution within 4 % from 4 counts on.
    """
    root = (expected - 0.25).clamp_min(0).sqrt() + 0.5 * noise.normal.to(expected.dtype)
    return root.clamp_min(0).square()


def draw_gaussian_noise(
    batch: int, points: int, ranges: GaussianNoiseRanges | None = None, *, generator: torch.Generator
) -> GaussianNoise:
    """Widths and normal numbers for `batch` patterns of `points` points."""
    ranges = ranges or GaussianNoiseRanges()
    sigma = uniform(ranges.sigma, batch, 1, generator=generator)
    return GaussianNoise(sigma, _randn((batch, points), generator))


def apply_gaussian_noise(intensity: Float[Tensor, "B N"], noise: GaussianNoise) -> Float[Tensor, "B N"]:
    """(B, N) intensity with the noise added. Points may become negative: the mean is kept."""
    sigma = noise.sigma.to(intensity.dtype) * intensity.amax(dim=-1, keepdim=True)
    return intensity + sigma * noise.normal.to(intensity.dtype)


def draw_spikes(
    batch: int, points: int, ranges: SpikeRanges | None = None, *, generator: torch.Generator
) -> Spikes:
    """Spikes of `batch` patterns of `points` points."""
    ranges = ranges or SpikeRanges()
    present = draw_present(ranges.count, batch, generator=generator)
    shape = tuple(present.shape)
    return Spikes(
        index=torch.randint(points, shape, generator=generator, device=generator.device),
        height=present * log_uniform(ranges.height, *shape, generator=generator),
    )


def apply_spikes(intensity: Float[Tensor, "B N"], spikes: Spikes) -> Float[Tensor, "B N"]:
    """(B, N) intensity with the spikes added."""
    height = spikes.height.to(intensity.dtype) * intensity.amax(dim=-1, keepdim=True)
    # One after the other: where two fall on one point, a GPU would add them in any order.
    for index, one in zip(spikes.index.split(1, dim=-1), height.split(1, dim=-1), strict=True):
        intensity = intensity.scatter_add(-1, index, one)
    return intensity


def apply_counting_noise(
    expected: Float[Tensor, "*shape"], *, generator: torch.Generator
) -> Float[Tensor, "*shape"]:
    """Counts drawn from a Poisson distribution with these expected counts, same shape.

    Draws and applies at once; `draw_poisson_noise` keeps what was drawn.
    """
    return torch.poisson(expected, generator=generator)


def apply_fast_counting_noise(
    expected: Float[Tensor, "*shape"], *, generator: torch.Generator
) -> Float[Tensor, "*shape"]:
    """`apply_fast_poisson_noise` with normal numbers drawn on the spot, for any shape."""
    return apply_fast_poisson_noise(expected, FastPoissonNoise(_randn(tuple(expected.shape), generator)))


def _randn(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    return torch.randn(shape, generator=generator, dtype=torch.float32, device=generator.device)
