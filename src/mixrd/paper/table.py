"""Tables of the experiment: ours beside the paper's, a row for each setting; size against accuracy."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mixrd.errors import UsageError
from mixrd.paper.cells import recipe_sha256
from mixrd.paper.measured import setting_of
from mixrd.paper.published import MATERIALS, PHASES, published_tvd
from mixrd.paper.result import LATER

#: The kind of draw and the network that the paper's grid is taken to have.
_PAPER_KIND, _PAPER_ARCHITECTURE = "up_to_replacement", "table1"


@dataclass(frozen=True)
class Row:
    """One setting. All errors are mean total variation distances on test patterns, 0-1; None: not run.

    Attributes
    ----------
    n, k : int
    kind, architecture : str
    samples : int or None
        Mixtures seen in each training.
    paper : float or None
        Published at this (N, K); the paper does not say which kind of draw it is of.
    network : float or None
        Mean over the seeds, whatever the architecture.
    refined, refined_told_phases, bound : float or None
        Of a refinement that starts from the network, of one that knows which phases are there, and of an
        efficient estimator.
    network_std : float or None
        Standard deviation over the seeds, from two.
    network_median, network_p95 : float or None
        Over the patterns of a seed, then mean over the seeds.
    seeds : tuple of int
    shortened : bool
        Whether fewer samples were seen than in a full run.
    wall_seconds : float or None
        Of one training.
    device : str or None
    pool : tuple of str
        The materials.
    options : dict
        What else the setting says: batch, learning rate, loss, strain, simulator ...
    """

    n: int
    k: int
    kind: str
    architecture: str
    samples: int | None
    paper: float | None
    network: float | None
    refined: float | None = None
    refined_told_phases: float | None = None
    bound: float | None = None
    network_std: float | None = None
    network_median: float | None = None
    network_p95: float | None = None
    seeds: tuple[int, ...] = ()
    shortened: bool = False
    wall_seconds: float | None = None
    device: str | None = None
    pool: tuple[str, ...] = ()
    options: dict[str, Any] = dataclasses.field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return dataclasses.asdict(self)


def paper_rows(
    results: Iterable[dict[str, Any]],
    bounds: Mapping[str, dict[str, Any]] | None = None,
    refinements: Mapping[str, dict[str, Any]] | None = None,
) -> list[Row]:
    """Rows of all results, and of those cells of the paper's grid that were not run.

    Parameters
    ----------
    results : iterable of dict
        From `read_results`.
    bounds : mapping, optional
        From `read_bounds`: each is that of all rows whose test patterns are drawn in its way.
    refinements : mapping, optional
        From `read_refinements`: by the hash of the recipe of the network that they start from.
    """
    rows = [_row(seeds, bounds or {}, refinements or {}) for seeds in _by_setting(results)]
    run = {(row.n, row.k, row.kind) for row in rows if row.architecture == _PAPER_ARCHITECTURE}
    for n in MATERIALS:
        for k in PHASES:
            if (n, k, _PAPER_KIND) not in run:
                rows.append(Row(n, k, _PAPER_KIND, _PAPER_ARCHITECTURE, None, published_tvd(n, k), None))
    return sorted(rows, key=lambda r: (r.n, r.k, r.kind, r.architecture, -(r.samples or 0)))


def results_folders() -> list[Path]:
    """Folders of the committed results, where mixrd runs from a checkout.

    Raises
    ------
    UsageError
        Where it does not.
    """
    results = Path(__file__).resolve().parents[3] / "studies" / "results"
    folders = [results / name for name in ("paper", "paper-floor") if (results / name).is_dir()]
    if not folders:
        raise UsageError(
            "no folder of results is given, and mixrd does not run from a checkout that has some",
            remedy="Give the folder that `mixrd paper run -o FOLDER` wrote",
        )
    return folders


@dataclass(frozen=True)
class SizeRow:
    """One architecture.

    Attributes
    ----------
    architecture : str
    samples : int
        Mixtures that it learnt from.
    network, network_std : float, float or None
        Mean test TVD over the seeds, and its standard deviation.
    parameters : int
        Numbers learnt or kept.
    size_bytes : int
        Of these numbers in a file, in the precision of the training.
    wall_seconds : float
        Of one training.
    device : str
    shortened : bool
    """

    architecture: str
    samples: int
    network: float
    network_std: float | None
    parameters: int
    size_bytes: int
    wall_seconds: float
    device: str
    shortened: bool

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return dataclasses.asdict(self)


def size_rows(
    results: Iterable[dict[str, Any]], *, n: int, k: int, kind: str = "up_to_replacement"
) -> list[SizeRow]:
    """Every architecture and number of samples that was run at (N, K), the largest network first.

    Raises
    ------
    UsageError
        If none was.
    """
    settings = _by_setting(r for r in results if (r["n"], r["k"], r["kind"]) == (n, k, kind))
    if not settings:
        raise UsageError(
            f"there is no result at n = {n}, k = {k}, {kind}",
            remedy=f"Run `mixrd paper run --n {n} --k {k} --kind {kind} --architecture compact -o FOLDER`",
        )
    rows = [_size_row(seeds) for seeds in settings]
    return sorted(rows, key=lambda row: (-row.parameters, row.architecture, -row.samples))


def _by_setting(results: Iterable[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Results that differ in their seeds alone, together."""
    settings: dict[str, list[dict[str, Any]]] = {}
    for result in results:
        recipe = {key: value for key, value in result["recipe"].items() if key != "seed"}
        settings.setdefault(recipe_sha256(recipe), []).append(result)
    return list(settings.values())


