"""What the heads of a network are trained to, besides the loss of the fractions."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from mixrd.network.heads import AllOutputs, HeadedNetwork, HeadOutputs, HeadTruth
from mixrd.network.losses import fractions_from, loss_named

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


def total_loss(network: HeadedNetwork, outputs: AllOutputs, truth: HeadTruth, loss: str) -> Tensor:
    """Loss of all heads in all rounds, mean over the patterns; that of the fractions is `loss`."""
    own = network.own_loss(outputs.further, truth)
    total = torch.zeros(()) if own is None else OWN_WEIGHT * own
    for number, out in enumerate(reversed(outputs.rounds)):
        fractions = loss_named(loss)(out.scores, truth.fractions).mean()
        both = fractions + head_loss(network, out, truth, loss)
        total = both * (EARLIER_WEIGHT if number else 1.0) + total.to(both.device)
    return total


def head_loss(network: HeadedNetwork, outputs: HeadOutputs, truth: HeadTruth, loss: str) -> Tensor:
    """Loss of all heads but the fractions, mean over the patterns.

    Presence by cross-entropy; the others by the negative logarithm of a Laplace likelihood whose width is
    learnt. Strains count with the fraction of their material: an absent one has none. The width of a
    fraction is learnt to the error of the fraction as it is, which is trained by `loss` alone.
    """
    out = outputs.in_float32()
    present = (truth.fractions > 0).float()
    presence = functional.binary_cross_entropy_with_logits(out.presence, present)
    error = (fractions_from(out.scores, loss).detach() - truth.fractions).abs()
    width = _laplace(error, out.fraction_log_width).mean()
    moved = (out.strain - network.relative_strain(truth.strain)).abs()
    weight = truth.fractions[:, network.material_of_strain]
    strain = (weight * _laplace(moved, out.strain_log_width)).sum(1).mean()
    total = PRESENCE_WEIGHT * presence + STRAIN_WEIGHT * strain + WIDTH_WEIGHT * width
    if truth.shape is None:
        return total
    shaped = (out.shape - network.relative_shape(truth.shape)).abs()
    return total + SHAPE_WEIGHT * _laplace(shaped, out.shape_log_width).mean()


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


def _laplace(error: Tensor, log_width: Tensor) -> Tensor:
    """-ln of the density at that distance, the constant left out, times a power of the width.

    The power (beta-NLL of Seitzer et al. 2022, arXiv:2203.09168) keeps what is known well from outweighing
    all else.
    """
    tempered = torch.exp(TEMPER * log_width.detach())
    return tempered * (error * torch.exp(-log_width) + log_width)
