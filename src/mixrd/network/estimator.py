"""What estimates fractions from a pattern, whatever is inside: one interface, one file."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mixrd.errors import ModelError, ParameterError
from mixrd.network.heads import HeadedNetwork
from mixrd.network.losses import fractions_from
from mixrd.network.model_file import ESTIMATOR
from mixrd.network.pattern_estimate import PatternEstimate

#: Patterns that a network takes at once when it predicts.
_CHUNK = 512


class FractionEstimator(ABC):
    """Anything that estimates the fractions of M materials from patterns of N points.

    Parameters
    ----------
    points, materials : int

    Attributes
    ----------
    name : str
        Of the architecture, as in `mixrd.network.architectures`.
    """

    name = ""

    def __init__(self, *, points: int, materials: int) -> None:
        self.points = points
        self.materials = materials

    @abstractmethod
    def predict(self, patterns: Tensor) -> Tensor:
        """(B, M) fractions, rows of sum 1, from (B, N) patterns; on the device of the patterns.

        Raises
        ------
        ParameterError
            If the patterns do not have N points.
        """

    @abstractmethod
    def tensors(self) -> dict[str, Tensor]:
        """All numbers of its file."""

    @abstractmethod
    def header(self) -> dict[str, Any]:
        """What else of its own its file says, `options` that it is built with among it."""

    @property
    def parameters_count(self) -> int:
        """Numbers learnt or kept, those that say only how far a training is left out."""
        return sum(value.numel() for value in self.tensors().values())

    @property
    def size_bytes(self) -> int:
        """Bytes of all numbers in its file; the file has some kilobytes of header besides."""
        return sum(value.numel() * value.element_size() for value in self.tensors().values())

    def save(self, path: Path, *, recipe: dict[str, Any] | None = None, half: bool = False) -> None:
        """Write one safetensors file.

        Parameters
        ----------
        path : path
        recipe : dict, optional
            Plain data that is kept with it.
        half : bool
            Numbers in half precision, at half the size.

        Raises
        ------
        ModelError
            If it cannot be written, or nothing was fitted.
        """
        kept = {
            "architecture": self.name,
            "points": self.points,
            "materials": self.materials,
            "recipe": recipe or {},
        }
        ESTIMATOR.write(path, {**kept, **self.header()}, self.tensors(), half=half)

    def checked(self, patterns: Tensor) -> Tensor:
        """`patterns` in float32, if they are (B, N)."""
        if patterns.ndim != 2 or patterns.shape[1] != self.points:
            raise ParameterError(
                f"patterns of shape {tuple(patterns.shape)} do not fit an estimator of {self.points} points",
                remedy=f"Give patterns of shape (B, {self.points})",
            )
        return patterns.to(torch.float32)


class NetworkEstimator(FractionEstimator):
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
        super().__init__(points=points, materials=materials)
        self.name = name
        self.network = network.eval()
        self.loss = loss
        self.options = options or {}

    @property
    def parameters_count(self) -> int:
        """Weights and biases; running statistics of batch normalization are no parameters."""
        return sum(p.numel() for p in self.network.parameters())

    def tensors(self) -> dict[str, Tensor]:
        """The network's state."""
        return self.network.state_dict()

    def header(self) -> dict[str, Any]:
        """Loss and options."""
        return {"loss": self.loss, "options": self.options}

    @torch.no_grad()
    def predict(self, patterns: Tensor) -> Tensor:
        """(B, M) fractions from (B, N) patterns."""
        scores = torch.cat([self.network(chunk) for chunk in self._chunks(patterns)])
        return fractions_from(scores, self.loss).to(patterns.device)

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
        parts = [network.estimate(chunk, loss=self.loss) for chunk in self._chunks(patterns)]
        return PatternEstimate.joined(parts).to(patterns.device)

    def _chunks(self, patterns: Tensor) -> Iterator[Tensor]:
        """Some patterns each, on the device of the network, which is ready for them."""
        device = next(self.network.eval().parameters()).device
        return (chunk.to(device) for chunk in self.checked(patterns).split(_CHUNK))


class FittedEstimator(FractionEstimator):
    """What the estimators without gradients share. They keep arrays; that is all that is saved."""

    def __init__(self, *, points: int, materials: int) -> None:
        super().__init__(points=points, materials=materials)
        self.arrays: dict[str, Tensor] = {}

    @abstractmethod
    def fit(self, patterns: Tensor, fractions: Tensor) -> None:
        """Learn from (S, N) patterns and their (S, M) fractions."""

    def settings(self) -> dict[str, Any]:
        """The arguments that it was built with, `points` and `materials` aside."""
        return {}

    def restore(self, arrays: dict[str, Tensor]) -> None:
        """Take the arrays of a file in place of a fit.

        Raises
        ------
        ValueError, KeyError
            If they do not fit together.
        """
        self.arrays = arrays

    def tensors(self) -> dict[str, Tensor]:
        """The arrays."""
        return self.arrays

    def header(self) -> dict[str, Any]:
        """Its settings."""
        self._fitted()
        return {"options": self.settings()}

    def _fitted(self) -> None:
        if not self.arrays:
            raise ModelError(f"{self.name} was not fitted", remedy="Call `fit` first")

    def _checked(self, patterns: Tensor, fractions: Tensor) -> tuple[Tensor, Tensor]:
        """Both on the CPU in float32, if they fit together."""
        patterns = self.checked(patterns).cpu()
        if fractions.shape != (len(patterns), self.materials) or len(patterns) == 0:
            raise ParameterError(
                f"fractions of shape {tuple(fractions.shape)} do not fit {len(patterns)} patterns",
                remedy=f"Give fractions of shape ({max(len(patterns), 1)}, {self.materials})",
            )
        return patterns, fractions.to("cpu", torch.float32)
