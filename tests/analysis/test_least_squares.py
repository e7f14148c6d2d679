from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import lsq_linear, nnls

from mixrd.analysis.covariance import covariance
from mixrd.analysis.least_squares import LinearPart, Priors, fit, solve_linear
from mixrd.analysis.restraints import Restraints, make_priors
from mixrd.crystal import Crystal
from mixrd.pattern import ForwardModel, Instrument, background_basis
from mixrd.scan import Scan


def peaks(rng: np.random.Generator, phases: int, points: int) -> NDArray[np.float64]:
    """Columns like those of phases: a dozen narrow lines each."""
    x = np.linspace(0, 1, points)
    lines = rng.uniform(0, 1, (phases, 12, 1))
    heights = rng.exponential(1.0, (phases, 12, 1))
    return np.asarray((heights / (1 + ((x - lines) / 0.02) ** 2)).sum(1))


def chebyshev(terms: int, points: int) -> NDArray[np.float64]:
    return np.polynomial.chebyshev.chebvander(np.linspace(-1, 1, points), terms - 1).T


def solved(
    columns: NDArray[np.float64],
    basis: NDArray[np.float64],
    observed: NDArray[np.float64],
    sigma: NDArray[np.float64],
) -> LinearPart:
    return solve_linear(*(torch.tensor(x) for x in (columns[None], basis, observed[None], sigma[None])))


@given(st.integers(0, 2**31), st.lists(st.sampled_from([0.0, 1e-4, 1.0, 30.0]), min_size=1, max_size=6))
def test_noise_free_sums_are_taken_apart_exactly(seed: int, masses: list[float]) -> None:
    rng = np.random.default_rng(seed)
    columns, basis = peaks(rng, len(masses), 400), chebyshev(5, 400)
    background = np.array([50.0, -3.0, 2.0, -1.0, 0.5])
    observed = np.array(masses) @ columns + background @ basis
    linear = solved(columns, basis, observed, np.sqrt(observed + 1))
    found = linear.coefficients[0].numpy()
    assert found[: len(masses)] == pytest.approx(masses, abs=1e-6)
    assert found[len(masses) :] == pytest.approx(background, abs=1e-6)
    assert linear.residual.abs().max() < 1e-6


@settings(deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 8), st.booleans())
def test_the_optimum_is_that_of_scipy(seed: int, phases: int, gaussian: bool) -> None:
    rng = np.random.default_rng(seed)
    points = 120
    columns = rng.normal(size=(phases, points)) if gaussian else peaks(rng, phases, points)
    basis, sigma = chebyshev(4, points), rng.uniform(1, 3, points)
    masses = rng.exponential(3.0, phases) * (rng.uniform(size=phases) < 0.5)
    observed = masses @ columns + 20 + sigma * rng.normal(size=points)
    linear = solved(columns, basis, observed, sigma)
    design = np.concatenate([columns, basis]) / sigma
    bounds = (np.r_[np.zeros(phases), np.full(4, -np.inf)], np.inf)
    best = lsq_linear(design.T, observed / sigma, bounds=bounds, method="bvls", tol=1e-14)
    assert (linear.coefficients[0, :phases] >= 0).all()
    assert float((linear.residual**2).sum()) == pytest.approx(2 * best.cost, rel=1e-7)
    assert linear.coefficients[0].numpy() == pytest.approx(best.x, abs=1e-4)
    held = ~linear.active[0, :phases]
    assert (linear.coefficients[0, :phases][held] == 0).all()
    assert linear.active[0, phases:].all(), "the background is free"


def test_background_of_either_sign_and_phases_of_one() -> None:
    rng = np.random.default_rng(0)
    columns, points = peaks(rng, 3, 200), 200
    observed = rng.normal(size=points) * 5 - 40
    found = solved(columns, chebyshev(1, points), observed, np.ones(points)).coefficients[0].numpy()
    # The constant may be negative: split it in two for a solver that knows non-negative ones only.
    design = np.concatenate([columns, np.ones((1, points)), -np.ones((1, points))])
    expected = nnls(design.T, observed)[0]
    assert found[:3] == pytest.approx(expected[:3], abs=1e-6)
    assert found[3] == pytest.approx(expected[3] - expected[4], rel=1e-6)
    assert found[3] < 0


def test_a_batch_is_solved_as_its_scans_alone() -> None:
    rng = np.random.default_rng(1)
    columns = np.stack([peaks(rng, 4, 300) for _ in range(6)])
    basis = chebyshev(4, 300)
    masses = rng.exponential(1.0, (6, 4)) * (rng.uniform(size=(6, 4)) < 0.5)
    observed = rng.poisson(np.einsum("bp,bpn->bn", masses, columns) + 20).astype(float)
    sigma = np.sqrt(observed + 1)
    together = solve_linear(*(torch.tensor(x) for x in (columns, basis, observed, sigma)))
    for b in range(6):
        alone = solved(columns[b], basis, observed[b], sigma[b])
        assert torch.allclose(together.coefficients[b], alone.coefficients[0], atol=1e-9)
        assert torch.equal(together.active[b], alone.active[0])


