"""Lines of phases that nobody knows of."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from mixrd.pattern.drawing import (
    Limits,
    apply_by_blocks,
    check_limits,
    draw_present,
    log_uniform,
    span,
    uniform,
)
from mixrd.pattern.humps import Humps, apply_humps


@dataclass(frozen=True)
class ImpurityRanges:
    """A few sharp lines anywhere in the scan.

    Attributes
    ----------
    count : (low, high)
        Number of lines in a pattern; uniform.
    relative_intensity : (low, high)
        Height relative to the pattern's maximum; log-uniform.
    fwhm_deg : (low, high)
        In degrees 2theta; log-uniform.
    eta : (low, high)
        Lorentzian share; uniform.
    """

    count: tuple[int, int] = (0, 4)
    relative_intensity: Limits = (0.003, 0.05)
    fwhm_deg: Limits = (0.05, 0.3)
    eta: Limits = (0.0, 1.0)

    def __post_init__(self) -> None:
        check_limits(
            self,
            {
                "count": (0, 100, "counted"),
                "relative_intensity": (1e-9, 10.0, "of the maximum"),
                "fwhm_deg": (1e-4, 10.0, "degrees 2theta"),
                "eta": (0.0, 1.0, "dimensionless"),
            },
        )


@dataclass(frozen=True, eq=False)
class Impurities(Humps):
    """Lines of B patterns, at most L each, one for all emission lines; heights over the pattern's maximum."""


def draw_impurities(
    two_theta: Float[Tensor, " N"],
    batch: int,
    ranges: ImpurityRanges | None = None,
    *,
    generator: torch.Generator,
) -> Impurities:
    """Lines of `batch` patterns, uniform over this grid (N,) in degrees."""
    ranges = ranges or ImpurityRanges()
    low, high = span(two_theta)
    present = draw_present(ranges.count, batch, generator=generator)
    shape = tuple(present.shape)
    return Impurities(
        height=present * log_uniform(ranges.relative_intensity, *shape, generator=generator),
        centre=low + (high - low) * uniform((0.0, 1.0), *shape, generator=generator),
        fwhm=log_uniform(ranges.fwhm_deg, *shape, generator=generator),
        eta=uniform(ranges.eta, *shape, generator=generator),
    )


def apply_impurities(
    intensity: Float[Tensor, "B N"], two_theta: Float[Tensor, " N"], impurities: Impurities
) -> Float[Tensor, "B N"]:
    """(B, N) intensity with the lines added; before the background, or they grow with it.

    Parameters
    ----------
    intensity : (B, N) tensor
        Peaks without background.
    two_theta : (N,) tensor
        In degrees.
    impurities : Impurities

    Returns
    -------
    (B, N) tensor
    """

    def apply(some: Tensor, lines: Impurities) -> Tensor:
        height = lines.height.to(some.dtype) * some.amax(dim=-1, keepdim=True)
        return apply_humps(some, two_theta, replace(lines, height=height))

    return apply_by_blocks(apply, intensity, impurities)
