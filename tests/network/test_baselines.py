from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from mixrd.errors import ParameterError
from mixrd.network import NearestNeighbours, RandomForest, ReferenceLeastSquares, total_variation_distance
from mixrd.network.baselines import background_columns

sklearn = pytest.importorskip("sklearn", reason="scikit-learn is an optional requirement")
POINTS, MATERIALS = 300, 4


def references(seed: int = 0) -> Tensor:
    """(M, N) random peaks, largest value 1."""
    generator = torch.Generator().manual_seed(seed)
    centres = POINTS * torch.rand(MATERIALS, 6, 1, generator=generator)
    heights = 0.1 + torch.rand(MATERIALS, 6, 1, generator=generator)
    grid = torch.arange(POINTS, dtype=torch.float32)
    patterns = (heights * torch.exp(-0.5 * ((grid - centres) / 3) ** 2)).sum(1)
    return patterns / patterns.amax(1, keepdim=True)


def simplex(number: int, seed: int) -> Tensor:
    draw = -torch.rand(number, MATERIALS, generator=torch.Generator().manual_seed(seed)).log()
    return draw / draw.sum(1, keepdim=True)


@given(st.integers(0, 2**31), st.floats(0, 2), st.floats(0, 1))
def test_least_squares_is_exact_without_noise(seed: int, exponential: float, constant: float) -> None:
    """Fractions come back whatever the scale and whatever of its own columns the background is."""
    estimator = ReferenceLeastSquares(points=POINTS, materials=MATERIALS)
    estimator.fit(references(), torch.eye(MATERIALS))
    fractions = simplex(5, seed)
    background = background_columns(POINTS) @ np.array([constant, 0, 0, exponential, 0, 0])
    patterns = 7.5 * (fractions @ references()) + torch.from_numpy(background).float()
    assert torch.allclose(estimator.predict(patterns), fractions, atol=1e-4)


def test_least_squares_without_background_columns_is_misled() -> None:
    plain = ReferenceLeastSquares(points=POINTS, materials=MATERIALS, background=False)
    plain.fit(references(), torch.eye(MATERIALS))
    fractions = simplex(20, 1)
    assert torch.allclose(plain.predict(fractions @ references()), fractions, atol=1e-4)
    assert not torch.allclose(plain.predict(fractions @ references() + 0.5), fractions, atol=1e-2)


def test_references_of_one_material_add_up() -> None:
    patterns = references()
    broad = torch.cat([patterns, patterns[:1].roll(40, 1)])
    material = torch.eye(MATERIALS)[[0, 1, 2, 3, 0]]
    estimator = ReferenceLeastSquares(points=POINTS, materials=MATERIALS)
    estimator.fit(broad, material)
    mixed = (0.2 * broad[0] + 0.5 * broad[1] + 0.3 * broad[4]).unsqueeze(0)
    assert torch.allclose(estimator.predict(mixed), torch.tensor([[0.5, 0.5, 0.0, 0.0]]), atol=1e-4)


def test_least_squares_on_nothing_is_undecided() -> None:
    estimator = ReferenceLeastSquares(points=POINTS, materials=MATERIALS)
    estimator.fit(references(), torch.eye(MATERIALS))
    assert torch.allclose(estimator.predict(torch.zeros(1, POINTS)), torch.full((1, MATERIALS), 0.25))


@pytest.mark.parametrize("fractions", [torch.full((4, 4), 0.25), torch.eye(4)[[0, 1, 2, 2]]])
def test_least_squares_needs_every_pure_material(fractions: Tensor) -> None:
    estimator = ReferenceLeastSquares(points=POINTS, materials=MATERIALS)
    with pytest.raises(ParameterError, match="pure"):
        estimator.fit(references(), fractions)


