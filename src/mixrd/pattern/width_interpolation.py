"""Peaks of Scherrer width on an even grid, as sums of profiles of a few widths, in Fourier space.

Peaks of one width would be one convolution. Scherrer widths go as 1 / cos theta, so the profile of each width
is interpolated between a few widths (Lagrange, Chebyshev nodes: two or three for 10-50 deg): each stick goes
with its weights into a few rows, and each row is convolved with one profile, whose transform is known.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from jaxtyping import Complex, Float
from numpy.typing import NDArray
from scipy.fft import next_fast_len
from torch import Tensor

from mixrd.errors import ParameterError
from mixrd.pattern.profile import pseudo_voigt

_MOST_NODES = 16


class FewWidths:
    """The few widths that stand for all on a grid, and the way of sticks to Fourier space.

    Parameters
    ----------
    two_theta : (N,) array
        Grid in degrees, rising by even steps.
    step : float
        In degrees.
    margin : int
        Points at least between the grid's end and its periodic image.
    tolerance : float
        Largest error of the interpolation, relative to the height of a peak.
    dtype, device
        Of the calculation.

    Attributes
    ----------
    length : int
        Points of a period.
    relative : (N,) array
        Width of a peak at each point relative to that at theta = 0.
    """

    def __init__(
        self,
        two_theta: NDArray[np.floating],
        step: float,
        *,
        margin: int,
        tolerance: float,
        dtype: torch.dtype,
        device: torch.device | str,
    ) -> None:
        self.length = int(next_fast_len(len(two_theta) + margin, real=True))
        self.relative = 1 / np.cos(np.radians(two_theta / 2))
        nodes, weights = interpolation_between_widths(self.relative, tolerance)
        self._nodes = torch.tensor(nodes, dtype=dtype, device=device).view(-1, 1)
        self._weights = torch.tensor(weights / step, dtype=dtype, device=device)
        frequency = np.arange(self.length // 2 + 1) / self.length
        self.frequency = torch.tensor(frequency, dtype=dtype, device=device)

    def __len__(self) -> int:
        return len(self._nodes)

    def spectra(self, sticks: Float[Tensor, "*rows N"]) -> Complex[Tensor, "*rows Q F"]:
        """Transforms of rows of sticks, shared out to the Q widths, by the step in degrees."""
        rows = sticks.new_zeros(*sticks.shape[:-1], len(self), self.length)
        torch.mul(sticks.unsqueeze(-2), self._weights, out=rows[..., : sticks.shape[-1]])
        spectra: Tensor = torch.fft.rfft(rows)
        return spectra

    def turn(self, fwhm: Float[Tensor, "*rows"]) -> Float[Tensor, "*rows Q 1"]:
        """Pi times the Q widths of peaks of this fwhm at theta = 0, both in points.

        Times `frequency` it is the phase of `gauss_and_lorentz_transforms`.
        """
        return math.pi * fwhm[..., None, None] * self._nodes


def interpolation_between_widths(
    relative: NDArray[np.float64], tolerance: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """As few widths as represent profiles of all `relative` widths (N,), and the weights of each.

    `tolerance` is the largest error relative to the height of a peak.

    Returns
    -------
    nodes : (m,) array
        Chebyshev nodes over the range of `relative`.
    weights : (m, N) array
        The profile of width relative[n] is sum over m of weights[m, n] times that of width nodes[m].

    Raises
    ------
    ParameterError
        If the range of widths is too wide for 16 nodes.
    """
    low, high = float(relative.min()), float(relative.max())
    trial = np.linspace(low, high, 50)
    for count in range(1, _MOST_NODES + 1):
        nodes = chebyshev_nodes(low, high, count)
        if _interpolation_error(nodes, trial) < tolerance:
            return nodes, lagrange(nodes, relative)
    raise ParameterError(
        f"peaks at the end of the grid are {high / low:.3g} times as wide as at its start",
        remedy="End the grid at a lower angle",
    )


def _interpolation_error(nodes: NDArray[np.float64], trial: NDArray[np.float64]) -> float:
    """Largest error of profiles of the widths `trial`, Gaussian or Lorentzian, relative to their height."""
    offset = torch.linspace(0, 6 * float(trial[-1]), 400, dtype=torch.float64)
    worst = 0.0
    for eta in (0.0, 1.0):
        share = torch.tensor(eta, dtype=torch.float64)
        shape, at_nodes = (
            pseudo_voigt(offset, torch.from_numpy(widths).unsqueeze(-1), share).numpy()
            for widths in (trial, nodes)
        )
        error = np.abs(lagrange(nodes, trial).T @ at_nodes - shape).max(axis=1) / shape[:, 0]
        worst = max(worst, float(error.max()))
    return worst


def chebyshev_nodes(low: float, high: float, count: int) -> NDArray[np.float64]:
    """(count,) nodes between `low` and `high`, rising."""
    angle = np.pi * (np.arange(count) + 0.5) / count
    return (low + high) / 2 - (high - low) / 2 * np.cos(angle)


def lagrange(nodes: NDArray[np.float64], at: NDArray[np.float64]) -> NDArray[np.float64]:
    """(nodes, at) values of the Lagrange polynomials of `nodes`."""
    rows = []
    for k, node in enumerate(nodes):
        others = np.delete(nodes, k)
        rows.append(np.prod((at[:, None] - others) / (node - others), axis=1))
    return np.array(rows)
