"""The paper's dataset: its splits, its strains, and its file."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mixrd.errors import RecipeError, UsageError
from mixrd.paper.dataset import LineDataset, build_dataset
from mixrd.paper.dataset_recipe import SPLITS, DatasetRecipe, Split
from mixrd.phases import load_phase

h5py = pytest.importorskip("h5py")
CRYSTALS = tuple(load_phase(name) for name in ("halite", "rutile", "gypsum"))


def recipe(**changes: Any) -> DatasetRecipe:
    return DatasetRecipe(**{"crystals": CRYSTALS, "strains": 10, "test_strains": 4, **changes})


@pytest.fixture(scope="module")
def dataset() -> LineDataset:
    return build_dataset(recipe())


def test_papers_numbers_are_the_default() -> None:
    paper = DatasetRecipe(CRYSTALS)
    assert [paper.copies(split) for split in SPLITS] == [300, 200, 200]


def test_splits_have_their_share(dataset: LineDataset) -> None:
    for split, copies in (("train", 6), ("validation", 4), ("test", 4)):
        lines = dataset.part(split)  # type: ignore[arg-type]
        assert np.bincount(lines.material).tolist() == [copies] * 3
        assert lines.materials == ("halite", "rutile", "gypsum")


def test_splits_are_disjoint(dataset: LineDataset) -> None:
    rows = [
        {tuple(row) for row in np.column_stack([dataset.lines.material, dataset.strain])[dataset.split == s]}
        for s in range(3)
    ]
    assert [len(r) for r in rows] == [18, 12, 12]
    assert not rows[0] & rows[1] and not rows[0] & rows[2] and not rows[1] & rows[2]


def test_shared_copies_are_found(dataset: LineDataset) -> None:
    halite = dataset.lines.material == 0
    train, test = (np.flatnonzero(halite & (dataset.split == s))[0] for s in (0, 2))
    strain = dataset.strain.copy()
    strain[test] = strain[train]
    with pytest.raises(RecipeError, match="splits train and test"):
        dataclasses.replace(dataset, strain=strain)


def test_strain_is_what_the_symmetry_allows(dataset: LineDataset) -> None:
    e11, e22, e33, *shear = dataset.strain.T
    halite, rutile, gypsum = (dataset.lines.material == m for m in range(3))
    np.testing.assert_allclose(e11[halite], e22[halite], atol=1e-12)
    np.testing.assert_allclose(e11[halite], e33[halite], atol=1e-12)
    np.testing.assert_allclose(e11[rutile], e22[rutile], atol=1e-12)
    assert np.abs(e11 - e33)[rutile].min() > 0
    assert np.abs(np.array(shear))[:, halite | rutile].max() < 1e-12
    assert np.abs(np.array(shear))[:, gypsum].max() > 0.005
    assert 0.03 < np.abs(dataset.strain).max() <= 0.05 + 1e-12


def test_general_strain_uses_all_components() -> None:
    general = build_dataset(recipe(crystals=CRYSTALS[:1], strain="general"))
    assert np.abs(general.strain).min() > 0
    assert np.abs(general.strain).max() <= 0.05


def test_amplitudes_are_uniform() -> None:
    amplitudes = recipe(strains=5000).amplitudes(CRYSTALS[2], "train")
    assert amplitudes.shape == (3000, 4)
    assert np.abs(amplitudes.mean(axis=0)).max() < 0.002
    np.testing.assert_allclose(amplitudes.std(axis=0), 0.05 / np.sqrt(3), rtol=0.05)


@pytest.mark.parametrize("split", SPLITS)
def test_fewer_materials_are_part_of_more(dataset: LineDataset, split: Split) -> None:
    few = build_dataset(recipe(crystals=CRYSTALS[:2])).part(split)
    part = dataset.part(split, materials=2)
    assert part.materials == few.materials
    np.testing.assert_array_equal(part.positions, few.positions)
    np.testing.assert_array_equal(part.areas, few.areas)


def test_more_training_strains_leave_the_test_set_alone(dataset: LineDataset) -> None:
    more = build_dataset(recipe(strains=20)).part("test")
    np.testing.assert_array_equal(more.positions, dataset.part("test").positions)


def test_another_seed_is_another_dataset(dataset: LineDataset) -> None:
    other = build_dataset(recipe(seed=1))
    assert not set(other.strain[:, 0]) & set(dataset.strain[:, 0])
    assert other.recipe.sha256 != dataset.recipe.sha256


def test_made_again_from_its_file_bit_for_bit(dataset: LineDataset, tmp_path: Path) -> None:
    dataset.save(tmp_path / "lines.h5")
    loaded = LineDataset.load(tmp_path / "lines.h5")
    assert loaded.recipe == dataset.recipe
    build_dataset(loaded.recipe).save(tmp_path / "again.h5")
    assert (tmp_path / "again.h5").read_bytes() == (tmp_path / "lines.h5").read_bytes()
    assert [p.name for p in tmp_path.iterdir() if p.suffix == ".part"] == []
    for name in ("positions", "areas", "offsets", "material"):
        np.testing.assert_array_equal(getattr(loaded.lines, name), getattr(dataset.lines, name))
    np.testing.assert_array_equal(loaded.split, dataset.split)
    np.testing.assert_array_equal(loaded.strain, dataset.strain)


def test_file_says_what_it_is(dataset: LineDataset, tmp_path: Path) -> None:
    dataset.save(tmp_path / "lines.h5")
    with h5py.File(tmp_path / "lines.h5") as file:
        assert file.attrs["recipe_sha256"] == dataset.recipe.sha256
        stated = json.loads(file.attrs["recipe"])
        assert (stated["strains"], stated["max_strain"], stated["simulator"]) == (10, 0.05, "mixrd")
        assert len(file["offsets"]) == len(dataset.split) + 1
        # A time in it would make each file another one.
        assert {h5py.h5g.get_objinfo(file.id, name.encode()).mtime for name in file} == {0}


def test_changed_recipe_is_noticed(dataset: LineDataset, tmp_path: Path) -> None:
    path = tmp_path / "lines.h5"
    dataset.save(path)
    with h5py.File(path, "a") as file:
        file.attrs["recipe"] = file.attrs["recipe"].replace('"seed": 0', '"seed": 5')
    with pytest.raises(UsageError, match="hash"):
        LineDataset.load(path)


@pytest.mark.parametrize("content", [b"", b"no HDF5", None])
def test_other_files_are_refused(dataset: LineDataset, tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "lines.h5"
    dataset.save(path)
    path.write_bytes(path.read_bytes()[:3000] if content is None else content)
    with pytest.raises(UsageError, match="no dataset"):
        LineDataset.load(path)


def test_progress_is_told() -> None:
    told: list[tuple[int, int]] = []
    build_dataset(recipe(), lambda done, of: told.append((done, of)))
    assert told == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize(
    "changes",
    [
        {"crystals": ()},
        {"strains": 1},
        {"validation_share": 1.0},
        {"test_strains": 0},
        {"max_strain": 0.06},
        {"strain": "shear"},
        {"simulator": "other"},
        {"two_theta_range": (50.0, 10.0)},
        {"seed": -1},
    ],
)
def test_recipe_is_checked(changes: dict[str, Any]) -> None:
    with pytest.raises(RecipeError):
        recipe(**changes)


def test_no_strain_at_all_cannot_be_split() -> None:
    with pytest.raises(RecipeError, match="max_strain above 0"):
        build_dataset(recipe(max_strain=0.0))


def test_unknown_split_is_refused(dataset: LineDataset) -> None:
    with pytest.raises(UsageError, match="train, validation, test"):
        dataset.part("holdout")  # type: ignore[arg-type]
