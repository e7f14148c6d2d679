"""Background and counting noise: reproducible, positive, and of the right statistics."""

from __future__ import annotations

import pytest
import torch

from mixrd.pattern import (
    AirScatter,
    BackgroundRanges,
    Chebyshev,
    ChebyshevRanges,
    ExponentialFall,
    ExponentialRanges,
    Fluorescence,
    GaussianNoiseRanges,
    HumpRanges,
    Humps,
    PoissonNoise,
    SpikeRanges,
    apply_air_scatter,
    apply_background,
    apply_chebyshev,
    apply_counting_noise,
    apply_exponential,
    apply_fast_counting_noise,
    apply_fast_poisson_noise,
    apply_fluorescence,
    apply_gaussian_noise,
    apply_humps,
    apply_poisson_noise,
    apply_spikes,
    background_basis,
    draw_background,
    draw_background_parts,
    draw_chebyshev,
    draw_fast_poisson_noise,
    draw_gaussian_noise,
    draw_humps,
    draw_poisson_noise,
    draw_spikes,
)
from mixrd.pattern.profile import pseudo_voigt

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


NOTHING = torch.zeros(1, len(GRID), dtype=torch.float64)


def column(*values: float) -> torch.Tensor:
    return torch.tensor([values], dtype=torch.float64)


def test_parts_of_the_background_are_their_formulas() -> None:
    x = (2 * GRID - GRID[0] - GRID[-1]) / (GRID[-1] - GRID[0])
    chebyshev = apply_chebyshev(NOTHING, GRID, Chebyshev(column(2.0, -0.5, 0.25)))[0]
    torch.testing.assert_close(chebyshev, 2 - 0.5 * x + 0.25 * (2 * x * x - 1))
    fall = apply_exponential(NOTHING, GRID, ExponentialFall(column(3.0), column(10.0), column(8.0)))[0]
    torch.testing.assert_close(fall, 3 * torch.exp(-(GRID - 10) / 8))
    air = apply_air_scatter(NOTHING, GRID, AirScatter(column(7.0)))[0]
    torch.testing.assert_close(air, 7 / GRID)
    torch.testing.assert_close(apply_fluorescence(NOTHING, Fluorescence(column(0.3))), NOTHING + 0.3)
    two = apply_humps(NOTHING, GRID, Humps(column(0.4, 0.2), column(22, 70), column(9, 12), column(0, 1)))[0]
    gauss = 0.4 * torch.exp2(-((2 * (GRID - 22) / 9) ** 2))
    torch.testing.assert_close(two, gauss + 0.2 / (1 + (2 * (GRID - 70) / 12) ** 2))


