"""Crystal: what follows from cell and sites, and what cannot be a crystal."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from mixrd.crystal import Crystal, Site, catalog_entry, catalog_names
from mixrd.errors import CrystalError

IRON = Crystal(
    name="iron",
    cell=(2.8665, 2.8665, 2.8665, 90.0, 90.0, 90.0),
    space_group="I m -3 m",
    symmetry_operations=("x,y,z", "x+1/2,y+1/2,z+1/2"),
    sites=(Site("Fe", "Fe", (0.0, 0.0, 0.0), 1.0, 0.005),),
)


def test_volume_density_and_content_by_hand() -> None:
    assert IRON.volume == pytest.approx(2.8665**3)
    assert IRON.cell_content == {"Fe": 2.0}
    assert IRON.density_g_cm3 == pytest.approx(2 * 55.845 * 1.66053907 / 2.8665**3, rel=1e-6)


def test_lattice_has_the_stated_lengths_and_angles() -> None:
    cell = (5.1, 7.3, 9.9, 82.0, 101.0, 95.0)
    lattice = replace(IRON, cell=cell, symmetry_operations=("x,y,z",), space_group="P 1").lattice
    assert np.linalg.norm(lattice, axis=1) == pytest.approx(cell[:3])
    cosine = lattice[1] @ lattice[2] / (cell[1] * cell[2])
    assert math.degrees(math.acos(cosine)) == pytest.approx(82.0)


@pytest.mark.parametrize(
    ("name", "formula"),
    [
        ("corundum", "Al2O3"),
        ("calcite", "CaCO3"),
        ("spinel", "MgAl2O4"),
        ("zircon", "SiZrO4"),
        ("iron", "Fe"),
        ("pyrite", "FeS2"),
    ],
)
def test_formula(name: str, formula: str) -> None:
    found = catalog_entry(name).crystal.formula
    assert sorted(_split(found)) == sorted(_split(formula))


def _split(formula: str) -> list[str]:
    import re

    return re.findall(r"[A-Z][a-z]?[\d.]*", formula)


@pytest.mark.parametrize("name", catalog_names())
def test_plain_data_round_trip(name: str) -> None:
    crystal = catalog_entry(name).crystal
    assert Crystal.from_dict(json.loads(json.dumps(crystal.to_dict()))) == crystal


@pytest.mark.parametrize("name", ["hydroxyapatite", "calcite", "gypsum", "quartz"])
def test_number_of_atoms_is_whole_where_all_sites_are_full(name: str) -> None:
    crystal = catalog_entry(name).crystal
    counts = np.bincount(crystal.atoms.site)
    # The multiplicity of a site divides the number of symmetry operations.
    assert all(len(crystal.symmetry_operations) % count == 0 for count in counts)


def test_displacement_tensor_obeys_the_site_symmetry() -> None:
    # A tensor that a three-fold axis does not allow is averaged to one that it does.
    ops = ("x,y,z", "-y,x-y,z", "-x+y,-x,z")
    crystal = Crystal(
        name="column",
        cell=(5.0, 5.0, 6.0, 90.0, 90.0, 120.0),
        space_group="P 3",
        symmetry_operations=ops,
        sites=(Site("Fe", "Fe", (0.0, 0.0, 0.0), 1.0, 0.01, (0.02, 0.01, 0.01, 0.0, 0.0, 0.0)),),
    )
    cartesian = crystal.lattice.T @ crystal.atoms.u_star[0] @ crystal.lattice
    assert cartesian[0, 0] == pytest.approx(cartesian[1, 1])
    assert cartesian[0, 1] == pytest.approx(0.0, abs=1e-12)
    assert cartesian[2, 2] == pytest.approx(0.01)


def test_unlocated_atoms_have_mass_but_no_place() -> None:
    heavier = replace(IRON, unlocated=(("H", 1.5),))
    assert heavier.cell_content == {"Fe": 2.0, "H": 1.5}
    assert heavier.mass_per_cell == pytest.approx(IRON.mass_per_cell + 1.5 * 1.008, abs=1e-3)
    assert len(heavier.atoms.site) == len(IRON.atoms.site)
    assert Crystal.from_dict(json.loads(json.dumps(heavier.to_dict()))) == heavier


def test_shared_position_keeps_both_elements() -> None:
    sites = (Site("Fe", "Fe", (0.0, 0.0, 0.0), 0.6, 0.005), Site("Ni", "Ni", (0.0, 0.0, 0.0), 0.4, 0.005))
    assert replace(IRON, sites=sites).cell_content == pytest.approx({"Fe": 1.2, "Ni": 0.8})


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({"cell": (math.nan, 2.8, 2.8, 90.0, 90.0, 90.0)}, "no volume"),
        ({"cell": (2.8, 2.8, math.inf, 90.0, 90.0, 90.0)}, "no volume"),
        ({"cell": (0.5, 0.5, 0.5, 90.0, 90.0, 90.0)}, "outside 1-1000 A"),
        ({"sites": ()}, "no atom sites"),
        ({"sites": (replace(IRON.sites[0], element="Zz"),)}, "unknown element 'Zz'"),
        ({"sites": (replace(IRON.sites[0], occupancy=math.nan),)}, "is no number"),
        ({"sites": (replace(IRON.sites[0], fract=(0.0, math.nan, 0.0)),)}, "is no number"),
        ({"sites": (replace(IRON.sites[0], occupancy=1.2),)}, "occupancy 1.2"),
        ({"sites": (replace(IRON.sites[0], occupancy=0.0),)}, "occupancy 0"),
    ],
)
def test_what_cannot_be_is_refused(change: dict[str, object], cause: str) -> None:
    with pytest.raises(CrystalError, match=cause):
        replace(IRON, **change)


def test_cell_must_have_the_symmetry_of_the_group() -> None:
    cubic = catalog_entry("halite").crystal
    with pytest.raises(CrystalError, match="lacks the symmetry of"):
        replace(cubic, cell=(5.64, 5.64, 5.80, 90.0, 90.0, 90.0))
