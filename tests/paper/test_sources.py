"""Where mixtures come from: splits, the cache, references."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from mixrd.network import ReferenceLeastSquares
from mixrd.paper import dataset_recipe
from mixrd.paper.dataset import build_dataset
from mixrd.paper.sources import (
    REFERENCE_SIZES_NM,
    CellSources,
    cached_dataset,
    drawn,
    unstrained_references,
)


def test_dataset_of_more_materials_begins_with_that_of_fewer(cells) -> None:
    """So that results do not depend on what else is in the grid."""
    two, three = cells(n=[2, 3])
    few = build_dataset(two.protocol.dataset(two.crystals))
    many = build_dataset(three.protocol.dataset(three.crystals))
    for split in ("train", "validation", "test"):
        own, part = few.part(split), many.part(split, 2)
        assert own.materials == part.materials
        for name in ("positions", "areas", "offsets", "material"):
            assert np.array_equal(getattr(own, name), getattr(part, name))


def test_dataset_is_simulated_once(cells, own_cache: Path, monkeypatch) -> None:
    (cell,) = cells()
    recipe = cell.protocol.dataset(cell.crystals)
    first = cached_dataset(recipe)
    (file,) = (own_cache / "paper").iterdir()
    monkeypatch.setattr(dataset_recipe, "SIMULATORS", {})
    again = cached_dataset(recipe)
    assert np.array_equal(first.lines.positions, again.lines.positions)
    monkeypatch.undo()
    monkeypatch.setenv("MIXRD_CACHE", str(own_cache))
    file.write_bytes(file.read_bytes()[:1000])
    mended = cached_dataset(recipe)
    assert np.array_equal(first.lines.positions, mended.lines.positions)


def test_test_mixtures_are_of_strains_never_trained_on(cells) -> None:
    (cell,) = cells()
    dataset = cached_dataset(cell.protocol.dataset(cell.crystals))
    sources = CellSources.of(cell, dataset)
    seen = {tuple(row) for row in dataset.strain[dataset.split == 0]}
    tested = {tuple(row) for row in dataset.strain[dataset.split == 2]}
    assert len(tested) == 2 * 4 and not seen & tested
    # The sampler of the test holds the lines of that split and of no other.
    assert len(sources.test._sticks) == 2 * 4
    assert len(sources.training._sticks) == 2 * 6 and len(sources.validation._sticks) == 2 * 4


def test_more_patterns_begin_with_the_same_ones(cells) -> None:
    (cell,) = cells()
    test = CellSources.of(cell, cached_dataset(cell.protocol.dataset(cell.crystals))).test
    few, many = drawn(test, 20, 5), drawn(test, 600, 5)
    assert len(many[0]) == 600
    assert torch.equal(few[0], many[0][:20]) and torch.equal(few[1], many[1][:20])
    assert not torch.equal(few[0], drawn(test, 20, 6)[0])


def test_references_are_in_the_unit_of_the_fractions(cells) -> None:
    """Least squares finds the fractions of a sum of the references themselves, at each of their sizes."""
    (cell,) = cells(n=[4], k=[3])
    references, pure = unstrained_references(cell)
    assert references.shape == (4 * len(REFERENCE_SIZES_NM), 2667)
    estimator = ReferenceLeastSquares(points=2667, materials=4)
    estimator.fit(references, pure)
    true = torch.tensor([[0.5, 0.3, 0.2, 0.0]])
    for size in range(len(REFERENCE_SIZES_NM)):
        pattern = true @ references[4 * size : 4 * size + 4]
        assert torch.allclose(estimator.predict(pattern / pattern.max()), true, atol=1e-3)
