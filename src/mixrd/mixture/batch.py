"""Training batches, mixed on the fly: Fig. 1 of Hoefer et al. (2024) on one page.

`MixtureSampler.draw` reads from top to bottom as the figure does: draw single-phase conditions (strain,
crystallite size, instrument), render each phase, weight and combine, normalise, add impurities, add
background and noise. Two things differ from the paper on purpose, because real scans are the aim: fractions
are those of weight (patterns keep their absolute intensity per unit mass), and noise is that of counting,
so the background comes before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from mixrd.crystal import Crystal
from mixrd.mixture.grains import scatter_intensities
from mixrd.mixture.sample_ranges import SampleRanges, widest_fwhm
from mixrd.pattern import (
    ForwardModel,
    Instrument,
    Parameters,
    Precision,
    apply_detector,
    apply_fast_counting_noise,
    apply_impurities,
    apply_spikes,
    draw_background,
    draw_detector,
    draw_impurities,
    draw_spikes,
)

#: Part of the cache key of trained models: raise it with every change of what is drawn.
SAMPLER_VERSION = 4


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

    patterns: Float[Tensor, "B N"]
    fractions: Float[Tensor, "B P"]
    strain: Float[Tensor, "B K"]
    inverse_size: Float[Tensor, "B P"]


class MixtureSampler:
    """Draws training batches for some phases on one instrument.

    Parameters
    ----------
    crystals : sequence of Crystal
    instrument : Instrument
    two_theta : (N,) array
        Grid in degrees.
    ranges : SampleRanges
    precision : {"training", "refinement", "exact"}
        Of the patterns, as `ForwardModel` takes it.
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
        precision: Precision = "training",
        device: torch.device | str = "cpu",
    ) -> None:
        self.ranges = ranges
        self.mixtures_per_condition = mixtures_per_condition
        self.model = ForwardModel(
            crystals,
            instrument,
            two_theta,
            widest_fwhm=widest_fwhm(ranges, instrument, two_theta),
            precision=precision,
            device=device,
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
        contaminated = self._contaminate(normalised, generator)
        counts = self._record(contaminated, generator)
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
        peaks = scatter_intensities(self.model, peaks, spread, generator=generator)
        return self.model.renderer.render(peaks, self.model.peak_table.phase, len(self.model.tables))

    def _contaminate(self, normalised: Tensor, generator: torch.Generator) -> Tensor:
        """Lines of phases that are not among the candidates."""
        grid = self.model.two_theta
        lines = draw_impurities(grid, len(normalised), self.ranges.impurities, generator=generator)
        return apply_impurities(normalised, grid, lines)

    def _record(self, signal: Tensor, generator: torch.Generator) -> Tensor:
        """Counts of a detector: background below the peaks, counting noise, spikes, dead time."""
        batch, points = signal.shape
        level = _log_uniform(self.ranges.background, batch, generator, signal)
        background = level * draw_background(self.model.two_theta, batch, generator=generator)
        scale = _log_uniform(self.ranges.peak_counts, batch, generator, signal)
        counts = apply_fast_counting_noise(scale * (signal + background), generator=generator)
        spikes = draw_spikes(batch, points, self.ranges.spikes, generator=generator)
        detector = draw_detector(batch, self.ranges.detector, generator=generator)
        return apply_detector(apply_spikes(counts, spikes), detector)


def draw_conditions(
    model: ForwardModel, ranges: SampleRanges, count: int, *, generator: torch.Generator
) -> Parameters:
    """Strain, size, sample surface and instrument state of `count` scans, as the parameter table says."""
    flat = model.reference(count).flat()
    together = [(t, list(members)) for t, members in groupby(model.quantities, lambda q: q.training) if t]
    for training, members in sorted(together, key=lambda one: not one[0].early):
        columns = slice(model.columns_of(members[0].name).start, model.columns_of(members[-1].name).stop)
        usual = flat[:, columns]
        # Drawn in single precision whatever the model's: the same seed gives the same sample.
        share = torch.rand(usual.shape, generator=generator, device=flat.device).to(flat.dtype)
        loss = members[0].on_demand.loss
        limit = getattr(ranges, training.setting) if training.setting else training.high
        if loss and loss.fixed_slit and model.instrument.divergence_slit != "fixed":
            # An automatic slit keeps the beam as long as it is.
            limit = 0.0
        flat[:, columns] = training.drawn(share, usual, limit)
    return model.from_flat(flat)


def draw_fractions(
    batch: int, phases: int, *, generator: torch.Generator, like: Tensor
) -> Float[Tensor, "{batch} {phases}"]:
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
