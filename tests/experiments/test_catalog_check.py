"""Every phase of the catalog against its second determination, and the check itself against faults."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mixrd.crystal import Site
from mixrd.errors import CrystalError, PhaseNotFoundError
from mixrd.experiments.catalog_check import check_entry, powder_lines, structure_doubts
from mixrd.experiments.structure_faults import atoms_of_formula, distance_faults, formula_faults
from mixrd.phases import PublishedPattern, catalog_entry, catalog_names, load_phase

EVERYDAY_PHASES = (
    "corundum", "fluorite", "zincite", "quartz", "calcite", "dolomite", "aragonite", "vaterite",
    "magnesite", "rhodochrosite", "halite", "periclase", "brucite", "gibbsite", "goethite", "hematite",
    "magnetite", "rutile", "anatase", "brookite", "baddeleyite", "zircon", "spinel", "albite", "microcline",
    "kaolinite", "gypsum", "anhydrite", "bassanite", "portlandite", "pyrite", "silicon", "LaB6", "diamond",
    "graphite", "CuO", "NiO", "V2O5", "In2O3", "Bi2O3", "Li2CO3", "La(OH)3", "CeO2", "Y2O3", "whewellite",
    "weddellite", "struvite", "newberyite", "brushite", "monetite", "hydroxyapatite", "fluorapatite",
    "alpha-TCP", "beta-TCP", "octacalcium-phosphate", "uric-acid", "cystine", "TiN", "TiC",
    "alpha-titanium",
)  # fmt: skip

#: Everyday phases that are not in the catalog, and why.
MISSING_PHASES = {
    "monetite": "no published coordinates were found; its cell alone does not give intensities",
    "cystine": "one structure was found, of an unnamed publication, and nothing to compare it with",
}


@pytest.mark.parametrize("name", catalog_names())
def test_entry_agrees_with_its_second_determination(name: str) -> None:
    check = check_entry(catalog_entry(name))
    assert check.reasons == ()
    assert check.passed
    assert len(check.lines) >= 2


@pytest.mark.parametrize("name", EVERYDAY_PHASES)
def test_everyday_phase_is_there_or_listed_as_missing(name: str) -> None:
    try:
        load_phase(name)
    except PhaseNotFoundError:
        assert len(MISSING_PHASES[name]) > 10
    else:
        assert name not in MISSING_PHASES


def with_site(name: str, label: str, **change: object):
    entry = catalog_entry(name)
    sites = tuple(replace(s, **change) if s.label == label else s for s in entry.crystal.sites)
    return replace(entry, crystal=replace(entry.crystal, sites=sites))


def test_wrong_coordinate_is_found() -> None:
    """z(O) = 0.345 of old zincite structures."""
    check = check_entry(with_site("zincite", "O", fract=(1 / 3, 2 / 3, 0.30)))
    assert not check.passed
    assert any("line at d" in reason or "is 1." in reason for reason in check.reasons)


def test_wrong_element_is_found() -> None:
    check = check_entry(
        with_site("periclase", catalog_entry("periclase").crystal.sites[0].label, element="Ca")
    )
    reasons = " ".join(check.reasons)
    assert "density" in reasons
    assert "is not MgO" in reasons
    assert "I/Ic" in reasons


def test_wrong_cell_is_found() -> None:
    entry = catalog_entry("fluorite")
    a = 1.015 * entry.crystal.cell[0]
    wrong = replace(entry, crystal=replace(entry.crystal, cell=(a, a, a, 90.0, 90.0, 90.0)))
    reasons = " ".join(check_entry(wrong).reasons)
    assert "density" in reasons
    assert "absent in the second" in reasons


def test_published_pattern_as_second_determination() -> None:
    entry = catalog_entry("silicon")
    lines = ((3.1355, 100.0), (1.9201, 62.0), (1.6375, 35.0), (1.2459, 13.0), (1.1086, 17.0))
    second = PublishedPattern("published lines", 2.329, 4.7, lines)
    assert check_entry(replace(entry, second=second)).passed
    second = PublishedPattern("published lines", 2.6, 3.9, ((3.1355, 60.0), (1.6375, 100.0), (1.1086, 17.0)))
    reasons = " ".join(check_entry(replace(entry, second=second)).reasons)
    for part in ("density 2.3", "I/Ic 4.", "absent in the second", "60 % in the second, 100 % in the entry"):
        assert part in reasons


def test_of_a_textured_pattern_only_spacings_count() -> None:
    entry = catalog_entry("silicon")
    lines = ((3.1355, 5.0), (1.9201, 100.0), (1.6375, 50.0))
    second = PublishedPattern("published lines", 2.329, None, lines, textured=True)
    check = check_entry(replace(entry, second=second))
    assert check.passed
    assert all(line.intensity_second is None for line in check.lines)
    second = replace(second, lines=((3.1355, 100.0), (2.5, float("nan"))), textured=False)
    (reason,) = check_entry(replace(entry, second=second)).reasons
    assert "2.500 A of the second is absent" in reason


def test_of_a_cell_alone_spacings_and_density_count() -> None:
    entry = next(e for e in map(catalog_entry, catalog_names()) if e.second_kind == "cell")
    check = check_entry(entry)
    assert check.passed
    assert check.i_over_ic_second is None
    cell = tuple(1.02 * x for x in entry.second.cell[:3])
    wrong = replace(entry, second=replace(entry.second, cell=(*cell, *entry.second.cell[3:])))
    reasons = " ".join(check_entry(wrong).reasons)
    assert "density" in reasons
    assert "absent in the entry" in reasons


def test_lines_are_relative_and_sorted() -> None:
    lines, ratio = powder_lines(load_phase("corundum"))
    assert lines[0, 1] == 1.0
    assert (lines[:-1, 1] >= lines[1:, 1]).all()
    # Corundum's (116) and (113) are nearly equal; I/Ic refers to (113).
    assert ratio == pytest.approx(1.0, abs=0.06)


@pytest.mark.parametrize(
    ("formula", "atoms"),
    [
        ("Al2O3", {"Al": 2, "O": 3}),
        ("CaMg(CO3)2", {"Ca": 1, "Mg": 1, "C": 2, "O": 6}),
        ("Ca10(PO4)6(OH)2", {"Ca": 10, "P": 6, "O": 26, "H": 2}),
        ("CaSO4·0.5H2O", {"Ca": 1, "S": 1, "O": 4.5, "H": 1}),
        ("CaSO4*2H2O", {"Ca": 1, "S": 1, "O": 6, "H": 4}),
        ("NH4MgPO4·6H2O", {"N": 1, "H": 16, "Mg": 1, "P": 1, "O": 10}),
        ("Fe0.95O", {"Fe": 0.95, "O": 1}),
        ("K[Al2(OH)2]", {"K": 1, "Al": 2, "O": 2, "H": 2}),
    ],
)
def test_formula_is_counted(formula: str, atoms: dict[str, float]) -> None:
    assert atoms_of_formula(formula) == pytest.approx(atoms)


@pytest.mark.parametrize("text", ["Ca(OH", "Ca)2", "Qq2O", "ca", "Ca–O"])
def test_no_formula(text: str) -> None:
    with pytest.raises(CrystalError, match="is no chemical formula"):
        atoms_of_formula(text)


def test_formula_that_is_not_the_cells() -> None:
    assert formula_faults(load_phase("corundum"), "Al2O3") == []
    assert "in Al, O" in formula_faults(load_phase("corundum"), "AlO(OH)0")[0]


def test_hydrogen_must_be_there_if_only_in_number() -> None:
    brucite = load_phase("brucite")
    bare = replace(brucite, sites=tuple(s for s in brucite.sites if s.element not in ("H", "D")))
    assert formula_faults(brucite, "Mg(OH)2") == []
    assert "in H" in formula_faults(bare, "Mg(OH)2")[0]
    assert formula_faults(replace(bare, unlocated=(("H", 2.0),)), "Mg(OH)2") == []


def test_distances() -> None:
    salt = load_phase("halite")
    assert distance_faults(salt) == []
    crowded = replace(salt, sites=(*salt.sites, Site("X", "O", (0.05, 0.0, 0.0), 1.0, 0.01)))
    assert any("from" in fault for fault in distance_faults(crowded))
    # Two halves of one split atom may be near each other.
    split = [replace(salt.sites[0], occupancy=0.5), replace(salt.sites[0], label="Na2", occupancy=0.5)]
    assert distance_faults(replace(salt, sites=(*split, salt.sites[1]))) == []
    wide = replace(salt, cell=(9.0, 9.0, 9.0, 90.0, 90.0, 90.0))
    assert any("no neighbour" in fault for fault in distance_faults(wide))


@pytest.mark.parametrize("name", ["corundum", "fluorite", "gypsum"])
def test_good_structures_raise_no_doubt(name: str) -> None:
    crystal = load_phase(name)
    assert structure_doubts(crystal) == ()
    assert structure_doubts(crystal, second=crystal) == ()


def test_another_formula() -> None:
    assert "Al" in structure_doubts(load_phase("corundum"), formula="AlO3")[0]


def test_a_shrunken_cell() -> None:
    fluorite = load_phase("fluorite")
    small = replace(fluorite, cell=(3.2, 3.2, 3.2, 90.0, 90.0, 90.0))
    assert any(" A from " in doubt for doubt in structure_doubts(small))


def test_the_second_determination_counts() -> None:
    doubts = structure_doubts(load_phase("zincite"), second=load_phase("periclase"))
    assert any("density" in doubt for doubt in doubts)
