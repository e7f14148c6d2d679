"""What jobs are made of: scans that were uploaded, phases and instruments that ship or are users' own."""

from __future__ import annotations

import json
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mixrd.web.database import Database, plain
from mixrd.web.problems import not_found

if TYPE_CHECKING:
    from mixrd.crystal import Crystal
    from mixrd.pattern import Instrument

#: Scans that no job uses are forgotten after so long.
SCAN_SECONDS = 7 * 86400.0


class Library:
    """Scans, phases and instruments of a server.

    Every file has a name that the server made: what a client says is looked up, never opened.

    Parameters
    ----------
    database : Database
    """

    def __init__(self, database: Database) -> None:
        self.database = database

    def add(self, kind: str, name: str, about: dict[str, Any]) -> None:
        """Note a scan, phase, instrument or model whose file is in its place."""
        with self.database.transaction() as connection:
            connection.execute(
                f"INSERT OR REPLACE INTO {_table(kind)} (id, created, about) VALUES (?, ?, ?)",
                (name, time.time(), json.dumps(about)),
            )

    def find(self, kind: str, name: str) -> dict[str, Any] | None:
        """What is known of one; None where there is none."""
        row = self.database.row(f"SELECT about FROM {_table(kind)} WHERE id = ?", name)
        return None if row is None else {"id": name, **plain(row["about"])}

    def own(self, kind: str) -> list[dict[str, Any]]:
        """All of a kind that users gave, newest first."""
        rows = self.database.rows(f"SELECT id, about FROM {_table(kind)} ORDER BY created DESC")
        return [{"id": row["id"], **plain(row["about"])} for row in rows]

    def remove(self, kind: str, name: str) -> None:
        """Forget one and delete its file.

        Raises
        ------
        ApiError
            If there is none.
        """
        if self.find(kind, name) is None:
            raise not_found(kind, name)
        with self.database.transaction() as connection:
            connection.execute(f"DELETE FROM {_table(kind)} WHERE id = ?", (name,))
        self.file(kind, name).unlink(missing_ok=True)

    def file(self, kind: str, name: str) -> Path:
        """Where the file of one that `find` knows is kept."""
        return self.database.path(f"{kind}s", f"{name}{_ENDINGS[kind]}")

    def known(self, kind: str, name: str) -> dict[str, Any]:
        """A scan, phase, instrument or model: a user's own, or one that ships.

        Raises
        ------
        ApiError
            If there is none.
        """
        ships = {"phase": catalog_phases, "instrument": preset_instruments}.get(kind, dict)()
        found = self.find(kind, name) or ships.get(name)
        if found is None:
            raise not_found(kind, name)
        return found

    def phases(self, text: str = "") -> list[dict[str, Any]]:
        """Users' own phases, then those of the catalog, that a search finds."""
        from mixrd.phases import name_key, search_catalog

        wanted = name_key(text)
        own = [p for p in self.own("phase") if wanted in name_key(f"{p['name']} {p['formula']}")]
        known = catalog_phases()
        return own + [known[entry.name] for entry in search_catalog(text)]

    def instruments(self) -> list[dict[str, Any]]:
        """Users' own instruments, then those that ship."""
        return self.own("instrument") + list(preset_instruments().values())

    def forget_old_scans(self, used: set[str]) -> None:
        """Delete scans that are old and that no job uses."""
        before = time.time() - SCAN_SECONDS
        for row in self.database.rows("SELECT id FROM scans WHERE created < ?", before):
            if row["id"] not in used:
                self.remove("scan", row["id"])


_ENDINGS = {"scan": ".npz", "phase": ".cif", "instrument": ".toml", "model": ".mixrd"}


def _table(kind: str) -> str:
    """Name of a table; a kind that is none raises KeyError before it gets into SQL."""
    return {kind: f"{kind}s" for kind in _ENDINGS}[kind]


@cache
def catalog_phases() -> dict[str, dict[str, Any]]:
    """Phases that ship, by name."""
    from mixrd.phases import search_catalog

    return {
        entry.name: {
            "id": entry.name,
            "kind": "catalog",
            **about_crystal(entry.crystal),
            "name": entry.name,
            "formula": entry.formula,
            "title": entry.name.replace("-", " "),
            "aliases": list(entry.aliases),
        }
        for entry in search_catalog()
    }


def about_crystal(crystal: Crystal) -> dict[str, Any]:
    """What is shown of a structure."""
    return {
        "name": crystal.name,
        "formula": crystal.formula,
        "title": crystal.name,
        "aliases": [],
        "space_group": crystal.space_group,
        "cell": list(crystal.cell),
        "density_g_cm3": crystal.density_g_cm3,
        "reference": crystal.source,
        "notes": list(crystal.notes),
    }


@cache
def preset_instruments() -> dict[str, dict[str, Any]]:
    """Instruments that ship, by name."""
    from mixrd.pattern import load_instrument, preset_names

    found = {}
    for name in preset_names():
        instrument = load_instrument(name)
        found[name] = {
            "id": name,
            "kind": "preset",
            **about_instrument(instrument),
        }
    return found


def about_instrument(instrument: Instrument) -> dict[str, Any]:
    """What is shown of an instrument."""
    return {
        "title": instrument.name,
        "radiation": instrument.radiation.name,
        "wavelength_angstrom": instrument.radiation.wavelength_angstrom,
        "goniometer_radius_mm": instrument.goniometer_radius_mm,
        "note": instrument.note,
    }


@cache
def radiations() -> list[dict[str, Any]]:
    """Radiations of laboratory tubes."""
    from mixrd.diffraction import radiation
    from mixrd.diffraction.radiation import K_LINES_ANGSTROM

    lines = {"Ka": "Kα1 + Kα2", "Ka1": "Kα1"}
    return [
        {
            "id": f"{anode}{line}",
            "title": f"{anode} {text}",
            "wavelength_angstrom": radiation(f"{anode}{line}").wavelength_angstrom,
        }
        for anode in K_LINES_ANGSTROM
        for line, text in lines.items()
    ]


def radiation_of(header: dict[str, Any], optics: dict[str, Any] | None = None) -> str | None:
    """Radiation that the header of a scan names, None where it names none that is known.

    `optics` is what the header says of the beam: it may be K alpha1 alone.
    """
    from mixrd.diffraction import tube_of

    wavelength = header["wavelength_angstrom"]
    tube = header["anode"] or (tube_of(wavelength) if wavelength else None)
    primary = (optics or {}).get("primary") or {}
    alone = primary.get("single_line", False) or (optics or {}).get("kalpha2_ratio") == 0
    name = f"{tube}Ka1" if alone else f"{tube}Ka"
    return name if any(r["id"] == name for r in radiations()) else None
