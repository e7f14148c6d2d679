"""What is said of a sample: grinding, the formula of the glass, what contradicts itself."""

from __future__ import annotations

import dataclasses
from typing import cast, get_args, get_type_hints

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from mixrd.analysis import GRINDINGS, Preparation, analyze, external_constant_of
from mixrd.analysis.contents.absorption import microabsorption_warnings
from mixrd.analysis.contents.absorption_uncertainty import UNKNOWN_SIZE_UM, UNKNOWN_SPREAD, weights_of_sizes
from mixrd.analysis.contents.external_standard import ExternalConstant, formula_attenuation_cm2_g
from mixrd.analysis.contents.grinding import LIKELY_SIZES, LikelySizes
from mixrd.analysis.inputs.preparation import Microabsorption, microabsorption
from mixrd.cli.preparation_options import PreparationOptions
from mixrd.crystal import Crystal
from mixrd.diffraction import mass_attenuation_cm2_g, radiation
from mixrd.errors import InputError
from mixrd.fit import Refinement
from mixrd.mixture import brindley_factors
from mixrd.pattern import ForwardModel, Instrument, load_instrument
from mixrd.phases import load_phase
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
        said = Preparation(external=constant, amorphous_formula=formula, particle_size_um=0.0)
        found = analyze(scan, PHASES, instrument, preparation=said).absolute
        assert found is not None
        return found.amorphous_percent, found.amorphous_sigma_percent

    (plain, guessed), (known, sigma) = amorphous(None), amorphous("SiO2")
    assert abs(plain - 50) > 20
    assert abs(plain - 50) < 1.645 * guessed  # wrong, but not sure
    assert abs(known - 50) < 1.0 and sigma < 2.0


def test_sizes_that_are_not_known_make_the_amorphous_part_unsure(instrument: Instrument) -> None:
    """Of a powder too fine to matter the likely sizes move what is stated: within its error."""
    pure = scan_of(PHASES[:1], np.ones(1), instrument, None, 1)
    constant = external_constant_of(pure, PHASES[0], instrument)
    scan = scan_of(PHASES, np.array([0.25, 0.25]), instrument, "SiO2", 2)

    def amorphous(size: float | None) -> tuple[float, float]:
        said = Preparation(external=constant, amorphous_formula="SiO2", particle_size_um=size)
        found = analyze(scan, PHASES, instrument, preparation=said).absolute
        assert found is not None
        return found.amorphous_percent, found.amorphous_sigma_percent

    (fine, sure), (stated, unsure) = amorphous(0.0), amorphous(None)
    assert abs(stated - fine) > 2
    assert abs(stated - 50) < 1.645 * unsure
    assert unsure > 1.5 * sure


def test_a_sample_without_glass_is_no_less_sure(instrument: Instrument) -> None:
    pure = scan_of(PHASES[:1], np.ones(1), instrument, None, 1)
    constant = external_constant_of(pure, PHASES[0], instrument)
    scan = scan_of(PHASES, np.array([0.5, 0.5]), instrument, None, 3)
    fine = Preparation(external=constant, particle_size_um=0.0)
    found = analyze(scan, PHASES, instrument, preparation=fine).absolute
    assert found is not None
    assert abs(found.amorphous_percent) < 1.0 and found.amorphous_sigma_percent < 2.5


@pytest.mark.parametrize("names", [("corundum", "hematite"), ("quartz", "calcite"), ("corundum", "zincite")])
def test_amounts_are_the_mean_over_sizes_that_grinding_makes(names: tuple[str, ...]) -> None:
    crystals = [load_phase(name) for name in names]
    apparent = np.array([0.6, 0.4])
    fit = refined(apparent)
    found: dict[str, Microabsorption] = {
        grinding: microabsorption(crystals, fit, CU, None, grinding) for grinding in GRINDINGS
    }
    found["nothing"] = microabsorption(crystals, fit, CU, None)
    likely = {**LIKELY_SIZES, "nothing": LikelySizes(UNKNOWN_SIZE_UM, UNKNOWN_SPREAD)}
    random = np.random.default_rng(6)
    for grinding, one in found.items():
        median, spread = likely[grinding].median_um, likely[grinding].spread
        sizes = median * np.exp(np.log(spread) * random.standard_normal((20_000, 2)))
        mean = weights_of_sizes(crystals, apparent, CU, sizes).mean(axis=0)
        assert apparent * one.factors == pytest.approx(mean, abs=2e-3)
    # The second absorbs more, and is more than it appears to be, the more the coarser the particles.
    shifts = [(apparent * found[name].factors)[1] for name in ("nothing", "mccrone", "by-hand")]
    assert 0.4 < shifts[0] < shifts[1] < shifts[2]
    sigmas = [np.sqrt(np.diag(found[name].covariance)) for name in GRINDINGS]
    assert [GRINDINGS[n] for n in np.argsort([s[0] for s in sigmas])] == ["mccrone", "by-hand", "as-received"]


