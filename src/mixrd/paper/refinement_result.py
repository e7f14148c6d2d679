"""Refinements of a trained network's test: measured once, one JSON file beside the network."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mixrd.errors import ParameterError
from mixrd.network import load_estimator
from mixrd.paper.cells import recipe_sha256
from mixrd.paper.comparison import JUDGED, Comparison, compared, summarised
from mixrd.paper.dataset import build_dataset
from mixrd.paper.environment import device_name, versions
from mixrd.paper.figure1 import Figure1Sampler
from mixrd.paper.floor_result import without_training
from mixrd.paper.materials import Materials, paper_materials
from mixrd.paper.result import seed_of_test, stored, write_json
from mixrd.paper.verification import kept_recipe, test_split

FORMAT = "mixrd paper refinement 1"
#: Part of every hash: raise it with each change that gives other refinements.
REFINEMENT_VERSION = 5
#: Patterns that are described one by one, the worst first.
_WORST = 20
_DIGITS = 5
#: What is kept of each pattern.
_EACH = (*JUDGED, "unexplained", "disagreement")
#: Fractions below this are not listed.
_LISTED = 5e-4


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
    if not 2 <= patterns <= 10**6:
        raise ParameterError(f"patterns = {patterns}", remedy="Allowed: 2 to 1000000")
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
        "format": FORMAT,
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


def read_refinements(folders: Iterable[Path]) -> dict[str, dict[str, Any]]:
    """All refinements in some folders, by the hash of the recipe of the network that they start from.

    Raises
    ------
    UsageError
        If a folder is not there, or a file is damaged or was changed.
    """
    found: dict[str, dict[str, Any]] = {}
    for content in stored(folders, FORMAT, "setting"):
        former = found.get(content["cell_sha256"])
        if former is None or former["patterns"] < content["patterns"]:
            found[content["cell_sha256"]] = content
    return found


def _worst(found: Comparison, names: tuple[str, ...]) -> list[dict[str, Any]]:
    order = found.refined.argsort(descending=True)[:_WORST].tolist()
    return [
        {
            "pattern": row,
            **{
                name: round(float(getattr(found, name)[row]), _DIGITS)
                for name in (*JUDGED, "unexplained", "disagreement")
            },
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
