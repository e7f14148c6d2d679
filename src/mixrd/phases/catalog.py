"""The catalog of phases that ships with mixrd."""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import gemmi

from mixrd.crystal.cell import Site
from mixrd.crystal.displacement import default_u_iso
from mixrd.crystal.structure import Crystal
from mixrd.errors import CrystalError
from mixrd.phases.phase_name import name_key
from mixrd.phases.phase_source import PhaseSource, register_phase_source


@dataclass(frozen=True)
class PublishedPattern:
    """A published powder pattern that an entry is checked against.

    Attributes
    ----------
    source : str
        Reference and database number.
    density_g_cm3 : float or None
        Published density in g/cm3.
    i_over_ic : float or None
        Published reference intensity ratio I/I_corundum.
    lines : tuple of (d_spacing, intensity)
        Strongest lines: d in angstrom, intensity relative to the strongest (nan where not published).
    textured : bool
        Whether the measured intensities are known to suffer from preferred orientation, so that only
        the positions of the lines count.
    """

    source: str
    density_g_cm3: float | None
    i_over_ic: float | None
    lines: tuple[tuple[float, float], ...]
    textured: bool = False


@dataclass(frozen=True)
class CatalogEntry:
    """One phase of the catalog.

    Attributes
    ----------
    name, formula, category : str
        Name (also the file's), formula as one writes it, chemical class.
    aliases : tuple of str
        Other names that find it.
    crystal : Crystal
        The structure that mixrd calculates with.
    second : Crystal or PublishedPattern
        A second, independently published determination that the first is checked against.
    second_kind : {"structure", "pattern", "cell"}
        What is independent in it: the whole structure, a powder pattern, or the cell alone (its sites are
        then those of `crystal`, and only density and line positions are compared).
    """

    name: str
    formula: str
    category: str
    aliases: tuple[str, ...]
    crystal: Crystal
    second: Crystal | PublishedPattern
    second_kind: Literal["structure", "pattern", "cell"]


@cache
def catalog_names() -> tuple[str, ...]:
    """Names of all phases in the catalog, sorted."""
    folder = files("mixrd.phases") / "catalog"
    return tuple(sorted(f.name.removesuffix(".toml") for f in folder.iterdir() if f.name.endswith(".toml")))


