"""Bonds and the dimension of what they connect."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixrd.crystal import Crystal, Site, bond_graph, components
from mixrd.crystal.connectivity import nearest_contact
from mixrd.phases import catalog_entry


def crystal(cell, atoms, occupancies=None) -> Crystal:
    """A crystal without symmetry: (element, fractional coordinates) of each atom."""
    occupancies = occupancies or [1.0] * len(atoms)
    sites = [
        Site(f"{element}{i}", element, tuple(float(x) for x in fract), occupancy, 0.01)
        for i, ((element, fract), occupancy) in enumerate(zip(atoms, occupancies, strict=True))
    ]
    cell = cell if len(cell) == 6 else (*cell, 90.0, 90.0, 90.0)
    return Crystal("made", cell, "P 1", ("x,y,z",), tuple(sites))


def dimensions(made: Crystal) -> list[int]:
    return sorted(part.dimension for part in components(bond_graph(made)))


@pytest.mark.parametrize(
    ("cell", "dimension"), [((9, 9, 9), 0), ((9, 9, 2.8), 1), ((2.8, 9, 2.8), 2), ((2.8, 2.8, 2.8), 3)]
)
def test_dimension_of_a_primitive_lattice(cell, dimension: int) -> None:
    assert dimensions(crystal(cell, [("Fe", (0, 0, 0))])) == [dimension]


def test_chain_that_runs_diagonally_is_one_dimensional() -> None:
    # The cell's own edges are 4 angstrom, too far to bond; only [110] of a very oblique cell is short.
    made = crystal((4.0, 4.0, 9.0, 90, 90, 140), [("Fe", (0, 0, 0))])
    graph = bond_graph(made)
    assert graph.shifts.tolist() in ([[1, 1, 0]], [[-1, -1, 0]])
    assert dimensions(made) == [1]


def test_two_chains_that_cross_without_touching_stay_one_dimensional() -> None:
    atoms = [("Fe", (x, 0, 0)) for x in (0, 1 / 3, 2 / 3)] + [("Fe", (0, y, 0.5)) for y in (0, 1 / 3, 2 / 3)]
    assert dimensions(crystal((8.4, 8.4, 9.0), atoms)) == [1, 1]


@pytest.mark.parametrize(
    ("name", "coordination"),
    [("diamond", {"C": 4}), ("quartz", {"Si": 4, "O": 2}), ("fluorite", {"Ca": 8, "F": 4}),
     ("calcite", {"C": 3, "Ca": 6}), ("rutile", {"Ti": 6, "O": 3})],
)  # fmt: skip
def test_coordination_numbers_of_known_structures(name: str, coordination: dict[str, int]) -> None:
    graph = bond_graph(catalog_entry(name).crystal)
    number = np.bincount(graph.pairs.ravel(), minlength=len(graph.elements))
    for element, expected in coordination.items():
        assert {int(n) for n, e in zip(number, graph.elements, strict=True) if e == element} == {expected}


def test_graphite_is_layers_and_diamond_a_framework() -> None:
    assert dimensions(catalog_entry("graphite").crystal) == [2, 2]
    assert dimensions(catalog_entry("diamond").crystal) == [3]


def test_hydrogen_bonds_do_not_connect() -> None:
    # O-H 0.97, H...O 1.30 angstrom, shorter than the limit of 1.37: a very strong hydrogen bond.
    made = crystal((2.27, 8, 8), [("O", (0, 0, 0)), ("H", (0.97 / 2.27, 0, 0))])
    assert dimensions(made) == [0]


def test_alternatives_do_not_bond_but_one_disorder_group_does() -> None:
    atoms = [("C", (0.2, 0.2, 0.2)), ("C", (0.35, 0.2, 0.2))]
    assert len(bond_graph(crystal((10, 10, 10), atoms)).pairs) == 1
    half = crystal((10, 10, 10), atoms, [0.5, 0.5])
    assert len(bond_graph(half).pairs) == 0
    assert len(bond_graph(half, {"C0": 1, "C1": 1}).pairs) == 1
    assert len(bond_graph(half, {"C0": 1, "C1": 2}).pairs) == 0
    assert len(bond_graph(crystal((10, 10, 10), atoms, [0.7, 0.7])).pairs) == 1
    full = crystal((10, 10, 10), atoms)
    assert len(bond_graph(full, {"C0": 1, "C1": 2}).pairs) == 0


def test_nearest_contact_is_that_of_atoms_that_are_there_at_once() -> None:
    atoms = [("C", (0.2, 0.2, 0.2)), ("O", (0.25, 0.2, 0.2)), ("O", (0.5, 0.5, 0.5))]
    relative, *labels = nearest_contact(crystal((10, 10, 10), atoms))
    assert relative == pytest.approx(0.5 / (0.73 + 0.66), rel=1e-6)
    assert sorted(labels) == ["C0", "O1"]
    assert nearest_contact(crystal((10, 10, 10), atoms, [0.5, 0.5, 1.0])) is None


def test_water_written_as_one_atom_is_no_overlap() -> None:
    sites = tuple(Site("Wat1", element, (0.5, 0.5, 0.5), 1.0, 0.01) for element in ("O", "H", "H"))
    made = Crystal("water", (9.0, 9.0, 9.0, 90.0, 90.0, 90.0), "P 1", ("x,y,z",), sites)
    assert nearest_contact(made) is None


def apart(places, edges) -> list[tuple[float, float, float]]:
    """Those places that are not at one taken before: no two atoms are at one place."""
    taken: list[tuple[float, float, float]] = []
    for place in places:
        offset = np.array(place) - np.array(taken).reshape(-1, 3)
        if (np.linalg.norm((offset - np.round(offset)) * edges, axis=1) > 0.2).all():
            taken.append(place)
    return taken


coordinate = st.floats(0, 1, exclude_max=True, allow_nan=False)
edge = st.floats(2.4, 6.0)


@settings(deadline=None, max_examples=60)
@given(
    edges=st.tuples(edge, edge, edge),
    places=st.lists(st.tuples(coordinate, coordinate, coordinate), min_size=1, max_size=6),
    jumps=st.lists(st.tuples(*[st.integers(-2, 2)] * 3), min_size=6, max_size=6),
    shear=st.integers(-1, 1),
)
def test_dimension_does_not_depend_on_the_choice_of_cell(edges, places, jumps, shear: int) -> None:
    """Atoms moved by lattice vectors, and another basis of the same lattice: the same parts come out."""
    places = apart(places, edges)
    here = crystal(edges, [("Fe", place) for place in places])
    # a' = a + shear b: the coordinates become y' = y - shear x.
    lattice = here.lattice.copy()
    lattice[0] += shear * lattice[1]
    lengths = np.linalg.norm(lattice, axis=1)
    gamma = np.degrees(np.arccos(lattice[0] @ lattice[1] / (lengths[0] * lengths[1])))
    moved = [
        ("Fe", (x + j[0], y - shear * x + j[1], z + j[2]))
        for (x, y, z), j in zip(places, jumps, strict=False)
    ]
    there = crystal((*lengths, 90.0, 90.0, float(gamma)), moved)
    assert dimensions(there) == dimensions(here)


@settings(deadline=None, max_examples=40)
@given(edges=st.tuples(edge, edge, edge), factor=st.integers(2, 3), axis=st.integers(0, 2))
def test_dimension_does_not_depend_on_the_size_of_the_cell(edges, factor: int, axis: int) -> None:
    one = dimensions(crystal(edges, [("Fe", (0, 0, 0))]))
    larger = np.array(edges)
    larger[axis] *= factor
    step = np.eye(3)[axis] / factor
    many = dimensions(crystal(tuple(larger), [("Fe", step * k) for k in range(factor)]))
    assert set(many) == set(one)
