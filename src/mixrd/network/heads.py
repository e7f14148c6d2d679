"""Networks with heads: besides fractions, what is there, how strained, how broad, on which background."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from mixrd.errors import ParameterError
from mixrd.network.head_outputs import (
    EARLIER_WEIGHT,
    OWN_WEIGHT,
    PRESENCE_WEIGHT,
    SHAPE_WEIGHT,
    SHAPES,
    STRAIN_WEIGHT,
    WIDTH_WEIGHT,
    AllOutputs,
    HeadOutputs,
    HeadTruth,
    laplace_loss,
    laplace_sigma,
)
from mixrd.network.losses import fractions_from, loss_named
from mixrd.network.pattern_estimate import Estimate, PatternEstimate


class StrainNetwork(nn.Module, ABC):
    """What networks share that say more of their materials than fractions: how each may be strained.

    Parameters
    ----------
    materials : int
    strain_components : sequence of int or None
        C_m, strain amplitudes of each of the M materials; one each unless given.
    max_strain : float
        Largest strain amplitude.

    Raises
    ------
    ParameterError
        If there is another number of materials.
    """

    #: What it learns besides fractions, as in `HeadTruth`, and what of that a source need not know.
    learns: tuple[str, ...] = ("strain",)
    can_do_without: tuple[str, ...] = ()
    #: (T,) material that each strain component belongs to.
    material_of_strain: Tensor

    def __init__(
        self, *, materials: int, strain_components: tuple[int, ...] | None, max_strain: float
    ) -> None:
        super().__init__()
        components = (1,) * materials if strain_components is None else tuple(strain_components)
        if len(components) != materials or min(components) < 1 or max_strain < 0:
            raise ParameterError(
                f"strain_components = {components}, max_strain = {max_strain:g} for {materials} materials",
                remedy="Give each material at least one component, and no negative max_strain",
            )
        self.strain_components, self.max_strain = components, max_strain
        owner = torch.repeat_interleave(torch.arange(materials), torch.tensor(components))
        self.register_buffer("material_of_strain", owner, persistent=False)

    @abstractmethod
    def all_outputs(self, patterns: Tensor) -> Any:
        """What a training of (B, N) patterns takes: tensors in tuples."""

    @abstractmethod
    def loss_of(self, outputs: Any, truth: HeadTruth, loss: str) -> tuple[Tensor, Tensor]:
        """Mean loss of `all_outputs`, that of the fractions being `loss`, and the scores (B, M)."""

    @abstractmethod
    def estimate(self, patterns: Tensor, *, loss: str = "tvd") -> Estimate:
        """All heads of (B, N) patterns; `loss` says what the scores mean (`fractions_from`)."""


class HeadedNetwork(StrainNetwork):
    """What networks with all heads share: the meaning of what their layers give.

    Parameters
    ----------
    materials, strain_components, max_strain
        As in `StrainNetwork`; a `max_strain` above 0.
    shape_ranges : four pairs (low, high)
        Of ln size, eta, background level and ln decay.

    Raises
    ------
    ParameterError
        If there is another number of materials, or a range is empty.
    """

    def __init__(
        self,
        *,
        materials: int,
        strain_components: tuple[int, ...] | None,
        max_strain: float,
        shape_ranges: tuple[tuple[float, float], ...],
    ) -> None:
        super().__init__(materials=materials, strain_components=strain_components, max_strain=max_strain)
        if max_strain == 0:
            raise ParameterError("max_strain = 0 for a head of strains", remedy="Give one above 0")
        if len(shape_ranges) != SHAPES or any(high < low for low, high in shape_ranges):
            raise ParameterError(
                f"shape_ranges = {shape_ranges}", remedy=f"Give {SHAPES} pairs of a low and a high value"
            )
        low, high = torch.tensor([tuple(pair) for pair in shape_ranges]).T
        self.register_buffer("_centre", (low + high) / 2, persistent=False)
        self.register_buffer("_half", ((high - low) / 2).clamp_min(1e-6), persistent=False)

    learns = ("strain", "shape")
    can_do_without = ("shape",)
    _centre: Tensor
    _half: Tensor

    @abstractmethod
    def outputs(self, patterns: Tensor) -> HeadOutputs:
        """What all heads say of (B, N) patterns in any positive unit."""

    def all_outputs(self, patterns: Tensor) -> AllOutputs:
        """What a training of (B, N) patterns takes; networks that work in rounds give more than one."""
        return AllOutputs((self.outputs(patterns),), ())

    def own_loss(self, further: tuple[Tensor, ...], truth: HeadTruth) -> Tensor | None:
        """A loss of what is in `AllOutputs.further`, mean over the patterns, if there is one."""
        return None

    def loss_of(self, outputs: AllOutputs, truth: HeadTruth, loss: str) -> tuple[Tensor, Tensor]:
        """Mean loss of all heads in all rounds, and the last scores."""
        own = self.own_loss(outputs.further, truth)
        total = torch.zeros(()) if own is None else OWN_WEIGHT * own
        for number, out in enumerate(reversed(outputs.rounds)):
            fractions = loss_named(loss)(out.scores, truth.fractions).mean()
            both = fractions + self.head_loss(out, truth, loss)
            total = both * (EARLIER_WEIGHT if number else 1.0) + total.to(both.device)
        return total, outputs.rounds[-1].scores

    def head_loss(self, outputs: HeadOutputs, truth: HeadTruth, loss: str) -> Tensor:
        """Loss of all heads but the fractions, mean over the patterns.

        Presence by cross-entropy; the others by the negative logarithm of a Laplace likelihood whose width
        is learnt. Strains count with the fraction of their material: an absent one has none. The width of a
        fraction is learnt to the error of the fraction as it is, which is trained by `loss` alone.
        """
        out = outputs.in_float32()
        present = (truth.fractions > 0).float()
        presence = functional.binary_cross_entropy_with_logits(out.presence, present)
        error = (fractions_from(out.scores, loss).detach() - truth.fractions).abs()
        width = laplace_loss(error, out.fraction_log_width).mean()
        moved = (out.strain - self.relative_strain(truth.strain)).abs()
        weight = truth.fractions[:, self.material_of_strain]
        strain = (weight * laplace_loss(moved, out.strain_log_width)).sum(1).mean()
        total = PRESENCE_WEIGHT * presence + STRAIN_WEIGHT * strain + WIDTH_WEIGHT * width
        if truth.shape is None:
            return total
        shaped = (out.shape - self.relative_shape(truth.shape)).abs()
        return total + SHAPE_WEIGHT * laplace_loss(shaped, out.shape_log_width).mean()

    def forward(self, patterns: Tensor) -> Tensor:
        """(B, N) patterns in any positive unit to (B, M) scores."""
        return self.outputs(patterns).scores

    def estimate(self, patterns: Tensor, *, loss: str = "tvd") -> PatternEstimate:
        """All heads of (B, N) patterns; `loss` says what the scores mean (`fractions_from`)."""
        out = self.outputs(patterns).in_float32()
        shape = (self._centre + self._half * out.shape).unbind(1)
        shape_sigma = (self._half * laplace_sigma(out.shape_log_width)).unbind(1)
        return PatternEstimate(
            presence=torch.sigmoid(out.presence),
            fractions=fractions_from(out.scores, loss),
            fraction_sigma=laplace_sigma(out.fraction_log_width),
            strain=(self.max_strain * out.strain).clamp(-self.max_strain, self.max_strain),
            strain_sigma=self.max_strain * laplace_sigma(out.strain_log_width),
            log_size=shape[0],
            log_size_sigma=shape_sigma[0],
            eta=shape[1],
            eta_sigma=shape_sigma[1],
            level=shape[2],
            level_sigma=shape_sigma[2],
            log_decay=shape[3],
            log_decay_sigma=shape_sigma[3],
        )

    def relative_strain(self, strain: Tensor) -> Tensor:
        """(B, T) strain amplitudes in the unit of `HeadOutputs.strain`."""
        return strain / self.max_strain

    def relative_shape(self, shape: Tensor) -> Tensor:
        """(B, 4) shapes in the unit of `HeadOutputs.shape`."""
        return (shape - self._centre) / self._half
