"""The filter of crystalline polymers, on structures that were written for it and on known ones.

The made structures have sensible distances (angstrom) and one formula unit in a cell without symmetry.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import gemmi
import numpy as np
import pytest

from mixrd.crystal import Crystal, Site
from mixrd.crystal.connectivity import bond_graph
from mixrd.phases import catalog_entry, find_polymer
from mixrd.phases.polymer import organic_carbon, polymer_fault

Atoms = list[tuple[str, np.ndarray]]
X, Y, Z = np.eye(3)


def made(
    cell: tuple[float, float, float], atoms: Atoms, occupancy: dict[int, float] | None = None
) -> Crystal:
    """A crystal of atoms at cartesian places in a rectangular cell without symmetry."""
    sites = []
    for i, (element, place) in enumerate(atoms):
        x, y, z = (float(u) for u in place / np.array(cell))
        sites.append(Site(f"{element}{i}", element, (x, y, z), (occupancy or {}).get(i, 1.0), 0.01))
    return Crystal("made", (*cell, 90.0, 90.0, 90.0), "P 1", ("x,y,z",), tuple(sites))


def pyridine(start: np.ndarray, along: np.ndarray, side: np.ndarray) -> Atoms:
    """A pyridine ring: N at `start`, the opposite carbon 2.8 angstrom on."""
    ring = [("N", 0.0, 0.0), ("C", 2.8, 0.0)]
    ring += [("C", u, s * v) for u, v in ((0.7, 1.15), (2.1, 1.2)) for s in (1, -1)]
    hydrogen = [("H", 0.2, 2.05), ("H", 2.6, 2.12), ("H", 2.6, -2.12), ("H", 0.2, -2.05)]
    return [(e, start + u * along + v * side) for e, u, v in ring + hydrogen]


#: N to N of 4,4'-bipyridine, and metal to metal when it links two at 2.1 angstrom.
BIPYRIDINE = 2.8 + 1.49 + 2.8
LINKED = BIPYRIDINE + 2 * 2.1


def bipyridine(metal: np.ndarray, along: np.ndarray, side: np.ndarray) -> Atoms:
    """4,4'-bipyridine from a metal at `metal` to its next image."""
    first = metal + 2.1 * along
    return pyridine(first, along, side) + pyridine(first + BIPYRIDINE * along, -along, side)


def linked(metal: str, axes: str) -> Crystal:
    """A metal that bipyridine links along these axes."""
    directions = {"x": (X, Y), "y": (Y, Z), "z": (Z, X)}
    atoms: Atoms = [(metal, np.zeros(3))]
    for axis in axes:
        atoms += bipyridine(np.zeros(3), *directions[axis])
    return made(tuple(LINKED if axis in axes else 14.0 for axis in "xyz"), atoms)  # type: ignore[arg-type]


def zigzag(elements: str, substituent: str, out: float) -> Crystal:
    """A zigzag chain along x: two atoms, each of which (if carbon) carries two others."""
    step, amplitude = 1.27, 0.43
    atoms: Atoms = []
    for k, element in enumerate(elements):
        sign = 1 if k % 2 == 0 else -1
        place = step * k * X + sign * amplitude * Y + 4 * Y + 4 * Z
        atoms.append((element, place))
        if element == "C" and substituent:
            atoms += [(substituent, place + sign * 0.5 * out * Y + s * 0.85 * out * Z) for s in (1, -1)]
    return made((step * len(elements), 8.0, 8.0), atoms)


def chain(*links: tuple[str, float], metal: str = "Cu", beside: Atoms | None = None) -> Crystal:
    """A metal and a straight row of atoms, each at its distance from the one before, back to the metal."""
    atoms: Atoms = [(metal, np.zeros(3))]
    x = 0.0
    for element, distance in links[:-1]:
        x += distance
        atoms.append((element, x * X))
    return made((x + links[-1][1], 9.0, 9.0), atoms + (beside or []))


