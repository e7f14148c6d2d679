"""Pick the frozen set and write `frozen_set.csv`. Looks at the structures alone, at no comparison.

Per crystal system ten structures of at most 300 atoms a cell: three anisotropic, two disordered and five
of any kind, in the order of SHA-256(seed, identifier); the openchemistry collection first, rows of the
AMCSD file where it has too few. Not taken: what cannot be read, what has no known space group, cells
under 10 A^3 (too few lines), U that is not positive definite, elements whose form factor pymatgen
lacks, and rows of the AMCSD file whose density is not the one that they state.

Usage: MIXRD_DATA=... python tests/reference/pick_frozen_set.py
"""

from __future__ import annotations

import csv
import hashlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import amcsd
import gemmi
import numpy as np
from frozen_set import LIST, FrozenStructure, read_structure

from mixrd.crystal import Crystal
from mixrd.errors import MixrdError

SEED = "mixrd frozen set 1"
SYSTEMS = ("triclinic", "monoclinic", "orthorhombic", "tetragonal", "trigonal", "hexagonal", "cubic")
PER_SYSTEM, ANISOTROPIC, DISORDERED = 10, 3, 2
MOST_ATOMS = 300
DENSITY_TOLERANCE = 0.03


def drawn(identifiers: list[str]) -> list[str]:
    return sorted(identifiers, key=lambda name: hashlib.sha256(f"{SEED}:{name}".encode()).hexdigest())


def is_disordered(crystal: Crystal) -> bool:
    return any(site.occupancy < 0.999 for site in crystal.sites)


def is_anisotropic(crystal: Crystal) -> bool:
    return any(site.u_aniso is not None for site in crystal.sites)


def usable(crystal: Crystal, form_factors: set[str]) -> bool:
    group = gemmi.find_spacegroup_by_ops(gemmi.GroupOps([gemmi.Op(o) for o in crystal.symmetry_operations]))
    if group is None or len(crystal.sites) > MOST_ATOMS or len(crystal.atoms.site) > MOST_ATOMS:
        return False
    if any(("H" if site.element == "D" else site.element) not in form_factors for site in crystal.sites):
        return False
    for site in crystal.sites:
        if site.u_aniso is not None:
            u11, u22, u33, u12, u13, u23 = site.u_aniso
            tensor = np.array([[u11, u12, u13], [u12, u22, u23], [u13, u23, u33]])
            if np.linalg.eigvalsh(tensor).min() <= 0:
                return False
    # The smallest cells have two or three lines in the range: little to compare.
    return crystal.volume > 10.0


def candidates(
    identifiers: list[str], data_dir: Path, form_factors: set[str]
) -> Iterator[tuple[FrozenStructure, Crystal]]:
    for identifier in drawn(identifiers):
        try:
            crystal, sha256 = read_structure(identifier, data_dir)
            if not usable(crystal, form_factors):
                continue
        except (MixrdError, amcsd.UnusableRowError):
            continue
        yield (
            FrozenStructure(
                identifier, crystal.name, crystal.crystal_system, len(crystal.atoms.site),
                is_anisotropic(crystal), is_disordered(crystal), sha256,
            ),
            crystal,
        )  # fmt: skip


def stated_densities(connection: sqlite3.Connection) -> dict[str, float]:
    """Identifier and stated density of every row."""
    found = {}
    for number, density in connection.execute("SELECT id, crystal_density FROM cif"):
        try:
            found[f"amcsd:{number}"] = float(density)
        except ValueError:
            continue
    return found


def missing(chosen: list[FrozenStructure], system: str, kind: str) -> int:
    """How many of `kind` ("anisotropic", "disordered", "any") the system still lacks."""
    mine = [entry for entry in chosen if entry.crystal_system == system]
    if kind == "anisotropic":
        return ANISOTROPIC - sum(entry.anisotropic for entry in mine)
    if kind == "disordered":
        return DISORDERED - sum(entry.disordered for entry in mine)
    return PER_SYSTEM - len(mine)


def take(chosen: list[FrozenStructure], entry: FrozenStructure, kind: str) -> None:
    fits = kind == "any" or (entry.anisotropic if kind == "anisotropic" else entry.disordered)
    known = any(entry.sha256 == other.sha256 or entry.name == other.name for other in chosen)
    if fits and not known and missing(chosen, entry.crystal_system, kind) > 0:
        chosen.append(entry)


def main() -> None:
    """Draw and write the list."""
    from pymatgen.analysis.diffraction.xrd import ATOMIC_SCATTERING_PARAMS

    form_factors = set(ATOMIC_SCATTERING_PARAMS)
    root = Path(__file__).resolve().parents[2]
    data_dir = Path(os.environ.get("MIXRD_DATA", root.parent / "shared" / "data"))
    structures = data_dir / "structures"
    files = [p.relative_to(structures).as_posix() for p in (structures / "openchemistry").rglob("*.cif")]
    collection = [entry for entry, _ in candidates(files, data_dir, form_factors)]
    connection = amcsd.open_database(data_dir)
    stated = stated_densities(connection)
    chosen: list[FrozenStructure] = []
    for kind in ("anisotropic", "disordered", "any"):
        for entry in collection:
            take(chosen, entry, kind)
        for entry, crystal in candidates(list(stated), data_dir, form_factors):
            if abs(crystal.density_g_cm3 / stated[entry.identifier] - 1) < DENSITY_TOLERANCE:
                take(chosen, entry, kind)
            if all(missing(chosen, system, kind) <= 0 for system in SYSTEMS):
                break
    connection.close()
    chosen.sort(key=lambda entry: (SYSTEMS.index(entry.crystal_system), entry.identifier))
    with LIST.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(FrozenStructure.__dataclass_fields__)
        for e in chosen:
            flags = ("yes" if flag else "no" for flag in (e.anisotropic, e.disordered))
            writer.writerow([e.identifier, e.name, e.crystal_system, e.atoms, *flags, e.sha256])


if __name__ == "__main__":
    main()
