"""Uncertainties from left-out parts of a scan."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.linalg import eigh

from mixrd.fit.covariance import BLOCK_DEG, MOST_THROWN, at_least, covariance, misfit_covariance
from mixrd.fit.least_squares import Priors
from mixrd.fit.linear_part import LinearPart
from mixrd.fit.pattern_fit import Fit

POINTS = 4000
NO_PRIORS = Priors(*(torch.zeros(0, dtype=torch.float64) for _ in range(4)))


def straight_line(noise: torch.Tensor) -> Fit:
    """Fit of a constant and a slope, both linear, to noise (B, N) of unit weight."""
    x = torch.linspace(-1, 1, POINTS, dtype=torch.float64)
    design = torch.stack([torch.ones_like(x), x]).expand(len(noise), -1, -1)
    normal = design @ design.mT
    coefficients = torch.linalg.solve(normal, torch.einsum("bin,bn->bi", design, noise))
    residual = noise - torch.einsum("bi,bin->bn", coefficients, design)
    linear = LinearPart(coefficients, torch.ones_like(coefficients, dtype=torch.bool), design, residual)
    nothing = torch.zeros(len(noise), 0, dtype=torch.float64)
    return Fit(
        nothing, linear, torch.zeros(len(noise), POINTS, 0).double(), nothing.sum(1), nothing.sum(1) == 0, 1
    )


def scatter_over_stated(noise: torch.Tensor, stated: torch.Tensor, fit: Fit) -> float:
    sigma = stated.diagonal(dim1=1, dim2=2)[:, 0].sqrt()
    return float(fit.linear.coefficients[:, 0].std() / sigma.square().mean().sqrt())


def test_white_noise_gives_what_theory_says() -> None:
    noise = torch.randn(200, POINTS, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    fit, angles = straight_line(noise), torch.linspace(10, 100, POINTS, dtype=torch.float64)
    plain, jackknife = covariance(fit, NO_PRIORS), misfit_covariance(fit, NO_PRIORS, angles)
    assert torch.allclose(plain[:, 0, 0].mean(), torch.tensor(1 / POINTS).double(), rtol=0.02)
    assert torch.allclose(jackknife[:, 0, 0].mean(), plain[:, 0, 0].mean(), rtol=0.1)


def test_serial_correlation_is_seen_by_the_jackknife_alone() -> None:
    generator = torch.Generator().manual_seed(2)
    angles = torch.linspace(10, 100, POINTS, dtype=torch.float64)
    # Runs of 20 points, 0.45 deg, that are wrong together.
    noise = torch.randn(300, POINTS // 20, generator=generator, dtype=torch.float64).repeat_interleave(
        20, dim=1
    )
    assert 20 * 90 / POINTS < BLOCK_DEG
    fit = straight_line(noise)
    plain, jackknife = covariance(fit, NO_PRIORS), misfit_covariance(fit, NO_PRIORS, angles)
    assert scatter_over_stated(noise, plain, fit) > 3.5
    assert scatter_over_stated(noise, jackknife, fit) == pytest.approx(1.0, abs=0.15)


def test_one_part_left_out_in_truth() -> None:
    """The linearised change is that of a fit without the part."""
    noise = torch.randn(1, POINTS, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    angles = torch.linspace(10, 100, POINTS, dtype=torch.float64)
    fit = straight_line(noise)
    changes = []
    for part in range(int((angles[-1] - angles[0]) / BLOCK_DEG) + 1):
        kept = ((angles - angles[0]) / BLOCK_DEG).long() != part
        design = fit.linear.design[0][:, kept]
        without = np.linalg.lstsq(design.T.numpy(), noise[0, kept].numpy(), rcond=None)[0]
        changes.append(without - fit.linear.coefficients[0].numpy())
    truth = sum(np.outer(c, c) for c in changes) * (len(changes) - 1) / len(changes)
    found = misfit_covariance(fit, NO_PRIORS, angles)[0].numpy()
    assert found == pytest.approx(truth, rel=0.01)


def covariances(seed: int, size: int) -> torch.Tensor:
    """One symmetric positive matrix, of quantities of very different sizes."""
    root = torch.randn(1, size, 2 * size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    scale = torch.logspace(-4, 6, size, dtype=torch.float64)
    return (root @ root.mT) * scale.unsqueeze(1) * scale.unsqueeze(0)


def least_ratio(spread: torch.Tensor, noise: torch.Tensor) -> float:
    """Smallest variance of any combination of parameters, over what noise makes of it."""
    values = eigh(spread[0].numpy(), noise[0].numpy(), eigvals_only=True)
    return float(values.min())


@pytest.mark.parametrize("seed", range(5))
def test_nothing_is_surer_than_noise_allows(seed: int) -> None:
    noise = covariances(seed, 6)
    # Less than the noise in some directions, more in others.
    spread = covariances(seed + 100, 6)
    assert least_ratio(spread, noise) < 0.5
    found = at_least(spread, noise)
    assert least_ratio(found, noise) == pytest.approx(1.0, abs=1e-6)
    # Nor less sure than the parts of the scan say: what is larger stays.
    assert least_ratio(found + 1e-9 * noise, spread) > 1 - 1e-6
    assert torch.allclose(found, found.mT, rtol=1e-9)


def test_what_is_larger_everywhere_stays_as_it_is() -> None:
    noise = covariances(3, 5)
    for factor in (1.0, 4.0):
        assert torch.allclose(at_least(factor * noise, noise), factor * noise, rtol=1e-8)
    more = noise + covariances(9, 5)
    assert torch.allclose(at_least(more, noise), more, rtol=1e-8)


def test_what_is_lucky_everywhere_is_noise() -> None:
    noise = covariances(4, 5)
    assert torch.allclose(at_least(0.01 * noise, noise), noise, rtol=1e-8)
    assert torch.allclose(at_least(0 * noise, noise), noise, rtol=1e-8)


def test_a_common_uncertainty_stays_common() -> None:
    """Masses that overspill scales alike: their ratio stays sure, though each is uncertain by a third."""
    masses = torch.tensor([60.0, 40.0], dtype=torch.float64)
    common = torch.outer(masses, masses) * 0.3**2
    # To 0.1 each by noise; parts of the scan agree on the ratio by luck, and see half of what is common.
    noise = (common + torch.eye(2, dtype=torch.float64) * 0.1**2)[None]
    spread = (0.25 * common + torch.eye(2, dtype=torch.float64) * 0.01**2)[None]
    found = at_least(spread, noise)[0]
    assert found[0, 0].sqrt() == pytest.approx(18.0, rel=0.01)
    slope = torch.tensor([0.4, -0.6], dtype=torch.float64) / 100
    assert (slope @ found @ slope).sqrt() == pytest.approx(np.hypot(0.4, 0.6) * 0.1 / 100, rel=0.01)
    # The positive part of the diagonal would say that nothing is known of the ratio.
    diagonal = spread[0] + torch.diag((noise - spread)[0].diagonal().clamp_min(0))
    assert (slope @ diagonal @ slope).sqrt() > 50 * (slope @ found @ slope).sqrt()


def test_parameters_that_are_not_free_stay_out() -> None:
    noise, spread = covariances(5, 4), 0.1 * covariances(6, 4)
    for matrix in (noise, spread):
        matrix[:, 2], matrix[:, :, 2] = 0.0, 0.0
    found = at_least(spread, noise)
    assert torch.isfinite(found).all()
    assert (found[0, 2] == 0).all() and (found[0, :, 2] == 0).all()
    kept = [0, 1, 3]
    alone = at_least(spread[:, kept][:, :, kept], noise[:, kept][:, :, kept])
    assert torch.allclose(found[:, kept][:, :, kept], alone, rtol=1e-6)


def with_a_parameter(value_sigma: float) -> tuple[Fit, Priors, torch.Tensor]:
    """A constant, and a parameter that only one part of the scan tells, where the residual is large."""
    fit = straight_line(torch.zeros(1, POINTS, dtype=torch.float64))
    angles = torch.linspace(10, 100, POINTS, dtype=torch.float64)
    jacobian = torch.zeros(1, POINTS, 1, dtype=torch.float64)
    # A part of 66 points in its middle.
    jacobian[0, 1000:1040, 0] = 1000.0
    residual = torch.zeros(1, POINTS, dtype=torch.float64)
    residual[0, 1000:1040] = 50.0
    linear = LinearPart(fit.linear.coefficients, fit.linear.active, fit.linear.design, residual)
    flat = torch.zeros(1, 1, dtype=torch.float64)
    one = torch.ones(1, dtype=torch.float64)
    priors = Priors(0 * one, value_sigma * one, -one, one)
    return Fit(flat, linear, jacobian, flat.sum(1), flat.sum(1) == 0, 1), priors, angles


@pytest.mark.parametrize("sigma", [1e-3, 1e-2])
def test_no_part_throws_a_parameter_beyond_belief(sigma: float) -> None:
    """Leaving out the only part that tells a parameter moves it by some of its restraint's deviations."""
    fit, priors, angles = with_a_parameter(sigma)
    found = misfit_covariance(fit, priors, angles)[0, 2, 2].sqrt()
    assert found == pytest.approx(MOST_THROWN * sigma, rel=0.05)
    # A restraint so wide that the step stays within it changes nothing: it is the residual's.
    wide = misfit_covariance(*with_a_parameter(1e4))[0, 2, 2].sqrt()
    assert wide > 30 * found


def test_what_follows_a_thrown_parameter_is_scaled_with_it() -> None:
    """The direction of the step stays: what hangs together with a parameter moves with it, as far."""
    fit, priors, angles = with_a_parameter(1e-3)
    matrix = misfit_covariance(fit, priors, angles)[0]
    # One part moves all there is to move: each correlation is 1.
    active = torch.tensor([0, 2])
    part = matrix[active][:, active]
    assert part[0, 1] ** 2 == pytest.approx(float(part[0, 0] * part[1, 1]), rel=1e-6)