@given(st.integers(0, 2**31), st.integers(1, 7))
def test_neighbours_against_a_search_by_hand(seed: int, neighbours: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    known, fractions = torch.rand(30, 8, generator=generator), simplex(30, seed)
    unknown = torch.rand(5, 8, generator=generator)
    distance = torch.cdist(unknown.double(), known.double())
    nearest, index = distance.topk(neighbours, largest=False)
    for weights, share in (("uniform", torch.ones_like(nearest)), ("distance", 1 / nearest)):
        expected = (share.unsqueeze(2) * fractions[index]).sum(1) / share.sum(1, keepdim=True)
        estimator = NearestNeighbours(points=8, materials=MATERIALS, neighbours=neighbours, weights=weights)  # type: ignore[arg-type]
        estimator.fit(known, fractions)
        assert torch.allclose(estimator.predict(unknown), expected.float(), atol=1e-3)


def test_a_known_pattern_has_its_own_fractions() -> None:
    known, fractions = torch.rand(30, 8), simplex(30, 0)
    estimator = NearestNeighbours(points=8, materials=MATERIALS)
    estimator.fit(known, fractions)
    assert torch.allclose(estimator.predict(known), fractions, atol=1e-2)


def test_more_neighbours_than_patterns() -> None:
    estimator = NearestNeighbours(points=8, materials=MATERIALS, neighbours=50, weights="uniform")
    fractions = simplex(3, 0)
    estimator.fit(torch.rand(3, 8), fractions)
    assert torch.allclose(estimator.predict(torch.rand(1, 8)), fractions.mean(0), atol=1e-6)


@pytest.mark.parametrize("max_features", [0.3, 1.0])
def test_the_forest_predicts_as_scikit_learn(max_features: float) -> None:
    from sklearn.ensemble import RandomForestRegressor

    fractions = simplex(200, 3)
    patterns = fractions @ references() + 0.02 * torch.randn(
        200, POINTS, generator=torch.Generator().manual_seed(0)
    )
    estimator = RandomForest(
        points=POINTS, materials=MATERIALS, trees=9, max_features=max_features, seed=4, min_samples_leaf=2
    )
    estimator.fit(patterns[:150], fractions[:150])
    library = RandomForestRegressor(9, max_features=max_features, min_samples_leaf=2, random_state=4)
    library.fit(patterns[:150].numpy(), fractions[:150].numpy())
    expected = library.predict(patterns[150:].numpy())
    assert estimator.predict(patterns[150:]).numpy() == pytest.approx(expected, abs=1e-6)


def test_a_forest_of_one_leaf() -> None:
    estimator = RandomForest(points=5, materials=2, trees=2)
    estimator.fit(torch.rand(3, 5), torch.tensor([[0.3, 0.7]]).expand(3, 2))
    assert torch.allclose(estimator.predict(torch.rand(4, 5)), torch.tensor([[0.3, 0.7]]).expand(4, 2))


@pytest.mark.parametrize(("name", "value"), [("left", 0), ("left", 10**6), ("feature", 999), ("roots", -1)])
def test_trees_that_are_none_are_refused(name: str, value: int) -> None:
    estimator = RandomForest(points=POINTS, materials=MATERIALS, trees=2)
    estimator.fit(torch.rand(20, POINTS), simplex(20, 0))
    arrays = {key: tensor.clone() for key, tensor in estimator.arrays.items()}
    arrays[name][0] = value
    with pytest.raises(ValueError):
        estimator.restore(arrays)


def test_both_learn() -> None:
    fractions = simplex(600, 3)
    patterns = fractions @ references()
    guess = total_variation_distance(fractions[:500].mean(0, keepdim=True), fractions[500:]).mean()
    for estimator in (
        NearestNeighbours(points=POINTS, materials=MATERIALS),
        RandomForest(points=POINTS, materials=MATERIALS, trees=20),
    ):
        estimator.fit(patterns[:500], fractions[:500])
        error = total_variation_distance(estimator.predict(patterns[500:]), fractions[500:]).mean()
        assert error < 0.35 * guess, estimator.name


@pytest.mark.parametrize("options", [{"neighbours": 0}, {"weights": "square"}])
def test_neighbours_out_of_range(options: dict[str, object]) -> None:
    with pytest.raises(ParameterError, match="Allowed"):
        NearestNeighbours(points=8, materials=2, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("options", [{"trees": 0}, {"max_features": 0.0}, {"min_samples_leaf": 0}])
def test_forest_out_of_range(options: dict[str, float]) -> None:
    with pytest.raises(ParameterError, match="Allowed"):
        RandomForest(points=8, materials=2, **options)  # type: ignore[arg-type]