def test_a_known_size_corrects_for_that_size_alone() -> None:
    true = np.array([0.6, 0.4])
    apparent = true * brindley_factors(PHASES, true, CU, 2.0)
    apparent /= apparent.sum()
    known = microabsorption(PHASES, refined(apparent), CU, 2.0)
    assert apparent * known.factors == pytest.approx(true, abs=1e-9)
    assert apparent * microabsorption(PHASES, refined(apparent), CU, None).factors != pytest.approx(
        true, abs=0.005
    )
    unknown = microabsorption(PHASES, refined(apparent), CU, None, "by-hand").covariance
    assert (np.diag(known.covariance) < 0.3 * np.diag(unknown)).all()


def test_what_is_not_there_is_not_corrected() -> None:
    phases = [*PHASES, load_phase("quartz")]
    found = microabsorption(phases, refined(np.array([0.6, 0.4, 0.0])), CU, None)
    pair = microabsorption(PHASES, refined(np.array([0.6, 0.4])), CU, None)
    assert found.factors[2] == 1.0
    assert found.factors[:2] == pytest.approx(pair.factors, abs=2e-3)
    alone = microabsorption(phases, refined(np.array([0.0, 0.0, 1.0])), CU, None)
    assert alone.factors == pytest.approx(1.0) and alone.covariance == pytest.approx(0.0)


@pytest.mark.parametrize("grinding", [None, *GRINDINGS])
def test_intervals_hold_particles_so_ground(grinding: str | None) -> None:
    """What is stated lies within 1.645 deviations of the truth as often as it should, and no side more."""
    likely, true = LikelySizes(UNKNOWN_SIZE_UM, UNKNOWN_SPREAD), np.array([0.6, 0.4])
    if grinding is not None:
        likely = LIKELY_SIZES[grinding]
    crystals = [load_phase(name) for name in ("corundum", "zincite")]
    random, pulls = np.random.default_rng(4), []
    for _ in range(120):
        sizes = likely.median_um * np.exp(np.log(likely.spread) * random.standard_normal(2))
        masses = true * brindley_factors(crystals, true, CU, np.minimum(sizes, 60.0))
        apparent = masses / masses.sum()
        found = microabsorption(crystals, refined(apparent), CU, None, grinding)
        stated = apparent * found.factors
        pulls.append((stated[0] - true[0]) / np.sqrt(found.covariance[0, 0]))
    assert 0.8 <= np.mean(np.abs(pulls) <= 1.645) <= 1.0
    assert abs(np.mean(pulls)) < 0.35


def test_the_warning_names_the_size_that_grinding_makes() -> None:
    """One standard deviation coarser than the median."""
    (said,) = microabsorption_warnings(PHASES, [0.5, 0.5], CU, grinding="by-hand")
    assert "with particles of 20 um" in said.message
    (plain,) = microabsorption_warnings(PHASES, [0.5, 0.5], CU)
    assert "with particles of 2.5 um" in plain.message
    mild = [load_phase(name) for name in ("corundum", "fluorite")]
    assert microabsorption_warnings(mild, [0.5, 0.5], CU, grinding="mccrone") == []
    assert microabsorption_warnings(mild, [0.5, 0.5], CU, grinding="by-hand")


def test_the_warning_is_relative_to_what_is_stated() -> None:
    apparent = np.array([0.5, 0.5])
    found = microabsorption(PHASES, refined(apparent), CU, None, "by-hand")
    stated = apparent * found.factors
    assert found.warnings == microabsorption_warnings(PHASES, apparent, CU, grinding="by-hand", stated=stated)
    assert found.warnings != microabsorption_warnings(PHASES, apparent, CU, grinding="by-hand")


def test_the_command_line_takes_the_same_words() -> None:
    option = get_type_hints(PreparationOptions)["grinding"]
    (literal,) = (part for part in get_args(option) if part is not type(None))
    assert get_args(literal) == GRINDINGS == tuple(LIKELY_SIZES)


@pytest.mark.parametrize(
    ("said", "match"),
    [
        ({"grinding": "well"}, "by-hand, mccrone"),
        ({"grinding": "by-hand", "particle_size_um": 5.0}, "a particle size and a grinding"),
        ({"amorphous_formula": "SiO2"}, "without an external standard"),
        ({"amorphous_formula": "sand", "external": CONSTANT}, "no chemical formula"),
        ({"amorphous_formula": " ", "external": CONSTANT}, "empty"),
    ],
)
def test_what_contradicts_itself(said: dict[str, object], match: str) -> None:
    with pytest.raises(InputError, match=match):
        Preparation(**said)
