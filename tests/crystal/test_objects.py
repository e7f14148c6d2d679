"""Crystals from pymatgen and ASE objects, against the catalog and the objects' own density and symmetry."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mixrd.crystal import Crystal
from mixrd.errors import CrystalError
from mixrd.export.formats.cif import phase_cif
from mixrd.export.handover import HandedPhase
from mixrd.phases import load_phase
from mixrd.phases.catalog import same_structure

pymatgen = pytest.importorskip("pymatgen.core", reason="pymatgen is not installed")
pytest.importorskip("spglib", reason="spglib is not installed")
NAMES = ("corundum", "fluorite", "zincite", "rutile", "gypsum", "albite", "calcite", "quartz")


def pymatgen_of(crystal: Crystal) -> Any:
    phase = HandedPhase(crystal.name, crystal.name, crystal, 100.0, None, None, 1.0, 0.0, 0.0, None, 1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pymatgen.Structure.from_str(phase_cif(phase), fmt="cif")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("primitive", [False, True])
def test_pymatgen_gives_the_catalog_s_phase(name: str, primitive: bool) -> None:
    known = load_phase(name)
    structure = pymatgen_of(known)
    if primitive:
        structure = structure.get_primitive_structure()
    found = Crystal.from_pymatgen(structure, name)
    assert found.density_g_cm3 == pytest.approx(known.density_g_cm3, rel=1e-3)
    assert found.formula == known.formula
    assert found.crystal_system == known.crystal_system
    # Per volume: the conventional cell of albite in C -1 holds two of its primitive ones.
    ours, theirs = (len(c.symmetry_operations) / c.volume for c in (found, known))
    assert ours == pytest.approx(theirs, rel=1e-3)
    assert same_structure(found, known)


def test_shared_sites_of_pymatgen() -> None:
    lattice = pymatgen.Lattice.cubic(3.6)
    structure = pymatgen.Structure.from_spacegroup("Fm-3m", lattice, [{"Cu": 0.7, "Ni": 0.3}], [[0, 0, 0]])
    found = Crystal.from_pymatgen(structure)
    assert found.cell_content == pytest.approx({"Cu": 2.8, "Ni": 1.2})
    assert found.crystal_system == "cubic"
    assert found.name == found.formula


def test_ase_bulk() -> None:
    build = pytest.importorskip("ase.build", reason="ase is not installed")
    found = Crystal.from_ase(build.bulk("NaCl", "rocksalt", a=5.64), "halite")
    assert same_structure(found, load_phase("halite"))
    assert found.name == "halite" and len(found.symmetry_operations) == 192


def test_ase_keeps_occupancies_of_a_cif(tmp_path: Path) -> None:
    spacegroup = pytest.importorskip("ase.spacegroup", reason="ase is not installed")
    atoms = spacegroup.crystal("Cu", [(0, 0, 0)], spacegroup=225, cellpar=[3.6] * 3 + [90] * 3)
    atoms.info["occupancy"] = {"0": {"Cu": 0.7, "Ni": 0.3}}
    assert Crystal.from_ase(atoms).cell_content == pytest.approx({"Cu": 2.8, "Ni": 1.2})


def test_what_is_no_structure() -> None:
    with pytest.raises(CrystalError, match="pymatgen"):
        Crystal.from_pymatgen(3)
    with pytest.raises(CrystalError, match="ASE"):
        Crystal.from_ase(3)


def test_molecules_are_refused() -> None:
    ase = pytest.importorskip("ase", reason="ase is not installed")
    with pytest.raises(CrystalError, match="periodic"):
        Crystal.from_ase(ase.Atoms("H2", [[0, 0, 0], [0, 0, 0.7]]))


def test_atoms_on_each_other_are_refused() -> None:
    lattice = pymatgen.Lattice.cubic(4.0)
    structure = pymatgen.Structure(lattice, ["Na", "Cl"], np.zeros((2, 3)))
    with pytest.raises(CrystalError):
        Crystal.from_pymatgen(structure)
