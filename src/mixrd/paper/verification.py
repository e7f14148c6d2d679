"""The check that needs no trust in a file: fresh test patterns, judged anew by a network that is there."""

from __future__ import annotations

import dataclasses
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, get_args

from mixrd.errors import InputError, ModelError, ParameterError
from mixrd.network import FractionEstimator, load_estimator
from mixrd.network.model_file import ESTIMATOR
from mixrd.paper.cells import recipe_sha256
from mixrd.paper.comparison import compared, summarised
from mixrd.paper.dataset import build_dataset
from mixrd.paper.dataset_recipe import DatasetRecipe, without_training
from mixrd.paper.figure1 import Figure1Sampler
from mixrd.paper.figure1_settings import DrawKind, Figure1Settings
from mixrd.paper.materials import Materials, paper_materials
from mixrd.paper.result import Summary, scored
from mixrd.paper.sources import drawn
from mixrd.pattern import ExponentialRanges, GaussianNoiseRanges


@dataclass(frozen=True)
class Verification:
    """Errors of a network on patterns that were drawn for the purpose.

    Attributes
    ----------
    n, k : int
    kind, architecture : str
    seed : int
        Of the patterns: the same seed draws the same ones.
    network : Summary
    recorded : Summary
        Of the test after the training.
    refined, refined_told_phases, bound : float or None
        As in `Row`, of these patterns; None where they were not asked for.
    bound_capped : int or None
        In how many of them a fraction's bound is that of a guess (`NoiseFloor.of`).
    details : dict or None
        Summaries as in the file of `measure_refinement`.
    samples : int
        Mixtures that the network was trained on.
    recipe_sha256 : str
    seconds : float
    """

    n: int
    k: int
    kind: str
    architecture: str
    seed: int
    network: Summary
    recorded: Summary
    samples: int
    recipe_sha256: str
    seconds: float
    refined: float | None = None
    refined_told_phases: float | None = None
    bound: float | None = None
    bound_capped: int | None = None
    details: dict[str, Any] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain data; `network` is the mean, the rest of the summary stands beside it."""
        plain = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        summary, recorded = self.network.to_dict(), self.recorded.to_dict()
        plain["network"] = summary.pop("mean")
        plain["patterns"] = summary.pop("patterns")
        plain["recorded"] = recorded.pop("mean")
        plain |= {f"network_{name}": value for name, value in summary.items()}
        return plain


def shipped_path(n: int, k: int, kind: DrawKind = "up_to_replacement") -> Path:
    """File of the shipped network of (N, K), whether it is there or not."""
    ending = "" if kind == "up_to_replacement" else f"-{kind}"
    return Path(str(files("mixrd.paper") / "data" / f"paper-{n}-{k}{ending}.safetensors"))


def verify(
    n: int,
    k: int,
    *,
    patterns: int = 100,
    kind: DrawKind = "up_to_replacement",
    seed: int | None = None,
    model: Path | None = None,
    materials: Materials | None = None,
    with_refinement: bool = True,
    tell: Callable[[int], None] | None = None,
) -> Verification:
    """Draw fresh patterns of the test split and judge a shipped network by them, and the refinement.

    Parameters
    ----------
    n, k : int
    patterns : int
        2 to 1,000,000.
    kind : {"up_to_replacement", "exactly_distinct"}
    seed : int, optional
        Of the patterns; a new one each time unless given.
    model : path, optional
        A network that `mixrd paper run` kept, instead of the shipped one.
    materials : Materials, optional
        Its pool; the one that ships unless given.
    with_refinement : bool
        Refine the same patterns, twice (once told the phases), and calculate their noise floor: some tenths
        of a second each.
    tell : callable, optional
        Told how many patterns were refined since it was called last.

    Raises
    ------
    ParameterError
        If the number of patterns or the seed is out of range, or the patterns cannot be refined.
    ModelError
        If no network ships for this setting, or that file holds none for it or for these materials.
    """
    for name, value, low, high in (("patterns", patterns, 2, 10**6), ("seed", seed or 0, 0, 2**63 - 1)):
        if not low <= value <= high:
            raise ParameterError(f"{name} = {value}", remedy=f"Allowed: {low} to {high}")
    begin = time.monotonic()
    path = model or shipped_path(n, k, kind)
    if model is None and not path.is_file():
        others = [other for other in get_args(DrawKind) if shipped_path(n, k, other).is_file()]
        raise ModelError(
            f"no network ships for n = {n}, k = {k}, {kind}",
            remedy=f"Take --kind {others[0]}, for which one does"
            if others
            else f"Train one, `mixrd paper run --n {n} --k {k} --kind {kind} --architecture compact "
            "--seeds 1 -o FOLDER`, and give its file as --model",
        )
    estimator, kept = load_estimator(path), kept_recipe(path)
    recipe = kept["cell"]
    if (recipe["n"], recipe["k"], recipe["kind"]) != (n, k, kind):
        raise ModelError(
            f"it is of n = {recipe['n']}, k = {recipe['k']}, {recipe['kind']}",
            remedy="Ask for these, or give another file",
            file=path,
        )
    dataset, settings = test_split(recipe, materials or paper_materials(), path)
    sampler = Figure1Sampler(build_dataset(dataset).part("test"), settings)
    chosen = secrets.randbits(40) if seed is None else seed
    found = compared(estimator, dataset, sampler, patterns, chosen, tell=tell) if with_refinement else None
    return Verification(
        n=n,
        k=k,
        kind=kind,
        architecture=recipe["architecture"],
        seed=chosen,
        network=Summary.of(found.network) if found else _judged(estimator, sampler, patterns, chosen),
        recorded=Summary(**kept["test"]),
        samples=recipe["training"]["samples"] + recipe.get("start", {}).get("samples", 0),
        recipe_sha256=kept["sha256"],
        seconds=time.monotonic() - begin,
        refined=float(found.refined.mean()) if found else None,
        refined_told_phases=float(found.told.mean()) if found else None,
        bound=float(found.bound.mean()) if found else None,
        bound_capped=int(found.capped.sum()) if found else None,
        details=summarised(found) if found else None,
    )


def _judged(estimator: FractionEstimator, sampler: Figure1Sampler, patterns: int, seed: int) -> Summary:
    seen, fractions = drawn(sampler, patterns, seed)
    return Summary.of(scored(fractions, estimator.predict(seen)))


def kept_recipe(path: Path) -> dict[str, Any]:
    """What `mixrd paper run` keeps with a network: `cell` (its recipe), `sha256` of that, and `test`.

    Raises
    ------
    ModelError
        If the file holds no estimator, or does not say what it was trained on.
    """
    header, _ = ESTIMATOR.read(path)
    kept = header["recipe"]
    if not isinstance(kept, dict) or recipe_sha256(kept.get("cell", {})) != kept.get("sha256"):
        raise ModelError(
            "it does not say what it was trained on", remedy="Give a file that `mixrd paper run` wrote",
            file=path,
        )  # fmt: skip
    return kept


def test_split(
    recipe: dict[str, Any], materials: Materials, path: Path
) -> tuple[DatasetRecipe, Figure1Settings]:
    """The test split of a recipe, with the materials that the recipe has the hashes of.

    Raises
    ------
    ModelError
        If they are not in the pool, or the recipe cannot be read; `path` is the file that it is of.
    """
    crystals = materials.first(recipe["n"])
    described = {key: value for key, value in recipe["dataset"].items() if key != "sha256"}
    try:
        dataset = DatasetRecipe.from_dict(described, [crystal.to_dict() for crystal in crystals])
        settings = figure1_of(recipe["figure1"])
    except (KeyError, TypeError, InputError) as error:
        raise ModelError(f"its recipe cannot be read ({error})", remedy="Train it again", file=path) from None
    if json.loads(json.dumps(dataset.to_dict())) != described:
        raise ModelError(
            f"it was trained on other materials than the first {len(crystals)} of the pool {materials.pool}",
            remedy="Give its pool (--pool), or train it again",
            file=path,
        )
    return without_training(dataset), settings


def figure1_of(data: dict[str, Any]) -> Figure1Settings:
    """Settings of the pipeline from their plain data."""
    plain: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in data.items()
    }
    ranges: dict[str, Any] = {"noise": GaussianNoiseRanges, "background": ExponentialRanges}
    for name, make in ranges.items():
        plain[name] = make(**{key: tuple(v) if isinstance(v, list) else v for key, v in data[name].items()})
    return Figure1Settings(**plain)
