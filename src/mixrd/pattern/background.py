"""Smooth background: a linear basis to fit it, and random ones to train with.

Each part is a pair of `draw_*` and `apply_*` (see `mixrd.pattern.drawing`); levels are in the unit of the
pattern they are added to. All parts are positive, whatever is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from mixrd.pattern.diffuse import (
    LOWEST_ANGLE_DEG,
    AirScatter,
    AirScatterRanges,
    ExponentialFall,
    ExponentialRanges,
    Fluorescence,
    FluorescenceRanges,
    apply_air_scatter,
    apply_exponential,
    apply_fluorescence,
    draw_air_scatter,
    draw_exponential,
    draw_fluorescence,
)
from mixrd.pattern.drawing import Limits, apply_by_blocks, check_limits, check_value, uniform
from mixrd.pattern.humps import HumpRanges, Humps, apply_humps, draw_humps


@dataclass(frozen=True)
class ChebyshevRanges:
    """Slow waves about a constant level.

    Attributes
    ----------
    degree : int
        Highest degree of the polynomials.
    level : (low, high)
        The constant, in the unit of the pattern; uniform.
    waviness : (low, high)
        Sum of the other coefficients' absolute values, relative to the level; uniform. Below 1, so that
        the polynomial is positive everywhere.
    """

    degree: int = 5
    level: Limits = (0.05, 1.0)
    waviness: Limits = (0.0, 0.95)

    def __post_init__(self) -> None:
        check_value(self, "degree", 0, 30)
        check_limits(
            self,
            {"level": (0.0, 1e12, "unit of the pattern"), "waviness": (0.0, 0.99, "of the level")},
        )


@dataclass(frozen=True)
class BackgroundRanges:
    """All parts of a background."""

    chebyshev: ChebyshevRanges = field(default_factory=ChebyshevRanges)
    exponential: ExponentialRanges = field(default_factory=ExponentialRanges)
    air_scatter: AirScatterRanges = field(default_factory=AirScatterRanges)
    fluorescence: FluorescenceRanges = field(default_factory=FluorescenceRanges)
    humps: HumpRanges = field(default_factory=HumpRanges)


@dataclass(frozen=True, eq=False)
class Chebyshev:
    """`coefficients` (B, degree + 1) of T0, T1, ... over the scanned range, in the unit of the pattern."""

    coefficients: Float[Tensor, "B C"]


@dataclass(frozen=True, eq=False)
class Background:
    """All parts of B backgrounds."""

    chebyshev: Chebyshev
    exponential: ExponentialFall
    air_scatter: AirScatter
    fluorescence: Fluorescence
    humps: Humps


def background_basis(two_theta: Float[Tensor, " N"], *, degree: int) -> Float[Tensor, "{degree}+2 N"]:
    """Chebyshev polynomials over the range, and 1/(2theta) for air scatter at low angles.

    Parameters
    ----------
    two_theta : (N,) tensor
        In degrees.
    degree : int
        Highest degree of the polynomials.

    Returns
    -------
    (degree + 2, N) tensor
        Each of the order of 1.
    """
    low, high = two_theta[0], two_theta[-1]
    x = (2 * two_theta - low - high) / (high - low)
    rows = [torch.ones_like(x), x]
    for _ in range(2, degree + 1):
        rows.append(2 * x * rows[-1] - rows[-2])
    rows = rows[: degree + 1]
    rows.append(low.clamp_min(LOWEST_ANGLE_DEG) / two_theta.clamp_min(LOWEST_ANGLE_DEG))
    return torch.stack(rows)


def draw_chebyshev(
    batch: int, ranges: ChebyshevRanges | None = None, *, generator: torch.Generator
) -> Chebyshev:
    """Coefficients of `batch` polynomials, smaller ones for higher degrees (as 1/degree)."""
    ranges = ranges or ChebyshevRanges()
    level = uniform(ranges.level, batch, 1, generator=generator)
    waviness = uniform(ranges.waviness, batch, 1, generator=generator)
    degrees = torch.arange(1, ranges.degree + 1, device=generator.device)
    waves = uniform((-1.0, 1.0), batch, ranges.degree, generator=generator) / degrees
    waves = waves / waves.abs().sum(dim=1, keepdim=True).clamp_min(1e-12)
    return Chebyshev(torch.cat([level, level * waviness * waves], dim=1))


def apply_chebyshev(
    intensity: Float[Tensor, "B N"], two_theta: Float[Tensor, " N"], chebyshev: Chebyshev
) -> Float[Tensor, "B N"]:
    """(B, N) intensity with the polynomial added."""
    coefficients = chebyshev.coefficients.to(intensity.dtype)
    basis = background_basis(two_theta.to(intensity.dtype), degree=coefficients.shape[1] - 1)[:-1]
    return torch.addmm(intensity, coefficients, basis)


def draw_background_parts(
    two_theta: Float[Tensor, " N"],
    batch: int,
    ranges: BackgroundRanges | None = None,
    *,
    generator: torch.Generator,
) -> Background:
    """All parts of `batch` backgrounds on this grid (N,) in degrees."""
    ranges = ranges or BackgroundRanges()
    return Background(
        chebyshev=draw_chebyshev(batch, ranges.chebyshev, generator=generator),
        exponential=draw_exponential(two_theta, batch, ranges.exponential, generator=generator),
        air_scatter=draw_air_scatter(two_theta, batch, ranges.air_scatter, generator=generator),
        fluorescence=draw_fluorescence(batch, ranges.fluorescence, generator=generator),
        humps=draw_humps(two_theta, batch, ranges.humps, generator=generator),
    )


def apply_background(
    intensity: Float[Tensor, "B N"], two_theta: Float[Tensor, " N"], background: Background
) -> Float[Tensor, "B N"]:
    """(B, N) intensity with all parts of the background added."""

    def apply(some: Tensor, parts: Background) -> Tensor:
        some = apply_chebyshev(some, two_theta, parts.chebyshev)
        some = apply_exponential(some, two_theta, parts.exponential)
        some = apply_air_scatter(some, two_theta, parts.air_scatter)
        some = apply_fluorescence(some, parts.fluorescence)
        return apply_humps(some, two_theta, parts.humps)

    return apply_by_blocks(apply, intensity, background)


def draw_background(
    two_theta: Float[Tensor, " N"], batch: int, *, generator: torch.Generator
) -> Float[Tensor, "{batch} N"]:
    """Random smooth backgrounds of a diffractometer: all parts, in their usual proportions.

    Returns
    -------
    (batch, N) tensor
        Maximum 1 in every row, positive everywhere.
    """
    parts = draw_background_parts(two_theta, batch, generator=generator)
    background = apply_background(two_theta.new_zeros(batch, len(two_theta)), two_theta, parts)
    return background / background.amax(dim=-1, keepdim=True)
