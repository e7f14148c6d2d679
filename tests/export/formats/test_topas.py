"""TOPAS input as rietx' reader, written from TOPAS' reference, understands it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from rietx.io.projects import read_topas_inp, topas

from mixrd.export import Handover
from mixrd.export.formats.topas import topas_files


@pytest.fixture
def path(given: Handover, tmp_path: Path) -> Path:
    for name, text in topas_files(given).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path / "mixture.inp"


def test_read_back(path: Path, given: Handover) -> None:
    stated = read_topas_inp(path)
    assert [line.wavelength for line in stated.emission_lines] == pytest.approx([1.5405929, 1.5444274])
    assert [line.area for line in stated.emission_lines] == pytest.approx([1, 0.5])
    assert stated.lp_factor == pytest.approx(26.6, abs=1e-3)
    assert stated.data_files == ["mixture.xye"] and stated.background_refined
    assert stated.coverage.refused == ()
    structure = topas.to_structure(stated, aniso=True)
    for phase, handed in zip(structure.phases, given.phases, strict=True):
        assert phase.cell.a.value == pytest.approx(handed.crystal.cell[0], abs=1e-6) and phase.cell.a.vary
        assert phase.scale.vary
        assert [atom.occ.value for atom in phase.atoms] == [1.0] * len(handed.crystal.sites)
    assert structure.phases[0].space_group == "R -3 c:H"
    assert not structure.phases[0].cell.gamma.vary


def test_scales_are_topas_scales(path: Path, given: Handover) -> None:
    """Weight goes with scale, mass and volume of the cell; the polarization factor is divided by P."""
    structure = topas.to_structure(read_topas_inp(path), aniso=True, scale="rietx")
    for phase, handed in zip(structure.phases, given.phases, strict=True):
        assert phase.scale.value == pytest.approx(handed.rietveld_scale * given.first_line_weight, rel=1e-6)


def test_roughness_and_texture_are_said(rough_and_textured: Handover) -> None:
    text = topas_files(rough_and_textured)["mixture.inp"]
    assert re.search(r"PO\(@, 0\.80000, , 0 0 1\)", text)
    assert text.count("scale_pks") == 2
    assert "Finger_et_al" in text or rough_and_textured.instrument.profile.sh_l == 0


def test_braces_and_brackets_match(rough_and_textured: Handover) -> None:
    text = topas_files(rough_and_textured)["mixture.inp"]
    assert text.count("(") == text.count(")")
    lines = [line.split("'")[0] for line in text.splitlines()]
    equations = [line for line in lines if " = " in line]
    assert all(";" in line for line in equations)
