"""What is said of a sample: grinding, the formula of the glass, what contradicts itself."""

from __future__ import annotations

import dataclasses
from typing import cast, get_args, get_type_hints

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from mixrd.analysis import GRINDINGS, Preparation, Refinement, analyze, external_constant_of
from mixrd.analysis.absorption import microabsorption_warnings
from mixrd.analysis.absorption_uncertainty import microabsorption_uncertainty
from mixrd.analysis.external_standard import ExternalConstant, formula_attenuation_cm2_g
from mixrd.analysis.grinding import LIKELY_SIZES
from mixrd.analysis.preparation import microabsorption
from mixrd.cli.sample_options import SampleOptions
from mixrd.crystal import Crystal, load_phase
from mixrd.diffraction import mass_attenuation_cm2_g, radiation
from mixrd.errors import InputError
from mixrd.mixture import brindley_factors
from mixrd.pattern import ForwardModel, Instrument, load_instrument
from mixrd.scan import Scan

CU = radiation("CuKa")
#: They absorb 30 and 227 cm2/g of Cu K alpha, and glass 35.
PHASES = [load_phase(name) for name in ("corundum", "hematite")]
CONSTANT = ExternalConstant(20_000.0, 0.0, CU.wavelength_angstrom)


@pytest.fixture(scope="module")
def instrument() -> Instrument:
    return dataclasses.replace(load_instrument("lab-cu"), two_theta_range=(22.0, 70.0), step=0.03)


def scan_of(
    crystals: list[Crystal],
    weights: NDArray[np.float64],
    instrument: Instrument,
    glass: str | None,
    seed: int,
) -> Scan:
    """A scan of phases of these absolute weights beside an amorphous rest, w_p K / (mu/rho) each."""
    two_theta = np.arange(22.0, 70.0, 0.03)
    model = ForwardModel(crystals, instrument, two_theta)
    mu = np.array([mass_attenuation_cm2_g(c, CU.wavelength_angstrom) for c in crystals])
    mean = weights @ mu
    if glass is not None:
        mean += (1 - weights.sum()) * formula_attenuation_cm2_g(glass, CU.wavelength_angstrom)
    signal = (torch.tensor(weights / mean) @ model.columns(model.reference())[0]).numpy()
    expected = 4e6 * signal + 100
    counts = np.random.default_rng(seed).poisson(expected).astype(float)
    return Scan(two_theta=two_theta, counts=counts)


class Fit:
    """Of a refinement what microabsorption asks for."""

    def __init__(self, weight_fractions: NDArray[np.float64]) -> None:
        self.weight_fractions = weight_fractions


def refined(weights: NDArray[np.float64]) -> Refinement:
    return cast("Refinement", Fit(weights))


def test_glass_is_closer_with_its_formula(instrument: Instrument) -> None:
    pure = scan_of(PHASES[:1], np.ones(1), instrument, None, 1)
    constant = external_constant_of(pure, PHASES[0], instrument)
    scan = scan_of(PHASES, np.array([0.25, 0.25]), instrument, "SiO2", 2)

    def amorphous(formula: str | None) -> tuple[float, float]:
        said = Preparation(external=constant, amorphous_formula=formula)
        found = analyze(scan, PHASES, instrument, preparation=said).absolute
        assert found is not None
        return found.amorphous_percent, found.amorphous_sigma_percent

    (plain, guessed), (known, sigma) = amorphous(None), amorphous("SiO2")
    assert abs(plain - 50) > 20
    assert abs(plain - 50) < 1.645 * guessed  # wrong, but not sure
    assert abs(known - 50) < 1.0 and sigma < 2.0


def test_a_sample_without_glass_is_no_less_sure(instrument: Instrument) -> None:
    pure = scan_of(PHASES[:1], np.ones(1), instrument, None, 1)
    constant = external_constant_of(pure, PHASES[0], instrument)
    scan = scan_of(PHASES, np.array([0.5, 0.5]), instrument, None, 3)
    found = analyze(scan, PHASES, instrument, preparation=Preparation(external=constant)).absolute
    assert found is not None
    assert abs(found.amorphous_percent) < 1.0 and found.amorphous_sigma_percent < 2.5


