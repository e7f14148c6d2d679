"""Structure files, wrong in one way each."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from mixrd.crystal import Crystal, read_cif
from mixrd.errors import CrystalError, MixrdError
from mixrd.phases import load_phase
from wrong_premises import wrong_structures as wrong
from wrong_premises.wrong_structures import CifContent, Fault


def read_back(name: str, fault: Fault, folder: Path, *, bare: bool = True) -> tuple[Crystal, Crystal]:
    crystal = load_phase(name)
    content = CifContent.of(crystal)
    made = fault(content.bare() if bare else content, random.Random(1))
    return crystal, read_cif(made.write(folder))


@pytest.mark.parametrize("name", ["corundum", "gypsum", "zircon", "albite"])
def test_a_content_that_is_right_reads_back(name: str, tmp_path: Path) -> None:
    crystal, read = read_back(name, lambda content, chance: content, tmp_path, bare=False)
    assert read.name == name
    assert read.cell == pytest.approx(crystal.cell, rel=1e-5)
    assert len(read.symmetry_operations) == len(crystal.symmetry_operations)
    located = {e: n - dict(crystal.unlocated).get(e, 0) for e, n in crystal.cell_content.items()}
    assert read.cell_content == pytest.approx({e: n for e, n in located.items() if n > 0}, rel=1e-4)


def test_formula_units_and_density_are_those_of_the_true_crystal(tmp_path: Path) -> None:
    content = CifContent.of(load_phase("corundum"))
    text = wrong.occupancy_halved(content, random.Random(1)).write(tmp_path).read_text(encoding="utf-8")
    assert "'Al2 O3'" in text
    assert "_cell_formula_units_Z 6" in text.replace("  ", " ")
    assert "_chemical_formula_sum" not in content.bare().write(tmp_path).read_text(encoding="utf-8")


def test_atoms(tmp_path: Path) -> None:
    crystal, read = read_back("calcite", wrong.occupancy_halved, tmp_path)
    assert read.cell_content["Ca"] == pytest.approx(0.5 * crystal.cell_content["Ca"])
    _, read = read_back("calcite", wrong.atom_exchanged, tmp_path)
    assert "Ca" not in read.cell_content
    crystal, read = read_back("calcite", wrong.half_exchanged, tmp_path)
    assert read.cell_content["Ca"] == pytest.approx(0.6 * crystal.cell_content["Ca"])
    assert len(read.cell_content) == 4
    _, read = read_back("gypsum", wrong.hydrogen_missing, tmp_path)
    assert "H" not in read.cell_content
    crystal, read = read_back("gypsum", wrong.site_missing, tmp_path)
    assert len(read.sites) == len(crystal.sites) - 1
    assert "Ca" in read.cell_content


def test_displacements(tmp_path: Path) -> None:
    _, read = read_back("corundum", wrong.displacement(0.127), tmp_path)
    assert {site.u_iso for site in read.sites} == {0.127}
    crystal, read = read_back("corundum", wrong.b_as_u, tmp_path)
    assert read.sites[0].u_iso == pytest.approx(78.957 * crystal.sites[0].u_iso, rel=1e-3)


def test_cells(tmp_path: Path) -> None:
    crystal, read = read_back("barite", wrong.cell_scaled(1.015, 1.0, 0.985), tmp_path)
    assert read.cell[:3] == pytest.approx(
        [x * f for x, f in zip(crystal.cell[:3], (1.015, 1.0, 0.985), strict=True)], rel=1e-5
    )
    # Edges that the symmetry makes alike stay alike.
    _, read = read_back("zircon", wrong.cell_scaled(1.015, 1.0, 0.985), tmp_path)
    assert read.cell[0] == read.cell[1]
    _, read = read_back("halite", wrong.cell_scaled(1.015, 1.0, 0.985), tmp_path)
    assert read.cell[0] == read.cell[2]
    crystal, read = read_back("barite", wrong.edges_exchanged, tmp_path)
    assert read.cell[1] == pytest.approx(crystal.cell[2])


def test_places(tmp_path: Path) -> None:
    crystal, read = read_back("zircon", wrong.site_moved, tmp_path)
    off = [
        abs(a - b)
        for s, t in zip(crystal.sites, read.sites, strict=True)
        for a, b in zip(s.fract, t.fract, strict=True)
    ]
    assert sorted(off)[-1] == pytest.approx(0.04, abs=1e-5)
    assert sum(x > 1e-5 for x in off) == 1
    with pytest.raises(CrystalError, match="no coordinate is free"):
        wrong.site_moved(CifContent.of(load_phase("halite")), random.Random(1))


@pytest.mark.parametrize("fault", [wrong.origin_shifted, wrong.operations_missing, wrong.symmetry_missing])
def test_symmetry_is_another_or_refused(fault: Fault, tmp_path: Path) -> None:
    crystal = load_phase("corundum")
    path = fault(CifContent.of(crystal).bare(), random.Random(1)).write(tmp_path)
    try:
        read = read_cif(path)
    except MixrdError:
        return
    # What is read by the operations as they stand holds another number of atoms.
    same = sum(read.cell_content.values()) == pytest.approx(sum(crystal.cell_content.values()))
    assert not same or fault is wrong.operations_missing
