"""Training batches, mixed on the fly: Fig. 1 of Hoefer et al. (2024) on one page.

`MixtureSampler.draw` reads from top to bottom as the figure does: draw single-phase conditions (strain,
crystallite size, instrument), render each phase, weight and combine, normalise, add background and
noise. Two things differ from the paper on purpose, because real scans are the aim: fractions are those
of weight (patterns keep their absolute intensity per unit mass), and noise is that of counting, so the
background comes before it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mixrd.crystal import Crystal
from mixrd.errors import RecipeError
from mixrd.pattern import ForwardModel, Instrument, Parameters, apply_fast_counting_noise, draw_background

#: Part of the cache key of trained models: raise it with every change of what is drawn.
SAMPLER_VERSION = 2


@dataclass(frozen=True)
class SampleRanges:
    """From where samples and scans are drawn; uniform unless said otherwise.

    Attributes
    ----------
    max_strain : float
        Of each strain component that the symmetry allows, both signs.
    size_nm : (low, high)
        Crystallite size, log-uniform.
    max_microstrain : float
    width_factor : float
        Instrument widths are multiplied by a factor between 1/this and this (log-uniform).
    max_zero_deg : float
        Zero shift, both signs.
    max_displacement_mm : float
        Sample displacement, both signs.
    max_graininess : float
        Relative spread (log-normal) of single intensities: few grains, mild texture.
    background : (low, high)
        Background's maximum relative to the strongest peak, log-uniform.
    peak_counts : (low, high)
        Counts of the strongest point, log-uniform.
    """

    max_strain: float = 0.01
    size_nm: tuple[float, float] = (20.0, 1000.0)
    max_microstrain: float = 0.001
    width_factor: float = 1.3
    max_zero_deg: float = 0.05
    max_displacement_mm: float = 0.1
    max_graininess: float = 0.1
    background: tuple[float, float] = (0.003, 0.3)
    peak_counts: tuple[float, float] = (1e3, 1e5)

    def __post_init__(self) -> None:
        allowed = {
            "max_strain": (0.0, 0.06),
            "max_microstrain": (0.0, 0.05),
            "width_factor": (1.0, 5.0),
            "max_zero_deg": (0.0, 1.0),
            "max_displacement_mm": (0.0, 2.0),
            "max_graininess": (0.0, 1.0),
        }
        for name, (low, high) in allowed.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise RecipeError(f"{name} = {value:g}", remedy=f"Allowed: {low:g} to {high:g}")
        for name in ("size_nm", "background", "peak_counts"):
            low, high = getattr(self, name)
            if not 0 < low <= high < float("inf"):
                raise RecipeError(f"{name} = {low:g} to {high:g}", remedy="Allowed: 0 < low <= high")


@dataclass(frozen=True, eq=False)
class MixtureBatch:
    """Patterns and what they were made from. B patterns, N points, P phases, K strain components.

    Attributes
    ----------
    patterns : (B, N) tensor
        Counts.
    fractions : (B, P) tensor
        Weight fractions.
    strain : (B, K) tensor
        Strain amplitudes of all phases, one after the other.
    inverse_size : (B, P) tensor
        In 1/nm.
    """

    patterns: Tensor
    fractions: Tensor
    strain: Tensor
    inverse_size: Tensor


class MixtureSampler:
    """Draws training batches for some phases on one instrument.

    Parameters
    ----------
    crystals : sequence of Crystal
    instrument : Instrument
    two_theta : (N,) array
        Grid in degrees.
    ranges : SampleRanges
    mixtures_per_condition : int
        Mixtures made from each rendered condition; rendering costs more than mixing.
    """

    def __init__(
        self,
        crystals: Sequence[Crystal],
        instrument: Instrument,
        two_theta: NDArray[np.float64],
        ranges: SampleRanges,
        *,
        mixtures_per_condition: int = 4,
        device: torch.device | str = "cpu",
    ) -> None:
        self.ranges = ranges
        self.mixtures_per_condition = mixtures_per_condition
        self.model = ForwardModel(
            crystals, instrument, two_theta, widest_fwhm=0.3, precision="training", device=device
        )

    def draw(self, batch: int, *, generator: torch.Generator) -> MixtureBatch:
        """Draw `batch` mixtures, `mixtures_per_condition` of each condition (the last may have fewer)."""
        per = self.mixtures_per_condition
        count = -(-batch // per)
        conditions = draw_conditions(self.model, self.ranges, count, generator=generator)
        columns = self._render(conditions, generator)
        fractions = draw_fractions(count * per, len(self.model.tables), generator=generator, like=columns)
        mixed = torch.einsum("cmp,cpn->cmn", fractions.view(count, per, -1), columns).flatten(0, 1)
        normalised = mixed / mixed.amax(dim=-1, keepdim=True)
        counts = self._record(normalised, generator)
        return MixtureBatch(
            patterns=counts[:batch],
            fractions=fractions[:batch],
            strain=conditions.strain.repeat_interleave(per, dim=0)[:batch],
            inverse_size=conditions.inverse_size.repeat_interleave(per, dim=0)[:batch],
        )

    def _render(self, conditions: Parameters, generator: torch.Generator) -> Tensor:
        """(C, P, N) patterns of unit mass, intensities scattered as few grains scatter them."""
        peaks = self.model.peaks(conditions)
        uniform = torch.rand(len(peaks.area), 1, generator=generator, device=peaks.area.device)
        spread = self.ranges.max_graininess * uniform
        # All emission lines of one reflection come from the same grains.
        shape = len(peaks.area), self.model.reflections
        scatter = torch.randn(shape, generator=generator, device=peaks.area.device)
        scatter = scatter[:, self.model.peak_table.reflection]
        peaks = dataclasses.replace(peaks, area=peaks.area * torch.exp(spread * scatter - spread**2 / 2))
        return self.model.renderer.render(peaks, self.model.peak_table.phase, len(self.model.tables))

    def _record(self, normalised: Tensor, generator: torch.Generator) -> Tensor:
        """Counts of a detector: background below the peaks, then counting noise."""
        batch = len(normalised)
        level = _log_uniform(self.ranges.background, batch, generator, normalised)
        background = level * draw_background(self.model.two_theta, batch, generator=generator)
        counts = _log_uniform(self.ranges.peak_counts, batch, generator, normalised)
        return apply_fast_counting_noise(counts * (normalised + background), generator=generator)


def draw_conditions(
    model: ForwardModel, ranges: SampleRanges, count: int, *, generator: torch.Generator
) -> Parameters:
    """Strain, size and instrument state of `count` scans."""
    reference = model.reference(count)

    def both_signs(like: Tensor, limit: float) -> Tensor:
        return limit * (2 * torch.rand(like.shape, generator=generator, device=like.device) - 1)

    low, high = ranges.size_nm
    log_size = torch.rand(reference.inverse_size.shape, generator=generator, device=model.two_theta.device)
    size = low * (high / low) ** log_size
    factor = ranges.width_factor ** both_signs(reference.profile, 1.0)
    # u, v and w are one squared width and scale together; the Lorentzian terms apart.
    factor = torch.cat([factor[:, :1].repeat(1, 3) ** 2, factor[:, 3:]], dim=1)
    half = torch.rand(reference.microstrain.shape, generator=generator, device=model.two_theta.device)
    return dataclasses.replace(
        reference,
        strain=both_signs(reference.strain, ranges.max_strain),
        inverse_size=1 / size,
        microstrain=ranges.max_microstrain * half**2,
        profile=reference.profile * factor,
        zero=both_signs(reference.zero, ranges.max_zero_deg),
        displacement=both_signs(reference.displacement, ranges.max_displacement_mm),
    )


def draw_fractions(batch: int, phases: int, *, generator: torch.Generator, like: Tensor) -> Tensor:
    """(batch, phases) weight fractions: half uniform on the simplex, half with traces and absent phases."""
    spacing = -torch.log(torch.rand(batch, phases, generator=generator, device=like.device).clamp_min(1e-9))
    trace = 10 ** (-3 * torch.rand(batch, phases, generator=generator, device=like.device))
    present = torch.rand(batch, phases, generator=generator, device=like.device) < 0.75
    skewed = torch.rand(batch, 1, generator=generator, device=like.device) < 0.5
    amounts = torch.where(skewed, spacing * trace * present, spacing)
    # At least one phase is there: the one that would have been the largest.
    largest = torch.nn.functional.one_hot(spacing.argmax(dim=1), phases).bool()
    amounts = torch.where(largest & (amounts.sum(dim=1, keepdim=True) == 0), spacing, amounts)
    return (amounts / amounts.sum(dim=1, keepdim=True)).to(like.dtype)


def _log_uniform(limits: tuple[float, float], batch: int, generator: torch.Generator, like: Tensor) -> Tensor:
    low, high = limits
    draw = torch.rand(batch, 1, generator=generator, dtype=like.dtype, device=like.device)
    result: Tensor = low * (high / low) ** draw
    return result
