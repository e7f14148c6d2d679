"""Lines anywhere on an even grid, against the plain sum of their profiles and against differences."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mixrd.pattern import ExactRenderer, Peaks
from mixrd.pattern.line_convolution import LineConvolution, bspline, gaussian_transform

GRID = (10.0, 0.02, 1500)
TWO_THETA = GRID[0] + GRID[1] * np.arange(GRID[2])


def lines(count: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Positions over the grid and areas."""
    place, area = torch.rand(2, count, generator=torch.Generator().manual_seed(seed))
    return 10.5 + 29 * place, 0.1 + area


def drawn(
    convolution: LineConvolution, position: torch.Tensor, area: torch.Tensor, profile: torch.Tensor
) -> torch.Tensor:
    first, share, _ = convolution.shared_out(position)
    sticks = convolution.rows(1, torch.zeros_like(first), first, area.unsqueeze(1) * share)
    return convolution.convolved(sticks, torch.tensor([0]), profile)[0]


def plain_sum(position: torch.Tensor, area: torch.Tensor, fwhm: float, eta: float) -> torch.Tensor:
    width = fwhm / torch.deg2rad(position / 2).cos()
    peaks = Peaks(*(x.double().unsqueeze(0) for x in (position, area, width, eta + 0 * width)))
    return ExactRenderer(TWO_THETA).render(peaks)[0, 0]


def worst(found: torch.Tensor, expected: torch.Tensor) -> float:
    return float((found.double() - expected.double()).abs().max() / expected.abs().max())


@pytest.mark.parametrize(("fwhm", "eta"), [(0.1, 0.0), (0.1, 1.0), (0.3, 0.5)])
def test_agrees_with_a_plain_sum(fwhm: float, eta: float) -> None:
    position, area = lines(30)
    convolution = LineConvolution(*GRID)
    profile = convolution.profile(torch.tensor([fwhm]), torch.tensor([eta]))
    found = drawn(convolution, position, area, profile)
    assert worst(found, plain_sum(position, area, fwhm, eta)) < 4e-3


def test_blurred_as_the_plain_sum_is_with_a_gaussian() -> None:
    position, area = lines(12)
    convolution = LineConvolution(10.0, 0.1, 300, blur_deg=0.2)
    profile = convolution.profile(torch.tensor([0.1]), torch.tensor([0.4]))
    found = drawn(convolution, position, area, profile)
    offset = torch.from_numpy(TWO_THETA[:, None] - TWO_THETA)
    kernel = torch.exp(-0.5 * (offset / 0.2) ** 2)
    expected = (kernel / kernel.sum(1, keepdim=True) @ plain_sum(position, area, 0.1, 0.4))[::5]
    # Near the ends the sum lacks what lies beyond.
    assert worst(found[10:-10], expected[10:-10]) < 5e-3


def test_derivatives() -> None:
    position, area = lines(8, seed=3)
    convolution = LineConvolution(*GRID)
    fwhm, eta, step = torch.tensor([0.2]), torch.tensor([0.5]), 1e-2
    up = drawn(convolution, position, area, convolution.profile(fwhm * (1 + step), eta))
    down = drawn(convolution, position, area, convolution.profile(fwhm * (1 - step), eta))
    rates = convolution.profile_rates(fwhm, eta)[0].unsqueeze(1)
    assert worst(drawn(convolution, position, area, rates[0]), (up - down) / (2 * step)) < 1e-2
    up = drawn(convolution, position, area, convolution.profile(fwhm, eta + 0.1))
    down = drawn(convolution, position, area, convolution.profile(fwhm, eta - 0.1))
    assert worst(drawn(convolution, position, area, rates[1]), (up - down) / 0.2) < 1e-3
    profile = convolution.profile(fwhm, eta)
    first, _, slope = convolution.shared_out(position)
    sticks = convolution.rows(1, torch.zeros_like(first), first, area.unsqueeze(1) * slope / GRID[1])
    moved = convolution.convolved(sticks, torch.tensor([0]), profile)[0]
    up = drawn(convolution, position + 5e-3, area, profile)
    down = drawn(convolution, position - 5e-3, area, profile)
    assert worst(moved, (up - down) / 1e-2) < 2e-2


def test_rows_have_the_profiles_of_their_owners_in_any_blocks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    position, area = lines(9)
    convolution = LineConvolution(*GRID)
    profile = convolution.profile(torch.tensor([0.1, 0.3]), torch.tensor([0.2, 0.9]))
    first, share, _ = convolution.shared_out(position)
    row = torch.arange(9) // 3
    sticks = convolution.rows(3, row, first, area.unsqueeze(1) * share)
    owner = torch.tensor([1, 0, 1])
    together = convolution.convolved(sticks, owner, profile)
    monkeypatch.setattr("mixrd.pattern.line_convolution._BLOCK_NUMBERS", 1)
    torch.testing.assert_close(convolution.convolved(sticks, owner, profile), together)
    for number in range(3):
        own = row == number
        alone = drawn(convolution, position[own], area[own], profile[owner[number : number + 1]])
        torch.testing.assert_close(together[number], alone)


@pytest.mark.parametrize("beyond", [2, 50])
def test_lines_beyond_the_sticks_go_to_the_ends(beyond: int) -> None:
    convolution = LineConvolution(*GRID, beyond=beyond)
    width = GRID[2] + 2 * beyond
    first, share, _ = convolution.shared_out(torch.tensor([-80.0, 10.0, 39.98, 170.0]))
    assert first.tolist() == [0, beyond - 1, beyond + GRID[2] - 2, width - 4]
    torch.testing.assert_close(share.sum(1), torch.ones(4))
    assert convolution.rows(2, torch.tensor([0, 0, 1, 1]), first, share).sum(1).tolist() == [2.0, 2.0]


def test_spline_shares_out_everything_and_keeps_the_place() -> None:
    place = torch.linspace(0, 1, 11)
    share, slope = bspline(place)
    assert torch.allclose(share.sum(1), torch.ones(11)) and (share >= 0).all()
    offsets = torch.tensor([-1.0, 0.0, 1.0, 2.0])
    assert torch.allclose(share @ offsets, place, atol=1e-6)
    assert torch.allclose(slope.sum(1), torch.zeros(11), atol=1e-6)
    up, down = bspline(place + 1e-2)[0], bspline(place - 1e-2)[0]
    assert torch.allclose((up - down) / 2e-2, slope, atol=1e-2)


def test_transform_of_a_gaussian() -> None:
    point = torch.arange(-40, 41, dtype=torch.float64)
    gauss = torch.exp(-0.5 * (point / 3) ** 2)
    frequency = torch.linspace(0, 0.5, 7, dtype=torch.float64)
    expected = (gauss * torch.cos(2 * torch.pi * frequency.unsqueeze(1) * point)).sum(1) / gauss.sum()
    torch.testing.assert_close(gaussian_transform(frequency, 3.0), expected, atol=1e-9, rtol=0)
