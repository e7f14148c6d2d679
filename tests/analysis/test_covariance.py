"""Uncertainties from left-out parts of a scan."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mixrd.analysis.covariance import BLOCK_DEG, covariance, misfit_covariance
from mixrd.analysis.least_squares import Fit, Priors
from mixrd.analysis.linear_part import LinearPart

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
