"""The bound of fractions against cases by hand, laws, and the direct inverse of the information."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from mixrd.errors import ParameterError
from mixrd.fit import expected_tvd, fraction_covariance

SEEDS = st.integers(0, 2**31)


def random_problem(seed: int, phases: int = 3, nuisances: int = 6, batch: int = 2) -> tuple[Tensor, ...]:
    """Patterns, derivatives, noise, masses, priors."""
    generator = torch.Generator().manual_seed(seed)

    def uniform(*shape: int) -> Tensor:
        return torch.rand(shape, generator=generator, dtype=torch.float64)

    by_mass = uniform(batch, 80, phases)
    by_nuisance = uniform(batch, 80, nuisances) - 0.5
    return by_mass, by_nuisance, 0.5 + uniform(batch, 80), 0.1 + uniform(batch, phases), uniform(nuisances)


def two_peaks() -> Tensor:
    """(1, 4, 2): the first phase on the first two points, the second on the others."""
    return torch.tensor([[[2.0, 0], [2, 0], [0, 1], [0, 1]]])


def test_two_separate_peaks_by_hand() -> None:
    # sigma^2 of the masses: 1 / (2 * 2^2 / 0.5^2) and 1 / (2 / 0.5^2); w = m1 / (m1 + m2),
    # var w = (m2^2 var m1 + m1^2 var m2) / M^4.
    noise = torch.full((1, 4), 0.5)
    found = fraction_covariance(two_peaks(), torch.zeros(1, 4, 0), noise, torch.tensor([[3.0, 1.0]]))
    variance = (1 * (0.25 / 8) + 9 * (0.25 / 2)) / 4**4
    expected = variance * torch.tensor([[[1.0, -1], [-1, 1]]], dtype=torch.float64)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=0)
    sigma = math.sqrt(variance)
    assert float(expected_tvd(found)) == pytest.approx(math.sqrt(2 / math.pi) * sigma, rel=1e-12)


def test_poisson_counts_of_pure_peaks_are_binomial() -> None:
    # n counts without background, one point for each phase: var w = w (1 - w) / n.
    by_mass = torch.eye(2).unsqueeze(0)
    masses = torch.tensor([[300.0, 700.0]])
    found = fraction_covariance(by_mass, torch.zeros(1, 2, 0), masses.sqrt(), masses)
    assert float(found[0, 0, 0]) == pytest.approx(0.3 * 0.7 / 1000, rel=1e-6)


@settings(max_examples=25, deadline=None)
@given(SEEDS)
def test_equals_the_inverse_of_the_whole_information(seed: int) -> None:
    by_mass, by_nuisance, sigma, masses, prior = random_problem(seed)
    found = fraction_covariance(by_mass, by_nuisance, sigma, masses, nuisance_sigma=prior)
    derivatives = torch.cat([by_mass, by_nuisance], dim=-1) / sigma.unsqueeze(-1)
    known = torch.cat([torch.zeros(3, dtype=torch.float64), prior**-2])
    inverse = torch.linalg.inv(derivatives.mT @ derivatives + torch.diag(known))[:, :3, :3]
    slope = torch.stack([torch.func.jacrev(lambda m: m / m.sum())(m) for m in masses])
    torch.testing.assert_close(found, slope @ inverse @ slope.mT, rtol=1e-8, atol=1e-14)


@settings(max_examples=25, deadline=None)
@given(SEEDS, st.floats(0.01, 100), st.floats(0.01, 100))
def test_laws(seed: int, noise: float, unit: float) -> None:
    by_mass, by_nuisance, sigma, masses, prior = random_problem(seed)
    found = fraction_covariance(by_mass, by_nuisance, sigma, masses)
    size = float(found.abs().max())
    assert float(found.sum(-1).abs().max()) < 1e-10 * size, "fractions sum to 1 without error"
    louder = fraction_covariance(by_mass, by_nuisance, noise * sigma, masses)
    torch.testing.assert_close(louder, noise**2 * found, rtol=1e-8, atol=1e-10 * noise**2 * size)
    other_unit = fraction_covariance(by_mass / unit, by_nuisance, sigma, masses * unit)
    torch.testing.assert_close(other_unit, found, rtol=1e-8, atol=1e-10 * size)
    # Nuisances in other units, mixed with each other, or given twice are the same nuisances.
    again = torch.cat([by_nuisance @ torch.diag(1e3 * prior + 1e-3), by_nuisance.flip(-1)], dim=-1)
    mixed = fraction_covariance(by_mass, again, sigma, masses)
    torch.testing.assert_close(mixed, found, rtol=1e-6, atol=1e-8 * size)


@settings(max_examples=25, deadline=None)
@given(SEEDS)
def test_knowing_more_never_widens(seed: int) -> None:
    by_mass, by_nuisance, sigma, masses, prior = random_problem(seed)

    def variances(nuisance_sigma: Tensor | None) -> Tensor:
        found = fraction_covariance(by_mass, by_nuisance, sigma, masses, nuisance_sigma=nuisance_sigma)
        return found.diagonal(dim1=1, dim2=2)

    free, known, fixed = variances(None), variances(prior), variances(torch.zeros(6))
    assert (fixed <= known * (1 + 1e-9)).all()
    assert (known <= free * (1 + 1e-9)).all()
    torch.testing.assert_close(variances(torch.full((6,), math.inf)), free)
    none = fraction_covariance(by_mass, by_nuisance[..., :0], sigma, masses)
    torch.testing.assert_close(fixed, none.diagonal(dim1=1, dim2=2), rtol=1e-8, atol=0)


def test_phases_that_look_alike_are_undetermined_their_sum_is_not() -> None:
    by_mass = two_peaks()[..., [0, 0, 1]]
    noise, masses = torch.ones(1, 4), torch.tensor([[1.0, 2.0, 1.0]])
    found = fraction_covariance(by_mass, torch.zeros(1, 4, 0), noise, masses)
    assert found[0].diagonal()[:2].isinf().all()
    assert found[0, 2].isnan().tolist() == [True, True, False]
    outputs = torch.tensor([[1.0, 1, 0], [0, 0, 1]])
    sums = fraction_covariance(by_mass, torch.zeros(1, 4, 0), noise, masses, outputs=outputs)
    two = fraction_covariance(two_peaks(), torch.zeros(1, 4, 0), noise, torch.tensor([[3.0, 1.0]]))
    torch.testing.assert_close(sums, two)
    assert float(found[0, 2, 2]) == pytest.approx(float(two[0, 1, 1]))


def test_a_nuisance_like_a_phase_hides_it() -> None:
    noise, masses = torch.ones(1, 4), torch.ones(1, 2)
    found = fraction_covariance(two_peaks(), two_peaks()[..., 1:], noise, masses)
    assert found[0].diagonal().isinf().all()
    # With fewer points than phases nothing is determined either.
    few = fraction_covariance(two_peaks()[:, :1], torch.zeros(1, 1, 0), noise[:, :1], masses)
    assert few[0].diagonal().isinf().all()


def test_a_single_phase_is_certain() -> None:
    found = fraction_covariance(
        two_peaks()[..., :1], torch.zeros(1, 4, 0), torch.ones(1, 4), torch.ones(1, 1)
    )
    assert float(found) == 0


@pytest.mark.parametrize(("sigma", "mass"), [(0.0, 1.0), (1.0, -1.0), (1.0, 0.0), (math.nan, 1.0)])
def test_what_cannot_be_is_refused(sigma: float, mass: float) -> None:
    with pytest.raises(ParameterError):
        fraction_covariance(
            two_peaks(), torch.zeros(1, 4, 0), torch.full((1, 4), sigma), torch.full((1, 2), mass)
        )