def carboxylate(start: np.ndarray, along: np.ndarray) -> Atoms:
    """C of a carboxylate group at `start`, its oxygen atoms on towards `along`."""
    return [("C", start), *(("O", start + 0.6 * along + s * 1.1 * Y) for s in (1, -1))]


def dicarboxylate_chain(carbons: int, metal: str = "Cu") -> Crystal:
    """A metal chelated from both sides by a chain of carbon with a carboxylate at each end."""
    first, spacing = 2.3, 1.54
    atoms: Atoms = [(metal, np.zeros(3)), *carboxylate(first * X, -X)]
    x = first
    for _ in range(carbons):
        x += spacing
        atoms += [("C", x * X), ("H", x * X + 1.09 * Y), ("H", x * X - 1.09 * Y)]
    x += spacing
    atoms += carboxylate(x * X, X)
    return made((x + first, 9.0, 9.0), atoms)


def mof5() -> Crystal:
    """Zn4O(benzenedicarboxylate)3, F m -3 m, a = 25.83 angstrom, from its geometry."""
    sites = [("Zn", (0.2934, 0.2934, 0.2934)), ("O", (0.25, 0.25, 0.25)), ("O", (0.2801, 0.2199, 0.1338)),
             ("C", (0.25, 0.25, 0.1113)), ("C", (0.25, 0.25, 0.0538)), ("C", (0.2829, 0.2171, 0.0269)),
             ("H", (0.3065, 0.1935, 0.0460))]  # fmt: skip
    group = gemmi.find_spacegroup_by_name("F m -3 m")
    return Crystal(
        "MOF-5",
        (25.83, 25.83, 25.83, 90.0, 90.0, 90.0),
        group.xhm(),
        tuple(op.triplet() for op in group.operations()),
        tuple(Site(f"{e}{i}", e, place, 1.0, 0.02) for i, (e, place) in enumerate(sites)),
    )


def rods_linked() -> Crystal:
    """Chains of metal and hydroxide along z, linked by bipyridine along x."""
    return made((LINKED, 12.0, 3.8), [("V", np.zeros(3)), ("O", 1.9 * Z), *bipyridine(np.zeros(3), X, Y)])


def boroxine_chain() -> Crystal:
    """A chain -B(OH)-O-B(OH)-CH=CH- without a metal."""
    atoms: Atoms = [("B", np.zeros(3)), ("O", 1.37 * X), ("B", 2.74 * X), ("C", 4.3 * X), ("C", 5.64 * X)]
    atoms += [("O", 1.37 * Y), ("O", 2.74 * X + 1.37 * Y)]
    atoms += [("H", 1.37 * Y - 0.95 * Z), ("H", 2.74 * X + 1.37 * Y - 0.95 * Z)]
    atoms += [("H", 4.3 * X - 1.09 * Y), ("H", 5.64 * X + 1.09 * Y)]
    return made((5.64 + 1.56, 9.0, 9.0), atoms)


POLYMERS: dict[str, tuple[Callable[[], Crystal], int, str]] = {
    "chain of metal and bipyridine": (lambda: linked("Cu", "x"), 1, "metal-organic"),
    "grid of metal and bipyridine": (lambda: linked("Ni", "xy"), 2, "metal-organic"),
    "framework of metal and bipyridine": (lambda: linked("Zn", "xyz"), 3, "metal-organic"),
    "MOF-5": (mof5, 3, "metal-organic"),
    "rods of metal oxide linked to a layer": (rods_linked, 2, "metal-organic"),
    "chain of metal and succinate": (lambda: dicarboxylate_chain(2), 1, "metal-organic"),
    "chain of calcium and succinate": (lambda: dicarboxylate_chain(2, "Ca"), 1, "metal-organic"),
    "chain of metal and acetylenedicarboxylate, no hydrogen": (
        lambda: chain(
            ("O", 1.95), ("C", 1.26), ("C", 1.45), ("C", 1.19), ("C", 1.45), ("O", 1.26), ("", 1.95)
        ),
        1,
        "metal-organic",
    ),
    "chain of metal and dicyanamide": (
        lambda: chain(("N", 1.98), ("C", 1.15), ("N", 1.3), ("C", 1.3), ("N", 1.15), ("", 1.98)),
        1,
        "metal-organic",
    ),
    "polyethylene": (lambda: zigzag("CC", "H", 1.09), 1, "organic"),
    "polytetrafluoroethylene": (lambda: zigzag("CC", "F", 1.34), 1, "organic"),
    "polyoxymethylene": (lambda: zigzag("CO", "H", 1.09), 1, "organic"),
    "polyethylene oxide": (lambda: zigzag("CCOCCO", "H", 1.09), 1, "organic"),
    "boronate polymer": (boroxine_chain, 1, "organic"),
}


