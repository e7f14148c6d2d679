"""Background and counting noise: reproducible, positive, and of the right statistics."""

from __future__ import annotations

import pytest
import torch

from mixrd.pattern import (
    apply_counting_noise,
    apply_fast_counting_noise,
    background_basis,
    draw_background,
)

GRID = torch.arange(10.0, 90.0, 0.05, dtype=torch.float64)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("degree", [0, 1, 5, 12])
def test_basis_is_chebyshev_and_air_scatter(degree: int) -> None:
    basis = background_basis(GRID, degree=degree)
    assert basis.shape == (degree + 2, len(GRID))
    assert float(basis.abs().max()) == pytest.approx(1.0)
    angle = torch.arccos(((2 * GRID - GRID[0] - GRID[-1]) / (GRID[-1] - GRID[0])).clamp(-1, 1))
    for n in range(degree + 1):
        torch.testing.assert_close(basis[n], torch.cos(n * angle), atol=1e-6, rtol=0)
    torch.testing.assert_close(basis[-1], GRID[0] / GRID)


def test_basis_is_linearly_independent() -> None:
    basis = background_basis(GRID, degree=10)
    assert torch.linalg.matrix_rank(basis) == len(basis)


def test_background_is_positive_and_reaches_one() -> None:
    background = draw_background(GRID, 64, generator=seeded())
    assert background.shape == (64, len(GRID))
    assert float(background.min()) > 0
    torch.testing.assert_close(background.amax(dim=1), torch.ones(64, dtype=torch.float64))


@pytest.mark.parametrize("noise", [apply_counting_noise, apply_fast_counting_noise])
def test_same_generator_gives_the_same(noise) -> None:
    expected = 50 + 10 * torch.sin(GRID)
    one, two = (noise(expected, generator=seeded(3)) for _ in range(2))
    assert torch.equal(one, two)
    assert not torch.equal(one, noise(expected, generator=seeded(4)))
    assert torch.equal(
        draw_background(GRID, 4, generator=seeded(5)), draw_background(GRID, 4, generator=seeded(5))
    )
    assert not torch.equal(
        draw_background(GRID, 4, generator=seeded(5)), draw_background(GRID, 4, generator=seeded(6))
    )


@pytest.mark.parametrize("noise", [apply_counting_noise, apply_fast_counting_noise])
@pytest.mark.parametrize("mean", [5.0, 100.0, 10_000.0])
def test_mean_and_variance_are_the_counts(noise, mean: float) -> None:
    counts = noise(torch.full((200_000,), mean, dtype=torch.float64), generator=seeded())
    assert float(counts.min()) >= 0
    assert float(counts.mean()) == pytest.approx(mean, rel=5 * (mean * 200_000) ** -0.5 + 0.005)
    assert float(counts.var()) == pytest.approx(mean, rel=0.05)


def test_nothing_expected_nothing_counted() -> None:
    assert float(apply_counting_noise(torch.zeros(100), generator=seeded()).max()) == 0
