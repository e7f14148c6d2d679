"""What estimates fractions from a pattern, whatever is inside: one interface."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from mixrd.errors import ModelError, ParameterError
from mixrd.network.heads import HeadedNetwork
from mixrd.network.losses import fractions_from
from mixrd.network.model_file import ESTIMATOR
from mixrd.network.pattern_estimate import PatternEstimate

#: Patterns that a network takes at once when it predicts.
_CHUNK = 512


@runtime_checkable
class FractionEstimator(Protocol):
    """Anything that estimates the fractions of M materials from patterns of N points."""

    @property
    def name(self) -> str:
        """Name of the architecture, as in `mixrd.network.architectures`."""

    @property
    def points(self) -> int:
        """Length of the patterns."""

    @property
    def materials(self) -> int:
        """Number of fractions."""

    @property
    def parameters_count(self) -> int:
        """Numbers learnt or kept, those that say only how far a training is left out."""

    @property
    def size_bytes(self) -> int:
        """Bytes of all numbers in its file; the file has some kilobytes of header besides."""

    def predict(self, patterns: Tensor) -> Tensor:
        """(B, M) fractions, rows of sum 1, from (B, N) patterns; on the device of the patterns."""

    def save(self, path: Path, *, recipe: dict[str, Any] | None = None) -> None:
        """Write one safetensors file; `recipe` is plain data that is kept with it."""


class NetworkEstimator:
    """A trained network of the registry.

    Parameters
    ----------
    name : str
        Architecture.
    network : module
        (B, N) patterns to (B, M) scores.
    loss : str
        What it was trained with: decides what its scores mean.
    points, materials : int
    options : dict, optional
        Further arguments that the architecture was built with.
    """

    def __init__(
        self,
        name: str,
        network: nn.Module,
        *,
        loss: str,
        points: int,
        materials: int,
        options: dict[str, Any] | None = None,
    ) -> None:
        self.name = name
        self.network = network.eval()
        self.loss = loss
        self.points = points
        self.materials = materials
        self.options = options or {}

    @property
    def parameters_count(self) -> int:
        """Weights and biases; running statistics of batch normalization are no parameters."""
        return sum(p.numel() for p in self.network.parameters())

    @property
    def size_bytes(self) -> int:
        """Bytes of all numbers in its file."""
        return bytes_of(self.network.state_dict())

    @torch.no_grad()
    def predict(self, patterns: Tensor) -> Tensor:
        """(B, M) fractions from (B, N) patterns, on the device of the patterns.

        Raises
        ------
        ParameterError
            If the patterns do not have N points.
        """
        patterns = checked_patterns(patterns, self.points)
        self.network.eval()
        device = next(self.network.parameters()).device
        scores = [self.network(chunk.to(device)) for chunk in patterns.split(_CHUNK)]
        return fractions_from(torch.cat(scores), self.loss).to(patterns.device)

    @torch.no_grad()
    def estimate(self, patterns: Tensor) -> PatternEstimate:
        """All that the heads say of (B, N) patterns, on the device of the patterns.

        Raises
        ------
        ModelError
            If the architecture has no heads but that of the fractions.
        ParameterError
            If the patterns do not have N points.
        """
        network = self.network
        if not isinstance(network, HeadedNetwork):
            raise ModelError(
                f"a network {self.name} estimates fractions and nothing else",
                remedy="Give one of an architecture with heads for strain and shape, such as compact-heads",
            )
        patterns = checked_patterns(patterns, self.points)
        network.eval()
        device = next(network.parameters()).device
        parts = [network.estimate(chunk.to(device), loss=self.loss) for chunk in patterns.split(_CHUNK)]
        return PatternEstimate.joined(parts).to(patterns.device)

    def save(self, path: Path, *, recipe: dict[str, Any] | None = None, half: bool = False) -> None:
        """Write one safetensors file; with `half`, weights in half precision, at half the size.

        Raises
        ------
        ModelError
            If it cannot be written.
        """
        header = {**header_of(self, recipe), "loss": self.loss, "options": self.options}
        ESTIMATOR.write(path, header, self.network.state_dict(), half=half)


def header_of(estimator: FractionEstimator, recipe: dict[str, Any] | None) -> dict[str, Any]:
    """What the files of all estimators say of them."""
    return {
        "architecture": estimator.name,
        "points": estimator.points,
        "materials": estimator.materials,
        "recipe": recipe or {},
    }


def checked_patterns(patterns: Tensor, points: int) -> Tensor:
    """`patterns` in float32, if they are (B, N) of N = `points`.

    Raises
    ------
    ParameterError
        If they are not.
    """
    if patterns.ndim != 2 or patterns.shape[1] != points:
        raise ParameterError(
            f"patterns of shape {tuple(patterns.shape)} do not fit an estimator of {points} points",
            remedy=f"Give patterns of shape (B, {points})",
        )
    return patterns.to(torch.float32)


def bytes_of(tensors: dict[str, Tensor]) -> int:
    """Bytes of all numbers of `tensors`."""
    return sum(value.numel() * value.element_size() for value in tensors.values())
