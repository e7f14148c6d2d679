from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from rietx.io.projects import fullprof, read_fullprof_pcr

from mixrd.export import Handover
from mixrd.export.formats.fullprof import fullprof_files
from mixrd.phases import load_phase


def written(given: Handover, folder: Path) -> Path:
    for name, text in fullprof_files(given).items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder / "mixture.pcr"


def test_read_back(given: Handover, tmp_path: Path) -> None:
    stated = read_fullprof_pcr(written(given, tmp_path))
    assert (stated.lambda1, stated.lambda2) == pytest.approx((1.540593, 1.544427))
    assert stated.fitted_range is not None
    assert stated.fitted_range[:2] == pytest.approx(given.limits, abs=1e-4)
    # Every codeword is a parameter of its own, and the header counts them.
    assert stated.parameter_numbers == frozenset(range(1, stated.refined_parameter_count + 1))
    structure = fullprof.to_structure(stated)
    for phase, handed in zip(structure.phases, given.phases, strict=True):
        assert phase.cell.c.value == pytest.approx(handed.crystal.cell[2], abs=1e-6)
        assert all(atom.occ.value == 1.0 for atom in phase.atoms)
    masses = [
        phase.scale.value * handed.crystal.mass_per_cell * handed.crystal.volume
        for phase, handed in zip(structure.phases, given.phases, strict=True)
    ]
    assert masses[0] / sum(masses) == pytest.approx(given.phases[0].apparent_percent / 100, abs=1e-4)


def test_lorentzian_letters_are_swapped(given: Handover, tmp_path: Path) -> None:
    profile = read_fullprof_pcr(written(given, tmp_path)).phases[0].profile
    size = given.phases[0].size_width_deg(given.wavelength)
    assert profile["y"].value == pytest.approx(given.instrument.profile.x + size, abs=1e-6)
    assert profile["x"].value == pytest.approx(
        given.instrument.profile.y + given.phases[0].strain_width_deg, abs=1e-6
    )


def test_tied_edges_have_one_codeword(given: Handover, tmp_path: Path) -> None:
    corundum, fluorite = read_fullprof_pcr(written(given, tmp_path)).phases
    assert corundum.cell["a"].codeword == corundum.cell["b"].codeword != corundum.cell["c"].codeword
    assert len({fluorite.cell[key].codeword for key in "abc"}) == 1


def test_data_are_those_of_the_scan(given: Handover) -> None:
    text = fullprof_files(given)["mixture.dat"]
    assert text.startswith("XYDATA\n")
    rows = np.loadtxt(text.splitlines()[6:])
    assert rows[:, 1] == pytest.approx(given.counts)


def test_shared_sites_keep_their_occupancies(given: Handover) -> None:
    """Occupancy times multiplicity over the general one: 0.4 on a 4-fold site of 192."""
    fluorite = load_phase("fluorite")
    shared = dataclasses.replace(
        fluorite, sites=tuple(dataclasses.replace(s, occupancy=0.4) for s in fluorite.sites)
    )
    phase = dataclasses.replace(given.phases[1], crystal=shared)
    text = fullprof_files(dataclasses.replace(given, phases=(phase,)))["mixture.pcr"]
    line = next(line for line in text.splitlines() if line.startswith("Ca "))
    assert float(line.split()[6]) == pytest.approx(0.4 * 4 / 192, abs=1e-6)


def test_texture_takes_the_march_function(rough_and_textured: Handover) -> None:
    lines = fullprof_files(rough_and_textured)["mixture.pcr"].splitlines()
    control = lines[lines.index(next(x for x in lines if x.startswith("!Job"))) + 1].split()
    assert control[6] == "1"
    starts = [i for i, line in enumerate(lines) if line.startswith("!  Pref1")]
    assert [float(lines[i + 1].split()[0]) for i in starts] == [0.8, 1.0]
