"""What is taken from scikit-learn, an optional requirement: neighbour search and the growing of forests."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mixrd.errors import ModelError


def neighbour_search(patterns: NDArray[np.float32], neighbours: int) -> Any:
    """An exact search for the nearest of (S, N) patterns; its `kneighbors` gives distances and indices."""
    _require()
    from sklearn.neighbors import NearestNeighbors

    return NearestNeighbors(n_neighbors=neighbours, algorithm="brute").fit(patterns)


def grown_forest(
    patterns: NDArray[np.float32],
    fractions: NDArray[np.float32],
    *,
    trees: int,
    max_features: float,
    min_samples_leaf: int,
    seed: int,
) -> dict[str, Tensor]:
    """Grow a random forest and take the arrays of its trees, one tree after the other.

    Returns
    -------
    dict of tensors
        `roots` (T,): node that each tree begins at. `left`, `right` (Q,): nodes below, -1 at a leaf.
        `feature` (Q,): point of the pattern that is compared with `threshold` (Q,), at most: left.
        `value` (Q, M): mean fractions of the samples at the node.
    """
    _require()
    from sklearn.ensemble import RandomForestRegressor

    forest = RandomForestRegressor(
        n_estimators=trees,
        max_features=max_features,
        min_samples_leaf=min_samples_leaf,
        random_state=seed,
        n_jobs=1,
    ).fit(patterns, fractions)
    parts = [estimator.tree_ for estimator in forest.estimators_]
    counts = np.array([part.node_count for part in parts])
    roots = np.concatenate([[0], np.cumsum(counts)[:-1]])

    def below(name: str) -> NDArray[np.int32]:
        children = [
            np.where(getattr(part, name) < 0, -1, getattr(part, name) + root)
            for part, root in zip(parts, roots, strict=True)
        ]
        return np.concatenate(children).astype(np.int32)

    arrays = {
        "roots": roots.astype(np.int32),
        "left": below("children_left"),
        "right": below("children_right"),
        "feature": np.concatenate([part.feature for part in parts]).astype(np.int32),
        "threshold": np.concatenate([part.threshold for part in parts]),
        "value": np.concatenate([part.value.reshape(part.node_count, -1) for part in parts]).astype(
            np.float32
        ),
    }
    return {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in arrays.items()}


def _require() -> None:
    try:
        import sklearn  # noqa: F401
    except ImportError:
        raise ModelError(
            "this baseline needs scikit-learn, which is not installed",
            remedy="Install it: pip install 'mixrd[paper]'",
        ) from None
