"""What a training minimises, for networks of fractions alone and for those with further heads."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from mixrd.errors import RecipeError
from mixrd.network import HeadTruth, StrainNetwork, loss_named
from mixrd.training.batches import Mixtures, only_fractions


class Objective:
    """The loss of a network, from its patterns and targets.

    Parameters
    ----------
    network : module
        A `StrainNetwork`, or one of patterns to scores.
    loss : str
        Of the fractions (`mixrd.network.losses`).

    Attributes
    ----------
    trained : module
        Of patterns to all that the loss needs; its parameters are those of `network`.
    """

    def __init__(self, network: nn.Module, loss: str) -> None:
        self.network, self.name, self.loss = network, loss, loss_named(loss)
        self.trained: nn.Module = _AllOutputs(network) if isinstance(network, StrainNetwork) else network

    def targets(self, drawn: Mixtures) -> tuple[Tensor, ...]:
        """Fractions, and what further heads learn of what the source knows.

        Raises
        ------
        RecipeError
            If the source does not know enough.
        """
        if not isinstance(self.network, StrainNetwork):
            return only_fractions(drawn)
        known = {name: getattr(drawn, name, None) for name in self.network.learns}
        components, strain = len(self.network.material_of_strain), known["strain"]
        if strain is None or strain.shape[1] != components:
            has = "none" if strain is None else strain.shape[1]
            raise _unknown(f"{components} strain components", has)
        for name, value in known.items():
            if value is None and name not in self.network.can_do_without:
                raise _unknown(name, "none")
        return drawn.fractions, *(value for value in known.values() if value is not None)

    def of(self, outputs: Any, targets: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
        """Mean loss, and the scores (B, M), from what `trained` gave."""
        if not isinstance(self.network, StrainNetwork):
            return self.loss(outputs, targets[0]).mean(), outputs
        # What it can do without comes last.
        truth = HeadTruth(**dict(zip(("fractions", *self.network.learns), targets, strict=False)))
        return self.network.loss_of(outputs, truth, self.name)


def _unknown(what: str, has: object) -> RecipeError:
    return RecipeError(
        f"the network learns {what}, the source of mixtures has {has}",
        remedy="Give a source that knows, or take a network of fractions alone",
    )


class _AllOutputs(nn.Module):
    """All heads by the call that gradients of several processes are shared through."""

    def __init__(self, network: StrainNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, patterns: Tensor) -> Any:
        return self.network.all_outputs(patterns)
