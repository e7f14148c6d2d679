"""Pseudo-Voigts of Scherrer width about the points of a uniform grid, all of a pattern at once.

Where positions are discretised to the grid, a pattern is a row of stick areas, convolved with profiles of a
few widths (`mixrd.pattern.width_interpolation`). The cost does not depend on the number of sticks, and
everything is a handful of large operations on any device.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from mixrd.errors import ParameterError
from mixrd.pattern.profile import gauss_and_lorentz_transforms, size_fwhm
from mixrd.pattern.width_interpolation import FewWidths, chebyshev_nodes, lagrange

#: Fewest grid points within the narrowest fwhm: below it a Gaussian has frequencies that the grid lacks.
FEWEST_POINTS_PER_FWHM = 3.0
#: Largest error of the interpolation between widths, relative to the height of a peak.
_TOLERANCE = 5e-5


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
        self._widths = FewWidths(
            two_theta, step, margin=points - 1, tolerance=_TOLERANCE, dtype=dtype, device=device
        )
        gather, spread = _periodic_images(points, self._widths.length)
        # A stick's image is as strong as its area and its width.
        gather *= (self._widths.relative / step)[:, None]
        self._gather, self._spread = (torch.tensor(x, dtype=dtype, device=device) for x in (gather, spread))

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
        inverse = inverse_size_per_nm.to(sticks.dtype)
        zero = torch.zeros_like(inverse)
        # In points at theta = 0, from where it grows as 1 / cos theta.
        fwhm, share = size_fwhm(inverse, zero + self._wavelength, zero) / self.step, eta.to(sticks.dtype)
        spectrum = self._widths.spectra(sticks) * self._profile(fwhm, share)
        circular = torch.fft.irfft(spectrum.sum((1, 2)), n=self._widths.length)[:, : self.points]
        images = ((sticks @ self._gather) * (fwhm * share).unsqueeze(-1)).sum(1)
        return torch.addmm(circular, images, self._spread, alpha=-1)

    def _profile(self, fwhm: Tensor, eta: Tensor) -> Tensor:
        """(B, G, Q, F) transform of the profile at the few widths, of unit area."""
        turn = self._widths.turn(fwhm)
        gauss, first = gauss_and_lorentz_transforms(turn * self._widths.frequency)
        # The transform of a sampled profile is periodic; a Lorentzian's next period reaches into this one.
        period = torch.exp(-turn)
        lorentz = (period / first).add_(first).div_(1 - period)
        return torch.lerp(gauss, lorentz, eta[..., None, None])


def narrowest_fwhm_points(step: float, largest_size_nm: float, wavelength_angstrom: float) -> float:
    """Grid points within the narrowest fwhm of crystallites up to this size: at 0 deg, of the largest."""
    inverse, wavelength = torch.tensor(1 / largest_size_nm), torch.tensor(wavelength_angstrom)
    return float(size_fwhm(inverse, wavelength, torch.zeros(()))) / step


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
    nodes = chebyshev_nodes(0.0, points - 1.0, 8)
    z = np.pi * (index - nodes[:, None]) / length
    near = np.abs(z) < 1e-3
    z[near] = 1.0
    shape = np.where(near, 1 / 3, 1 / np.sin(z) ** 2 - 1 / z**2)
    return lagrange(nodes, index).T, np.pi / (2 * length**2) * shape
