"""What is written for GSAS-II; that GSAS-II runs it is measured by studies/exports.py."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import gemmi
import numpy as np
import pytest
import rietx

from mixrd.export import Handover
from mixrd.export.formats.gsas2 import gsas2_files


def settings_of(script: str) -> dict[str, Any]:
    for node in ast.parse(script).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == "SETTINGS":  # type: ignore[attr-defined]
            return dict(ast.literal_eval(node.value))
    raise AssertionError("no settings")


def test_instrument_is_read_back_in_degrees(given: Handover, tmp_path: Path) -> None:
    path = tmp_path / "a.instprm"
    # rietx wants the radius there; to GSAS-II it belongs to the sample, where the script puts it.
    text = gsas2_files(given)["mixture.instprm"] + "Gonio. radius:200.0\n"
    path.write_text(text, encoding="utf-8")
    found, ours = rietx.read_gsas2_instprm(path), given.instrument.profile
    for name in ("u", "v", "w", "x", "y"):
        assert getattr(found.profile, name).value == pytest.approx(getattr(ours, name), rel=1e-6, abs=1e-9)
    assert [line.wavelength.value for line in found.source.lines] == pytest.approx([1.5405929, 1.5444274])
    assert found.source.polarization.value == pytest.approx(given.perpendicular)
    assert found.zero_shift.value == pytest.approx(given.zero_deg)


def test_fractions_and_masses_give_the_weights(given: Handover) -> None:
    phases = settings_of(gsas2_files(given)["mixture_gsas2.py"])["phases"]
    masses = [p["fraction"] * h.crystal.mass_per_cell for p, h in zip(phases, given.phases, strict=True)]
    assert 100 * masses[0] / sum(masses) == pytest.approx(given.phases[0].apparent_percent, abs=1e-3)


def test_sizes_strains_and_texture(rough_and_textured: Handover) -> None:
    settings = settings_of(gsas2_files(rough_and_textured)["mixture_gsas2.py"])
    first, second = settings["phases"]
    # K = 1 there, 0.9 here; micrometres there, nanometres here.
    assert first["size_um"] == pytest.approx(rough_and_textured.phases[0].size_nm / 900, rel=1e-6)
    assert first["texture"] == [0.8, 0, 0, 1] and first["textured"] and not second["textured"]
    assert settings["roughness"] == pytest.approx([0.8, 0.5])
    assert settings["displacement_um"] == pytest.approx(1000 * rough_and_textured.displacement_mm)


def test_background_is_a_power_series(given: Handover) -> None:
    powers = settings_of(gsas2_files(given)["mixture_gsas2.py"])["background"]
    x = np.linspace(-1, 1, 50)
    chebyshev = np.polynomial.chebyshev.chebval(x, given.chebyshev())
    assert np.polynomial.polynomial.polyval(x, powers) == pytest.approx(chebyshev, rel=1e-6)


def test_each_phase_has_its_cif(given: Handover) -> None:
    files = gsas2_files(given)
    for phase in given.phases:
        small = gemmi.make_small_structure_from_block(
            gemmi.cif.read_string(files[f"{phase.file_stem}.cif"]).sole_block()
        )
        assert small.cell.a == pytest.approx(phase.crystal.cell[0], abs=1e-5)
