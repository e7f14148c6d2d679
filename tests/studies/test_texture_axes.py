"""Axes of textures."""

from __future__ import annotations

import pytest

from mixrd.analysis import Analysis, AnalysisWarning, PhaseResult, TextureResult
from mixrd.phases import load_phase
from texture_axes import axis_angle_deg, texture_cases, texture_summary


@pytest.mark.parametrize(
    ("name", "one", "other", "angle"),
    [
        ("rutile", (1, 0, 1), (0, 1, 1), 0.0),
        ("zincite", (1, 0, 0), (1, -1, 0), 0.0),
        ("barite", (0, 0, 1), (0, 0, -1), 0.0),
        ("rutile", (0, 0, 1), (1, 0, 0), 90.0),
        ("barite", (2, 1, 0), (0, 0, 1), 90.0),
        # The cleavage of calcite to its c axis: tan = 4 c* / a*, 44.6 degrees (any mineralogy).
        ("calcite", (1, 0, 4), (0, 0, 1), 44.6),
        # A threefold axis takes (104) to (0-14), not to (014).
        ("calcite", (1, 0, 4), (0, -1, 4), 0.0),
    ],
)
def test_angles(name: str, one: tuple, other: tuple, angle: float) -> None:
    assert axis_angle_deg(load_phase(name), one, other) == pytest.approx(angle, abs=0.1)


def test_equivalents_in_one_handedness_only() -> None:
    assert axis_angle_deg(load_phase("calcite"), (1, 0, 4), (0, 1, 4)) > 30


def test_what_was_found_of_each_textured_phase() -> None:
    crystals = [load_phase("rutile"), load_phase("halite"), load_phase("barite")]
    amounts = {"rutile": 40.0, "halite": 20.0, "barite": 40.0}

    def phase(name: str, percent: float, texture: TextureResult | None) -> PhaseResult:
        interval = (percent - 1, percent + 1)
        return PhaseResult(
            name, "X", percent, 0.6, None, percent, None, None, None, 1.0, interval, texture=texture
        )

    phases = (
        phase("rutile", 41.0, TextureResult((0, 1, 1), 0.66, 0.01)),
        phase("halite", 21.0, None),
        phase("barite", 38.0, TextureResult((0, 1, 0), 0.8, 0.01)),
    )
    warnings = (AnalysisWarning("TEXTURE", "?"),)
    result = Analysis("ok", "s", phases, None, None, None, None, {}, warnings, None, {})
    textures = {"rutile": ((1, 0, 1), 0.6), "barite": ((0, 0, 1), 0.8)}
    cases = texture_cases("s", result, crystals, amounts, textures)
    assert [case.phase for case in cases] == ["rutile", "barite"]
    assert [case.right_axis for case in cases] == [True, False]
    found = texture_summary(cases)
    assert (found["textured"], found["found"], found["axis_right"]) == (2, 2, 1)
    assert found["median_off_in_ln_r"] == pytest.approx(0.0953, abs=1e-3)
    assert found["mean_error_wt"] == pytest.approx(1.5)
    assert found["intervals_hold"] == pytest.approx(0.5)
