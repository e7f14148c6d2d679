"""What heads give, what is behind it, and what it costs to be wrong."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

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


#: Weights beside the loss of the fractions, whose TVD is some hundredths when trained: presence (nats a
#: material), strain (nats, weighted with the fractions), fraction width and shapes (nats each), and a
#: network's own loss.
PRESENCE_WEIGHT, STRAIN_WEIGHT, WIDTH_WEIGHT, SHAPE_WEIGHT, OWN_WEIGHT = 0.1, 0.1, 0.01, 0.03, 0.03
#: Power of the width that likelihoods are multiplied with.
TEMPER = 1.0
#: Weight of the rounds before the last.
EARLIER_WEIGHT = 0.5
#: Strains are soft by so much, in units of the largest, with up to two components and with more, where the
#: copies of a dictionary stand farther apart.
_SOFT, _SOFT_OF_MANY = 0.04, 0.19


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
    """What is behind B patterns, as far as it is known.

    Attributes
    ----------
    fractions, inverse_size : (B, M) tensor
        Sizes in 1/nm.
    strain : (B, T) tensor
        Amplitudes.
    shape : (B, 4) tensor
    """

    fractions: Tensor
    strain: Tensor
    shape: Tensor | None = None
    inverse_size: Tensor | None = None


def bounded_log_width(log_width: Tensor) -> Tensor:
    """Ln of widths, softly kept within -9 to 2, so that there is a gradient back from everywhere."""
    middle = (_MOST_LOG_WIDTH + _LEAST_LOG_WIDTH) / 2
    half = (_MOST_LOG_WIDTH - _LEAST_LOG_WIDTH) / 2
    return middle + half * torch.tanh((log_width - middle) / half)


def laplace_sigma(log_width: Tensor) -> Tensor:
    """Standard deviation of a Laplace distribution of that width."""
    return math.sqrt(2) * torch.exp(log_width)


def strain_likelihood(
    reading: Tensor, table: Tensor, strain: Tensor, fractions: Tensor, there: Tensor
) -> Tensor:
    """Cross-entropy of a choice among strained copies, weighted with the fractions, mean over the patterns.

    Parameters
    ----------
    reading : (M, G, B) tensor
        ln of the odds of each copy, up to a constant.
    table : (M, G, C) tensor
        Their strains, in units of the largest.
    strain : (B, T) tensor
        The true ones, in that unit.
    fractions : (B, M) tensor
    there : (M, C) tensor of bool
        Whether a material has a strain component.
    """
    true = strain.new_zeros(len(strain), *there.shape)
    true[:, there] = strain
    pattern, material = torch.nonzero(fractions > 0, as_tuple=True)
    square = (table[material] - true[pattern, material].unsqueeze(1)).square().sum(-1)
    soft = torch.where(there.sum(1) > 2, _SOFT_OF_MANY, _SOFT)[material].unsqueeze(1)
    wanted = torch.softmax(-0.5 * square / soft.square(), dim=1)
    chosen = reading.permute(0, 2, 1)[material, pattern].log_softmax(1)
    weight = fractions[pattern, material]
    return -(weight * (wanted * chosen).sum(1)).sum() / len(strain)


def laplace_loss(error: Tensor, log_width: Tensor) -> Tensor:
    """-ln of the density at that distance, the constant left out, times a power of the width.

    The power (beta-NLL of Seitzer et al. 2022, arXiv:2203.09168) keeps what is known well from outweighing
    all else.
    """
    tempered = torch.exp(TEMPER * log_width.detach())
    return tempered * (error * torch.exp(-log_width) + log_width)
