"""What a detector does to high counts: dead time and saturation."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from mixrd.pattern.drawing import Limits, check_limits, log_uniform, uniform


@dataclass(frozen=True)
class DetectorRanges:
    """Detectors and counting times.

    Attributes
    ----------
    dead_time_us : (low, high)
        Dead time in microseconds; uniform. A scintillation counter has about 1.
    seconds_per_point : (low, high)
        Counting time at each point in seconds; log-uniform.
    highest_rate_cps : (low, high)
        Highest rate that the counter shows, in counts per second; log-uniform.
    """

    dead_time_us: Limits = (0.0, 3.0)
    seconds_per_point: Limits = (0.2, 20.0)
    highest_rate_cps: Limits = (1e5, 1e7)

    def __post_init__(self) -> None:
        check_limits(
            self,
            {
                "dead_time_us": (0.0, 1e4, "microseconds"),
                "seconds_per_point": (1e-4, 1e6, "seconds"),
                "highest_rate_cps": (1.0, 1e12, "counts per second"),
            },
        )


@dataclass(frozen=True, eq=False)
class Detector:
    """Detectors of B scans.

    Attributes
    ----------
    dead_time_s : (B, 1) tensor
        In seconds.
    seconds_per_point : (B, 1) tensor
        Counting time at each point.
    highest_rate_cps : (B, 1) tensor
        Where the counter saturates, in counts per second.
    """

    dead_time_s: Float[Tensor, "B 1"]
    seconds_per_point: Float[Tensor, "B 1"]
    highest_rate_cps: Float[Tensor, "B 1"]


def draw_detector(
    batch: int, ranges: DetectorRanges | None = None, *, generator: torch.Generator
) -> Detector:
    """Detectors of `batch` scans."""
    ranges = ranges or DetectorRanges()
    return Detector(
        dead_time_s=1e-6 * uniform(ranges.dead_time_us, batch, 1, generator=generator),
        seconds_per_point=log_uniform(ranges.seconds_per_point, batch, 1, generator=generator),
        highest_rate_cps=log_uniform(ranges.highest_rate_cps, batch, 1, generator=generator),
    )


def apply_dead_time(counts: Float[Tensor, "B N"], detector: Detector) -> Float[Tensor, "B N"]:
    """Counts (B, N) left by a non-paralysable dead time: n / (1 + n tau / t).

    Knoll, Radiation Detection and Measurement, chapter 4. `counts` are those that a perfect detector
    records in the counting time. Counts with noise keep nearly the right spread: their variance becomes
    n / (1 + n tau / t)^4, that of the renewal process is n / (1 + n tau / t)^3.
    """
    share = (detector.dead_time_s / detector.seconds_per_point).to(counts.dtype)
    return counts / (1 + counts * share)


def apply_saturation(counts: Float[Tensor, "B N"], detector: Detector) -> Float[Tensor, "B N"]:
    """Counts (B, N) cut off at the highest rate times the counting time."""
    highest = (detector.highest_rate_cps * detector.seconds_per_point).to(counts.dtype)
    return torch.minimum(counts, highest)


def apply_detector(counts: Float[Tensor, "B N"], detector: Detector) -> Float[Tensor, "B N"]:
    """Counts (B, N) after dead time and saturation."""
    return apply_saturation(apply_dead_time(counts, detector), detector)
