"""What a training of fractions minimises, for networks with and without further heads."""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn

from mixrd.errors import RecipeError
from mixrd.network import AllOutputs, HeadedNetwork, HeadTruth, loss_named, total_loss
from mixrd.training.batches import only_fractions
from mixrd.training.pattern_source import HeadMixtures, Mixtures


class Objective:
    """The loss of a network, from its patterns and targets.

    Parameters
    ----------
    network : module
        A `HeadedNetwork`, or one of patterns to scores.
    loss : str
        Of the fractions (`mixrd.network.losses`).

    Attributes
    ----------
    trained : module
        Of patterns to all that the loss needs; its parameters are those of `network`.
    """

    def __init__(self, network: nn.Module, loss: str) -> None:
        self.network, self.name, self.loss = network, loss, loss_named(loss)
        self.trained: nn.Module = _AllHeads(network) if isinstance(network, HeadedNetwork) else network

    def targets(self, drawn: Mixtures) -> tuple[Tensor, ...]:
        """Fractions, and for further heads strains and shapes.

        Raises
        ------
        RecipeError
            If the source does not know the strains.
        """
        if not isinstance(self.network, HeadedNetwork):
            return only_fractions(drawn)
        whole = cast(HeadMixtures, drawn)
        components = len(self.network.material_of_strain)
        strain = getattr(whole, "strain", None)
        if strain is None or strain.shape[1] != components:
            raise RecipeError(
                f"the network learns {components} strain components, the source of mixtures has "
                f"{'none' if strain is None else strain.shape[1]}",
                remedy="Give the sampler the strains of its line lists, or take a network of fractions alone",
            )
        return whole.fractions, strain, whole.shape

    def of(self, outputs: Tensor | AllOutputs, targets: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
        """Mean loss, and the scores (B, M), from what `trained` gave."""
        if not isinstance(self.network, HeadedNetwork):
            scores = cast(Tensor, outputs)
            return self.loss(scores, targets[0]).mean(), scores
        heads = cast(AllOutputs, outputs)
        return total_loss(self.network, heads, HeadTruth(*targets), self.name), heads.rounds[-1].scores


class _AllHeads(nn.Module):
    """All heads by the call that gradients of several processes are shared through."""

    def __init__(self, network: HeadedNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, patterns: Tensor) -> AllOutputs:
        return self.network.all_outputs(patterns)
