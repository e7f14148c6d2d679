"""Lines that tell a structure: counted against powder data that everybody has, and by a law."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixrd.errors import CrystalError, UsageError
from mixrd.paper.pool import LEAST_SEPARATION, LineCriterion
from mixrd.paper.pool_draw import count_separate, distinct_lines, line_fault
from mixrd.phases import load_phase

WAVELENGTH, RANGE = 1.54184, (10.0, 50.0)
#: Indices of the lines of at least 1 % between 10 and 50 degrees at Cu K alpha, number of strain components,
#: and whether there are three lines more than those.
KNOWN = {
    "diamond": ("111", 1, False),
    "silicon": ("111 220", 1, False),
    # 200 has 0.2 % of the strongest.
    "fluorite": ("111 220", 1, False),
    "halite": ("111 200 220", 1, False),
    "zincite": ("100 002 101 102", 2, False),
    "rutile": ("110 101 200 111 210", 2, True),
    # 006 has half a per cent.
    "corundum": ("012 104 110 113 202", 2, True),
    "quartz": ("100 101 110 102 111 200 201", 2, True),
    "calcite": ("012 104 006 110 113 202 024 018 116", 2, True),
}


@pytest.mark.parametrize("name", KNOWN)
def test_lines_of_known_patterns(name: str) -> None:
    indices, components, enough = KNOWN[name]
    crystal = load_phase(name)
    lines = distinct_lines(crystal, WAVELENGTH, RANGE)
    assert lines == len(indices.split())
    fault = line_fault(crystal, lines, LineCriterion())
    assert (fault == "") == enough == (lines >= components + 3)


@pytest.mark.parametrize("name", ["anhydrite", "gypsum", "albite"])
def test_lines_of_low_symmetry_are_those_of_pymatgen(name: str) -> None:
    diffraction = pytest.importorskip("pymatgen.analysis.diffraction.xrd")
    core = pytest.importorskip("pymatgen.core")
    crystal = load_phase(name)
    sites = [crystal.sites[int(i)] for i in crystal.atoms.site]
    structure = core.Structure(
        core.Lattice(crystal.lattice), [{s.element: s.occupancy} for s in sites], crystal.atoms.fract
    )
    pattern = diffraction.XRDCalculator(WAVELENGTH).get_pattern(structure, two_theta_range=RANGE)
    d_spacing = [d for d, y in zip(pattern.d_hkls, pattern.y, strict=True) if y >= 1]
    separate: list[float] = []
    for d in sorted(d_spacing):
        if not separate or d / separate[-1] > 1.001:
            separate.append(d)
    assert distinct_lines(crystal, WAVELENGTH, RANGE) == len(separate) > 10


def test_displacement_does_not_count() -> None:
    crystal = load_phase("quartz")
    hot = replace(crystal, sites=tuple(replace(s, u_iso=0.2, u_aniso=None) for s in crystal.sites))
    assert distinct_lines(hot, WAVELENGTH, RANGE) == 7


def test_range_and_wavelength_count() -> None:
    silicon = load_phase("silicon")
    # h.h = (a/d)^2 up to 49.5: 3, 8, 11, 16, 19, 24, 27 (511 and 333), 32, 35, 40, 43, 48.
    assert distinct_lines(silicon, WAVELENGTH, (10.0, 175.0)) == 12
    # At Mo K alpha up to 41.7: the same without the last two.
    assert distinct_lines(silicon, 0.7107, RANGE) == 10
    assert distinct_lines(silicon, WAVELENGTH, (10.0, 20.0)) == 0
    assert line_fault(silicon, 0, LineCriterion(1)) == "0 distinct lines, fewer than 2 (1 + 1)"
    assert line_fault(silicon, 1, LineCriterion(1)) == "1 distinct line, fewer than 2 (1 + 1)"


def test_lines_of_an_element_without_form_factor() -> None:
    halite = load_phase("halite")
    unknown = replace(halite, sites=tuple(replace(s, element="Fm", u_aniso=None) for s in halite.sites))
    with pytest.raises(CrystalError, match="no form factor is known for Fm"):
        distinct_lines(unknown, WAVELENGTH, RANGE)


@given(st.lists(st.floats(1.0, 1.01), max_size=9))
def test_no_choice_of_separate_lines_is_larger(d_spacing: list[float]) -> None:
    def separate(some: tuple[float, ...]) -> bool:
        return all(max(a, b) > min(a, b) * (1 + LEAST_SEPARATION) for a, b in combinations(some, 2))

    sizes = range(len(d_spacing) + 1)
    best = max(k for k in sizes if any(separate(some) for some in combinations(d_spacing, k)))
    assert count_separate(np.array(d_spacing)) == best


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"spare_lines": 0}, "spare_lines = 0"),
        ({"two_theta_range": (50.0, 10.0)}, "two_theta_range = 50 to 10"),
        ({"two_theta_range": (10.0, float("nan"))}, "two_theta_range"),
        ({"wavelength_angstrom": 0.0}, "wavelength_angstrom = 0"),
    ],
)
def test_criteria_outside_their_range(changes, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        LineCriterion(**changes)
