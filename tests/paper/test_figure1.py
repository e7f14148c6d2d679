"""The pipeline of Fig. 1: its order, its draws, and its patterns against a sum written out in float64."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import kstest

from mixrd.errors import RecipeError, UsageError
from mixrd.mixture import LineLists, line_lists
from mixrd.paper.figure1 import Figure1Sampler, draw_simplex
from mixrd.paper.figure1_settings import Figure1Settings
from mixrd.pattern import ExponentialRanges, GaussianNoiseRanges, take_rows

SHORT: dict[str, Any] = {"start_deg": 20.0, "points": 700}
NO_BACKGROUND = ExponentialRanges(level=(0.0, 0.0))


@pytest.fixture(scope="module")
def lines() -> LineLists:
    """Four materials with 3, 5, 4 and 6 copies, not in order."""
    rng = np.random.default_rng(3)
    material = rng.permutation(np.repeat(np.arange(4), [3, 5, 4, 6]))
    pairs = []
    for _ in material:
        count = rng.integers(2, 30)
        pairs.append((np.sort(rng.uniform(20.0, 30.4, count)), rng.uniform(1, 80, count).astype(np.float32)))
    return line_lists([f"material {i}" for i in range(4)], pairs, material)


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def by_hand(lines: LineLists, sampler: Figure1Sampler, drawn: Any, row: int) -> np.ndarray:
    """One noise-free pattern, all profiles written out."""
    s = sampler.settings
    grid = s.start_deg + s.step_deg * np.arange(s.points)
    pattern = np.zeros(s.points)
    for slot in range(s.max_phases):
        positions, areas = lines.lines(int(drawn.pattern[row, slot]))
        areas = areas.astype(np.float64)
        scale = {"maximum": areas.max(), "area": areas.sum(), "none": 1.0}[s.scaling]
        own = slot if s.shape_per == "phase" else 0
        size, eta = float(drawn.size_nm[row, own]), float(drawn.eta[row, own])
        for position, area in zip(positions, areas, strict=True):
            nearest = grid[np.abs(grid - position).argmin()]
            fwhm = math.degrees(
                0.9 * s.wavelength_angstrom / (10 * size * math.cos(math.radians(nearest / 2)))
            )
            u = 2 * (grid - nearest) / fwhm
            gauss = math.sqrt(4 * math.log(2) / math.pi) * np.exp(-math.log(2) * u**2)
            profile = (eta * 2 / math.pi / (1 + u**2) + (1 - eta) * gauss) / fwhm
            pattern += float(drawn.fraction[row, slot]) * area / scale * profile
    if s.normalisation == "range":
        pattern -= pattern.min()
    return pattern / pattern.max()


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"kind": "exactly_distinct", "max_phases": 4},
        {"shape_per": "phase"},
        {"scaling": "area"},
        {"scaling": "none", "normalisation": "range"},
        {"max_phases": 1},
    ],
)
def test_patterns_are_what_they_should_be(lines: LineLists, changes: dict[str, Any]) -> None:
    sampler = Figure1Sampler(lines, Figure1Settings(**{**SHORT, **changes}))
    drawn = sampler.conditions(6, generator=seeded(1))
    ours = sampler.noise_free(drawn).numpy()
    for row in range(6):
        assert np.abs(ours[row] - by_hand(lines, sampler, drawn, row)).max() < 2e-4


def test_papers_grid_is_the_default() -> None:
    grid = Figure1Settings().two_theta
    assert (len(grid), grid[0], round(float(grid[-1]), 9)) == (2667, 10.0, 49.99)


def test_normalised_before_noise_and_noise_before_background(lines: LineLists) -> None:
    """Noise is 5 % of 1, not of the raw sum nor of what the background lifts; nothing is scaled after it."""
    settings = Figure1Settings(
        **SHORT,
        noise=GaussianNoiseRanges(sigma=(0.05, 0.05)),
        background=ExponentialRanges(level=(20.0, 20.0), decay=(0.5, 0.5)),
    )
    sampler = Figure1Sampler(lines, settings)
    batch = sampler.draw(40, generator=seeded(2))
    clean = sampler.noise_free(batch.drawn)
    torch.testing.assert_close(clean.amax(-1), torch.ones(40))
    span = settings.two_theta[-1] - settings.two_theta[0]
    background = 20.0 * np.exp(-(settings.two_theta - settings.two_theta[0]) / (0.5 * span))
    noise = batch.patterns.double().numpy() - clean.double().numpy() - background
    assert noise.std() == pytest.approx(0.05, rel=0.02)
    assert abs(noise.mean()) < 0.002
    np.testing.assert_allclose(noise, 0.05 * batch.drawn.noise.normal.numpy(), atol=2e-5)


def test_noise_is_3_to_7_percent(lines: LineLists) -> None:
    sampler = Figure1Sampler(lines, Figure1Settings(**SHORT, background=NO_BACKGROUND))
    batch = sampler.draw(300, generator=seeded(3))
    spread = (batch.patterns - sampler.noise_free(batch.drawn)).std(dim=1).numpy()
    assert 0.027 < spread.min() < 0.034
    assert 0.066 < spread.max() < 0.074
    assert spread.mean() == pytest.approx(0.05, abs=0.003)


@pytest.mark.parametrize("offset", [-0.4, 0.4])
def test_positions_are_discretised(offset: float) -> None:
    settings = Figure1Settings(**SHORT, max_phases=1)
    position = settings.start_deg + settings.step_deg * (300 + offset)
    lines = line_lists(["one"], [(np.array([position, 90.0]), np.array([1.0, 5.0], dtype=np.float32))], [0])
    sampler = Figure1Sampler(lines, settings)
    clean = sampler.noise_free(sampler.conditions(3, generator=seeded(4))).double()
    # A symmetric peak about point 300 itself; the line beyond the grid is left out.
    torch.testing.assert_close(clean[:, 200:300].flip(1), clean[:, 301:401], atol=3e-3, rtol=0)
    assert clean.argmax(dim=1).tolist() == [300] * 3


@pytest.mark.parametrize("slots", [2, 4, 7])
def test_fractions_are_uniform_on_the_simplex(slots: int) -> None:
    draws = draw_simplex(torch.full((20_000, 1), slots), slots, generator=seeded(5)).numpy()
    np.testing.assert_allclose(draws.sum(axis=1), 1.0, atol=1e-12)
    assert draws.min() >= 0
    for column in draws.T:
        assert kstest(column, "beta", args=(1, slots - 1)).pvalue > 1e-3
    variance = (slots - 1) / (slots**2 * (slots + 1))
    covariance = np.cov(draws.T)
    np.testing.assert_allclose(np.diag(covariance), variance, rtol=0.06)
    np.testing.assert_allclose(
        covariance[~np.eye(slots, dtype=bool)], -variance / (slots - 1), atol=0.05 * variance
    )


def test_unused_slots_have_no_fraction() -> None:
    number = torch.tensor([[1], [2], [5]])
    draws = draw_simplex(number, 5, generator=seeded(6))
    assert (draws > 0).sum(dim=1, keepdim=True).tolist() == number.tolist()
    torch.testing.assert_close(draws.sum(dim=1), torch.ones(3, dtype=torch.float64))


def test_up_to_replacement(lines: LineLists) -> None:
    sampler = Figure1Sampler(lines, Figure1Settings(**SHORT, max_phases=3))
    drawn = sampler.conditions(20_000, generator=seeded(7))
    used = drawn.fraction > 0
    shares = torch.bincount(used.sum(dim=1), minlength=4)[1:] / 20_000
    np.testing.assert_allclose(shares, [1 / 3] * 3, atol=0.015)
    material = torch.from_numpy(lines.material)[drawn.pattern]
    three = material[used.all(dim=1)]
    np.testing.assert_allclose(torch.bincount(three.flatten()) / three.numel(), [0.25] * 4, atol=0.015)
    same = (three[:, 0] == three[:, 1]).double().mean()
    assert float(same) == pytest.approx(0.25, abs=0.02)
    # Within a material all copies are as likely.
    first = torch.bincount(drawn.pattern.flatten(), minlength=len(lines)).numpy()
    expected = 60_000 / 4 / np.bincount(lines.material)[lines.material]
    np.testing.assert_allclose(first / expected, 1.0, atol=0.1)


def test_copies_of_a_material_share_an_output(lines: LineLists) -> None:
    batch = Figure1Sampler(lines, Figure1Settings(**SHORT, max_phases=5)).draw(200, generator=seeded(8))
    material = lines.material[batch.drawn.pattern.numpy()]
    expected = np.zeros((200, 4))
    np.add.at(expected, (np.arange(200)[:, None], material), batch.drawn.fraction.numpy())
    np.testing.assert_allclose(batch.fractions, expected, atol=1e-6)
    assert ((batch.fractions > 0).sum(1) < (batch.drawn.fraction > 0).sum(1)).any()


def test_exactly_distinct(lines: LineLists) -> None:
    sampler = Figure1Sampler(lines, Figure1Settings(**SHORT, max_phases=3, kind="exactly_distinct"))
    batch = sampler.draw(2000, generator=seeded(9))
    present = batch.fractions > 0
    assert (present.sum(dim=1) == 3).all()
    np.testing.assert_allclose(present.double().mean(dim=0), [0.75] * 4, atol=0.04)


def test_batch_is_fit_for_a_network(lines: LineLists) -> None:
    sampler = Figure1Sampler(lines, Figure1Settings(**SHORT))
    assert (sampler.points, sampler.materials, sampler.names) == (700, 4, lines.materials)
    batch = sampler.draw(33, generator=seeded(10))
    assert batch.patterns.dtype == batch.fractions.dtype == torch.float32
    assert batch.patterns.shape == (33, 700)
    # Eq. 1 of the paper needs compositions.
    torch.testing.assert_close(batch.fractions.sum(dim=1), torch.ones(33))
    assert batch.patterns.isfinite().all()


@pytest.mark.parametrize("shape_per", ["mixture", "phase"])
def test_any_sample_is_made_again_from_its_draw(lines: LineLists, shape_per: Any) -> None:
    sampler = Figure1Sampler(lines, Figure1Settings(**SHORT, shape_per=shape_per))
    batch = sampler.draw(70, generator=seeded(11))
    again = sampler.make(batch.drawn)
    assert torch.equal(again.patterns, batch.patterns)
    assert torch.equal(again.fractions, batch.fractions)
    # What one of several processes needs: its own rows of the whole batch.
    own = sampler.make(take_rows(batch.drawn, slice(40, 45)))
    torch.testing.assert_close(own.patterns, batch.patterns[40:45], atol=1e-5, rtol=0)
    assert torch.equal(own.fractions, batch.fractions[40:45])


def test_same_seed_same_batch(lines: LineLists) -> None:
    settings = Figure1Settings(**SHORT)
    first, second = (Figure1Sampler(lines, settings).draw(5, generator=seeded(12)) for _ in range(2))
    assert torch.equal(first.patterns, second.patterns)
    other = Figure1Sampler(lines, settings).draw(5, generator=seeded(13))
    assert not torch.equal(first.fractions, other.fractions)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"max_phases": 0}, "max_phases"),
        ({"kind": "all"}, "exactly_distinct"),
        ({"scaling": "mass"}, "scaling"),
        ({"shape_per": "peak"}, "shape_per"),
        ({"normalisation": "none"}, "normalisation"),
        ({"size_nm": (50.0, 10.0)}, "size_nm"),
        ({"size_nm": (10.0, 1000.0)}, "steps wide"),
        ({"eta": (0.1, 1.1)}, "eta"),
        ({"points": 20_000}, "175 deg"),
        ({"wavelength_angstrom": 0.0}, "wavelength"),
    ],
)
def test_settings_are_checked(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        Figure1Settings(**changes)


def test_lines_are_checked(lines: LineLists) -> None:
    with pytest.raises(RecipeError, match="1 to 4"):
        Figure1Sampler(lines, Figure1Settings(**SHORT, max_phases=5, kind="exactly_distinct"))
    with pytest.raises(RecipeError, match="no line list of material 2"):
        Figure1Sampler(lines.take(lines.material != 2), Figure1Settings(**SHORT))
    with pytest.raises(RecipeError, match="no line on the grid"):
        Figure1Sampler(lines, Figure1Settings(start_deg=100.0, points=700))


def test_another_scherrer_constant_is_another_width(lines: LineLists) -> None:
    """K = 1.8 at twice the size is the same width."""
    plain, doubled = (
        Figure1Sampler(lines, Figure1Settings(**SHORT, scherrer_constant=k, size_nm=size))
        for k, size in ((0.9, (20.0, 20.0)), (1.8, (40.0, 40.0)))
    )
    drawn = plain.conditions(2, generator=seeded(14))
    twice = dataclasses.replace(drawn, size_nm=2 * drawn.size_nm)
    torch.testing.assert_close(plain.noise_free(drawn), doubled.noise_free(twice))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_gpu_makes_what_the_cpu_makes(lines: LineLists) -> None:
    settings = Figure1Settings(**SHORT)
    here, there = Figure1Sampler(lines, settings), Figure1Sampler(lines, settings, "cuda")
    batch = there.draw(20, generator=torch.Generator("cuda").manual_seed(0))
    assert batch.patterns.device.type == "cuda"
    drawn = here.conditions(20, generator=seeded(15))
    moved = _to(drawn, "cuda")
    torch.testing.assert_close(there.noise_free(moved).cpu(), here.noise_free(drawn), atol=1e-4, rtol=0)
    with pytest.raises(UsageError, match="same device"):
        there.draw(2, generator=seeded(0))


def _to(drawn: Any, device: str) -> Any:
    moved = {
        f.name: value.to(device) if isinstance(value, torch.Tensor) else _to(value, device)
        for f in dataclasses.fields(drawn)
        for value in [getattr(drawn, f.name)]
    }
    return dataclasses.replace(drawn, **moved)