@pytest.mark.parametrize("name", POLYMERS)
def test_polymers_are_found(name: str) -> None:
    build, dimension, kind = POLYMERS[name]
    polymer = find_polymer(build())
    assert polymer is not None
    assert (polymer.dimension, polymer.kind) == (dimension, kind)
    assert polymer.without_carbon < dimension


def test_what_holds_without_its_carbon_is_measured() -> None:
    polymer = find_polymer(rods_linked())
    assert polymer is not None
    assert (polymer.dimension, polymer.without_carbon) == (2, 1)


def test_mof5_was_built_right() -> None:
    graph = bond_graph(mof5())
    number = np.bincount(graph.pairs.ravel(), minlength=len(graph.elements))
    assert {int(n) for n, e in zip(number, graph.elements, strict=True) if e == "Zn"} == {4}
    assert len(graph.elements) == 424


def test_disordered_linker_counts_by_its_disorder_group() -> None:
    whole = linked("Cu", "x")
    ring = {i for i, site in enumerate(whole.sites) if site.element in ("C", "H")}
    sites = tuple(replace(s, occupancy=0.5) if i in ring else s for i, s in enumerate(whole.sites))
    half = replace(whole, sites=sites)
    # Without groups the half-filled atoms count as alternatives of each other, which bond nothing.
    assert find_polymer(half) is None
    group = {site.label: 1 for i, site in enumerate(half.sites) if i in ring}
    polymer = find_polymer(half, group)
    assert polymer is not None and polymer.dimension == 1


def benzene(at: np.ndarray) -> Atoms:
    turns = [np.pi / 3 * k for k in range(6)]
    rings = (("C", 1.39), ("H", 2.48))
    return [(e, at + r * (np.cos(t) * X + np.sin(t) * Y)) for e, r in rings for t in turns]


def urea() -> Crystal:
    """Urea, P -4 21 m, a 5.565, c 4.684 angstrom (Swaminathan, Craven & McMullan 1984, rounded)."""
    group = gemmi.find_spacegroup_by_name("P -4 21 m")
    sites = [("C", (0.0, 0.5, 0.328)), ("O", (0.0, 0.5, 0.596)), ("N", (0.145, 0.645, 0.178)),
             ("H", (0.257, 0.757, 0.283)), ("H", (0.144, 0.644, -0.038))]  # fmt: skip
    return Crystal("urea", (5.565, 5.565, 4.684, 90.0, 90.0, 90.0), group.xhm(),
                   tuple(op.triplet() for op in group.operations()),
                   tuple(Site(f"{e}{i}", e, p, 1.0, 0.03) for i, (e, p) in enumerate(sites)))  # fmt: skip


def ferrocene() -> Crystal:
    turns = [2 * np.pi / 5 * k for k in range(5)]
    rings: Atoms = [
        (e, r * (np.cos(t) * X + np.sin(t) * Y) + z * Z)
        for z in (1.66, -1.66)
        for e, r in (("C", 1.21), ("H", 2.29))
        for t in turns
    ]
    return made((9.0, 9.0, 9.0), [("Fe", np.zeros(3)), *rings])


