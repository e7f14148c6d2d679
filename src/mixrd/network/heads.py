"""Networks with heads: besides fractions, what is there, how strained, how broad, on which background."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from mixrd.errors import ParameterError
from mixrd.network.losses import fractions_from
from mixrd.network.pattern_estimate import Estimate, PatternEstimate

#: What the head of a pattern's shape gives: ln size, eta, background level, ln decay.
SHAPES = 4
#: Ranges of these four in the paper's patterns (nm and degrees behind the logarithms).
SHAPE_RANGES = (
    (math.log(10.0), math.log(100.0)),
    (0.1, 0.9),
    (0.0, 0.5),
    (math.log(4.0), math.log(40.0)),
)
#: Widths of the Laplace distributions: fractions in units of 1, the others in units of half a range.
_LEAST_LOG_WIDTH, _MOST_LOG_WIDTH = -9.0, 2.0


class HeadOutputs(NamedTuple):
    """What the layers of a network with heads give, for B patterns.

    Attributes
    ----------
    scores : (B, M) tensor
        Of the fractions, as of any network of fractions.
    presence : (B, M) tensor
        ln of the odds that a material is there.
    fraction_log_width : (B, M) tensor
    strain, strain_log_width : (B, T) tensor
        In units of the largest strain.
    shape, shape_log_width : (B, 4) tensor
        -1 to 1 over each range.
    """

    scores: Tensor
    presence: Tensor
    fraction_log_width: Tensor
    strain: Tensor
    strain_log_width: Tensor
    shape: Tensor
    shape_log_width: Tensor

    def in_float32(self) -> HeadOutputs:
        """The same in float32, logarithms of widths within bounds that their exponentials survive."""
        outputs = HeadOutputs(*(value.float() for value in self))
        widths = ("fraction_log_width", "strain_log_width", "shape_log_width")
        bounded = {name: bounded_log_width(getattr(outputs, name)) for name in widths}
        return outputs._replace(**bounded)


class AllOutputs(NamedTuple):
    """For a training: the heads of all rounds, the last ones last, and tensors for a loss of its own."""

    rounds: tuple[HeadOutputs, ...]
    further: tuple[Tensor, ...]


@dataclass(frozen=True, eq=False)
class HeadTruth:
    """Fractions (B, M), strain amplitudes (B, T) and, where known, shapes (B, 4) behind B patterns."""

    fractions: Tensor
    strain: Tensor
    shape: Tensor | None = None


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


def bounded_log_width(log_width: Tensor) -> Tensor:
    """Ln of widths, softly kept within -9 to 2, so that there is a gradient back from everywhere."""
    middle = (_MOST_LOG_WIDTH + _LEAST_LOG_WIDTH) / 2
    half = (_MOST_LOG_WIDTH - _LEAST_LOG_WIDTH) / 2
    return middle + half * torch.tanh((log_width - middle) / half)


def laplace_sigma(log_width: Tensor) -> Tensor:
    """Standard deviation of a Laplace distribution of that width."""
    return math.sqrt(2) * torch.exp(log_width)