@pytest.mark.parametrize("names", [("corundum", "hematite"), ("quartz", "calcite"), ("corundum", "zincite")])
def test_grinding_is_part_of_the_uncertainty_alone(names: tuple[str, ...]) -> None:
    crystals = [load_phase(name) for name in names]
    fit = refined(np.array([0.6, 0.4]))
    sigmas = {
        grinding: np.sqrt(np.diag(microabsorption(crystals, fit, CU, None, grinding).covariance))
        for grinding in GRINDINGS
    }
    plain = microabsorption(crystals, fit, CU, None)
    assert all(np.all(microabsorption(crystals, fit, CU, None, g).factors == 1) for g in GRINDINGS)
    assert (sigmas["mccrone"] < np.sqrt(np.diag(plain.covariance))).all()
    assert (sigmas["mccrone"] < sigmas["by-hand"]).all()
    assert (sigmas["by-hand"] < sigmas["as-received"]).all()


@pytest.mark.parametrize("grinding", GRINDINGS)
def test_intervals_hold_particles_so_ground(grinding: str) -> None:
    """What is stated without correction lies within 1.645 deviations of the truth as often as it should."""
    likely, true = LIKELY_SIZES[grinding], np.array([0.6, 0.4])
    crystals = [load_phase(name) for name in ("corundum", "zincite")]
    random, inside = np.random.default_rng(4), []
    for _ in range(200):
        sizes = likely.median_um * np.exp(np.log(likely.spread) * random.standard_normal(2))
        masses = true * brindley_factors(crystals, true, CU, np.minimum(sizes, 60.0))
        apparent = masses / masses.sum()
        spread = microabsorption(crystals, refined(apparent), CU, None, grinding).covariance
        inside.append(abs(apparent[0] - true[0]) <= 1.645 * np.sqrt(spread[0, 0]))
    assert 0.8 <= np.mean(inside) <= 1.0


def test_the_warning_names_the_size_that_grinding_makes() -> None:
    (said,) = microabsorption_warnings(PHASES, [0.5, 0.5], CU, grinding="by-hand")
    assert "with particles of 10 um" in said.message
    (plain,) = microabsorption_warnings(PHASES, [0.5, 0.5], CU)
    assert "with particles of 3 um" in plain.message
    mild = [load_phase(name) for name in ("corundum", "fluorite")]
    assert microabsorption_warnings(mild, [0.5, 0.5], CU, grinding="mccrone") == []
    assert microabsorption_warnings(mild, [0.5, 0.5], CU, grinding="by-hand")


def test_second_moment_about_what_is_stated() -> None:
    found = microabsorption_uncertainty(PHASES, [0.5, 0.5], CU, 10.0, spread=2.0)
    expected = found.covariance + np.outer(found.mean_shift, found.mean_shift)
    assert found.about_apparent == pytest.approx(expected)
    assert found.about_apparent[0, 0] > found.covariance[0, 0]


def test_the_command_line_takes_the_same_words() -> None:
    option = get_type_hints(SampleOptions)["grinding"]
    (literal,) = (part for part in get_args(option) if part is not type(None))
    assert get_args(literal) == GRINDINGS == tuple(LIKELY_SIZES)


@pytest.mark.parametrize(
    ("said", "match"),
    [
        ({"grinding": "well"}, "by-hand, mccrone"),
        ({"grinding": "by-hand", "particle_size_um": 5.0}, "both a particle size and a grinding"),
        ({"amorphous_formula": "SiO2"}, "without an external standard"),
        ({"amorphous_formula": "sand", "external": CONSTANT}, "no chemical formula"),
        ({"amorphous_formula": " ", "external": CONSTANT}, "empty"),
    ],
)
def test_what_contradicts_itself(said: dict[str, object], match: str) -> None:
    with pytest.raises(InputError, match=match):
        Preparation(**said)
