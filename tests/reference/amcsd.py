"""Rows of the AMCSD SQLite file (the one that the package larixite ships) as CIF text and as `Crystal`.

Coordinates, occupancies and U are base64 of little-endian int32 over 4e6; 2 stands for "not given", 3 for
"inapplicable", and a column that is all default holds "0".
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import sqlite3
import tempfile
from pathlib import Path

import gemmi
import numpy as np
from numpy.typing import NDArray

from mixrd.crystal import Crystal, read_cif

SCALE = 4e6
NOT_GIVEN, INAPPLICABLE = 2.0, 3.0
CELL = {
    "a": "length_a", "b": "length_b", "c": "length_c",
    "alpha": "angle_alpha", "beta": "angle_beta", "gamma": "angle_gamma",
}  # fmt: skip
ANISO = ("u11", "u22", "u33", "u12", "u13", "u23")
QUERY = """
    SELECT cif.*, spacegroups.hm_notation, spacegroups.symmetry_xyz, minerals.name AS mineral
    FROM cif JOIN spacegroups ON spacegroups.id = cif.spacegroup_id
    JOIN minerals ON minerals.id = cif.mineral_id
"""


class UnusableRowError(ValueError):
    """The row does not say what its atoms are."""


def open_database(data_dir: Path) -> sqlite3.Connection:
    path = data_dir / "structures" / "amcsd" / "amcsd_cif1.db"
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    connection.row_factory = sqlite3.Row
    return connection


def row_of(connection: sqlite3.Connection, number: int) -> sqlite3.Row:
    row: sqlite3.Row = connection.execute(f"{QUERY} WHERE cif.id = ?", (number,)).fetchone()
    return row


def fingerprint(row: sqlite3.Row) -> str:
    """SHA-256 of all that the structure rests on, as stored."""
    names = [*CELL, "symmetry_xyz", *(k for k in row.keys() if k.startswith("atoms_"))]  # noqa: SIM118
    return hashlib.sha256(json.dumps([str(row[name]) for name in names]).encode()).hexdigest()


def numbers(text: str, count: int, default: float) -> NDArray[np.float64]:
    """Decoded column, `default` where it is not given; NaN where it is inapplicable."""
    if text == "0":
        return np.full(count, default)
    values = np.frombuffer(base64.b64decode(text), dtype="<i4") / SCALE
    if len(values) != count:
        raise UnusableRowError(f"{len(values)} values for {count} sites")
    return np.where(values == NOT_GIVEN, default, np.where(values == INAPPLICABLE, np.nan, values))


def formula_elements(formula: str) -> set[str]:
    return set(re.findall(r"([A-Z][a-z]?)(?=[\d.\s()]|$)", formula))


def element_of(label: str, known: set[str]) -> str:
    """Element that a label such as `SiT1` begins with, one of those of the formula."""
    for length in (2, 1):
        if label[:length] in known and gemmi.Element(label[:length]).atomic_number:
            return label[:length]
    raise UnusableRowError(f"no element of the formula in label {label!r}")


def cif_text(row: sqlite3.Row) -> str:
    """The row as a CIF."""
    labels: list[str] = json.loads(row["atoms_sites"])
    known = formula_elements(row["formula"])
    if any(not re.fullmatch(r"[A-Z][A-Za-z0-9]*", label) for label in labels):
        raise UnusableRowError("a label that is more than an element and its number")
    elements = [element_of(label, known) for label in labels]
    if set(elements) != known:
        raise UnusableRowError("labels and formula do not hold the same elements")
    # Labels are not unique on shared sites and in split ones: the anisotropic loop needs them so.
    unique = [f"{label}_{i}" for i, label in enumerate(labels)]
    columns = [numbers(row[f"atoms_{axis}"], len(labels), np.nan) for axis in "xyz"]
    columns.append(numbers(row["atoms_occupancy"], len(labels), 1.0))
    columns.append(numbers(row["atoms_u_iso"], len(labels), np.nan))
    lines = [f"data_AMCSD_{row['id']}", f"_database_code_amcsd {row['id']}"]
    lines += [f"_cell_{name} {row[key]}" for key, name in CELL.items()]
    lines += ["loop_", "_space_group_symop_operation_xyz"]
    lines += [f"'{op}'" for op in json.loads(row["symmetry_xyz"])]
    lines += ["loop_", "_atom_site_label", "_atom_site_type_symbol"]
    lines += [
        f"_atom_site_{name}" for name in ("fract_x", "fract_y", "fract_z", "occupancy", "U_iso_or_equiv")
    ]
    for name, element, *values in zip(unique, elements, *columns, strict=True):
        lines.append(" ".join([name, element, *("?" if np.isnan(v) else f"{v:.7g}" for v in values)]))
    return "\n".join(lines + _aniso_loop(row, labels, unique)) + "\n"


def _aniso_loop(row: sqlite3.Row, labels: list[str], unique: list[str]) -> list[str]:
    named = json.loads(row["atoms_aniso_label"])
    if not isinstance(named, list):
        return []
    values = np.array([numbers(row[f"atoms_aniso_{u}"], len(named), np.nan) for u in ANISO]).T
    lines = ["loop_", "_atom_site_aniso_label", *(f"_atom_site_aniso_U_{u[1:]}" for u in ANISO)]
    left = list(enumerate(labels))
    for name, tensor in zip(named, values, strict=True):
        place = next((entry for entry in left if entry[1] == name), None)
        if place is None:
            raise UnusableRowError(f"anisotropic label {name!r} is not among the sites")
        left.remove(place)
        if np.isfinite(tensor).all():
            lines.append(" ".join([unique[place[0]], *(f"{u:.7g}" for u in tensor)]))
    return lines if len(lines) > 8 else []


def crystal_of(row: sqlite3.Row) -> Crystal:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"amcsd-{row['id']}.cif"
        path.write_text(cif_text(row), encoding="utf-8")
        return read_cif(path, name=f"{row['mineral']} (AMCSD row {row['id']})")