def test_a_column_of_nothing_gets_nothing() -> None:
    columns = np.zeros((2, 100))
    columns[0, 50] = 1.0
    found = solved(columns, chebyshev(2, 100), 7 * columns[0] + 3, np.ones(100)).coefficients[0]
    assert found.tolist() == pytest.approx([7, 0, 3, 0], abs=1e-6)


@pytest.fixture
def forward(crystals: list[Crystal], instrument: Instrument, scan: Scan) -> ForwardModel:
    return ForwardModel(crystals, instrument, scan.two_theta)


def prepared(forward: ForwardModel, scan: Scan) -> tuple[torch.Tensor, ...]:
    basis = background_basis(forward.two_theta, degree=4)
    observed = torch.tensor(scan.counts)[None]
    return basis, observed, observed.clamp_min(1).sqrt(), forward.reference().flat()


def test_cost_never_rises_and_fixed_parameters_stay(forward: ForwardModel, scan: Scan) -> None:
    basis, observed, sigma, start = prepared(forward, scan)
    priors = make_priors(forward, Restraints(), ("profile", "displacement"))
    costs: list[float] = []
    result = fit(forward, basis, observed, sigma, start, priors, on_step=lambda _, cost: costs.append(cost))
    assert all(b <= a * (1 + 1e-12) for a, b in pairwise(costs))
    assert len(costs) == result.steps > 3
    assert bool(result.converged)
    before, after = forward.from_flat(start), forward.from_flat(result.flat)
    assert torch.equal(before.profile, after.profile)
    assert torch.equal(before.displacement, after.displacement)
    assert not torch.equal(before.zero, after.zero)
    assert (result.jacobian[..., priors.sigma == 0] == 0).all()


def test_bounds_hold(forward: ForwardModel, scan: Scan) -> None:
    basis, observed, sigma, start = prepared(forward, scan)
    wide = make_priors(forward, Restraints(), ())
    # The scan has a zero shift of 0.02 deg and strains of 1e-3: do not allow them.
    tight = Priors(wide.mean, wide.sigma, wide.lower.clone(), wide.upper.clone())
    tight.upper[:2], tight.upper[forward.columns_of("zero")] = 2e-4, 0.005
    result = fit(forward, basis, observed, sigma, start, tight)
    assert ((result.flat >= tight.lower) & (result.flat <= tight.upper)).all()
    assert float(result.flat[0, 0]) == pytest.approx(2e-4)
    assert torch.isfinite(result.cost).all()


def test_the_jacobian_is_that_of_the_fit(forward: ForwardModel, scan: Scan) -> None:
    basis, observed, sigma, start = prepared(forward, scan)
    result = fit(forward, basis, observed, sigma, start, make_priors(forward, Restraints(), ()))
    masses = result.linear.coefficients[:, :2]

    def weighted(flat: torch.Tensor) -> torch.Tensor:
        return torch.einsum("bp,bpn->bn", masses, forward.columns(forward.from_flat(flat))) / sigma

    steps = {"strain": 1e-6, "inverse_size": 1e-6, "microstrain": 1e-6, "zero": 1e-5, "displacement": 1e-5}
    for field, size in steps.items():
        index = forward.columns_of(field).start
        change = torch.zeros_like(result.flat)
        change[0, index] = size
        slope = (weighted(result.flat + change) - weighted(result.flat - change)) / (2 * size)
        difference = (slope - result.jacobian[..., index]).abs().max()
        assert difference < 2e-3 * slope.abs().max()


def test_covariance_of_a_linear_problem_by_hand(forward: ForwardModel, scan: Scan) -> None:
    """With all non-linear parameters fixed it is the inverse of the normal matrix, times chi-squared."""
    basis, observed, sigma, start = prepared(forward, scan)
    everything = ("strain", "inverse_size", "microstrain", "profile", "zero", "displacement")
    priors = make_priors(forward, Restraints(), everything)
    result = fit(forward, basis, observed, sigma, start, priors)
    found = covariance(result, priors)[0]
    design = result.linear.design[0]
    residual = result.linear.residual[0]
    reduced = float((residual**2).sum()) / (len(residual) - len(design))
    expected = torch.linalg.inv(design @ design.T) * max(reduced, 1.0)
    size = len(design)
    assert torch.allclose(found[:size, :size], expected, rtol=1e-5)
    assert (found[size:] == 0).all() and (found[:, size:] == 0).all()
