"""Internal standards: what is absolute, what is left over, and how well it is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mixrd.analysis.contents.amorphous import (
    InternalStandard,
    internal_standard,
    negative_amorphous,
    parse_standard,
)
from mixrd.crystal import Crystal
from mixrd.errors import CompositionError, ParameterError, RefinementError
from mixrd.fit import refine
from mixrd.pattern import Instrument
from mixrd.phases import load_phase
from mixrd.scan import Scan

MakeScan = Callable[..., Scan]
NAMES = ("corundum", "fluorite", "halite")
AMOUNTS = st.lists(st.floats(0.05, 1.0), min_size=3, max_size=3)


def seen(amounts: list[float], share: float, weight: float, crystalline: float) -> NDArray[np.float64]:
    """Fractions of what is crystalline: a sample of fluorite, halite and `share` that is amorphous, corundum
    added as the standard."""
    sample = np.array(amounts[1:]) / sum(amounts[1:]) * (1 - share) * (1 - weight)
    lines = np.array([crystalline * weight, *sample])
    return lines / lines.sum()


def spread_of(fractions: NDArray[np.float64], relative: float = 0.01) -> NDArray[np.float64]:
    """Covariance of fractions whose masses are independent and known to a percent."""
    slope = np.eye(len(fractions)) - fractions[:, np.newaxis]
    return slope @ np.diag((relative * fractions) ** 2) @ slope.T


def test_a_standard_by_hand() -> None:
    # 20 wt% of standard appear as 25 % of the crystalline part: 80 wt% are crystalline.
    found = internal_standard(NAMES, [0.25, 0.45, 0.3], np.zeros((3, 3)), InternalStandard("corundum", 20))
    # The 36 and 24 wt% of the others are of 80 wt% of sample.
    assert found.names == ("fluorite", "halite")
    assert found.weight_percent == pytest.approx([45, 30])
    assert found.amorphous_percent == pytest.approx(25)
    assert negative_amorphous(found) == []


def test_a_standard_partly_amorphous() -> None:
    # Half of 20 wt% have lines; those are a quarter of all that has: 40 wt% in all.
    standard = InternalStandard("corundum", 20, crystallinity_percent=50)
    found = internal_standard(NAMES, [0.25, 0.45, 0.3], np.zeros((3, 3)), standard)
    assert found.weight_percent == pytest.approx([22.5, 15])
    # 60 wt% are amorphous, less the 10 that came with the standard, of the 80 that are sample.
    assert found.amorphous_percent == pytest.approx(62.5)


@given(AMOUNTS, st.floats(0.0, 0.95), st.floats(0.01, 0.9), st.floats(0.5, 1.0))
def test_contents_come_back(amounts: list[float], share: float, weight: float, crystalline: float) -> None:
    x = seen(amounts, share, weight, crystalline)
    standard = InternalStandard("corundum", 100 * weight, crystallinity_percent=100 * crystalline)
    found = internal_standard(NAMES, x, spread_of(x), standard)
    truth = 100 * (1 - share) * np.array(amounts[1:]) / sum(amounts[1:])
    assert found.weight_percent == pytest.approx(truth, abs=1e-9)
    assert found.amorphous_percent == pytest.approx(100 * share, abs=1e-9)
    assert negative_amorphous(found) == []
    assert found.covariance == pytest.approx(found.covariance.T)
    assert np.linalg.eigvalsh(found.covariance).min() > -1e-9


@given(AMOUNTS, st.permutations([0, 1, 2]), st.floats(0.1, 100))
def test_order_and_scale_of_fractions_do_not_matter(
    amounts: list[float], order: list[int], scale: float
) -> None:
    x = np.array(amounts) / sum(amounts)
    standard = InternalStandard("fluorite", 10, sigma_percent=0.1)
    one = internal_standard(NAMES, x, spread_of(x), standard)
    turned = [NAMES[i] for i in order]
    covariance = spread_of(x)[np.ix_(order, order)]
    two = internal_standard(turned, scale * x[order], scale**2 * covariance, standard)
    same = [one.names.index(name) for name in two.names]
    assert two.weight_percent == pytest.approx(one.weight_percent[same])
    assert two.covariance == pytest.approx(one.covariance[np.ix_(same, same)], abs=1e-12)
    assert two.amorphous_sigma_percent == pytest.approx(one.amorphous_sigma_percent)


def test_uncertainties_are_those_of_many_trials() -> None:
    rng = np.random.default_rng(1)
    x = seen([1, 2, 3], 0.3, 0.2, 0.9)
    standard = InternalStandard("corundum", 20, 0.2, 90, 1.0)
    found = internal_standard(NAMES, x, spread_of(x), standard)
    trials = []
    for _ in range(4000):
        drawn = x * (1 + 0.01 * rng.normal(size=3))
        one = InternalStandard("corundum", 20 + 0.2 * rng.normal(), crystallinity_percent=90 + rng.normal())
        trial = internal_standard(NAMES, drawn, np.zeros((3, 3)), one)
        trials.append([*trial.weight_percent, trial.amorphous_percent])
    expected = [*found.sigma_percent, found.amorphous_sigma_percent]
    assert np.std(trials, axis=0) == pytest.approx(expected, rel=0.05)
    assert found.amorphous_sigma_percent > 0.9


def test_more_than_there_is_gets_a_warning() -> None:
    x = np.array([0.18, 0.42, 0.4])
    found = internal_standard(NAMES, x, spread_of(x), InternalStandard("corundum", 20))
    (warning,) = negative_amorphous(found)
    assert (warning.code, warning.phase) == ("NEGATIVE_AMORPHOUS", None)
    assert "add up to 113.9 wt%" in warning.message
    # Within the uncertainty it is nothing.
    unsure = internal_standard(NAMES, x, spread_of(x, 0.2), InternalStandard("corundum", 20))
    assert negative_amorphous(unsure) == []


def test_a_standard_that_is_no_candidate_is_named() -> None:
    with pytest.raises(CompositionError, match="zincite is not among the phases corundum"):
        internal_standard(NAMES, [1, 1, 1], np.zeros((3, 3)), InternalStandard("zincite", 20))


@pytest.mark.parametrize("fraction", [0.0, 0.01])
def test_a_standard_that_was_not_found_cannot_scale(fraction: float) -> None:
    covariance = np.diag([1e-4, 1e-4, 1e-4])
    with pytest.raises(RefinementError, match="shows no corundum") as raised:
        internal_standard(NAMES, [fraction, 0.5, 0.5], covariance, InternalStandard("corundum", 20))
    assert "was measured" in raised.value.remedy


@pytest.mark.parametrize("percent", [-1.0, 0.0, 99.5, 250.0, float("nan")])
def test_absurd_percentages(percent: float) -> None:
    with pytest.raises(ParameterError, match="weight_percent of the internal standard corundum"):
        InternalStandard("corundum", percent)


@pytest.mark.parametrize(
    ("field", "value"), [("sigma_percent", 11), ("crystallinity_percent", 101), ("sigma_percent", -1)]
)
def test_absurd_uncertainties(field: str, value: float) -> None:
    with pytest.raises(ParameterError, match=field):
        InternalStandard("corundum", 20, **{field: value})


@pytest.mark.parametrize(
    ("fractions", "shape"), [([1, 2], (3, 3)), ([1, 1, 1], (2, 2)), ([0, 0, 0], (3, 3)), ([-1, 1, 1], (3, 3))]
)
def test_fractions_and_covariance_belong_together(fractions: list[float], shape: tuple[int, int]) -> None:
    with pytest.raises(CompositionError):
        internal_standard(NAMES, fractions, np.zeros(shape), InternalStandard("corundum", 20))


@pytest.mark.parametrize("text", ["corundum:20", " corundum : 20 % ", "corundum:2e1"])
def test_standards_in_words(text: str) -> None:
    assert parse_standard(text) == InternalStandard("corundum", 20.0)


def test_a_standard_may_be_a_file() -> None:
    assert parse_standard("C:/cifs/my.cif:12.5") == InternalStandard("C:/cifs/my.cif", 12.5)


@pytest.mark.parametrize("text", ["corundum", "20", ":20", "corundum:much", "corundum:"])
def test_words_that_are_no_standard(text: str) -> None:
    with pytest.raises(ParameterError, match="names no internal standard"):
        parse_standard(text)


def test_a_simulated_mixture_gives_its_amorphous_content_back(
    make_scan: MakeScan, crystals: list[Crystal], instrument: Instrument
) -> None:
    # 40 wt% of the sample have no lines; 15 wt% of corundum were added.
    phases = [*crystals, load_phase("corundum")]
    weights = (0.85 * 0.25, 0.85 * 0.35, 0.15)
    scan = make_scan(phases, weights, peak=50_000)
    sigma = np.sqrt(np.maximum(scan.counts, 1))
    refined = refine(phases, instrument, scan.two_theta, scan.counts[np.newaxis], sigma[np.newaxis])[0]
    content = internal_standard(
        [p.name for p in phases],
        refined.weight_fractions,
        refined.covariance,
        InternalStandard("corundum", 15),
    )
    assert abs(content.amorphous_percent - 40) < 4 * content.amorphous_sigma_percent < 4
    assert (np.abs(content.weight_percent - [25, 35]) < 4 * content.sigma_percent).all()
    assert negative_amorphous(content) == []
