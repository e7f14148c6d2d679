"""The result of a cell: one JSON file, which says how and with what it came about."""

from __future__ import annotations

import dataclasses
import json
import platform
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mixrd.errors import UsageError
from mixrd.files import write_whole, writing
from mixrd.network import total_variation_distance
from mixrd.paper.cells import Cell, recipe_sha256
from mixrd.paper.protocol import Start

FORMAT = "mixrd paper result 1"
#: Of each result, null until it is measured: mean TVD of a refinement that starts from the network, of one
#: that is told which phases are there, and of an efficient estimator.
LATER = ("refined", "refined_told_phases", "bound")
#: Packages whose version is kept beside a result, if they are there.
_PACKAGES = ("mixrd", "torch", "numpy", "scikit-learn", "pymatgen")


@dataclass(frozen=True)
class Summary:
    """Total variation distances of many patterns.

    Attributes
    ----------
    patterns : int
    mean, median, std : float
        Over the patterns.
    p95 : float
        95 % of the patterns are no farther off.
    standard_error : float
        Of the mean.
    """

    patterns: int
    mean: float
    median: float
    std: float
    p95: float
    standard_error: float

    @classmethod
    def of(cls, tvd: Tensor) -> Summary:
        """Summary of (B,) distances, B from 2."""
        values = tvd.double()
        std = float(values.std())
        return cls(
            patterns=len(values),
            mean=float(values.mean()),
            median=float(values.quantile(0.5)),
            std=std,
            p95=float(values.quantile(0.95)),
            standard_error=std / len(values) ** 0.5,
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return dataclasses.asdict(self)


def result_of(cell: Cell, measured: dict[str, Any]) -> dict[str, Any]:
    """The content of a result file: the cell, and what was measured."""
    return {
        "format": FORMAT,
        "cell": cell.name,
        **{name: getattr(cell, name) for name in ("n", "k", "kind", "architecture", "seed")},
        "samples": cell.all_samples,
        "full_samples": cell.full_samples,
        "shortened": cell.shortened,
        "recipe": cell.recipe,
        "recipe_sha256": cell.sha256,
        "materials": [crystal.name for crystal in cell.crystals],
        **measured,
        **dict.fromkeys(LATER),
    }


def result_path(folder: Path, cell: Cell) -> Path:
    """File of a cell's result."""
    return folder / f"{cell.name}.json"


def is_done(folder: Path, cell: Cell) -> bool:
    """Whether the cell's result is there, whole and of this recipe."""
    path = result_path(folder, cell)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and content.get("recipe_sha256") == cell.sha256


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write JSON to a file that is there as a whole or not at all.

    Raises
    ------
    UsageError
        If it cannot be written.
    """
    text = json.dumps(content, indent=1, allow_nan=False)
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text + "\n")


def read_results(folders: Iterable[Path]) -> list[dict[str, Any]]:
    """All results in some folders, each recipe once; other JSON files are passed over.

    Raises
    ------
    UsageError
        If a folder is not there, or a file is damaged or was changed: its recipe is not that of its hash.
    """
    found: dict[str, dict[str, Any]] = {}
    for content in stored(folders, FORMAT, "recipe"):
        found.setdefault(content["recipe_sha256"], content)
    return sorted(found.values(), key=lambda r: (r["n"], r["k"], r["kind"], r["architecture"], r["seed"]))


def start_of(path: Path) -> Start:
    """What a training can go on from: a result's file, and the network that was kept beside it.

    Raises
    ------
    UsageError
        If it is no result of a network, was changed, or the network is not there.
    """
    result = _content(path, FORMAT, "recipe") if path.is_file() else None
    network = path.with_suffix(".safetensors")
    if result is None or not network.is_file():
        raise UsageError(
            "it is no result of `mixrd paper run` with a network beside it",
            remedy="Give a file CELL.json in whose folder CELL.safetensors is as well",
            file=path,
        )
    return Start(
        network,
        result["recipe_sha256"],
        result["recipe"]["dataset"]["sha256"],
        result["samples"],
        result["wall_seconds"],
    )


def stored(folders: Iterable[Path], form: str, hashed: str) -> Iterator[dict[str, Any]]:
    """Contents of all files of one format in some folders; `hashed` is the part that a hash stands beside.

    Raises
    ------
    UsageError
        If a folder is not there, or a file is damaged or was changed.
    """
    for folder in folders:
        if not folder.is_dir():
            raise UsageError(
                "there is no such folder", remedy="Give one that `mixrd paper run` wrote", file=folder
            )
        for path in sorted(folder.glob("*.json")):
            content = _content(path, form, hashed)
            if content is not None:
                yield content


def _content(path: Path, form: str, hashed: str) -> dict[str, Any] | None:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"it is not readable ({error})", remedy="Make it again", file=path) from None
    if not isinstance(content, dict) or content.get("format") != form:
        return None
    if recipe_sha256(content[hashed]) != content[f"{hashed}_sha256"]:
        raise UsageError(
            f"its {hashed} is not the one that its hash is of", remedy="Make it again", file=path
        )
    return content


def seed_of_test(cell_recipe: dict[str, Any]) -> int:
    """Seed of the test mixtures: the same ones for all seeds and architectures of an (N, K) and kind."""
    text = f"{cell_recipe['n']} {cell_recipe['k']} {cell_recipe['kind']}"
    return int(recipe_sha256({"test": text})[:8], 16)


def scored(fractions: Tensor, estimated: Tensor) -> Tensor:
    """(B,) distances, on the CPU."""
    with torch.no_grad():
        return total_variation_distance(estimated.cpu().double(), fractions.cpu().double())


def versions() -> dict[str, str | None]:
    """Versions of mixrd, Python and the packages that results depend on; None where one is not installed."""
    found: dict[str, str | None] = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    return found


def device_name(device: torch.device) -> str:
    """Model of the GPU or the processor."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    if device.type != "cpu":
        return str(device)
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, "") or platform.processor() or platform.machine()