def sodalite(guest: Atoms) -> Crystal:
    """The framework of sodalite, SiO2, with a guest in the middle of its cage."""
    a = 8.88
    group = gemmi.find_spacegroup_by_name("I m -3 m")
    sites = (
        Site("Si", "Si", (0.25, 0.5, 0.0), 1.0, 0.01),
        Site("O", "O", (0.0, 0.353, 0.353), 1.0, 0.01),
    )
    operations = tuple(op.triplet() for op in group.operations())
    frame = Crystal("SOD", (a, a, a, 90.0, 90.0, 90.0), group.xhm(), operations, sites)
    atoms = zip(frame.atoms.site, frame.atoms.fract, strict=True)
    return made((a, a, a), [(sites[int(i)].element, fract * a) for i, fract in atoms] + guest)


def hydrogen_bonded_acids() -> Crystal:
    """Molecules O-C-C6-C-O in a row, the hydrogen midway between two of them."""
    row = [("O", 0.0), ("C", 1.3), ("C", 2.8), ("C", 4.2), ("C", 5.7), ("O", 7.0)]
    atoms: Atoms = [(e, x * X) for e, x in row]
    atoms += [("H", (x * X + 1.09 * Y)) for x in (2.8, 4.2)] + [("H", 8.2 * X)]
    return made((9.4, 9.0, 9.0), atoms)


def layers_and_ethylammonium() -> Crystal:
    """Sheets of lead iodide with ethylammonium between them."""
    sheet: Atoms = [("Pb", np.zeros(3)), ("I", 3.15 * X), ("I", 3.15 * Y)]
    column = 3.15 * (X + Y)
    cation: Atoms = [("N", column + 3.6 * Z), ("C", column + 5.1 * Z), ("C", column + 6.6 * Z)]
    cation += [("H", cation[1][1] + 1.09 * X), ("H", cation[2][1] + 1.09 * X), ("H", cation[0][1] - 1.0 * Z)]
    return made((6.3, 6.3, 12.0), sheet + cation)


def ethylphosphonate_chain() -> Crystal:
    """Metal, oxygen and phosphorus in a chain; the organic groups hang on phosphorus."""
    hanging: Atoms = [("C", 3.45 * X + 1.8 * Y), ("C", 3.45 * X + 3.3 * Y), ("H", 4.5 * X + 1.8 * Y)]
    return chain(("O", 1.95), ("P", 1.5), ("O", 1.5), ("", 1.95), metal="Zn", beside=hanging)


def solvent_column() -> Crystal:
    """A channel along x with carbon smeared over places 1.4 angstrom apart, each half filled, on oxygen."""
    atoms: Atoms = [(e, 1.4 * k * X) for k, e in enumerate("COCO")]
    return made((5.6, 9.0, 9.0), atoms, dict.fromkeys(range(4), 0.5))


def terminal_complex() -> Crystal:
    """Copper with two pyridine ligands that end there."""
    return made((14.0, 9.0, 9.0), [("Cu", np.zeros(3)), *pyridine(2.0 * X, X, Y), *pyridine(-2.0 * X, -X, Y)])


def prussian_blue() -> Crystal:
    atoms: Atoms = [("Fe", np.zeros(3))]
    for axis in (X, Y, Z):
        atoms += [("C", 1.92 * axis), ("N", 3.07 * axis)]
    return made((5.08, 5.08, 5.08), atoms)


