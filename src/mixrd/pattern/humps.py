"""Broad humps: glass, amorphous phases, the sample holder."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from mixrd.pattern.drawing import Limits, check_limits, check_value, draw_present, span, uniform

_LN2 = math.log(2.0)


@dataclass(frozen=True)
class HumpRanges:
    """Humps of a scan; uniform between the limits.

    Attributes
    ----------
    share : float
        Share of patterns that have humps at all, 0-1.
    count : (low, high)
        Number of humps of those.
    height : (low, high)
        At the hump's centre, in the unit of the pattern.
    centre : (low, high)
        As a fraction of the scanned range (0 its start, 1 its end; may lie outside).
    fwhm : (low, high)
        As a fraction of the scanned range.
    eta : (low, high)
        Lorentzian share of the pseudo-Voigt, 0 for a Gaussian.
    """

    share: float = 0.5
    count: tuple[int, int] = (1, 2)
    height: Limits = (0.0, 0.8)
    centre: Limits = (0.0, 0.5)
    fwhm: Limits = (0.08, 0.33)
    eta: Limits = (0.0, 0.5)

    def __post_init__(self) -> None:
        check_value(self, "share", 0.0, 1.0)
        check_limits(
            self,
            {
                "count": (0, 20, "counted"),
                "height": (0.0, 1e12, "unit of the pattern"),
                "centre": (-1.0, 2.0, "of the range"),
                "fwhm": (0.01, 5.0, "of the range"),
                "eta": (0.0, 1.0, "dimensionless"),
            },
        )


@dataclass(frozen=True, eq=False)
class Humps:
    """Pseudo-Voigts of B patterns, at most H each.

    Attributes
    ----------
    height : (B, H) tensor
        In the unit of the pattern; 0 where there is none.
    centre : (B, H) tensor
        In degrees 2theta.
    fwhm : (B, H) tensor
        In degrees 2theta.
    eta : (B, H) tensor
        Lorentzian share.
    """

    height: Float[Tensor, "B H"]
    centre: Float[Tensor, "B H"]
    fwhm: Float[Tensor, "B H"]
    eta: Float[Tensor, "B H"]


def draw_humps(
    two_theta: Float[Tensor, " N"],
    batch: int,
    ranges: HumpRanges | None = None,
    *,
    generator: torch.Generator,
) -> Humps:
    """Humps of `batch` patterns on this grid (N,) in degrees."""
    ranges = ranges or HumpRanges()
    low, high = span(two_theta)
    present = draw_present(ranges.count, batch, generator=generator, share=ranges.share)
    shape = tuple(present.shape)
    return Humps(
        height=present * uniform(ranges.height, *shape, generator=generator),
        centre=low + (high - low) * uniform(ranges.centre, *shape, generator=generator),
        fwhm=(high - low) * uniform(ranges.fwhm, *shape, generator=generator),
        eta=uniform(ranges.eta, *shape, generator=generator),
    )


def apply_humps(
    intensity: Float[Tensor, "B N"], two_theta: Float[Tensor, " N"], humps: Humps
) -> Float[Tensor, "B N"]:
    """(B, N) intensity with the humps added; `two_theta` (N,) in degrees.

    The same function as `mixrd.pattern.profile.pseudo_voigt`, whose eta is a share of the area; here it is
    turned into the Lorentzian's share of the height.
    """
    eta = humps.eta
    lorentzian_height = eta / math.pi
    gaussian_height = (1 - eta) * math.sqrt(_LN2 / math.pi)
    share = lorentzian_height / (lorentzian_height + gaussian_height)
    columns = torch.stack(
        [humps.centre, 2 / humps.fwhm, humps.height * share, humps.height * (1 - share)]
    ).to(intensity.dtype)
    two_theta = two_theta.to(intensity.dtype)
    # One after the other: less memory, and on a GPU the same order of summation every time.
    for one in columns.unbind(-1):
        position, inverse_half_width, lorentzian, gaussian = one.unsqueeze(-1)
        squared = ((two_theta - position) * inverse_half_width).square()
        intensity = torch.addcmul(intensity, lorentzian, (1 + squared).reciprocal())
        # exp is ten times slower where its result is too small for the type.
        intensity = torch.addcmul(intensity, gaussian, torch.exp((-_LN2 * squared).clamp_min(-80.0)))
    return intensity
