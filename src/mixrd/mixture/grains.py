"""Few grains: single intensities scatter about those of an ideal powder."""

from __future__ import annotations

import dataclasses

import torch
from jaxtyping import Float
from torch import Tensor

from mixrd.pattern import ForwardModel, Peaks


def scatter_intensities(
    model: ForwardModel, peaks: Peaks, spread: Float[Tensor, "B 1"], *, generator: torch.Generator
) -> Peaks:
    """Peaks whose areas scatter log-normally, without bias; lines of one reflection scatter together.

    Parameters
    ----------
    model : ForwardModel
        Which the peaks are of.
    peaks : Peaks
        Of B patterns.
    spread : (B, 1) tensor
        Standard deviation of the logarithm of the intensity.
    generator : torch.Generator
    """
    area = peaks.area
    shape = len(area), model.reflections
    normal = torch.randn(shape, generator=generator, device=area.device, dtype=area.dtype)
    # All emission lines of one reflection come from the same grains.
    normal = normal[:, model.peak_table.reflection]
    return dataclasses.replace(peaks, area=area * torch.exp(spread * normal - spread**2 / 2))
