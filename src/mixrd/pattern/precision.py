"""How exactly patterns are drawn: four precisions of one formula, and what draws with each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from mixrd.pattern.even_grid import is_even
from mixrd.pattern.exact import ExactRenderer
from mixrd.pattern.render import Renderer
from mixrd.pattern.search_renderer import SearchRenderer
from mixrd.pattern.uniform import UniformRenderer

Precision = Literal["search", "training", "refinement", "exact"]
#: Largest error of a pattern relative to its maximum, against the direct float64 sum over all reflections.
TOLERANCES: Mapping[Precision, float] = {
    "search": 5e-3,
    "training": 1e-3,
    "refinement": 1e-4,
    "exact": 1e-6,
}


def renderer_for(
    two_theta: NDArray[np.float64], widest_fwhm: float, precision: Precision, device: torch.device | str
) -> Renderer | ExactRenderer | UniformRenderer | SearchRenderer:
    """What draws peaks up to this width on this grid (degrees) with this precision.

    Raises
    ------
    ParameterError
        If the precision is "search" and the grid not even, or too long for it.
    """
    if precision == "exact":
        return ExactRenderer(two_theta, device=device)
    if precision == "search":
        return SearchRenderer(two_theta, widest_fwhm=widest_fwhm, device=device)
    if precision == "training" and is_even(two_theta):
        return UniformRenderer(two_theta, widest_fwhm=widest_fwhm, device=device)
    dtype = torch.float32 if precision == "training" else torch.float64
    return Renderer(two_theta, widest_fwhm=widest_fwhm, dtype=dtype, device=device)