@cache
def _read(name: str) -> dict[str, Any]:
    text = (files("mixrd.phases") / "catalog" / f"{name}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@cache
def catalog_entry(name: str) -> CatalogEntry:
    """The catalog's entry of exactly this name."""
    data = _read(name)
    second = data["second"]
    kind = _second_kind(second)
    if kind == "cell":
        atoms = {key: data["structure"][key] for key in ("sites", "unlocated") if key in data["structure"]}
        second = {**atoms, **second}
    return CatalogEntry(
        name=data["name"],
        formula=data["formula"],
        category=data["category"],
        aliases=tuple(data.get("aliases", ())),
        crystal=_crystal(data["structure"], name),
        second=_published(second) if kind == "pattern" else _crystal(second, name),
        second_kind=kind,
    )


def _second_kind(data: dict[str, Any]) -> Literal["structure", "pattern", "cell"]:
    if "lines" in data:
        return "pattern"
    return "cell" if data.get("sites_from") == "structure" else "structure"


def search_catalog(text: str = "") -> list[CatalogEntry]:
    """Entries whose name, alias, formula or category contains `text` (all entries if empty)."""
    wanted = name_key(text)
    entries = (catalog_entry(name) for name in catalog_names())
    return [
        e for e in entries if any(wanted in name_key(x) for x in (e.name, e.formula, e.category, *e.aliases))
    ]


def shipped_name(text: str) -> str | None:
    """Name of the catalog's entry that answers to this name or alias, None where none does."""
    return _names_by_key().get(name_key(text))


def nearest_names(text: str) -> list[str]:
    """Names of entries that are spelt most like `text`, or an alias of which is."""
    names = _names_by_key()
    near = difflib.get_close_matches(name_key(text), names, n=3, cutoff=0.5)
    return list(dict.fromkeys(names[key] for key in near))


def formula_of(crystal: Crystal) -> str:
    """Formula as one writes it, for a phase of the catalog; else the one that follows from the cell."""
    if crystal.name in catalog_names() and _read(crystal.name)["structure"]["cell"]["a"] == crystal.cell[0]:
        return str(_read(crystal.name)["formula"])
    return crystal.formula


def same_structure(one: Crystal, other: Crystal) -> bool:
    """Whether two crystals are the same phase: same content per volume and lattice alike within 0.5 %."""
    if one.sites == other.sites and one.cell == other.cell:
        return True
    contents = [
        {e: n / sum(c.cell_content.values()) for e, n in c.cell_content.items()} for c in (one, other)
    ]
    if set(contents[0]) != set(contents[1]) or any(
        abs(contents[0][e] - contents[1][e]) > 0.01 for e in contents[0]
    ):
        return False
    if abs(one.density_g_cm3 / other.density_g_cm3 - 1) > 0.015:
        return False
    cells = [_reduced_cell(crystal) for crystal in (one, other)]
    lengths_agree = all(abs(a / b - 1) < 0.005 for a, b in zip(cells[0][:3], cells[1][:3], strict=True))
    return lengths_agree and all(abs(a - b) < 0.5 for a, b in zip(cells[0][3:], cells[1][3:], strict=True))


def check_distinct(crystals: list[Crystal]) -> None:
    """Raise CrystalError when two of the phases are the same structure: no data could tell them apart."""
    for i, one in enumerate(crystals):
        for other in crystals[i + 1 :]:
            if one.name == other.name or same_structure(one, other):
                raise CrystalError(
                    f"{one.name} and {other.name} are the same structure",
                    remedy="Name each phase once; the data cannot tell the two apart",
                )


def _reduced_cell(crystal: Crystal) -> tuple[float, ...]:
    centring = {"P": "P", "A": "A", "B": "B", "C": "C", "I": "I", "F": "F", "R": "R"}
    letter = centring.get(crystal.space_group[:1], "P")
    hexagonal = abs(crystal.cell[5] - 120) < 1e-3
    if letter == "R" and not hexagonal:
        letter = "P"
    vector = gemmi.GruberVector(gemmi.UnitCell(*crystal.cell), letter)
    vector.niggli_reduce()
    return tuple(vector.cell_parameters())


@cache
def _names_by_key() -> dict[str, str]:
    names: dict[str, str] = {}
    for name in catalog_names():
        for alias in (name, *_read(name).get("aliases", ())):
            names.setdefault(name_key(alias), name)
    return names


def _crystal(data: dict[str, Any], name: str) -> Crystal:
    group = gemmi.find_spacegroup_by_name(data["space_group"])
    if group is None:
        raise CrystalError(
            f"space group {data['space_group']!r} is unknown", remedy="Mend the entry", file=f"{name}.toml"
        )
    elements = {_element(site["element"])[0] for site in data["sites"]}
    organic = {"C", "H"} <= elements
    sites = tuple(_site(site, organic) for site in data["sites"])
    cell = data["cell"]
    without_u = [s["label"] for s in data["sites"] if "u_iso" not in s and "u_aniso" not in s]
    notes = [data["note"]] if "note" in data else []
    if without_u:
        notes.append(f"displacement of {', '.join(without_u)} not published: default per element class")
    reference = [data.get(k, "") for k in ("reference", "database")]
    return Crystal(
        name=name,
        cell=(cell["a"], cell["b"], cell["c"], cell["alpha"], cell["beta"], cell["gamma"]),
        space_group=group.xhm(),
        symmetry_operations=tuple(op.triplet() for op in group.operations()),
        sites=sites,
        source="; ".join(x for x in reference if x),
        notes=tuple(notes),
        unlocated=tuple((element, float(n)) for element, n in data.get("unlocated", {}).items()),
    )


def _site(data: dict[str, Any], organic: bool) -> Site:
    element, charge = _element(data["element"])
    aniso = tuple(float(u) for u in data["u_aniso"]) if "u_aniso" in data else None
    if "u_iso" in data:
        u_iso = float(data["u_iso"])
    elif aniso is not None:
        u_iso = sum(aniso[:3]) / 3
    else:
        u_iso = default_u_iso(element, organic=organic)
    return Site(
        label=data["label"],
        element=element,
        fract=(_number(data["x"]), _number(data["y"]), _number(data["z"])),
        occupancy=float(data.get("occupancy", 1.0)),
        u_iso=u_iso,
        u_aniso=aniso,  # type: ignore[arg-type]
        charge=charge,
    )


def _element(symbol: str) -> tuple[str, int]:
    element = symbol.rstrip("+-0123456789")
    charge = symbol[len(element) :]
    if not charge:
        return element, 0
    size = int(charge.strip("+-") or 1)
    return element, -size if "-" in charge else size


def _number(value: float | str) -> float:
    """A coordinate, which may be a fraction such as "1/3"."""
    if isinstance(value, str):
        numerator, _, denominator = value.partition("/")
        return float(numerator) / float(denominator or 1)
    return float(value)


def _published(data: dict[str, Any]) -> PublishedPattern:
    return PublishedPattern(
        source="; ".join(data[k] for k in ("reference", "database") if k in data),
        density_g_cm3=data.get("density_g_cm3"),
        i_over_ic=data.get("i_over_ic"),
        lines=tuple((float(d), float(i)) for d, i in data["lines"]),
        textured=bool(data.get("texture", False)),
    )


def _answer(text: str) -> Crystal | None:
    name = shipped_name(text)
    return None if name is None else catalog_entry(name).crystal


register_phase_source(
    PhaseSource(
        "catalog", _answer, lambda: (catalog_entry(name).crystal for name in catalog_names()), order=10
    )
)
