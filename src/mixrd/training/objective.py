"""What a training minimises, for networks of fractions alone and for those with further heads."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from mixrd.errors import RecipeError
from mixrd.network import (
    CompactNetwork,
    HeadedNetwork,
    HeadTruth,
    StrainNetwork,
    loss_named,
    strain_and_size_loss,
    total_loss,
)
from mixrd.training.batches import Mixtures, only_fractions

#: Weight of the errors of strains and sizes beside the loss of the fractions.
_STRAIN_AND_SIZE_WEIGHT = 0.1


class Objective:
    """The loss of a network of fractions, from its patterns and targets.

    Parameters
    ----------
    network : module
    loss : str
        Of the fractions (`mixrd.network.losses`).

    Attributes
    ----------
    trained : module
        Of patterns to all that the loss needs; its parameters are those of `network`.
    """

    def __init__(self, network: nn.Module, loss: str) -> None:
        self.name, self.loss = loss, loss_named(loss)
        self.trained: nn.Module = network

    def targets(self, drawn: Mixtures) -> tuple[Tensor, ...]:
        """Fractions, and what further heads learn.

        Raises
        ------
        RecipeError
            If the source does not know that.
        """
        return only_fractions(drawn)

    def of(self, outputs: Any, targets: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
        """Mean loss, and the scores (B, M), from what `trained` gave."""
        return self.loss(outputs, targets[0]).mean(), outputs


class _OfAllHeads(Objective):
    """That of a `HeadedNetwork`; what the source does not know of the shape of patterns is not learnt."""

    def __init__(self, network: HeadedNetwork, loss: str) -> None:
        super().__init__(_AllOutputs(network), loss)
        self.network = network

    def targets(self, drawn: Mixtures) -> tuple[Tensor, ...]:
        shape = getattr(drawn, "shape", None)
        return (drawn.fractions, _strain(self.network, drawn), *(() if shape is None else (shape,)))

    def of(self, outputs: Any, targets: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
        loss = total_loss(self.network, outputs, HeadTruth(*targets), self.name)
        return loss, outputs.rounds[-1].scores


class _OfStrainAndSize(Objective):
    """That of a `CompactNetwork`."""

    def __init__(self, network: CompactNetwork, loss: str) -> None:
        super().__init__(_AllOutputs(network), loss)
        self.network = network

    def targets(self, drawn: Mixtures) -> tuple[Tensor, ...]:
        size = getattr(drawn, "inverse_size", None)
        if size is None:
            raise _unknown("sizes of each material", "none")
        return drawn.fractions, _strain(self.network, drawn), size

    def of(self, outputs: Any, targets: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
        scores, strain, inverse_size = outputs
        further = strain_and_size_loss(
            strain,
            inverse_size,
            true_strain=targets[1],
            true_inverse_size=targets[2],
            fractions=targets[0],
            max_strain=self.network.max_strain,
            material_of_strain=self.network.material_of_strain,
        )
        return self.loss(scores, targets[0]).mean() + _STRAIN_AND_SIZE_WEIGHT * further, scores


def objective_of(network: nn.Module, loss: str) -> Objective:
    """What `network` is trained to, with `loss` for its fractions."""
    if isinstance(network, HeadedNetwork):
        return _OfAllHeads(network, loss)
    if isinstance(network, CompactNetwork):
        return _OfStrainAndSize(network, loss)
    return Objective(network, loss)


def _strain(network: StrainNetwork, drawn: Mixtures) -> Tensor:
    components, strain = len(network.material_of_strain), getattr(drawn, "strain", None)
    if strain is None or strain.shape[1] != components:
        raise _unknown(f"{components} strain components", "none" if strain is None else strain.shape[1])
    found: Tensor = strain
    return found


def _unknown(what: str, has: object) -> RecipeError:
    return RecipeError(
        f"the network learns {what}, the source of mixtures has {has}",
        remedy="Give the sampler the strains of its line lists, or take a network of fractions alone",
    )


class _AllOutputs(nn.Module):
    """All heads by the call that gradients of several processes are shared through."""

    def __init__(self, network: StrainNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, patterns: Tensor) -> Any:
        return self.network.all_outputs(patterns)
