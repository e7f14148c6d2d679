"""Size against accuracy: what each architecture costs at one setting, and how well it does there."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from mixrd.errors import UsageError
from mixrd.paper.cells import recipe_sha256


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
    settings: dict[str, list[dict[str, Any]]] = {}
    for result in results:
        if (result["n"], result["k"], result["kind"]) == (n, k, kind):
            recipe = {key: value for key, value in result["recipe"].items() if key != "seed"}
            settings.setdefault(recipe_sha256(recipe), []).append(result)
    if not settings:
        raise UsageError(
            f"there is no result at n = {n}, k = {k}, {kind}",
            remedy=f"Run `mixrd paper run --n {n} --k {k} --kind {kind} --architecture compact -o FOLDER`",
        )
    rows = [_row(seeds) for seeds in settings.values()]
    return sorted(rows, key=lambda row: (-row.parameters, row.architecture, -row.samples))


def _row(seeds: list[dict[str, Any]]) -> SizeRow:
    first = seeds[0]
    means = [r["test"]["mean"] for r in seeds]
    return SizeRow(
        architecture=first["architecture"],
        samples=first["samples"],
        network=statistics.fmean(means),
        network_std=statistics.stdev(means) if len(means) > 1 else None,
        parameters=first["parameters"],
        size_bytes=first["size_bytes"],
        wall_seconds=statistics.fmean(r["wall_seconds"] for r in seeds),
        device=", ".join(dict.fromkeys(r["device"] for r in seeds)),
        shortened=first["shortened"],
    )
