"""The paper's dataset: line lists of strained copies of some materials, made from a recipe and kept in HDF5.

Patterns are not rendered: the lines take less room, and `Figure1Sampler` draws from them what size and peak
shape it likes.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixrd.crystal import strain_basis
from mixrd.errors import RecipeError, UsageError
from mixrd.files import whole_file
from mixrd.mixture.lines import LineLists, line_lists
from mixrd.paper.dataset_recipe import SPLITS, DatasetRecipe, Split
from mixrd.paper.simulators import Lines

_FORMAT = "mixrd single-phase lines"
_VOIGT = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))
#: Called with the number of materials done and of all.
Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class LineDataset:
    """Line lists of all splits, M in all.

    Attributes
    ----------
    recipe : DatasetRecipe
    lines : LineLists
    split : (M,) int8 array
        Index into `SPLITS`.
    strain : (M, 6) float64 array
        Strain tensor of each copy, 11, 22, 33, 23, 13, 12 in the crystal's Cartesian axes.
    """

    recipe: DatasetRecipe
    lines: LineLists
    split: NDArray[np.int8]
    strain: NDArray[np.float64]

    def __post_init__(self) -> None:
        assert_disjoint(self)

    def part(self, split: Split, materials: int | None = None) -> LineLists:
        """Line lists of one split, of the first `materials` materials (default all)."""
        if split not in SPLITS:
            raise UsageError(f"there is no split {split!r}", remedy=f"Give one of {', '.join(SPLITS)}")
        lines = self.lines.take(self.split == SPLITS.index(split))
        return lines if materials is None else lines.of_first(materials)

    def save(self, path: str | Path) -> None:
        """Write an HDF5 file; the same dataset gives the same bytes (with the same HDF5 library).

        Raises
        ------
        UsageError
            If h5py is not installed.
        """
        crystals = json.dumps([c.to_dict() for c in self.recipe.crystals])
        with whole_file(path) as part, _h5py().File(part, "w") as file:
            file.attrs["format"] = _FORMAT
            file.attrs["recipe"] = json.dumps(self.recipe.to_dict())
            file.attrs["recipe_sha256"] = self.recipe.sha256
            # Text longer than 64 KiB does not fit into an attribute.
            file.create_dataset(
                "crystals", data=np.frombuffer(crystals.encode(), np.uint8), track_times=False
            )
            for name, values in self._arrays().items():
                file.create_dataset(name, data=values, track_times=False)

    @classmethod
    def load(cls, path: str | Path) -> LineDataset:
        """Read what `save` wrote.

        Raises
        ------
        UsageError
            If the file is missing, damaged or of something else, or h5py is not installed.
        """
        h5py = _h5py()
        try:
            with h5py.File(path, "r") as file:
                if file.attrs["format"] != _FORMAT:
                    raise KeyError("format")
                recipe = DatasetRecipe.from_dict(
                    json.loads(file.attrs["recipe"]), json.loads(bytes(file["crystals"][:]))
                )
                known = file.attrs["recipe_sha256"] == recipe.sha256
                arrays = {name: file[name][:] for name in ("split", "strain", *_LINE_FIELDS)}
        except (OSError, KeyError, ValueError, TypeError) as error:
            raise UsageError(
                f"it is no dataset of line lists, or damaged ({error})",
                remedy="Make it again from its recipe",
                file=path,
            ) from None
        if not known:
            raise UsageError(
                "its recipe is not the one that its hash is of",
                remedy="Make it again: it was changed, or made by another version of mixrd",
                file=path,
            )
        split, strain = arrays.pop("split"), arrays.pop("strain")
        return cls(recipe, LineLists(tuple(c.name for c in recipe.crystals), **arrays), split, strain)

    def _arrays(self) -> dict[str, NDArray[Any]]:
        lines = {name: getattr(self.lines, name) for name in _LINE_FIELDS}
        return {**lines, "split": self.split, "strain": self.strain}


_LINE_FIELDS = ("positions", "areas", "offsets", "material")


def build_dataset(recipe: DatasetRecipe, progress: Progress | None = None) -> LineDataset:
    """Simulate all strained copies of a recipe.

    Raises
    ------
    CrystalError, RadiationError
        If a material has no line in the range.
    """
    lists: list[Lines] = []
    rows: list[tuple[int, int]] = []
    strain: list[NDArray[np.float64]] = []
    for number, crystal in enumerate(recipe.crystals):
        for split in SPLITS:
            amplitudes = recipe.amplitudes(crystal, split)
            if not len(amplitudes):
                continue
            lines = recipe.lines(crystal, amplitudes)
            lists += lines
            rows += [(number, SPLITS.index(split))] * len(lines)
            tensors = np.einsum("sk,kij->sij", amplitudes, strain_basis(crystal, recipe.strain))
            strain.append(np.stack([tensors[:, i, j] for i, j in _VOIGT], axis=1))
        if progress:
            progress(number + 1, len(recipe.crystals))
    material, split_index = np.array(rows, dtype=np.int64).T
    names = [c.name for c in recipe.crystals]
    return LineDataset(
        recipe, line_lists(names, lists, material), split_index.astype(np.int8), np.concatenate(strain)
    )


def assert_disjoint(dataset: LineDataset) -> None:
    """Raise `RecipeError` if a strained copy is in two splits.

    Nothing but zero strain (`max_strain` 0) or a clash of seeds can make it so.
    """
    rows = np.column_stack([dataset.lines.material, dataset.strain])
    for first, second in ((0, 1), (0, 2), (1, 2)):
        own, other = (np.unique(rows[dataset.split == s], axis=0) for s in (first, second))
        if len(np.unique(np.concatenate([own, other]), axis=0)) < len(own) + len(other):
            raise RecipeError(
                f"the same strained copy is in the splits {SPLITS[first]} and {SPLITS[second]}",
                remedy="Give a max_strain above 0, or another seed",
            )


def _h5py() -> Any:
    try:
        return importlib.import_module("h5py")
    except ImportError:
        raise UsageError("h5py is not installed", remedy="Install mixrd[paper]") from None
