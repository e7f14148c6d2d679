"""Phases suggested for lines that are given exactly."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from mixrd.analysis.doubts.suggestion import Evidence, Suggestion, stick_pattern, suggest
from mixrd.crystal import Crystal
from mixrd.pattern import Instrument, load_instrument
from mixrd.phases import load_phase

GRID = np.arange(15.0, 90.0, 0.02)
WIDTH_DEG = 0.12


@pytest.fixture(scope="module")
def laboratory() -> Instrument:
    return load_instrument("lab-cu")


def lines_of(
    crystal: Crystal, instrument: Instrument, *, cell: float = 0.0, least: float = 0.02
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Angles (degrees) and intensities of a phase's lines, its cell longer by `cell`."""
    spacing, intensity = stick_pattern(crystal, instrument, (15.0, 90.0))
    strong = intensity >= least
    sine = instrument.radiation.wavelength_angstrom / 2 / (spacing[strong] * (1 + cell))
    angle = 2 * np.degrees(np.arcsin(np.minimum(sine, 1.0)))
    inside = (angle > GRID[0]) & (angle < GRID[-1])
    return angle[inside], intensity[strong][inside]


def evidence(
    parts: Sequence[tuple[NDArray[np.float64], NDArray[np.float64]]],
    *,
    hidden: tuple[float, float] = (0.0, 0.0),
    dropped: Sequence[float] = (),
) -> Evidence:
    """Lines of these angles and areas; within `hidden` (degrees) none would be seen."""
    area = np.zeros_like(GRID)
    for angle, intensity in parts:
        for at, height in zip(angle, intensity, strict=True):
            if all(abs(at - x) > 0.3 for x in dropped) and not hidden[0] <= at <= hidden[1]:
                area[np.abs(GRID - at).argmin()] += 1000 * height
    limit = np.full_like(GRID, 20.0)
    limit[(hidden[0] <= GRID) & (hidden[1] >= GRID)] = 1e6
    return Evidence(GRID, area, limit, np.full_like(GRID, WIDTH_DEG), np.flatnonzero(area))


@pytest.mark.parametrize("name", ["quartz", "calcite", "anatase", "gypsum", "hematite"])
@pytest.mark.parametrize("cell", [-0.004, 0.0, 0.004])
def test_the_phase_whose_lines_they_are_comes_first(laboratory: Instrument, name: str, cell: float) -> None:
    best = suggest(evidence([lines_of(load_phase(name), laboratory, cell=cell)]), laboratory, [])[0]
    assert best.name == name
    assert best.explained >= best.strongest - 1
    assert best.share > 0.6


def test_a_sentence(laboratory: Instrument) -> None:
    assert str(Suggestion("quartz", 5, 6, 0.8)) == "quartz would explain 5 of its 6 strongest visible lines"


def test_visible_lines_that_are_absent_count_against_a_phase(laboratory: Instrument) -> None:
    quartz = load_phase("quartz")
    angle, intensity = lines_of(quartz, laboratory)
    whole = suggest(evidence([(angle, intensity)]), laboratory, [])[0]
    third = float(angle[np.argsort(-intensity)[2]])
    without = suggest(evidence([(angle, intensity)], dropped=[third]), laboratory, [])
    kept = [s for s in without if s.name == "quartz"]
    assert whole.explained == whole.strongest
    assert kept and kept[0].explained < kept[0].strongest
    # Below a calculated line it could not be seen, and counts for nothing.
    hidden = suggest(evidence([(angle, intensity)], hidden=(third - 0.3, third + 0.3)), laboratory, [])[0]
    assert hidden.name == "quartz"
    assert hidden.explained == hidden.strongest


def test_the_strongest_line_alone_suggests_nothing(laboratory: Instrument) -> None:
    angle, intensity = lines_of(load_phase("quartz"), laboratory)
    top = intensity.argmax()
    assert suggest(evidence([(angle[[top]], intensity[[top]])]), laboratory, []) == ()
    assert suggest(evidence([]), laboratory, []) == ()


def test_scattered_lines_suggest_nothing_that_explains_them(laboratory: Instrument) -> None:
    rng = np.random.default_rng(0)
    for _ in range(10):
        parts = [(rng.uniform(16, 89, 6), rng.uniform(0.2, 1, 6))]
        assert all(s.share < 0.75 for s in suggest(evidence(parts), laboratory, []))


def test_candidates_are_not_suggested_under_any_name(laboratory: Instrument) -> None:
    quartz = load_phase("quartz")
    lines = evidence([lines_of(quartz, laboratory)])
    other = dataclasses.replace(quartz, name="my sand")
    for candidates in ([quartz], [other]):
        assert "quartz" not in [s.name for s in suggest(lines, laboratory, candidates)]


def test_two_phases_together(laboratory: Instrument) -> None:
    parts = [lines_of(load_phase(name), laboratory) for name in ("quartz", "halite")]
    found = suggest(evidence(parts), laboratory, [])
    assert {"quartz", "halite"} <= {s.name for s in found}


def test_the_patterns_of_the_catalog_are_calculated_once(laboratory: Instrument) -> None:
    lines = evidence([lines_of(load_phase("quartz"), laboratory)])
    suggest(lines, laboratory, [])
    calculated = stick_pattern.cache_info().misses
    suggest(lines, laboratory, [])
    assert stick_pattern.cache_info().misses == calculated
