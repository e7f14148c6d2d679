from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixrd.errors import CompositionError
from mixrd.mixture import Composition
from mixrd.phases import load_phase

NAMES = ("corundum", "fluorite", "zincite")
CRYSTALS = [load_phase(name) for name in NAMES]
AMOUNTS = st.lists(st.floats(1e-6, 1e6), min_size=3, max_size=3)


def test_fractions_are_scaled_to_one() -> None:
    composition = Composition(("a", "b"), (30, 10))
    assert composition.fractions == pytest.approx((0.75, 0.25))
    assert composition.kind == "weight"


def test_equal_weights_of_corundum_and_fluorite_by_hand() -> None:
    phases = CRYSTALS[:2]
    equal = Composition(NAMES[:2], (50, 50))
    # Al2O3 101.961 g/mol, CaF2 78.075 g/mol
    moles = equal.to("mole", phases)
    assert moles.kind == "mole"
    assert moles.fractions[0] == pytest.approx((50 / 101.961) / (50 / 101.961 + 50 / 78.075), rel=1e-4)
    # X-ray densities of the two minerals: 3.987 and 3.181 g/cm3
    volume = equal.to("volume", phases)
    assert volume.fractions[0] == pytest.approx((1 / 3.987) / (1 / 3.987 + 1 / 3.181), rel=2e-3)


def test_equal_moles_are_not_equal_weights() -> None:
    weights = Composition(NAMES[:2], (1, 1), "mole").to("weight", CRYSTALS[:2])
    assert weights.fractions[0] == pytest.approx(101.961 / (101.961 + 78.075), rel=1e-4)


@given(AMOUNTS, st.permutations(["weight", "volume", "mole"]))
def test_round_trip_through_all_kinds(amounts: list[float], kinds: list[str]) -> None:
    start = Composition(NAMES, tuple(amounts), kinds[0])  # type: ignore[arg-type]
    there = start.to(kinds[1], CRYSTALS).to(kinds[2], CRYSTALS)  # type: ignore[arg-type]
    back = there.to(kinds[0], CRYSTALS)  # type: ignore[arg-type]
    assert back.kind == start.kind
    assert back.fractions == pytest.approx(start.fractions, rel=1e-9)
    assert sum(there.fractions) == pytest.approx(1)


@given(AMOUNTS)
def test_denser_phases_have_a_smaller_share_of_volume(amounts: list[float]) -> None:
    weight = Composition(NAMES, tuple(amounts))
    volume = weight.to("volume", CRYSTALS)
    ratios = [v / w for v, w in zip(volume.fractions, weight.fractions, strict=True)]
    by_density = sorted(range(3), key=lambda i: CRYSTALS[i].density_g_cm3)
    assert ratios[by_density[0]] > ratios[by_density[1]] > ratios[by_density[2]]


def test_an_absent_phase_stays_absent() -> None:
    composition = Composition(NAMES, (1, 0, 3)).to("mole", CRYSTALS)
    assert composition.fractions[1] == 0


@pytest.mark.parametrize("kinds", [("intensity", "weight"), ("weight", "intensity"), ("mole", "intensity")])
def test_intensity_fractions_are_not_converted(kinds: tuple[str, str]) -> None:
    composition = Composition(NAMES, (1, 1, 1), kinds[0])  # type: ignore[arg-type]
    with pytest.raises(CompositionError, match="intensity"):
        composition.to(kinds[1], CRYSTALS)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["weight", "volume"])
def test_crystals_in_another_order_are_refused(kind: str) -> None:
    with pytest.raises(CompositionError, match="not those"):
        Composition(NAMES, (1, 2, 3)).to(kind, CRYSTALS[::-1])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("names", "fractions", "kind"),
    [
        (("a", "b"), (1.0,), "weight"),
        ((), (), "weight"),
        (("a", "a"), (1.0, 2.0), "weight"),
        (("a", "b"), (1.0, -0.1), "weight"),
        (("a", "b"), (0.0, 0.0), "weight"),
        (("a", "b"), (1.0, math.nan), "weight"),
        (("a", "b"), (1.0, math.inf), "weight"),
        (("a", "b"), (1.0, 2.0), "molar"),
    ],
)
def test_compositions_that_cannot_be(names: tuple[str, ...], fractions: tuple[float, ...], kind: str) -> None:
    with pytest.raises(CompositionError) as raised:
        Composition(names, fractions, kind)  # type: ignore[arg-type]
    assert raised.value.remedy and raised.value.exit_code == 2
