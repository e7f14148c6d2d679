"""What a training of fractions takes its mixtures from."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor


class Mixtures(Protocol):
    """Patterns and the fractions behind them."""

    @property
    def patterns(self) -> Tensor:
        """(B, N)."""

    @property
    def fractions(self) -> Tensor:
        """(B, M), rows of sum 1."""


class HeadMixtures(Mixtures, Protocol):
    """Mixtures that say what else they were made from, for networks with heads."""

    @property
    def strain(self) -> Tensor | None:
        """(B, T) strain amplitudes of all materials; None if they are not known."""

    @property
    def shape(self) -> Tensor:
        """(B, 4) ln of the size in nm, eta, background level, ln of its decay in degrees."""


class PatternSource(Protocol):
    """Where mixtures come from. What `draw` gives depends on nothing but its arguments."""

    @property
    def points(self) -> int:
        """N, length of the patterns."""

    @property
    def materials(self) -> int:
        """M, number of fractions."""

    def draw(self, batch: int, *, generator: torch.Generator) -> Mixtures:
        """`batch` mixtures, on the device of the generator."""
