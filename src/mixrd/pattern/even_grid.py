"""What renderers on an even grid share: they only draw, and the general one draws derivatives for them."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mixrd.errors import ParameterError
from mixrd.pattern.render import Expanded, Peaks, Renderer

#: Largest deviation of an even grid from its mean line, in steps.
_EVEN = 1e-3


def is_even(two_theta: NDArray[np.float64]) -> bool:
    """Whether the steps of this rising grid are all the same, so that an `EvenRenderer` can draw on it."""
    line = np.linspace(two_theta[0], two_theta[-1], len(two_theta))
    step = (two_theta[-1] - two_theta[0]) / (len(two_theta) - 1)
    return bool(np.abs(two_theta - line).max() <= _EVEN * step)


class EvenRenderer:
    """A grid of even steps; what draws on it brings its own `render`.

    Parameters
    ----------
    two_theta : (N,) array
        Grid in degrees, rising by even steps.
    widest_fwhm : float
        Width in degrees of the broadest peak to expect.

    Raises
    ------
    ParameterError
        If the grid is not even.
    """

    def __init__(
        self,
        two_theta: NDArray[np.float64],
        *,
        widest_fwhm: float,
        dtype: torch.dtype,
        device: torch.device | str,
    ) -> None:
        if len(two_theta) < 2 or not is_even(two_theta):
            raise ParameterError(
                "the steps of two_theta differ", remedy="Give an even grid, or draw with Renderer"
            )
        self.grid = torch.tensor(two_theta, dtype=dtype, device=device)
        self.widest_fwhm = widest_fwhm
        self._two_theta = two_theta
        self.first = float(two_theta[0])
        self.step = float(two_theta[-1] - two_theta[0]) / (len(two_theta) - 1)

    def combine(self, peaks: Peaks, areas: Tensor) -> Tensor:
        """(B, N, T): as `Renderer.combine`, and at its speed."""
        return self._general.combine(peaks, areas)

    def tangents(self, peaks: Peaks, rates: Tensor) -> Tensor:
        """(B, N, T): as `Renderer.tangents`, and at its speed."""
        return self._general.tangents(peaks, rates)

    def expanded(self, peaks: Peaks, *, derivatives: bool = True) -> Expanded:
        """As `Renderer.expanded`, and at its speed."""
        return self._general.expanded(peaks, derivatives=derivatives)

    @cached_property
    def _general(self) -> Renderer:
        return Renderer(
            self._two_theta,
            widest_fwhm=self.widest_fwhm,
            dtype=self.grid.dtype,
            device=self.grid.device,
        )


def refuse_gradient(peaks: Peaks) -> None:
    """Refuse peaks whose gradient is asked for.

    Raises
    ------
    ParameterError
        If a gradient is asked for.
    """
    if torch.is_grad_enabled() and any(x.requires_grad for x in vars(peaks).values()):
        raise ParameterError(
            "a gradient is asked for of patterns drawn without one",
            remedy="Draw with Renderer, or under torch.no_grad()",
        )
