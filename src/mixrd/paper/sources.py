"""Where a cell's mixtures come from: the three splits of its dataset, and unstrained references."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import platformdirs
import torch
from torch import Tensor

from mixrd.crystal import strain_basis
from mixrd.errors import UsageError
from mixrd.mixture import line_lists
from mixrd.paper.cells import Cell
from mixrd.paper.dataset import LineDataset, build_dataset
from mixrd.paper.dataset_recipe import DatasetRecipe, Split
from mixrd.paper.figure1 import Figure1Sampler, discretised
from mixrd.paper.figure1_draw import Figure1Draw
from mixrd.pattern.scherrer import ScherrerPeaks

#: Crystallite sizes (nm) and Lorentzian share of the references that least squares fits.
REFERENCE_SIZES_NM, REFERENCE_ETA = (14.0, 30.0, 70.0), 0.5
#: Mixtures drawn at once.
_CHUNK = 512


@dataclass(frozen=True)
class CellSources:
    """Samplers of a cell.

    Attributes
    ----------
    training, validation : Figure1Sampler
        On the device of the training.
    test : Figure1Sampler
        On the CPU, so that all devices are judged on the same patterns.
    """

    training: Figure1Sampler
    validation: Figure1Sampler
    test: Figure1Sampler

    @classmethod
    def of(cls, cell: Cell, dataset: LineDataset, device: torch.device | str = "cpu") -> CellSources:
        """Samplers of a cell, from a dataset of its materials and perhaps further ones."""

        def sampler(split: Split, place: torch.device | str) -> Figure1Sampler:
            strains = [dataset.recipe.amplitudes(crystal, split) for crystal in cell.crystals]
            return Figure1Sampler(dataset.part(split, cell.n), cell.figure1(), place, strains)

        return cls(sampler("train", device), sampler("validation", device), sampler("test", "cpu"))


def cached_dataset(recipe: DatasetRecipe, progress: Callable[[int, int], None] | None = None) -> LineDataset:
    """The dataset of a recipe from the cache, else built and kept there.

    Where h5py is not installed it is built each time.
    """
    if importlib.util.find_spec("h5py") is None:
        return build_dataset(recipe, progress)
    folder = Path(os.environ.get("MIXRD_CACHE") or platformdirs.user_cache_dir("mixrd")) / "paper"
    path = folder / f"{recipe.sha256[:32]}.h5"
    if path.is_file():
        try:
            dataset = LineDataset.load(path)
            if dataset.recipe.sha256 == recipe.sha256:
                return dataset
        except UsageError:
            # Damaged, or of a former version: it is made anew.
            path.unlink(missing_ok=True)
    dataset = build_dataset(recipe, progress)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        dataset.save(path)
    except OSError as error:
        raise UsageError(
            f"the dataset cannot be kept ({error.strerror})",
            remedy="Set MIXRD_CACHE to a folder that can be written",
            file=path,
        ) from None
    return dataset


def drawn(sampler: Figure1Sampler, count: int, seed: int) -> tuple[Tensor, Tensor]:
    """(count, N) patterns and (count, M) fractions; what the seed gives depends on nothing else."""
    parts = []
    for chunk, some in chunks_drawn(sampler, count, seed):
        batch = sampler.make(chunk)
        parts.append((batch.patterns[:some], batch.fractions[:some]))
    patterns, fractions = zip(*parts, strict=True)
    return torch.cat(patterns), torch.cat(fractions)


def chunks_drawn(sampler: Figure1Sampler, count: int, seed: int) -> Iterator[tuple[Figure1Draw, int]]:
    """What the patterns of `drawn` are made from, and how many of each chunk belong to the `count`."""
    generator = torch.Generator(device=sampler.device).manual_seed(seed)
    for first in range(0, count, _CHUNK):
        # Whole chunks, so that more patterns begin with the same ones.
        yield sampler.conditions(_CHUNK, generator=generator), min(_CHUNK, count - first)


def unstrained_references(cell: Cell) -> tuple[Tensor, Tensor]:
    """(S, N) unstrained patterns of one material each, free of noise, and one-hot (S, M) fractions.

    Each has the height that it has in a mixture: strongest line 1 before peak shapes are placed.
    """
    recipe = cell.protocol.dataset(cell.crystals)
    lists = [
        recipe.lines(crystal, np.zeros((1, len(strain_basis(crystal, recipe.strain)))))[0]
        for crystal in cell.crystals
    ]
    settings = cell.figure1()
    names = [crystal.name for crystal in cell.crystals]
    sticks = torch.from_numpy(discretised(line_lists(names, lists, np.arange(cell.n)), settings))
    peaks = ScherrerPeaks(
        settings.start_deg,
        settings.step_deg,
        settings.points,
        wavelength_angstrom=settings.wavelength_angstrom,
    )
    material = torch.arange(cell.n).repeat(len(REFERENCE_SIZES_NM))
    sizes = torch.tensor(REFERENCE_SIZES_NM, dtype=torch.float64).repeat_interleave(cell.n).unsqueeze(1)
    patterns = peaks.place(
        sticks[material].unsqueeze(1), settings.size_factor / sizes, torch.full_like(sizes, REFERENCE_ETA)
    )
    return patterns.float(), torch.nn.functional.one_hot(material, cell.n).float()
