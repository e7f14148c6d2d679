"""Masses and background: taken apart exactly, the optimum of SciPy, batches as their scans."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import lsq_linear, nnls

from mixrd.fit.linear_part import LinearPart, solve_linear


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
