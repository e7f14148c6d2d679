"""The part of a scan that is fitted, on its own grid or with neighbouring points merged."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from mixrd.fit.coarse_fit import merged
from mixrd.pattern import Instrument
from mixrd.pattern.profile import tch_pseudo_voigt

#: Points over the width of the narrowest line that fits before the last need.
POINTS_PER_FWHM = 2.5


@dataclass(frozen=True, eq=False)
class ScanPart:
    """What one scan gives a fit.

    Attributes
    ----------
    two_theta : (N,) tensor
        Degrees.
    observed, sigma : (1, N) tensor
        Intensities and their standard uncertainties.
    humps : (E, N) tensor
        Shapes of amorphous humps.
    count : int
        Points of the scan in one of these.
    """

    two_theta: Tensor
    observed: Tensor
    sigma: Tensor
    humps: Tensor
    count: int = 1

    def merged(self, count: int) -> ScanPart:
        """Means of `count` neighbours each."""
        if count == 1:
            return self
        error = (merged(self.sigma**2, count) / count).sqrt()
        grid, observed = merged(self.two_theta, count), merged(self.observed, count)
        humps = merged(self.humps, count)
        # Points on both sides of a gap have no mean.
        step = self.two_theta.diff()
        beside = torch.maximum(step.roll(1), step.roll(-1))
        jumps = torch.cat([step.new_zeros(1), (step > 1.5 * beside).double()])
        jumps[::count] = 0.0
        whole = merged(jumps, count) == 0
        return ScanPart(grid[whole], observed[:, whole], error[:, whole], humps[:, whole], count * self.count)

    def weighed_by(self, calculated: Tensor) -> ScanPart:
        """The same with the standard uncertainties of counts whose means are (1, N) `calculated`."""
        return replace(self, sigma=(calculated.clamp_min(1.0) / self.count).sqrt())


def points_to_merge(two_theta: Tensor, instrument: Instrument) -> int:
    """How many neighbouring points may be merged so that lines of this instrument keep their shape."""
    p, theta = instrument.profile, torch.deg2rad(two_theta / 2)
    tangent = theta.tan()
    gaussian = (p.u * tangent**2 + p.v * tangent + p.w).clamp_min(0.0).sqrt()
    lorentzian = (p.x / theta.cos() + p.y * tangent).clamp_min(0.0)
    fwhm, _ = tch_pseudo_voigt(gaussian.clamp_min(1e-6), lorentzian)
    step = float(two_theta[-1] - two_theta[0]) / (len(two_theta) - 1)
    return max(1, int(float(fwhm.min()) / POINTS_PER_FWHM / step))
