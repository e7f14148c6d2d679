"""A random forest that keeps nothing but the arrays of its trees."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mixrd.errors import ParameterError
from mixrd.network.architecture import architecture
from mixrd.network.estimator import FittedEstimator


@architecture(
    "random_forest", "random forest on known mixtures (Greasley 2023)", learns_by="samples", samples=5_000
)
class RandomForest(FittedEstimator):
    """Mean of regression trees, each grown on a bootstrap sample (Breiman 2001; Greasley and Hosein 2023).

    Grown by scikit-learn; walked through here, so that a saved forest needs neither it nor a pickle.

    Parameters
    ----------
    points, materials : int
    trees : int
    max_features : float
        Share of the points that are tried at each node. All of them, the library's default, takes 20 times
        as long.
    min_samples_leaf : int
    seed : int
    """

    name = "random_forest"

    def __init__(
        self,
        *,
        points: int,
        materials: int,
        trees: int = 100,
        max_features: float = 0.05,
        min_samples_leaf: int = 1,
        seed: int = 0,
    ) -> None:
        super().__init__(points=points, materials=materials)
        if trees < 1 or not 0 < max_features <= 1 or min_samples_leaf < 1:
            raise ParameterError(
                f"trees = {trees}, max_features = {max_features:g}, min_samples_leaf = {min_samples_leaf}",
                remedy="Allowed: trees and min_samples_leaf from 1, max_features above 0 to 1",
            )
        self.trees = trees
        self.max_features = max_features
        self.min_samples_leaf = min_samples_leaf
        self.seed = seed

    def settings(self) -> dict[str, Any]:
        """The arguments that it was built with."""
        names = ("trees", "max_features", "min_samples_leaf", "seed")
        return {name: getattr(self, name) for name in names}

    def fit(self, patterns: Tensor, fractions: Tensor) -> None:
        """Grow the trees on (S, N) patterns and their (S, M) fractions."""
        from mixrd.network.scikit import grown_forest

        patterns, fractions = self._checked(patterns, fractions)
        self.restore(grown_forest(patterns.numpy(), fractions.numpy(), **self.settings()))

    def restore(self, arrays: dict[str, Tensor]) -> None:
        """Take the trees of a file.

        Raises
        ------
        ValueError
            If they are no trees: every node below another has to come after it, within the arrays.
        """
        nodes = len(arrays["left"])
        for name in ("left", "right"):
            below = arrays[name]
            inner = below >= 0
            if not (below[inner] > torch.arange(nodes)[inner]).all() or not (below < nodes).all():
                raise ValueError("a node leads nowhere")
        if not ((arrays["roots"] >= 0) & (arrays["roots"] < nodes)).all():
            raise ValueError("a tree has no root")
        if not torch.equal(arrays["left"] < 0, arrays["right"] < 0):
            raise ValueError("a node has one branch")
        shapes = {tuple(arrays[name].shape) for name in ("left", "right", "feature", "threshold")}
        if shapes != {(nodes,)} or arrays["value"].shape != (nodes, self.materials):
            raise ValueError("nodes and values do not fit together")
        if not (arrays["feature"] < self.points).all():
            raise ValueError("a node compares a point beyond the pattern")
        self.arrays = arrays

    def predict(self, patterns: Tensor) -> Tensor:
        """(B, M) fractions from (B, N) patterns."""
        self._fitted()
        unknown = self.checked(patterns).cpu().double()
        left, right, feature = (self.arrays[name].long() for name in ("left", "right", "feature"))
        node = self.arrays["roots"].long().expand(len(unknown), -1).clone()
        while True:
            inner = left[node] >= 0
            if not inner.any():
                break
            value = unknown.gather(1, feature[node].clamp_min(0))
            below = torch.where(value <= self.arrays["threshold"][node], left[node], right[node])
            node = torch.where(inner, below, node)
        return self.arrays["value"][node].mean(1).to(patterns.device)
