from __future__ import annotations

import warnings
from pathlib import Path

import gemmi
import numpy as np
import pytest

from mixrd.crystal import read_cif
from mixrd.export import Handover
from mixrd.export.formats.cif import cif_files, phase_cif, with_sigma


@pytest.fixture
def document(given: Handover) -> gemmi.cif.Document:
    return gemmi.cif.read_string(cif_files(given)["mixture.cif"])


def test_gemmi_reads_the_phases(document: gemmi.cif.Document, given: Handover) -> None:
    for block, phase in zip(list(document)[:-1], given.phases, strict=True):
        small = gemmi.make_small_structure_from_block(block)
        assert small.cell.parameters == pytest.approx(phase.crystal.cell, abs=1e-4)
        atoms = small.get_all_unit_cell_sites()
        assert len(atoms) == len(phase.crystal.atoms.site)


def test_pymatgen_reads_the_phases(given: Handover) -> None:
    core = pytest.importorskip("pymatgen.core", reason="pymatgen is not installed")
    for phase in given.phases:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            structure = core.Structure.from_str(phase_cif(phase), fmt="cif")
        assert structure.density == pytest.approx(phase.crystal.density_g_cm3, rel=1e-3)
        assert structure.lattice.a == pytest.approx(phase.crystal.cell[0], abs=1e-4)


def test_mixrd_reads_its_own(given: Handover, tmp_path: Path) -> None:
    for phase in given.phases:
        path = tmp_path / f"{phase.file_stem}.cif"
        path.write_text(phase_cif(phase), encoding="utf-8")
        again = read_cif(path)
        assert again.formula == phase.crystal.formula
        assert again.density_g_cm3 == pytest.approx(phase.crystal.density_g_cm3, rel=1e-4)
        assert [s.u_iso for s in again.sites] == pytest.approx(
            [s.u_iso for s in phase.crystal.sites], abs=1e-4
        )


def test_pattern_and_fractions(document: gemmi.cif.Document, given: Handover) -> None:
    pattern = document[-1]
    rows = pattern.find(["_pd_meas_2theta_scan", "_pd_meas_counts_total"])
    table = np.array([[float(cell) for cell in row] for row in rows])
    assert table[:, 1] == pytest.approx(given.counts)
    values = [gemmi.cif.as_number(v) for v in pattern.find_values("_pd_phase_mass_%")]
    assert values == pytest.approx([p.weight_percent for p in given.phases], abs=0.1)


def test_standard_uncertainties() -> None:
    assert with_sigma(4.75923, 0.00012) == "4.75923(12)"
    assert with_sigma(32.3, 1.4) == "32.3(14)"
    assert with_sigma(90.0, 0.0) == "90"
