"""A coarse fit of blurred scans, which finds the basin of the cells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mixrd.fit.least_squares import Priors
from mixrd.fit.pattern_fit import fit
from mixrd.pattern import ForwardModel, background_basis

#: Points of the merged grid over the fwhm of the blur.
_POINTS_PER_BLUR = 4
#: Relative decrease of the cost at which a coarse fit has done its work.
COARSE_DECREASE = 1e-3
#: Of the Chebyshev polynomials below the blurred pattern.
COARSE_DEGREE = 10


@dataclass(frozen=True, eq=False)
class CoarseScan:
    """A blurred scan with few points, and a model that is blurred as much.

    Attributes
    ----------
    model : ForwardModel
        On the coarse grid.
    basis : (Q, N) tensor
        Of the background.
    observed, sigma : (B, N) tensor
    priors : Priors
        The instrument's profile is held: a blurred scan says nothing of it.
    widening : (T,) tensor
        What is added to the flat parameters: the Gaussian width w takes the blur.
    """

    model: ForwardModel
    basis: Tensor
    observed: Tensor
    sigma: Tensor
    priors: Priors
    widening: Tensor

    @classmethod
    def of(
        cls,
        model: ForwardModel,
        two_theta: NDArray[np.float64],
        counts: NDArray[np.float64],
        sigma: NDArray[np.float64],
        priors: Priors,
        blur_deg: float,
    ) -> CoarseScan:
        """Scans (B, N) on `two_theta` blurred by this fwhm; `model` is on any grid of its range."""
        step = float((two_theta[-1] - two_theta[0]) / (len(two_theta) - 1))
        count = max(1, int(blur_deg / _POINTS_PER_BLUR / step))
        grid = merged(torch.tensor(two_theta), count)
        coarse = model.on_grid(grid.numpy(), widest_fwhm=max(0.5, blur_deg))
        profile = coarse.columns_of("profile")
        widening = torch.zeros_like(priors.mean)
        widening[profile.start + 2] = blur_deg**2
        held = priors.sigma.clone()
        held[profile] = 0.0
        return cls(
            model=coarse,
            basis=background_basis(coarse.two_theta, degree=COARSE_DEGREE),
            observed=merged(_blurred(torch.tensor(counts), step, blur_deg), count),
            sigma=(merged(torch.tensor(sigma) ** 2, count) / count).sqrt(),
            priors=Priors(priors.mean + widening, held, priors.lower + widening, priors.upper + widening),
            widening=widening,
        )

    def fitted(self, flat: Tensor, on_step: Callable[[int, float], None] | None = None) -> Tensor:
        """(B, T) flat parameters of the coarse fit, from where they stood."""
        start = flat + self.widening
        found = fit(
            self.model,
            self.basis,
            self.observed,
            self.sigma,
            start,
            self.priors,
            enough=COARSE_DECREASE,
            on_step=on_step,
        )
        return found.flat - self.widening


def merged(values: Tensor, count: int) -> Tensor:
    """Means of `count` neighbours each along the last axis; what is left over is dropped."""
    length = values.shape[-1] // count * count
    means: Tensor = values[..., :length].unflatten(-1, (-1, count)).mean(-1)
    return means


def _blurred(counts: Tensor, step: float, fwhm: float) -> Tensor:
    reach = min(int(2 * fwhm / step) + 1, counts.shape[-1] - 1)
    offset = torch.arange(-reach, reach + 1, dtype=counts.dtype) * step
    kernel = torch.exp(-4 * np.log(2.0) * (offset / fwhm) ** 2)
    padded = torch.nn.functional.pad(counts.unsqueeze(1), (reach, reach), mode="replicate")
    return torch.nn.functional.conv1d(padded, (kernel / kernel.sum())[None, None]).squeeze(1)
