"""Estimators that no gradient trains: nearest neighbours, and least squares on references."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import nnls
from torch import Tensor

from mixrd.errors import ParameterError
from mixrd.network.architecture import architecture
from mixrd.network.estimator import FittedEstimator

#: Lengths, as a share of the pattern, of the exponentials that stand for a background.
BACKGROUND_DECAYS = (0.05, 0.1, 0.2, 0.5, 1.0)


@architecture(
    "knn", "nearest neighbours among known mixtures (Greasley 2023)", learns_by="samples", samples=20_000
)
class NearestNeighbours(FittedEstimator):
    """Mean fractions of the nearest patterns that it was fitted to (Greasley and Hosein 2023).

    Euclidean distance between patterns; the neighbours count alike or by the inverse of their distance.

    Parameters
    ----------
    points, materials : int
    neighbours : int
    weights : {"uniform", "distance"}
    """

    name = "knn"

    def __init__(
        self,
        *,
        points: int,
        materials: int,
        neighbours: int = 5,
        weights: Literal["uniform", "distance"] = "distance",
    ) -> None:
        super().__init__(points=points, materials=materials)
        if neighbours < 1 or weights not in ("uniform", "distance"):
            raise ParameterError(
                f"neighbours = {neighbours}, weights = {weights!r}",
                remedy="Allowed: neighbours from 1, weights uniform or distance",
            )
        self.neighbours = neighbours
        self.weights = weights

    def settings(self) -> dict[str, Any]:
        """The arguments that it was built with."""
        return {"neighbours": self.neighbours, "weights": self.weights}

    def fit(self, patterns: Tensor, fractions: Tensor) -> None:
        """Keep (S, N) patterns and their (S, M) fractions."""
        patterns, fractions = self._checked(patterns, fractions)
        self.restore({"patterns": patterns.contiguous(), "fractions": fractions.contiguous()})

    def restore(self, arrays: dict[str, Tensor]) -> None:
        """Take patterns and fractions of a file."""
        from mixrd.network.scikit import neighbour_search

        kept, fractions = arrays["patterns"], arrays["fractions"]
        if kept.shape[1] != self.points or fractions.shape != (len(kept), self.materials):
            raise ValueError("patterns and fractions do not fit together")
        self._search = neighbour_search(kept.numpy(), min(self.neighbours, len(kept)))
        self.arrays = arrays

    def predict(self, patterns: Tensor) -> Tensor:
        """(B, M) fractions from (B, N) patterns."""
        self._fitted()
        unknown = self.checked(patterns).cpu().numpy()
        distances, indices = (torch.from_numpy(x) for x in self._search.kneighbors(unknown))
        share = torch.ones_like(distances)
        if self.weights == "distance":
            # Relative to the nearest, so that a pattern that is known exactly gets its own fractions.
            nearest = distances[:, :1].clamp_min(1e-12)
            share = nearest / distances.clamp_min(1e-12)
        share = (share / share.sum(1, keepdim=True)).to(torch.float32)
        fractions = (share.unsqueeze(2) * self.arrays["fractions"][indices]).sum(1)
        return fractions.to(patterns.device)


@architecture(
    "nnls", "non-negative least squares on unstrained references", learns_by="references", samples=0
)
class ReferenceLeastSquares(FittedEstimator):
    """Non-negative least squares on patterns of the pure, unstrained materials.

    A pattern is a sum of references, a constant and falling exponentials (the background), no coefficient
    negative (Lawson and Hanson 1974); the fractions are the references' coefficients over their sum.
    So fractions come in the unit that the references are scaled to: each to a maximum of 1 for the
    intensity fractions of the paper.

    Parameters
    ----------
    points, materials : int
    background : bool
        Whether the exponentials and the constant are among the columns.
    """

    name = "nnls"

    def __init__(self, *, points: int, materials: int, background: bool = True) -> None:
        super().__init__(points=points, materials=materials)
        self.background = background

    def settings(self) -> dict[str, Any]:
        """The arguments that it was built with."""
        return {"background": self.background}

    def fit(self, patterns: Tensor, fractions: Tensor) -> None:
        """Keep (S, N) patterns of pure materials.

        Parameters
        ----------
        patterns : (S, N) tensor
        fractions : (S, M) tensor
            Each row one 1 among zeros. A material may come several times, for instance at several
            crystallite sizes: the coefficients of its references add up.

        Raises
        ------
        ParameterError
            If a pattern is a mixture, or a material has no reference.
        """
        patterns, fractions = self._checked(patterns, fractions)
        pure = ((fractions == 0) | (fractions == 1)).all(1) & (fractions.sum(1) == 1)
        if not pure.all() or not (fractions.sum(0) > 0).all():
            raise ParameterError(
                "least squares on references needs patterns of pure materials, each at least once",
                remedy=f"Give one-hot fractions that cover all {self.materials} materials",
            )
        self.restore({"references": patterns.contiguous(), "material": fractions.argmax(1)})

    def restore(self, arrays: dict[str, Tensor]) -> None:
        """Take the references of a file."""
        references, material = arrays["references"], arrays["material"]
        if references.shape[1] != self.points or material.shape != references.shape[:1]:
            raise ValueError("references and materials do not fit together")
        if material.unique().tolist() != list(range(self.materials)):
            raise ValueError("not every material has a reference")
        columns = references.numpy().astype(np.float64).T
        if self.background:
            columns = np.hstack([columns, background_columns(self.points)])
        # One small triangular system a pattern instead of one of N rows.
        self._basis, self._triangle = np.linalg.qr(columns)
        self.arrays = arrays

    def predict(self, patterns: Tensor) -> Tensor:
        """(B, M) fractions from (B, N) patterns; equal ones where no reference fits at all."""
        self._fitted()
        unknown = self.checked(patterns).cpu().numpy().astype(np.float64)
        material = self.arrays["material"].numpy()
        fractions = np.zeros((len(unknown), self.materials))
        for row, projected in zip(fractions, unknown @ self._basis, strict=True):
            coefficients, _ = nnls(self._triangle, projected)
            np.add.at(row, material, coefficients[: len(material)])
        total = fractions.sum(1, keepdims=True)
        fractions = np.where(total > 0, fractions / np.where(total > 0, total, 1.0), 1 / self.materials)
        return torch.from_numpy(fractions.astype(np.float32)).to(patterns.device)


def background_columns(points: int) -> NDArray[np.float64]:
    """(N, C) a constant and falling exponentials along the pattern."""
    place = np.linspace(0.0, 1.0, points)
    return np.stack([np.ones(points), *(np.exp(-place / decay) for decay in BACKGROUND_DECAYS)], axis=1)
