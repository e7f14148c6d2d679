"""Pseudo-Voigts of Scherrer width about the points of a uniform grid, all of a pattern at once.

Where positions are discretised to the grid, a pattern is a row of stick areas, and peaks of one width would
be one convolution. Scherrer widths go as 1 / cos theta, so the profile of each width is interpolated between
a few widths (Lagrange, Chebyshev nodes: three for 10-50 deg): each stick goes with its weights into a few
rows, and each row is convolved with one profile, in Fourier space, where the profile has a closed form. The
cost does not depend on the number of sticks, and everything is a handful of large operations on any device.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from scipy.fft import next_fast_len
from torch import Tensor

from mixrd.errors import ParameterError
from mixrd.pattern.profile import gauss_and_lorentz_transforms, pseudo_voigt, size_fwhm

#: Fewest grid points within the narrowest fwhm: below it a Gaussian has frequencies that the grid lacks.
FEWEST_POINTS_PER_FWHM = 3.0
#: Largest error of the interpolation between widths, relative to the height of a peak.
_TOLERANCE = 5e-5
_MOST_NODES = 16


class ScherrerPeaks:
    """Places a pseudo-Voigt of Scherrer width at every stick of a row.

    The result is the sum of the full profiles, tails over the whole pattern included, to 1e-4 of the
    pattern's maximum (and the rounding of `dtype`).

    Parameters
    ----------
    start, step : float
        Of the grid, in degrees 2theta.
    points : int
    wavelength_angstrom : float
    dtype, device
        Of the calculation.

    Raises
    ------
    ParameterError
        If the grid does not lie within 0-175 deg.
    """

    def __init__(
        self,
        start: float,
        step: float,
        points: int,
        *,
        wavelength_angstrom: float,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
    ) -> None:
        two_theta = start + step * np.arange(points)
        if not (points >= 2 and step > 0 and start >= 0 and two_theta[-1] <= 175):
            raise ParameterError(
                f"the grid is {points} points from {start:g} deg in steps of {step:g} deg",
                remedy="Allowed: at least 2 points, a step above 0, all within 0 to 175 deg",
            )
        self.step, self.points, self._wavelength = step, points, wavelength_angstrom
        # Long enough for no point to feel the near side of a peak's periodic image.
        self._length = int(next_fast_len(2 * points - 1, real=True))
        relative = 1 / np.cos(np.radians(two_theta / 2))
        nodes, weights = interpolation_between_widths(relative)
        gather, spread = _periodic_images(points, self._length)

        def tensor(values: NDArray[np.float64]) -> Tensor:
            return torch.tensor(values, dtype=dtype, device=device)

        self._weights = tensor(weights / step)
        self._nodes = tensor(nodes).view(-1, 1)
        self._frequency = tensor(np.arange(self._length // 2 + 1) / self._length)
        # A stick's image is as strong as its area and its width.
        self._gather, self._spread = tensor(gather * (relative / step)[:, None]), tensor(spread)

    def place(
        self,
        sticks: Float[Tensor, "B G N"],
        inverse_size_per_nm: Float[Tensor, "B G"],
        eta: Float[Tensor, "B G"],
    ) -> Float[Tensor, "B N"]:
        """Patterns of rows of sticks.

        Parameters
        ----------
        sticks : (B, G, N) tensor
            Areas in degrees times the unit of the pattern, in G groups whose peaks differ in shape.
        inverse_size_per_nm : (B, G) tensor
            1/L of each group's crystallites, in 1/nm.
        eta : (B, G) tensor
            Lorentzian share of each group, 0-1.

        Returns
        -------
        (B, N) tensor
            The sum over the groups.
        """
        fwhm = self._fwhm_at_zero(inverse_size_per_nm.to(sticks.dtype))
        share = eta.to(sticks.dtype)
        batch, groups, points = sticks.shape
        rows = sticks.new_zeros(batch, groups, len(self._nodes), self._length)
        torch.mul(sticks.unsqueeze(2), self._weights, out=rows[..., :points])
        spectrum = torch.fft.rfft(rows) * self._profile(fwhm[..., None, None], share[..., None, None])
        circular = torch.fft.irfft(spectrum.sum((1, 2)), n=self._length)[:, :points]
        images = ((sticks @ self._gather) * (fwhm * share).unsqueeze(-1)).sum(1)
        return torch.addmm(circular, images, self._spread, alpha=-1)

    def _fwhm_at_zero(self, inverse_size_per_nm: Tensor) -> Tensor:
        """Fwhm in grid points at theta = 0, from where it grows as 1 / cos theta."""
        zero = torch.zeros_like(inverse_size_per_nm)
        return size_fwhm(inverse_size_per_nm, zero + self._wavelength, zero) / self.step

    def _profile(self, fwhm: Tensor, eta: Tensor) -> Tensor:
        """(B, G, nodes, F) transform of the profile at the nodes, of unit area."""
        turn = math.pi * fwhm * self._nodes
        gauss, first = gauss_and_lorentz_transforms(turn * self._frequency)
        # The transform of a sampled profile is periodic; a Lorentzian's next period reaches into this one.
        period = torch.exp(-turn)
        lorentz = (period / first).add_(first).div_(1 - period)
        return torch.lerp(gauss, lorentz, eta)


def narrowest_fwhm_points(step: float, largest_size_nm: float, wavelength_angstrom: float) -> float:
    """Grid points within the narrowest fwhm of crystallites up to this size: at 0 deg, of the largest."""
    inverse, wavelength = torch.tensor(1 / largest_size_nm), torch.tensor(wavelength_angstrom)
    return float(size_fwhm(inverse, wavelength, torch.zeros(()))) / step


def interpolation_between_widths(
    relative: NDArray[np.float64], tolerance: float = _TOLERANCE
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
        nodes = _chebyshev_nodes(low, high, count)
        if _interpolation_error(nodes, trial) < tolerance:
            return nodes, _lagrange(nodes, relative)
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
        error = np.abs(_lagrange(nodes, trial).T @ at_nodes - shape).max(axis=1) / shape[:, 0]
        worst = max(worst, float(error.max()))
    return worst


def _periodic_images(points: int, length: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Tails that a convolution of period `length` adds to the first `points`, as a product of thin matrices.

    The tail of a Lorentzian of unit area is fwhm / (2 pi x^2); the sum of its images at all multiples of
    the period but zero is fwhm pi / (2 length^2) (1 / sin^2 z - 1 / z^2), z = pi x / length. It is smooth
    in the position of the stick and interpolated between Chebyshev nodes.

    Returns
    -------
    gather : (points, r) array
    spread : (r, points) array
        (gather @ spread)[i, j] is what a stick of unit area and fwhm at point i adds at point j.
    """
    index = np.arange(points, dtype=np.float64)
    nodes = _chebyshev_nodes(0.0, points - 1.0, 8)
    z = np.pi * (index - nodes[:, None]) / length
    near = np.abs(z) < 1e-3
    z[near] = 1.0
    shape = np.where(near, 1 / 3, 1 / np.sin(z) ** 2 - 1 / z**2)
    return _lagrange(nodes, index).T, np.pi / (2 * length**2) * shape


def _chebyshev_nodes(low: float, high: float, count: int) -> NDArray[np.float64]:
    angle = np.pi * (np.arange(count) + 0.5) / count
    return (low + high) / 2 - (high - low) / 2 * np.cos(angle)


def _lagrange(nodes: NDArray[np.float64], at: NDArray[np.float64]) -> NDArray[np.float64]:
    """(nodes, at) values of the Lagrange polynomials of `nodes`."""
    rows = []
    for k, node in enumerate(nodes):
        others = np.delete(nodes, k)
        rows.append(np.prod((at[:, None] - others) / (node - others), axis=1))
    return np.array(rows)