@pytest.mark.parametrize("eta", [0.0, 0.3, 0.8, 1.0])
def test_humps_are_the_pseudo_voigts_of_the_peaks(eta: float) -> None:
    hump = apply_humps(NOTHING, GRID, Humps(column(0.4), column(35.0), column(7.0), column(eta)))[0]
    peak = pseudo_voigt(GRID - 35, torch.tensor(7.0), torch.tensor(eta))
    torch.testing.assert_close(hump, 0.4 * peak / peak.max(), rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("degree", [0, 1, 20])
def test_wildest_polynomials_are_positive(dtype: torch.dtype, degree: int) -> None:
    ranges = ChebyshevRanges(degree=degree, level=(1.0, 1.0), waviness=(0.99, 0.99))
    drawn = draw_chebyshev(500, ranges, generator=seeded())
    waves = drawn.coefficients[:, 1:].abs().sum(dim=1)
    torch.testing.assert_close(waves, torch.full_like(waves, 0.99 if degree else 0.0))
    assert float(apply_chebyshev(torch.zeros(500, len(GRID), dtype=dtype), GRID, drawn).min()) > 0.009


def test_background_is_the_sum_of_its_parts_and_within_the_ranges() -> None:
    ranges = BackgroundRanges(exponential=ExponentialRanges(level=(5.0, 6.0), decay=(0.01, 0.02)))
    drawn = draw_background_parts(GRID, 200, ranges, generator=seeded())
    start = torch.rand(200, len(GRID), dtype=torch.float64)
    total = apply_background(start, GRID, drawn) - start
    parts = apply_chebyshev(torch.zeros_like(start), GRID, drawn.chebyshev)
    parts = parts + apply_exponential(torch.zeros_like(start), GRID, drawn.exponential)
    parts = parts + apply_air_scatter(torch.zeros_like(start), GRID, drawn.air_scatter)
    parts = parts + apply_fluorescence(torch.zeros_like(start), drawn.fluorescence)
    parts = parts + apply_humps(torch.zeros_like(start), GRID, drawn.humps)
    torch.testing.assert_close(total, parts)
    fall = drawn.exponential
    assert float(fall.level.min()) >= 5 and float(fall.level.max()) <= 6
    extent = float(GRID[-1] - GRID[0])
    assert 0.01 * extent <= float(fall.decay_deg.min()) and float(fall.decay_deg.max()) <= 0.02 * extent
    assert float(fall.start_deg.min()) == float(fall.start_deg.max()) == 10.0


def test_number_of_humps_is_drawn() -> None:
    ranges = HumpRanges(share=0.6, count=(1, 3))
    number = (draw_humps(GRID, 4000, ranges, generator=seeded()).height > 0).sum(dim=1)
    shares = torch.bincount(number, minlength=4) / 4000
    torch.testing.assert_close(shares, torch.tensor([0.4, 0.2, 0.2, 0.2]), atol=0.03, rtol=0)


def test_background_reaches_down_to_the_beam_stop() -> None:
    grid = torch.arange(0.0, 20.0, 0.01, dtype=torch.float64)
    background = draw_background(grid, 32, generator=seeded())
    assert bool(background.isfinite().all()) and float(background.min()) > 0


@pytest.mark.parametrize("mean", [3.0, 40.0, 10_000.0])
def test_kept_poisson_noise_has_mean_and_variance_of_counts(mean: float) -> None:
    expected = torch.full((20, 10_000), mean, dtype=torch.float64)
    counts = apply_poisson_noise(expected, draw_poisson_noise(20, generator=seeded()))
    assert torch.equal(counts, counts.round()) and float(counts.min()) >= 0
    assert float(counts.mean()) == pytest.approx(mean, rel=5 * (mean * 200_000) ** -0.5)
    assert float(counts.var()) == pytest.approx(mean, rel=0.03)
    # Patterns are independent of each other.
    correlation = torch.corrcoef(counts) - torch.eye(20)
    assert float(correlation.abs().max()) < 0.06


def test_poisson_noise_is_made_again_by_its_seed_alone() -> None:
    expected = torch.full((1, 500), 30.0)
    noise = draw_poisson_noise(8, generator=seeded())
    again = PoissonNoise(torch.tensor([int(noise.seed[5])]))
    batch = apply_poisson_noise(expected.repeat(8, 1), noise)
    assert torch.equal(apply_poisson_noise(expected, again)[0], batch[5])


def test_fast_noise_in_one_go_is_the_pair() -> None:
    expected = 50 + 10 * torch.sin(GRID).repeat(3, 1)
    noise = draw_fast_poisson_noise(3, len(GRID), generator=seeded(7))
    assert torch.equal(
        apply_fast_poisson_noise(expected, noise), apply_fast_counting_noise(expected, generator=seeded(7))
    )


def test_gaussian_noise_is_relative_to_the_maximum() -> None:
    pattern = torch.zeros(40, 20_000, dtype=torch.float64)
    pattern[:, 100] = torch.linspace(1, 1000, 40, dtype=torch.float64)
    noise = draw_gaussian_noise(40, 20_000, generator=seeded())
    relative = (apply_gaussian_noise(pattern, noise) - pattern) / pattern[:, 100:101]
    torch.testing.assert_close(relative.std(dim=1), noise.sigma[:, 0], rtol=0.03, atol=0)
    assert float((relative.mean(dim=1) / noise.sigma[:, 0]).abs().max()) < 0.03
    assert 0.03 <= float(noise.sigma.min()) < 0.04 and 0.06 < float(noise.sigma.max()) <= 0.07
    none = draw_gaussian_noise(40, 20_000, GaussianNoiseRanges(sigma=(0.0, 0.0)), generator=seeded())
    assert torch.equal(apply_gaussian_noise(pattern, none), pattern)


def test_spikes_are_few_and_of_the_height_asked() -> None:
    pattern = torch.full((2000, 300), 4.0, dtype=torch.float64)
    drawn = draw_spikes(2000, 300, SpikeRanges(count=(0, 3), height=(0.5, 0.6)), generator=seeded())
    added = apply_spikes(pattern, drawn) - pattern
    assert float(added.sum()) == pytest.approx(4 * float(drawn.height.sum()))
    hit = added[added > 0]
    assert float(hit.min()) >= 2.0
    # Two on one point in the same pattern are rare.
    assert float((hit <= 2.4).double().mean()) > 0.98
    shares = torch.bincount((drawn.height > 0).sum(dim=1), minlength=4) / 2000
    torch.testing.assert_close(shares, torch.full((4,), 0.25), atol=0.04, rtol=0)


def test_spikes_on_the_same_point_add_up() -> None:
    spikes = draw_spikes(1, 1, SpikeRanges(count=(3, 3), height=(1.0, 1.0)), generator=seeded())
    assert float(apply_spikes(torch.ones(1, 1), spikes)) == 4.0
