"""Microabsorption of a result: warnings, and uncertainty from sizes that are not known."""

from __future__ import annotations

import csv
import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixrd.analysis.contents import absorption_uncertainty
from mixrd.analysis.contents.absorption import hand_ground_warnings, microabsorption_warnings
from mixrd.analysis.contents.absorption_uncertainty import (
    UNKNOWN_SIZE_UM,
    UNKNOWN_SPREAD,
    microabsorption_uncertainty,
    weights_of_sizes,
)
from mixrd.crystal import Crystal
from mixrd.diffraction import radiation
from mixrd.errors import CompositionError, ParameterError
from mixrd.mixture import brindley_factors, true_weights
from mixrd.phases import load_phase

CU = radiation("CuKa")
#: They absorb 12, 30 and 26 /mm of Cu K alpha: the round robin's mixture.
MILD = [load_phase(name) for name in ("corundum", "fluorite", "zincite")]
#: 12, 26 and 112 /mm.
STRONG = [load_phase(name) for name in ("corundum", "zincite", "hematite")]
AMOUNTS = st.lists(st.floats(0.02, 1.0), min_size=3, max_size=3)


def test_a_warning_says_which_way_and_how_much() -> None:
    (warning,) = microabsorption_warnings(STRONG, [0.5, 0.0, 0.5], CU)
    assert warning.code == "MICROABSORPTION"
    assert warning.phase == "hematite"
    # Particles one standard deviation coarser than is likely, 2.5 um.
    change = 100 * (true_weights(STRONG, [0.5, 0.0, 0.5], CU, UNKNOWN_SIZE_UM * UNKNOWN_SPREAD)[2] - 0.5)
    assert "with particles of 2.5 um" in warning.message
    assert f"about {change:.1f} wt% too low and corundum about {change:.1f} wt% too high" in warning.message
    assert "--particle-size" in warning.message


def test_the_bias_is_that_of_what_is_stated() -> None:
    apparent = np.array([0.5, 0.0, 0.5])
    size = UNKNOWN_SIZE_UM * UNKNOWN_SPREAD
    right = true_weights(STRONG, apparent, CU, size)
    (plain,) = microabsorption_warnings(STRONG, apparent, CU)
    moved = apparent + 0.2 * (right - apparent)
    (less,) = microabsorption_warnings(STRONG, apparent, CU, stated=moved)
    assert f"about {100 * (right - moved)[2]:.1f} wt% too low" in less.message
    assert less.message != plain.message
    assert microabsorption_warnings(STRONG, apparent, CU, stated=right) == []
    # Stated for coarse particles, it is the other phase that fine ones make too low.
    coarse = true_weights(STRONG, apparent, CU, 8.0)
    (other,) = microabsorption_warnings(STRONG, apparent, CU, stated=coarse)
    assert other.phase == "corundum"


def test_no_contrast_no_warning() -> None:
    assert microabsorption_warnings(MILD, [0.31, 0.35, 0.34], CU) == []
    assert microabsorption_warnings(MILD, [0.01, 0.95, 0.04], CU) == []
    assert microabsorption_warnings(STRONG[2:], [1.0], CU) == []
    # A trace, however much its own amount is off.
    assert microabsorption_warnings(STRONG, [0.999, 0.0, 0.001], CU) == []
    assert microabsorption_warnings(STRONG, [0.0, 0.0, 0.0], CU) == []


def test_with_a_size_only_coarse_powders_are_named() -> None:
    assert microabsorption_warnings(STRONG, [0.5, 0.0, 0.5], CU, 0.5) == []
    assert microabsorption_warnings(STRONG, [0.5, 0.0, 0.5], CU, [20.0, 20.0, 0.0]) != []
    (warning,) = microabsorption_warnings(STRONG, [0.5, 0.0, 0.5], CU, 5.0)
    assert (warning.code, warning.phase) == ("MICROABSORPTION", "hematite")
    assert "holds below 0.9 um" in warning.message


