"""Crystal: what follows from cell and sites, and what cannot be a crystal."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixrd.crystal import Crystal, Site
from mixrd.errors import CrystalError
from mixrd.phases import catalog_entry, catalog_names

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


def edge(**values: float) -> dict[str, object]:
    cell = dict(
        zip(("a", "b", "c", "alpha", "beta", "gamma"), (3.0, 3.0, 3.0, 90.0, 90.0, 90.0), strict=True)
    )
    return {"cell": tuple((cell | values).values())}


def site(**values: object) -> dict[str, object]:
    return {"sites": (replace(IRON.sites[0], **values),)}


@pytest.mark.parametrize(
    ("change", "cause", "allowed"),
    [
        (edge(a=math.nan), "edge a is nan A", "1 to 1000 A"),
        (edge(c=math.inf), "edge c is inf A", "1 to 1000 A"),
        (edge(b=0.5), "edge b is 0.5 A", "1 to 1000 A"),
        (edge(b=-3.0), "edge b is -3 A", "1 to 1000 A"),
        (edge(a=0.0), "edge a is 0 A", "1 to 1000 A"),
        (edge(gamma=180.0), "angle gamma is 180 deg", "below 180 deg"),
        (edge(alpha=0.0), "angle alpha is 0 deg", "above 0"),
        (edge(beta=-95.0), "angle beta is -95 deg", "above 0"),
        (edge(beta=math.nan), "angle beta is nan deg", "above 0"),
        (edge(alpha=20.0, beta=20.0), "angles 20, 20, 90 deg enclose no volume", "sum of the other two"),
        (edge(alpha=120.0, beta=120.0, gamma=120.0), "enclose no volume", "less than 360 deg"),
        (edge(alpha=130.0, beta=130.0, gamma=130.0), "enclose no volume", "less than 360 deg"),
        ({"sites": ()}, "no atom sites", ""),
        (site(element="Zz"), "unknown element 'Zz'", ""),
        (site(occupancy=math.nan), "is no number", ""),
        (site(fract=(0.0, math.nan, 0.0)), "is no number", ""),
        (site(fract=(0.0, 0.0, -math.inf)), "is no number", ""),
        (site(u_iso=math.inf), "is no number", ""),
        (site(u_aniso=(0.01, 0.01, math.nan, 0.0, 0.0, 0.0)), "is no number", ""),
        (site(occupancy=1.2), "Fe has occupancy 1.2", "0-1"),
        (site(occupancy=0.0), "occupancy 0", "0-1"),
        (site(occupancy=-0.3), "occupancy -0.3", "0-1"),
        (site(u_iso=-0.01), "Fe has the displacement U = -0.01 A", "0 to 5 A^2"),
        (site(u_iso=40.0), "U = 40 A", "0 to 5 A^2"),
        # Principal values 0.01 and 0.01 +- 0.02: the diagonal alone does not show it.
        (site(u_aniso=(0.01, 0.01, 0.01, 0.02, 0.0, 0.0)), "Fe has anisotropic U .* -0.01, 0.01, 0.03", ""),
        (site(u_aniso=(0.01, -0.02, 0.01, 0.0, 0.0, 0.0)), "not positive definite", "0 to 5 A^2"),
        ({"sites": (*IRON.sites, replace(IRON.sites[0], label="Ni", element="Ni", occupancy=0.3))},
         "place of site Fe add up to 1.3", "0 to 1.15"),
        # The same place by the centring.
        ({"sites": (*IRON.sites, Site("Ni", "Ni", (0.5, 0.5, 0.5), 0.3, 0.01))}, "add up to 1.3", ""),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(change: dict[str, object], cause: str, allowed: str) -> None:
    with pytest.raises(CrystalError, match=cause) as caught:
        replace(IRON, **change)
    assert "iron" in caught.value.cause
    assert allowed in str(caught.value)


def test_slight_excess_of_occupancy_and_zero_displacement_are_taken() -> None:
    nickel = Site("Ni", "Ni", (0.0, 0.0, 0.0), 0.13, 0.0, (0.01, 0.01, -1e-4, 0.0, 0.0, 0.0))
    assert replace(IRON, sites=(*IRON.sites, nickel)).cell_content == {"Fe": 2.0, "Ni": 0.26}


def test_atoms_at_different_places_do_not_share_one() -> None:
    other = Site("Ni", "Ni", (0.5, 0.5, 0.0), 1.0, 0.01)
    assert replace(IRON, sites=(*IRON.sites, other)).cell_content == {"Fe": 2.0, "Ni": 2.0}


@given(
    lengths=st.tuples(*[st.floats(1.0, 50.0)] * 3),
    angles=st.tuples(*[st.floats(10.0, 170.0)] * 3),
)
@settings(max_examples=100, deadline=None)
def test_a_cell_is_refused_or_has_a_volume(
    lengths: tuple[float, float, float], angles: tuple[float, float, float]
) -> None:
    one = {"symmetry_operations": ("x,y,z",), "space_group": "P 1"}
    alpha, beta, gamma = angles
    possible = max(angles) * 2 < sum(angles) < 360
    try:
        crystal = replace(IRON, cell=(*lengths, alpha, beta, gamma), **one)
    except CrystalError:
        # Nearly flat ones may be refused too.
        margin = min(sum(angles) - 2 * max(angles), 360 - sum(angles))
        assert not possible or margin < 0.1
    else:
        assert possible
        assert crystal.volume > 0
        assert np.isfinite(crystal.lattice).all()


def test_cell_must_have_the_symmetry_of_the_group() -> None:
    cubic = catalog_entry("halite").crystal
    with pytest.raises(CrystalError, match="lacks the symmetry of"):
        replace(cubic, cell=(5.64, 5.64, 5.80, 90.0, 90.0, 90.0))
