"""Noise floors of settings and refinements of networks' tests: measured once, one JSON file each."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mixrd.errors import ParameterError
from mixrd.network import load_estimator
from mixrd.paper.cells import Cell, recipe_sha256
from mixrd.paper.comparison import JUDGED, Comparison, compared, summarised
from mixrd.paper.dataset import build_dataset
from mixrd.paper.dataset_recipe import DatasetRecipe, without_training
from mixrd.paper.figure1 import Figure1Sampler
from mixrd.paper.floor import Floor, NoiseFloor
from mixrd.paper.materials import Materials, paper_materials
from mixrd.paper.result import Summary, device_name, seed_of_test, stored, versions, write_json
from mixrd.paper.sources import chunks_drawn
from mixrd.paper.verification import kept_recipe, test_split
from mixrd.pattern import take_rows

BOUND_FORMAT, REFINEMENT_FORMAT = "mixrd paper bound 1", "mixrd paper refinement 1"
#: Part of every setting's hash: raise it with each change that gives other bounds, or other refinements.
BOUND_VERSION, REFINEMENT_VERSION = 1, 5
#: What of a dataset's recipe has no part in its test split.
_TRAINING_ONLY = ("sha256", "strains", "validation_share")
#: Patterns that are described one by one, the worst first.
_WORST = 20
_DIGITS = 5
#: What is kept of each pattern.
_EACH = (*JUDGED, "unexplained", "disagreement")
#: Fractions below this are not listed.
_LISTED = 5e-4


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
    floor = _floor_drawn(recipe, sampler, patterns, seed_of_test(cell.recipe), tell)
    summary = Summary.of(floor.tvd).to_dict()
    content = {
        "format": BOUND_FORMAT,
        **{name: cell.recipe[name] for name in ("n", "k", "kind")},
        "setting": setting,
        "setting_sha256": digest,
        "materials": [crystal.name for crystal in cell.crystals],
        "bound": summary.pop("mean"),
        **summary,
        "worst": float(floor.tvd.max()),
        "capped_patterns": int(floor.capped.sum()),
        **_circumstances(begin),
    }
    write_json(path, content)
    return content


def refinement_path(model: Path) -> Path:
    """File of the refinements that start from a kept network."""
    return model.with_name(f"refined-{model.stem}.json")


def measure_refinement(
    model: Path,
    *,
    patterns: int = 1000,
    materials: Materials | None = None,
    tell: Callable[[int], None] | None = None,
) -> dict[str, Any]:
    """Refinements of the first of a network's test patterns: from the file if it has as many, else measured.

    Parameters
    ----------
    model : path
        A network that `mixrd paper run` kept.
    patterns : int
        2 to 1,000,000.
    materials : Materials, optional
        Its pool; the one that ships unless given.
    tell : callable, optional
        Told how many patterns were judged since it was called last.

    Returns
    -------
    dict
        Content of the file: for each of `JUDGED` a `Summary` with `worst` and the values of all patterns.

    Raises
    ------
    ModelError
        If the file holds no network of these materials.
    ParameterError
        If the number of patterns is out of range, or the patterns cannot be refined.
    UsageError
        If a file is damaged or cannot be written.
    """
    _check_number(patterns)
    kept, path = kept_recipe(model), refinement_path(model)
    known = {} if not path.is_file() else read_refinements([path.parent])
    setting = {"version": REFINEMENT_VERSION, "cell": kept["cell"]}
    for content in known.values():
        if content["setting"] == setting and content["patterns"] >= patterns:
            return content
    dataset, settings = test_split(kept["cell"], materials or paper_materials(), model)
    sampler = Figure1Sampler(build_dataset(without_training(dataset)).part("test"), settings)
    begin = time.monotonic()
    found = compared(load_estimator(model), dataset, sampler, patterns, seed_of_test(kept["cell"]), tell=tell)
    content = {
        "format": REFINEMENT_FORMAT,
        **{name: kept["cell"][name] for name in ("n", "k", "kind", "architecture", "seed")},
        "setting": setting,
        "setting_sha256": recipe_sha256(setting),
        "cell_sha256": kept["sha256"],
        "patterns": patterns,
        **summarised(found),
        "seconds_a_pattern": found.seconds / patterns,
        "seconds": time.monotonic() - begin,
        "threads": torch.get_num_threads(),
        "device": device_name(torch.device("cpu")),
        "versions": versions(),
        "materials": list(sampler.names),
        "worst_patterns": _worst(found, sampler.names),
        "each": {name: _rounded(getattr(found, name)) for name in _EACH},
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
    return _of_most_patterns(folders, BOUND_FORMAT, "setting_sha256")


def read_refinements(folders: Iterable[Path]) -> dict[str, dict[str, Any]]:
    """All refinements in some folders, by the hash of the recipe of the network that they start from.

    Raises
    ------
    UsageError
        If a folder is not there, or a file is damaged or was changed.
    """
    return _of_most_patterns(folders, REFINEMENT_FORMAT, "cell_sha256")


def _of_most_patterns(folders: Iterable[Path], form: str, key: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for content in stored(folders, form, "setting"):
        former = found.get(content[key])
        if former is None or former["patterns"] < content["patterns"]:
            found[content[key]] = content
    return found


def _floor_drawn(
    recipe: DatasetRecipe,
    sampler: Figure1Sampler,
    patterns: int,
    seed: int,
    tell: Callable[[], None] | None,
) -> Floor:
    """Bounds of the patterns that `drawn` gives for this sampler of the test split and this seed."""
    noise_floor = NoiseFloor(recipe, sampler.settings)
    parts = [
        noise_floor.of(take_rows(chunk, slice(0, count)), tell)
        for chunk, count in chunks_drawn(sampler, patterns, seed)
    ]
    return Floor(torch.cat([p.tvd for p in parts]), torch.cat([p.capped for p in parts]))


def _check_number(patterns: int) -> None:
    if not 2 <= patterns <= 10**6:
        raise ParameterError(f"patterns = {patterns}", remedy="Allowed: 2 to 1000000")


def _circumstances(begin: float) -> dict[str, Any]:
    cpu = torch.device("cpu")
    return {"seconds": time.monotonic() - begin, "device": device_name(cpu), "versions": versions()}


def _worst(found: Comparison, names: tuple[str, ...]) -> list[dict[str, Any]]:
    order = found.refined.argsort(descending=True)[:_WORST].tolist()
    return [
        {
            "pattern": row,
            **{name: round(float(getattr(found, name)[row]), _DIGITS) for name in _EACH},
            "sound": bool(found.sound[row]),
            "true": _listed(found.true[row], names),
            "found": _listed(found.found[row], names),
        }
        for row in order
    ]


def _listed(fractions: Tensor, names: tuple[str, ...]) -> dict[str, float]:
    return {
        name: round(float(value), 4) for name, value in zip(names, fractions, strict=True) if value > _LISTED
    }


def _rounded(values: Tensor) -> list[float]:
    return [round(float(value), _DIGITS) for value in values]
