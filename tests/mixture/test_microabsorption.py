"""Microabsorption of a mixture: Brindley's factors and their inverse."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixrd.crystal import Crystal
from mixrd.diffraction import radiation
from mixrd.errors import CompositionError, ParameterError
from mixrd.mixture import brindley_factors, mean_attenuation_per_mm, powder_classes, true_weights
from mixrd.phases import load_phase

CU = radiation("CuKa")
#: They absorb 12, 26 and 112 /mm of Cu K alpha.
PHASES = [load_phase(name) for name in ("corundum", "zincite", "hematite")]


def by_hand(u: float) -> float:
    """Brindley's integral over a sphere in closed form."""
    return 3 * (2 - math.exp(-u) * (u * u + 2 * u + 2)) / u**3


def test_factors_of_two_phases_by_hand() -> None:
    # f'' at Cu K alpha (International Tables C, table 4.2.6.8) and densities in g/cm3. In mm2 for an atom:
    # 2 r_e lambda f''; N_A / M molecules in a gram.
    def attenuation(f2: float, mass: float, density: float) -> float:
        return 2 * 2.8179e-12 * 1.5406e-7 * f2 * 6.02214e23 / mass * density / 1e3

    corundum = attenuation(2 * 0.246 + 3 * 0.0322, 101.96, 3.99)
    zincite = attenuation(0.678 + 0.0322, 81.38, 5.68)
    volumes = np.array([0.5 / 3.99, 0.5 / 5.68])
    mean = (volumes * [corundum, zincite]).sum() / volumes.sum()
    expected = [by_hand((mu - mean) * 0.01) for mu in (corundum, zincite)]
    found = brindley_factors(PHASES[:2], [0.5, 0.5], CU, 10.0)
    assert found == pytest.approx(expected, abs=0.001)
    assert found[0] > 1.03 and found[1] < 0.95
    assert mean_attenuation_per_mm(PHASES[:2], [1, 1], CU) == pytest.approx(mean, rel=0.01)


def test_one_phase_alone_and_fine_powders_are_not_changed() -> None:
    assert brindley_factors(PHASES[:1], [1.0], CU, 100.0) == pytest.approx([1.0], abs=1e-12)
    assert brindley_factors(PHASES, [1, 1, 1], CU, 0.0) == pytest.approx([1, 1, 1])
    assert brindley_factors(PHASES, [1, 1, 1], CU, 0.001) == pytest.approx([1, 1, 1], abs=1e-3)


def test_a_size_of_one_phase_changes_that_phase_alone() -> None:
    factors = brindley_factors(PHASES, [1, 1, 1], CU, [5.0, 0.0, 0.0])
    assert factors[0] > 1.1
    assert factors[1:] == pytest.approx([1, 1])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(0.01, 1.0), min_size=3, max_size=3),
    st.lists(st.one_of(st.just(0.0), st.floats(0.01, 30.0)), min_size=3, max_size=3),
)
def test_true_weights_undo_the_factors(amounts: list[float], sizes: list[float]) -> None:
    weights = np.array(amounts) / sum(amounts)
    apparent = weights * brindley_factors(PHASES, weights, CU, sizes)
    assert true_weights(PHASES, apparent, CU, sizes) == pytest.approx(weights, abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0.01, 1.0), min_size=3, max_size=3), st.floats(0.01, 30.0))
def test_factors_undo_the_true_weights(amounts: list[float], size: float) -> None:
    apparent = np.array(amounts) / sum(amounts)
    found = true_weights(PHASES, apparent, CU, size)
    assert found.sum() == pytest.approx(1.0)
    again = found * brindley_factors(PHASES, found, CU, size)
    assert again / again.sum() == pytest.approx(apparent, abs=1e-9)
    # The strongest absorber is more than it appears to be.
    assert found[2] >= apparent[2] - 1e-12


def test_absent_phases_stay_absent() -> None:
    found = true_weights(PHASES, [0.4, 0.6, 0.0], CU, 2.0)
    assert found[2] == 0
    assert found[:2] == pytest.approx(true_weights(PHASES[:2], [0.4, 0.6], CU, 2.0), abs=1e-9)


def test_classes_by_attenuation_times_size() -> None:
    assert powder_classes(PHASES, CU, 0.5) == ("fine", "medium", "medium")
    assert powder_classes(PHASES, CU, [0.0, 10.0, 100.0]) == ("fine", "coarse", "very coarse")


@pytest.mark.parametrize("size", [-1.0, 1e-4, 1e5, float("nan")])
def test_a_size_out_of_range_names_the_phase(size: float) -> None:
    for call in (brindley_factors, true_weights):
        with pytest.raises(ParameterError, match="particle_size_um of zincite") as raised:
            call(PHASES, [1, 1, 1], CU, [1.0, size, 1.0])
        assert "um" in raised.value.remedy


def test_a_contrast_beyond_the_formula_names_the_phase() -> None:
    with pytest.raises(ParameterError, match="hematite"):
        brindley_factors(PHASES, [1, 1, 1], CU, [0.0, 0.0, 1000.0])


def test_as_many_sizes_as_phases() -> None:
    with pytest.raises(ParameterError, match="2 particle sizes are given for 3 phases"):
        brindley_factors(PHASES, [1, 1, 1], CU, [1.0, 1.0])


def test_weights_are_checked(crystals: list[Crystal]) -> None:
    with pytest.raises(CompositionError):
        brindley_factors(crystals, [1.0, -1.0], CU, 1.0)