def test_a_harder_beam_helps() -> None:
    soft = microabsorption_uncertainty(STRONG, [0.5, 0.2, 0.3], CU)
    hard = microabsorption_uncertainty(STRONG, [0.5, 0.2, 0.3], radiation("AgKa"))
    assert (hard.covariance.diagonal() < 0.3 * soft.covariance.diagonal()).all()


@given(AMOUNTS, st.lists(st.one_of(st.just(0.0), st.floats(0.01, 8.0)), min_size=3, max_size=3))
def test_many_sizes_at_once_are_as_one_by_one(amounts: list[float], sizes: list[float]) -> None:
    apparent = np.array(amounts) / sum(amounts)
    found = weights_of_sizes(STRONG, apparent, CU, np.array([sizes, [0.0, 0.0, 0.0]]))
    assert found[0] == pytest.approx(true_weights(STRONG, apparent, CU, sizes), abs=1e-5)
    assert found[1] == pytest.approx(apparent, abs=1e-9)


@settings(max_examples=40)
@given(AMOUNTS, st.floats(1.0, 3.0), st.one_of(st.none(), st.floats(0.1, 100.0)))
def test_covariances_are_covariances_whatever_the_size(
    amounts: list[float], spread: float, size: float | None
) -> None:
    found = microabsorption_uncertainty(STRONG, amounts, CU, size, spread=spread)
    assert np.isfinite(found.covariance).all()
    assert found.covariance == pytest.approx(found.covariance.T)
    assert np.linalg.eigvalsh(found.covariance).min() > -1e-12
    assert found.covariance.sum(axis=0) == pytest.approx(0, abs=1e-12)
    assert found.weights.sum() == pytest.approx(1)
    assert found.mean_shift.sum() == pytest.approx(0, abs=1e-12)
    again = microabsorption_uncertainty(STRONG, amounts, CU, size, spread=spread)
    assert (again.covariance == found.covariance).all()


def test_against_many_random_sizes() -> None:
    weights = np.array([0.5, 0.2, 0.3])
    found = microabsorption_uncertainty(STRONG, weights, CU)
    rng = np.random.default_rng(3)
    sizes = 1.0 * np.exp(math.log(2.5) * rng.normal(size=(40_000, 3)))
    drawn = weights_of_sizes(STRONG, weights, CU, sizes)
    assert np.sqrt(found.covariance.diagonal()) == pytest.approx(drawn.std(axis=0), rel=0.05)
    assert found.mean_shift == pytest.approx(drawn.mean(axis=0) - weights, abs=3e-4)
    # Hematite is underestimated, and its amount uncertain by some percent.
    assert found.mean_shift[2] > 0.02
    assert 0.015 < np.sqrt(found.covariance[2, 2]) < 0.1


def test_a_size_that_is_known_corrects_and_leaves_less() -> None:
    truth = np.array([0.5, 0.2, 0.3])
    apparent = truth * brindley_factors(STRONG, truth, CU, UNKNOWN_SIZE_UM)
    known = microabsorption_uncertainty(STRONG, apparent, CU, UNKNOWN_SIZE_UM)
    unknown = microabsorption_uncertainty(STRONG, apparent, CU)
    assert known.weights == pytest.approx(truth, abs=1e-9)
    assert (known.covariance.diagonal() < 0.3 * unknown.covariance.diagonal()).all()
    exact = microabsorption_uncertainty(STRONG, apparent, CU, UNKNOWN_SIZE_UM, spread=1.0)
    assert exact.covariance == pytest.approx(0, abs=1e-12)
    assert exact.mean_shift == pytest.approx(truth - apparent / apparent.sum(), abs=1e-5)
    fine = microabsorption_uncertainty(STRONG, apparent, CU, 0.0)
    assert fine.covariance == pytest.approx(0, abs=1e-12)


