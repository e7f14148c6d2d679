"""The frozen set: structures picked before any comparison, listed with hashes in `frozen_set.csv`."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import amcsd

from mixrd.crystal import Crystal, read_cif

LIST = Path(__file__).with_name("frozen_set.csv")


@dataclass(frozen=True)
class FrozenStructure:
    """A line of the list; `identifier` is a path below structures/ or `amcsd:<row id>`."""

    identifier: str
    name: str
    crystal_system: str
    atoms: int
    anisotropic: bool
    disordered: bool
    sha256: str


def frozen_set() -> tuple[FrozenStructure, ...]:
    with LIST.open(encoding="utf-8", newline="") as file:
        return tuple(
            FrozenStructure(
                identifier=row["identifier"],
                name=row["name"],
                crystal_system=row["crystal_system"],
                atoms=int(row["atoms"]),
                anisotropic=row["anisotropic"] == "yes",
                disordered=row["disordered"] == "yes",
                sha256=row["sha256"],
            )
            for row in csv.DictReader(file)
        )


def read_structure(identifier: str, data_dir: Path) -> tuple[Crystal, str]:
    """Structure of an identifier and the SHA-256 of what it was read from."""
    if identifier.startswith("amcsd:"):
        connection = amcsd.open_database(data_dir)
        try:
            row = amcsd.row_of(connection, int(identifier.removeprefix("amcsd:")))
        finally:
            connection.close()
        return amcsd.crystal_of(row), amcsd.fingerprint(row)
    path = data_dir / "structures" / identifier
    return read_cif(path), hashlib.sha256(path.read_bytes()).hexdigest()


def frozen_crystals(data_dir: Path) -> Iterator[tuple[FrozenStructure, Crystal]]:
    """All of the set, hashes checked.

    Raises
    ------
    ValueError
        If a structure is not the one that was picked.
    """
    for entry in frozen_set():
        crystal, sha256 = read_structure(entry.identifier, data_dir)
        if sha256 != entry.sha256:
            raise ValueError(f"{entry.identifier} is not what it was when the set was frozen")
        yield entry, crystal
