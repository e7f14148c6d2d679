"""Diffuse scatter that falls with angle or stays constant: exponential, air scatter, fluorescence.

Levels are in the unit of the pattern they are added to.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from mixrd.pattern.drawing import Limits, check_limits, log_uniform, span, uniform

#: Below this angle in degrees air scatter is taken as constant: the beam stop is there.
LOWEST_ANGLE_DEG = 1.0


@dataclass(frozen=True)
class ExponentialRanges:
    """An exponential fall from the start of the scan.

    Attributes
    ----------
    level : (low, high)
        At the start, in the unit of the pattern; uniform.
    decay : (low, high)
        Angle in which it falls to 1/e, as a fraction of the scanned range; log-uniform.
    """

    level: Limits = (0.0, 2.0)
    decay: Limits = (0.07, 0.5)

    def __post_init__(self) -> None:
        check_limits(
            self, {"level": (0.0, 1e12, "unit of the pattern"), "decay": (1e-3, 10.0, "of the range")}
        )


@dataclass(frozen=True)
class AirScatterRanges:
    """Scatter from the beam's path through air.

    Attributes
    ----------
    level : (low, high)
        At the start of the scan, in the unit of the pattern; uniform.
    """

    level: Limits = (0.0, 0.2)

    def __post_init__(self) -> None:
        check_limits(self, {"level": (0.0, 1e12, "unit of the pattern")})


@dataclass(frozen=True)
class FluorescenceRanges:
    """The sample's fluorescence, the same at every angle.

    Attributes
    ----------
    level : (low, high)
        In the unit of the pattern; uniform.
    """

    level: Limits = (0.0, 0.1)

    def __post_init__(self) -> None:
        check_limits(self, {"level": (0.0, 1e12, "unit of the pattern")})


@dataclass(frozen=True, eq=False)
class ExponentialFall:
    """`level` at `start_deg` and the angle `decay_deg` in which it falls to 1/e; all (B, 1)."""

    level: Float[Tensor, "B 1"]
    start_deg: Float[Tensor, "B 1"]
    decay_deg: Float[Tensor, "B 1"]


@dataclass(frozen=True, eq=False)
class AirScatter:
    """`strength` (B, 1), intensity times degree 2theta."""

    strength: Float[Tensor, "B 1"]


@dataclass(frozen=True, eq=False)
class Fluorescence:
    """`level` (B, 1), in the unit of the pattern."""

    level: Float[Tensor, "B 1"]


def draw_exponential(
    two_theta: Float[Tensor, " N"],
    batch: int,
    ranges: ExponentialRanges | None = None,
    *,
    generator: torch.Generator,
) -> ExponentialFall:
    """Exponential falls of `batch` patterns on this grid (N,) in degrees."""
    ranges = ranges or ExponentialRanges()
    low, high = span(two_theta)
    return ExponentialFall(
        level=uniform(ranges.level, batch, 1, generator=generator),
        start_deg=low.repeat(batch, 1),
        decay_deg=(high - low) * log_uniform(ranges.decay, batch, 1, generator=generator),
    )


def apply_exponential(
    intensity: Float[Tensor, "B N"], two_theta: Float[Tensor, " N"], exponential: ExponentialFall
) -> Float[Tensor, "B N"]:
    """(B, N) intensity with level exp(-(2theta - start) / decay) added."""
    level, start, decay = (
        x.to(intensity.dtype) for x in (exponential.level, exponential.start_deg, exponential.decay_deg)
    )
    fall = torch.exp((start - two_theta.to(intensity.dtype)) / decay)
    return torch.addcmul(intensity, level, fall)


def draw_air_scatter(
    two_theta: Float[Tensor, " N"],
    batch: int,
    ranges: AirScatterRanges | None = None,
    *,
    generator: torch.Generator,
) -> AirScatter:
    """Air scatter of `batch` patterns on this grid (N,) in degrees."""
    ranges = ranges or AirScatterRanges()
    low, _ = span(two_theta)
    return AirScatter(
        uniform(ranges.level, batch, 1, generator=generator) * low.clamp_min(LOWEST_ANGLE_DEG),
    )


def apply_air_scatter(
    intensity: Float[Tensor, "B N"], two_theta: Float[Tensor, " N"], air_scatter: AirScatter
) -> Float[Tensor, "B N"]:
    """(B, N) intensity with strength / 2theta added (constant below 1 degree)."""
    inverse = two_theta.to(intensity.dtype).clamp_min(LOWEST_ANGLE_DEG).reciprocal()
    return intensity + air_scatter.strength.to(intensity.dtype) * inverse


def draw_fluorescence(
    batch: int, ranges: FluorescenceRanges | None = None, *, generator: torch.Generator
) -> Fluorescence:
    """Levels of `batch` patterns."""
    ranges = ranges or FluorescenceRanges()
    return Fluorescence(uniform(ranges.level, batch, 1, generator=generator))


def apply_fluorescence(intensity: Float[Tensor, "B N"], fluorescence: Fluorescence) -> Float[Tensor, "B N"]:
    """(B, N) intensity with the level added."""
    return intensity + fluorescence.level.to(intensity.dtype)