def test_one_phase_and_absent_ones() -> None:
    assert microabsorption_uncertainty(STRONG[:1], [1.0], CU).covariance == pytest.approx(0, abs=1e-15)
    found = microabsorption_uncertainty(STRONG, [0.5, 0.0, 0.5], CU)
    assert found.covariance[1] == pytest.approx(0, abs=1e-15)
    pair = microabsorption_uncertainty([STRONG[0], STRONG[2]], [0.5, 0.5], CU)
    # Another dimension of the sequence: the same but for its accuracy.
    assert found.covariance[2, 2] == pytest.approx(pair.covariance[1, 1], rel=0.06)


def test_all_sizes_are_done_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Brindley's factors come from a table: as many sets of sizes as there are cost one solution."""
    calls: list[int] = []

    def counted(*arguments: object, **more: object) -> object:
        calls.append(len(arguments[3]))  # type: ignore[arg-type]
        return weights_of_sizes(*arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(absorption_uncertainty, "weights_of_sizes", counted)
    microabsorption_uncertainty(STRONG, [0.5, 0.2, 0.3], CU)
    assert calls == [512, 1]


def test_faults() -> None:
    with pytest.raises(ParameterError, match="spread"):
        microabsorption_uncertainty(STRONG, [1, 1, 1], CU, spread=0.5)
    with pytest.raises(ParameterError, match="particle_size_um of zincite"):
        microabsorption_uncertainty(STRONG, [1, 1, 1], CU, [1.0, -1.0, 1.0])
    with pytest.raises(CompositionError):
        microabsorption_uncertainty(STRONG, [0, 0, 0], CU)
    with pytest.raises(ParameterError, match="2 particle sizes"):
        microabsorption_warnings(STRONG, [1, 1, 1], CU, [1.0, 1.0])


@pytest.fixture(scope="module")
def oxides(data_dir: Path) -> dict[str, Crystal]:
    folder = data_dir / "measured" / "dara"
    with (folder / "phases.csv").open(encoding="utf-8", newline="") as file:
        return {
            row["name"]: dataclasses.replace(load_phase(str(folder / row["cif"])), name=row["name"])
            for row in csv.DictReader(file)
        }


@pytest.mark.parametrize(
    ("weights", "under"),
    [
        ({"indium oxide": 0.5, "rhodochrosite": 0.5}, "indium oxide"),
        ({"bunsenite": 0.6, "bismite": 0.4}, "bismite"),
        # 1.0 wt% at 2.5 um, a tenth of the baddeleyite: the interval holds that.
        ({"zabuyelite": 0.9, "baddeleyite": 0.1}, None),
        # 1.3 wt% are more than a quarter of so little.
        ({"bunsenite": 0.96, "bismite": 0.04}, "bismite"),
        ({"shcherbinaite": 0.3, "anatase": 0.7}, None),
    ],
)
def test_contrasts_of_real_mixtures(
    oxides: dict[str, Crystal], weights: dict[str, float], under: str | None
) -> None:
    crystals = [oxides[name] for name in weights]
    warnings = microabsorption_warnings(crystals, list(weights.values()), CU)
    assert [w.phase for w in warnings] == ([] if under is None else [under])


def test_a_powder_that_may_be_too_coarse_for_the_correction_is_doubted() -> None:
    """Brindley's factors are held for coarse particles in the answer, and not in what is doubted.

    Ten-micrometre particles of CeO2 in fluorite show a quarter of what there is.
    """
    crystals, beam = [load_phase("fluorite"), load_phase("cerianite")], CU
    apparent, stated = np.array([0.979, 0.021]), np.array([0.974, 0.026])
    (warning,) = hand_ground_warnings(crystals, apparent, beam, stated, np.array([0.023, 0.023]))
    assert (warning.code, warning.phase) == ("MICROABSORPTION", "cerianite")
    assert "too low" in warning.message
    # An interval that holds it needs no doubt, nor phases that absorb alike.
    assert hand_ground_warnings(crystals, apparent, beam, stated, np.array([0.1, 0.1])) == []
    alike = [load_phase("calcite"), load_phase("aragonite")]
    assert hand_ground_warnings(alike, apparent, beam, apparent, np.array([0.001, 0.001])) == []
