"""BGMN's structure files, parsed by their grammar: they must hold the crystal that was exported."""

from __future__ import annotations

import re

import pytest

from mixrd.export import Handover
from mixrd.export.formats.bgmn import bgmn_files
from mixrd.phases import load_phase


def test_structure_files_hold_the_crystal(given: Handover) -> None:
    core = pytest.importorskip("pymatgen.core", reason="pymatgen is not installed")
    files = bgmn_files(given)
    for phase in given.phases:
        text = files[f"{phase.file_stem}.str"]
        cell = dict(re.findall(r"\b(A|B|C|ALPHA|BETA|GAMMA)=([\d.]+|A)", text))
        values = [10 * float(cell[cell[k]] if cell[k] == "A" else cell[k]) for k in ("A", "B", "C")]
        lattice = core.Lattice.from_parameters(*values, *(float(cell[k]) for k in ("ALPHA", "BETA", "GAMMA")))
        atoms = re.findall(r"^E=([A-Z]+) Wyckoff=a x=(\S+) y=(\S+) z=(\S+) TDS=(\S+)$", text, re.MULTILINE)
        structure = core.Structure(
            lattice, [a[0].capitalize() for a in atoms], [[float(x) for x in a[1:4]] for a in atoms]
        )
        assert structure.density == pytest.approx(phase.crystal.density_g_cm3, rel=1e-4)
        assert len(structure) == len(phase.crystal.atoms.site)
        first = phase.crystal.sites[0]
        assert float(atoms[0][4]) == pytest.approx(first.u_iso * 78.9568 / 100, rel=1e-3)


def test_control_file_names_what_is_there(given: Handover) -> None:
    files = bgmn_files(given)
    control = files["mixture.sav"]
    assert set(re.findall(r"STRUC\[\d\]=(\S+)", control)) == {n for n in files if n.endswith(".str")}
    assert re.search(r"VAL\[1\]=mixture\.xy", control) and "mixture.xy" in files
    names = re.findall(r"^PHASE=(\S+)", "\n".join(files.values()), re.MULTILINE)
    assert f"sum={'+'.join(names)}" in control
    assert "LAMBDA=CU" in control


def test_shared_sites_keep_their_occupancies(given: Handover) -> None:
    import dataclasses

    fluorite = load_phase("fluorite")
    shared = dataclasses.replace(
        fluorite, sites=tuple(dataclasses.replace(s, occupancy=0.4) for s in fluorite.sites)
    )
    phase = dataclasses.replace(given.phases[1], crystal=shared)
    text = bgmn_files(dataclasses.replace(given, phases=(phase,)))[f"{phase.file_stem}.str"]
    assert "E=(CA(0.4000)) " in text