def _row(
    seeds: Sequence[dict[str, Any]],
    bounds: Mapping[str, dict[str, Any]],
    refinements: Mapping[str, dict[str, Any]],
) -> Row:
    first = seeds[0]
    means = [r["test"]["mean"] for r in seeds]
    refined = [refinements[r["recipe_sha256"]] for r in seeds if r["recipe_sha256"] in refinements]
    later: dict[str, Any] = {name: _mean([r.get(name) for r in seeds]) for name in LATER}
    if refined:
        later = {
            name: _mean([content[kept]["mean"] for content in refined])
            for name, kept in zip(LATER, ("refined", "told", "bound"), strict=True)
        }
    measured = bounds.get(recipe_sha256(setting_of(first["recipe"])))
    # That of the very patterns that were refined, where there are such.
    if measured and later["bound"] is None:
        later["bound"] = measured["bound"]
    return Row(
        **{name: first[name] for name in ("n", "k", "kind", "architecture", "samples", "shortened")},
        paper=published_tvd(first["n"], first["k"]),
        network=statistics.fmean(means),
        network_std=statistics.stdev(means) if len(means) > 1 else None,
        network_median=_mean([r["test"]["median"] for r in seeds]),
        network_p95=_mean([r["test"]["p95"] for r in seeds]),
        seeds=tuple(r["seed"] for r in seeds),
        wall_seconds=_mean([r["wall_seconds"] for r in seeds]),
        device=", ".join(dict.fromkeys(r["device"] for r in seeds)),
        pool=tuple(first["materials"]),
        options=_options(first["recipe"]),
        **later,
    )


def _size_row(seeds: list[dict[str, Any]]) -> SizeRow:
    first = seeds[0]
    means = [r["test"]["mean"] for r in seeds]
    same = ("architecture", "samples", "parameters", "size_bytes", "shortened")
    return SizeRow(
        **{name: first[name] for name in same},
        network=statistics.fmean(means),
        network_std=statistics.stdev(means) if len(means) > 1 else None,
        wall_seconds=statistics.fmean(r["wall_seconds"] for r in seeds),
        device=", ".join(dict.fromkeys(r["device"] for r in seeds)),
    )


def _mean(values: Sequence[float | None]) -> float | None:
    there = [value for value in values if value is not None]
    return statistics.fmean(there) if there else None


def _options(recipe: dict[str, Any]) -> dict[str, Any]:
    training, dataset, figure1 = recipe["training"], recipe["dataset"], recipe["figure1"]
    names = ("batch", "learning_rate", "schedule", "loss", "precision")
    return {
        **{name: training[name] for name in names if name in training},
        **({"start": recipe["start"]["recipe_sha256"][:8]} if "start" in recipe else {}),
        # Two pools have different ones.
        "first_material": dataset["crystals"][0]["name"],
        "strain": dataset["strain"],
        "simulator": dataset["simulator"],
        "scaling": figure1["scaling"],
        "shape_per": figure1["shape_per"],
    }
