"""The pool of structures that mixtures are made of: kept as records, read offline.

The pool that ships was drawn by ``mixrd cod sample --n 50 --seed 0 --mirror FOLDER --count-all``; docs/cod.md
tells from what, and what was left out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any

import gemmi

from mixrd.crystal import Crystal, Site
from mixrd.errors import CrystalError, UsageError
from mixrd.files import write_whole
from mixrd.phases import REASONS

FORMAT = "mixrd pool 2"
SHIPPED = "pool-50.json"
#: Why a structure is not taken: the filter's reasons, and those that the lines of its pattern give.
POOL_REASONS: Mapping[str, str] = MappingProxyType(
    {
        **REASONS,
        "no pattern": "lines that cannot be calculated",
        "too few lines": "no more distinct lines than a strained cell could have by chance",
    }
)
#: A line counts from this share of the strongest on, and if its d differs from all others by more than this,
#: relatively. What a pool file records depends on both: they change with its format.
LEAST_INTENSITY, LEAST_SEPARATION = 0.01, 0.001
_COUNTS = ("seed", "population", "screened", "passed")


@dataclass(frozen=True)
class LineCriterion:
    """That a pattern has more distinct lines than strain can adapt: strain components and some to spare.

    Attributes
    ----------
    spare_lines : int
        Lines beyond one for each strain component that the crystal system allows, at least 1.
    two_theta_range : (low, high)
        In degrees; of the unstrained structure.
    wavelength_angstrom : float
    """

    spare_lines: int = 3
    two_theta_range: tuple[float, float] = (10.0, 50.0)
    wavelength_angstrom: float = 1.54184

    def __post_init__(self) -> None:
        if self.spare_lines < 1:
            raise UsageError(
                f"spare_lines = {self.spare_lines}", remedy="Allowed: 1 or more, or no criterion"
            )
        low, high = self.two_theta_range
        if not 0 <= low < high <= 175:
            raise UsageError(
                f"two_theta_range = {low:g} to {high:g} deg", remedy="Allowed: 0 <= low < high <= 175"
            )
        if not 0.05 <= self.wavelength_angstrom <= 10:
            raise UsageError(
                f"wavelength_angstrom = {self.wavelength_angstrom:g}", remedy="Allowed: 0.05 to 10"
            )


@dataclass(frozen=True)
class PoolEntry:
    """One structure of a pool.

    Attributes
    ----------
    number : int
        COD number.
    sha256 : str
        Of the CIF file that it was read from.
    reference : str
        The publication, which is to be cited.
    crystal : Crystal
        Its name is the mineral's or compound's, different from all others of the pool.
    lines : int, optional
        Distinct lines of its pattern, where the draw counted them.
    """

    number: int
    sha256: str
    reference: str
    crystal: Crystal
    lines: int | None = None


@dataclass(frozen=True)
class Rejection:
    """One structure that was drawn and not taken.

    Attributes
    ----------
    number : int
    reason : str
        A key of `POOL_REASONS`.
    detail : str
    """

    number: int
    reason: str
    detail: str


@dataclass(frozen=True)
class Pool:
    """Structures in the order in which they were drawn: the first N are the pool of N.

    Attributes
    ----------
    seed : int
    population : int
        Structures that could have been drawn.
    screened : int
        How many of these were looked at.
    passed : int
        How many of these passed the filter, and the criterion where there is one.
    entries : tuple of PoolEntry
    rejected : tuple of Rejection
        All that were looked at and did not pass.
    criterion : LineCriterion, optional
        What was asked of the lines of each pattern.
    """

    seed: int
    population: int
    screened: int
    passed: int
    entries: tuple[PoolEntry, ...]
    rejected: tuple[Rejection, ...]
    criterion: LineCriterion | None = None

    @property
    def reasons(self) -> dict[str, int]:
        """How many were rejected for each reason, the most frequent first."""
        counts: dict[str, int] = {}
        for rejection in self.rejected:
            counts[rejection.reason] = counts.get(rejection.reason, 0) + 1
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def load_pool(n: int | None = None, path: str | Path | None = None) -> tuple[Crystal, ...]:
    """Crystals of a pool.

    Parameters
    ----------
    n : int, optional
        Only the first n, at least 1; all unless given.
    path : path, optional
        File from `mixrd cod sample`; the pool that ships with mixrd unless given.

    Raises
    ------
    UsageError
        If the pool has fewer than n structures, or the file cannot be used.
    """
    entries = read_pool(path).entries
    if n is not None and not 1 <= n <= len(entries):
        raise UsageError(
            f"a pool of n = {n} structures is asked for, and there are {len(entries)}",
            remedy=f"Take 1 to {len(entries)}, or draw a larger pool: `mixrd cod sample`",
        )
    return tuple(entry.crystal for entry in entries[:n])


def read_pool(path: str | Path | None = None) -> Pool:
    """A pool with its numbers and hashes, from a file or as it ships.

    Raises
    ------
    UsageError
        If the file cannot be read or is no pool.
    """
    source = files("mixrd.paper") / "data" / SHIPPED if path is None else Path(path)
    try:
        data = json.loads(source.read_text(encoding="utf-8"))
        if data["format"] != FORMAT:
            raise ValueError(data["format"])
        return Pool(
            **{name: int(data[name]) for name in _COUNTS},
            entries=tuple(_entry(structure) for structure in data["structures"]),
            rejected=tuple(Rejection(*r) for r in data["rejected"]),
            criterion=_criterion(data["criterion"]),
        )
    except OSError as error:
        raise UsageError(
            f"it cannot be read ({error.strerror})", remedy="Check the path of the pool", file=str(source)
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError, CrystalError, UsageError):
        raise UsageError(
            f"it is no pool of structures ({FORMAT})",
            remedy="Draw one: `mixrd cod sample -o pool.json`",
            file=str(source),
        ) from None


def write_pool(pool: Pool, path: str | Path) -> None:
    """Write a pool as JSON, one line for each structure."""
    counts = {name: getattr(pool, name) for name in _COUNTS}
    criterion = None if pool.criterion is None else asdict(pool.criterion)
    head = {"format": FORMAT, **counts, "criterion": criterion}
    lines = [f' "{key}": {json.dumps(value)},' for key, value in head.items()]
    lines += [' "structures": [', ",\n".join(f"  {_line(_record(e))}" for e in pool.entries), " ],"]
    rejected = (_line([r.number, r.reason, r.detail]) for r in pool.rejected)
    lines += [' "rejected": [', ",\n".join(f"  {line}" for line in rejected), " ]"]
    write_whole(path, "\n".join(["{", *lines, "}"]) + "\n")


def _record(entry: PoolEntry) -> dict[str, Any]:
    crystal, own = entry.crystal, entry.crystal.symmetry_operations
    operations = {} if own == listed_operations(crystal.space_group) else {"operations": own}
    return {
        "number": entry.number,
        "sha256": entry.sha256,
        "name": crystal.name,
        "formula": crystal.formula,
        "reference": entry.reference,
        "cell": crystal.cell,
        "space_group": crystal.space_group,
        **operations,
        "sites": [
            [s.label, s.element, *s.fract, s.occupancy, s.u_iso, s.u_aniso, s.charge] for s in crystal.sites
        ],
        **({"unlocated": crystal.unlocated} if crystal.unlocated else {}),
        "notes": crystal.notes,
        **({} if entry.lines is None else {"lines": entry.lines}),
    }


def _criterion(data: Mapping[str, Any] | None) -> LineCriterion | None:
    if data is None:
        return None
    low, high = (float(angle) for angle in data["two_theta_range"])
    return LineCriterion(int(data["spare_lines"]), (low, high), float(data["wavelength_angstrom"]))


def _entry(data: Mapping[str, Any]) -> PoolEntry:
    sites = [
        Site(label, element, (x, y, z), occupancy, u_iso, None if u_aniso is None else tuple(u_aniso), charge)
        for label, element, x, y, z, occupancy, u_iso, u_aniso, charge in data["sites"]
    ]
    a, b, c, alpha, beta, gamma = data["cell"]
    crystal = Crystal(
        name=data["name"],
        cell=(a, b, c, alpha, beta, gamma),
        space_group=data["space_group"],
        symmetry_operations=tuple(data.get("operations") or listed_operations(data["space_group"])),
        sites=tuple(sites),
        source=f"COD {data['number']}",
        notes=tuple(data["notes"]),
        unlocated=tuple((element, float(number)) for element, number in data.get("unlocated", ())),
    )
    return PoolEntry(int(data["number"]), data["sha256"], data["reference"], crystal, data.get("lines"))


def listed_operations(space_group: str) -> tuple[str, ...]:
    """Operations of a space group as tables list them; none where the symbol is not known."""
    group = gemmi.find_spacegroup_by_name(space_group)
    return tuple(op.triplet() for op in group.operations()) if group else ()


def _line(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False, allow_nan=False)
