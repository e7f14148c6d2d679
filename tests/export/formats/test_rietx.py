"""rietx takes its documents and, refining, comes back to our fractions."""

from __future__ import annotations

from pathlib import Path

import pytest
import rietx

from mixrd.export import Handover
from mixrd.export.formats.rietx import rietx_files


def test_documents_are_read_back(rough_and_textured: Handover) -> None:
    files = rietx_files(rough_and_textured)
    structure = rietx.Structure.model_validate_json(files["mixture.structure.json"])
    instrument = rietx.Instrument.model_validate_json(files["mixture.instrument.json"])
    first = structure.phases[0]
    assert first.preferred_orientation is not None and first.preferred_orientation.axis == (0, 0, 1)
    assert instrument.geometry.surface_roughness is not None
    assert instrument.geometry.surface_roughness.a.value == pytest.approx(0.8)
    half = rough_and_textured.instrument.profile.sh_l / 2
    assert instrument.geometry.axial_sl.value == pytest.approx(half)


@pytest.mark.slow
def test_refined_fractions_agree(given: Handover, tmp_path: Path) -> None:
    files = rietx_files(given)
    structure = rietx.Structure.model_validate_json(files["mixture.structure.json"])
    instrument = rietx.Instrument.model_validate_json(files["mixture.instrument.json"])
    data = tmp_path / "mixture.xye"
    data.write_text(files["mixture.xye"], encoding="utf-8")
    result = rietx.Refinement(structure, instrument, history=False).fit(
        rietx.read_pattern(data), telemetry=False
    )
    found = {phase.name: 100 * phase.weight_fraction for phase in result.qpa.phases}
    assert found == pytest.approx({p.name: p.apparent_percent for p in given.phases}, abs=1.0)
