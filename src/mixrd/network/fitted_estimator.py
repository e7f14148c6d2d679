"""What estimators that no gradient trains share: arrays that are kept, and their file."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mixrd.errors import ModelError, ParameterError
from mixrd.network.estimator import bytes_of, checked_patterns, header_of
from mixrd.network.model_file import ESTIMATOR


class FittedEstimator(ABC):
    """What the estimators without gradients share. They keep arrays; that is all that is saved.

    Parameters
    ----------
    points, materials : int
    """

    name = ""

    def __init__(self, *, points: int, materials: int) -> None:
        self.points = points
        self.materials = materials
        self.arrays: dict[str, Tensor] = {}

    @abstractmethod
    def fit(self, patterns: Tensor, fractions: Tensor) -> None:
        """Learn from (S, N) patterns and their (S, M) fractions."""

    @abstractmethod
    def predict(self, patterns: Tensor) -> Tensor:
        """(B, M) fractions from (B, N) patterns, on their device."""

    @property
    def parameters_count(self) -> int:
        """Numbers kept."""
        return sum(value.numel() for value in self.arrays.values())

    @property
    def size_bytes(self) -> int:
        """Bytes of all numbers in its file."""
        return bytes_of(self.arrays)

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

    def save(self, path: Path, *, recipe: dict[str, Any] | None = None) -> None:
        """Write one safetensors file.

        Raises
        ------
        ModelError
            If it cannot be written, or nothing was fitted.
        """
        self._fitted()
        ESTIMATOR.write(path, {**header_of(self, recipe), "options": self.settings()}, self.arrays)

    def _fitted(self) -> None:
        if not self.arrays:
            raise ModelError(f"{self.name} was not fitted", remedy="Call `fit` first")

    def _checked(self, patterns: Tensor, fractions: Tensor) -> tuple[Tensor, Tensor]:
        """Both on the CPU in float32, if they fit together."""
        patterns = checked_patterns(patterns, self.points).cpu()
        if fractions.shape != (len(patterns), self.materials) or len(patterns) == 0:
            raise ParameterError(
                f"fractions of shape {tuple(fractions.shape)} do not fit {len(patterns)} patterns",
                remedy=f"Give fractions of shape ({max(len(patterns), 1)}, {self.materials})",
            )
        return patterns, fractions.to("cpu", torch.float32)
