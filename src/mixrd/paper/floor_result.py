"""The noise floor of a setting: measured once, one JSON file beside the results, of use to all networks."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch

from mixrd.errors import ParameterError
from mixrd.paper.cells import Cell, recipe_sha256
from mixrd.paper.dataset import build_dataset
from mixrd.paper.dataset_recipe import DatasetRecipe
from mixrd.paper.environment import device_name, versions
from mixrd.paper.figure1 import Figure1Sampler
from mixrd.paper.floor import Floor, NoiseFloor
from mixrd.paper.result import Summary, seed_of_test, stored, write_json
from mixrd.paper.sources import chunks_drawn
from mixrd.pattern import take_rows

FORMAT = "mixrd paper bound 1"
#: Part of every setting's hash: raise it with each change that gives other bounds.
BOUND_VERSION = 1
#: What of a dataset's recipe has no part in its test split.
_TRAINING_ONLY = ("sha256", "strains", "validation_share")


def setting_of(cell_recipe: dict[str, Any]) -> dict[str, Any]:
    """What of a cell's recipe decides its test patterns; cells that share it share a bound."""
    described = cell_recipe["dataset"]
    return {
        "version": BOUND_VERSION,
        **{name: cell_recipe[name] for name in ("n", "k", "kind", "figure1")},
        "dataset": {key: value for key, value in described.items() if key not in _TRAINING_ONLY},
    }


def bound_path(folder: Path, cell: Cell) -> Path:
    """File of the bound of a cell's setting."""
    digest = recipe_sha256(setting_of(cell.recipe))
    return folder / f"bound-n{cell.n}-k{cell.k}-{cell.kind}-{digest[:8]}.json"


def measure_bound(
    cell: Cell, folder: Path, *, patterns: int = 1000, tell: Callable[[], None] | None = None
) -> dict[str, Any]:
    """Bounds of the first of a cell's test patterns: from the file if it has as many, else measured.

    Parameters
    ----------
    cell : Cell
        Of any network.
    folder : path
        Is made if need be.
    patterns : int
        2 to 1,000,000.
    tell : callable, optional
        Called after each pattern.

    Returns
    -------
    dict
        Content of the file: `bound` is the mean over the patterns of the mean TVD of an efficient estimator.

    Raises
    ------
    ParameterError
        If the number of patterns is out of range, or the lines are not from our own simulator.
    UsageError
        If a file is damaged or cannot be written.
    """
    _check_number(patterns)
    setting = setting_of(cell.recipe)
    digest, path = recipe_sha256(setting), bound_path(folder, cell)
    known = read_bounds([folder]).get(digest) if path.is_file() else None
    if known and known["patterns"] >= patterns:
        return known
    recipe = cell.protocol.dataset(cell.crystals)
    begin = time.monotonic()
    sampler = Figure1Sampler(build_dataset(without_training(recipe)).part("test"), cell.figure1())
    floor = bounds_drawn(recipe, sampler, patterns, seed_of_test(cell.recipe), tell)
    summary = Summary.of(floor.tvd).to_dict()
    content = {
        "format": FORMAT,
        "n": cell.n,
        "k": cell.k,
        "kind": cell.kind,
        "setting": setting,
        "setting_sha256": digest,
        "materials": [crystal.name for crystal in cell.crystals],
        "bound": summary.pop("mean"),
        **summary,
        "worst": float(floor.tvd.max()),
        "capped_patterns": int(floor.capped.sum()),
        "seconds": time.monotonic() - begin,
        "device": device_name(torch.device("cpu")),
        "versions": versions(),
    }
    write_json(path, content)
    return content


def read_bounds(folders: Iterable[Path]) -> dict[str, dict[str, Any]]:
    """All bounds in some folders by the hash of their setting, the one of most patterns each.

    Raises
    ------
    UsageError
        If a folder is not there, or a file is damaged or was changed.
    """
    found: dict[str, dict[str, Any]] = {}
    for content in stored(folders, FORMAT, "setting"):
        digest = content["setting_sha256"]
        if digest not in found or found[digest]["patterns"] < content["patterns"]:
            found[digest] = content
    return found


def bounds_drawn(
    recipe: DatasetRecipe,
    sampler: Figure1Sampler,
    patterns: int,
    seed: int,
    tell: Callable[[], None] | None = None,
) -> Floor:
    """Bounds of the patterns that `drawn` gives for this sampler of the test split and this seed."""
    noise_floor = NoiseFloor(recipe, sampler.settings)
    parts = [
        noise_floor.of(take_rows(chunk, slice(0, count)), tell)
        for chunk, count in chunks_drawn(sampler, patterns, seed)
    ]
    return Floor(torch.cat([p.tvd for p in parts]), torch.cat([p.capped for p in parts]))


def without_training(recipe: DatasetRecipe) -> DatasetRecipe:
    """The same test split, with hardly any training strains: a split does not depend on the others."""
    return dataclasses.replace(recipe, strains=2, validation_share=0.0)


def _check_number(patterns: int) -> None:
    if not 2 <= patterns <= 10**6:
        raise ParameterError(f"patterns = {patterns}", remedy="Allowed: 2 to 1000000")
