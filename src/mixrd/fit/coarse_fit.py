"""A coarse fit of blurred scans, which finds the basin of the cells."""

from __future__ import annotations

from collections.abc import Callable

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


def coarse_fit(
    model: ForwardModel,
    two_theta: NDArray[np.float64],
    counts: NDArray[np.float64],
    sigma: NDArray[np.float64],
    flat: Tensor,
    priors: Priors,
    blur_deg: float,
    on_step: Callable[[int, float], None] | None = None,
) -> Tensor:
    """Flat parameters of a coarse fit: scan and model blurred by a Gaussian of this fwhm, fewer points.

    `model` is on any grid of this range; `counts` and `sigma` (B, N) are on that of `two_theta` (N,).
    """
    step = float((two_theta[-1] - two_theta[0]) / (len(two_theta) - 1))
    count = max(1, int(blur_deg / _POINTS_PER_BLUR / step))
    grid = merged(torch.tensor(two_theta), count)
    observed = merged(_blurred(torch.tensor(counts), step, blur_deg), count)
    error = (merged(torch.tensor(sigma) ** 2, count) / count).sqrt()
    model = model.on_grid(grid.numpy(), widest_fwhm=max(0.5, blur_deg))
    # A blurred scan says nothing of the instrument's profile; its Gaussian width w takes the blur.
    profile = model.columns_of("profile")
    widening = torch.zeros_like(flat)
    widening[:, profile.start + 2] = blur_deg**2
    sigma_held = priors.sigma.clone()
    sigma_held[profile] = 0.0
    shifted = Priors(
        mean=priors.mean + widening[0],
        sigma=sigma_held,
        lower=priors.lower + widening[0],
        upper=priors.upper + widening[0],
    )
    basis = background_basis(model.two_theta, degree=COARSE_DEGREE)
    coarse = fit(
        model, basis, observed, error, flat + widening, shifted, on_step=on_step, enough=COARSE_DECREASE
    )
    return coarse.flat - widening


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