NO_POLYMERS: dict[str, Callable[[], Crystal]] = {
    "urea": urea,
    "benzene": lambda: made((7.5, 9.5, 7.0), benzene(np.zeros(3))),
    "ferrocene": ferrocene,
    "complex with ligands that end": terminal_complex,
    "hydrogen-bonded acid": hydrogen_bonded_acids,
    "zeolite": lambda: sodalite([]),
    "zeolite with an organic guest": lambda: sodalite(
        [(e, x * X) for e, x in (("O", -2.2), ("C", -0.77), ("C", 0.77), ("O", 2.2))]
        + [("H", s * 0.77 * X + 1.09 * Y) for s in (1, -1)]
    ),
    "layered iodide with organic cations": layers_and_ethylammonium,
    "chain that organic groups hang on": ethylphosphonate_chain,
    "sodium salt": lambda: linked("Na", "x"),
    "potassium succinate": lambda: dicarboxylate_chain(2, "K"),
    "metal oxalate": lambda: dicarboxylate_chain(0),
    "metal cyanide framework": prussian_blue,
    "metal thiocyanate": lambda: chain(("N", 1.95), ("C", 1.15), ("S", 1.65), ("", 2.4)),
    "smeared solvent in a channel": solvent_column,
    "ethylene": lambda: made(
        (6.0, 7.0, 7.0),
        [("C", 0 * X), ("C", 1.33 * X), ("H", -0.6 * X + 0.9 * Y), ("H", 1.93 * X + 0.9 * Y)],
    ),
}


@pytest.mark.parametrize("name", NO_POLYMERS)
def test_what_is_no_polymer_stays(name: str) -> None:
    assert find_polymer(NO_POLYMERS[name]()) is None


@pytest.mark.parametrize(
    "name",
    ["whewellite", "weddellite", "uric-acid", "halite", "quartz", "diamond", "graphite", "calcite",
     "vaterite", "zabuyelite", "dolomite", "titanium-carbide", "silicon-carbide-6h", "kaolinite", "struvite",
     "iron", "brushite"],
)  # fmt: skip
def test_phases_of_the_catalog_stay(name: str) -> None:
    assert polymer_fault(catalog_entry(name).crystal) == ""


def test_the_same_chain_is_a_polymer_or_not_by_what_links_it() -> None:
    """Only the linker differs: bipyridine is organic, oxalate and cyanide are small anions."""
    assert find_polymer(dicarboxylate_chain(0)) is None
    assert find_polymer(dicarboxylate_chain(1)) is not None


def test_smeared_carbon_that_is_full_would_be_a_polymer() -> None:
    half = solvent_column()
    full = replace(half, sites=tuple(replace(s, occupancy=1.0) for s in half.sites))
    assert find_polymer(full) is not None


@pytest.mark.parametrize("name", ["graphite", "calcite", "whewellite", "silicon-carbide-6h"])
def test_inorganic_carbon_is_not_organic(name: str) -> None:
    assert not organic_carbon(bond_graph(catalog_entry(name).crystal)).any()


def test_rotating_carbonate_is_still_carbonate() -> None:
    turns = [np.pi / 3 * k for k in range(6)]
    atoms: Atoms = [("C", np.zeros(3)), *(("O", 1.28 * (np.cos(t) * X + np.sin(t) * Y)) for t in turns)]
    spread = made((9.0, 9.0, 9.0), atoms, dict.fromkeys(range(1, 7), 0.5))
    assert not organic_carbon(bond_graph(spread)).any()


@pytest.mark.parametrize(
    "name",
    ["catena-Poly[[diaquacopper(II)]-μ-4,4'-bipyridine]", "poly[[(μ-benzene-1,4-dicarboxylato)zinc]]",
     "catena-(bis(μ~2~-4,4'-bipyridine)-nickel)", "Polyethylene", "poly(oxymethylene)", "MOF-5", "ZIF-8",
     "a coordination polymer of zinc", "Nylon 6"],
)  # fmt: skip
def test_names_of_polymers_count_where_there_is_organic_carbon(name: str) -> None:
    assert polymer_fault(urea()) == ""
    assert name in polymer_fault(terminal_complex(), (name,))
    assert polymer_fault(catalog_entry("whewellite").crystal, (name,)) == ""


@pytest.mark.parametrize(
    "name",
    ["Triberyllium dialuminium catena-silicate", "polyhalite", "polymorph II", "3R polytype",
     "tetrakis(pyridine)copper", "polybasite", "monopolymorphic", "polycyclic hydrocarbon",
     "ammonium polysulfide"],
)  # fmt: skip
def test_names_that_only_sound_like_polymers(name: str) -> None:
    assert polymer_fault(terminal_complex(), (name,)) == ""
