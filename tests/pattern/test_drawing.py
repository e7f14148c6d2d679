"""All pairs of draw and apply: the same state gives the same, in both precisions, on every device."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor

from mixrd import pattern
from mixrd.errors import RecipeError

BATCH, POINTS = 6, 800
GRID = torch.linspace(10.0, 90.0, POINTS, dtype=torch.float64)


class Pair(NamedTuple):
    draw: Callable[[torch.Generator], Any]
    apply: Callable[[Tensor, Any], Tensor]


def on_grid(name: str) -> Pair:
    draw, apply = getattr(pattern, f"draw_{name}"), getattr(pattern, f"apply_{name.removesuffix('_parts')}")
    return Pair(
        lambda g: draw(GRID.to(g.device), BATCH, generator=g), lambda i, p: apply(i, GRID.to(i.device), p)
    )


PAIRS = {
    **{x: on_grid(x) for x in ("exponential", "air_scatter", "humps", "impurities", "background_parts")},
    "chebyshev": Pair(
        lambda g: pattern.draw_chebyshev(BATCH, generator=g),
        lambda i, p: pattern.apply_chebyshev(i, GRID.to(i.device), p),
    ),
    "fluorescence": Pair(lambda g: pattern.draw_fluorescence(BATCH, generator=g), pattern.apply_fluorescence),
    "poisson": Pair(lambda g: pattern.draw_poisson_noise(BATCH, generator=g), pattern.apply_poisson_noise),
    "fast poisson": Pair(
        lambda g: pattern.draw_fast_poisson_noise(BATCH, POINTS, generator=g),
        pattern.apply_fast_poisson_noise,
    ),
    "gaussian": Pair(
        lambda g: pattern.draw_gaussian_noise(BATCH, POINTS, generator=g), pattern.apply_gaussian_noise
    ),
    "spikes": Pair(lambda g: pattern.draw_spikes(BATCH, POINTS, generator=g), pattern.apply_spikes),
    "detector": Pair(lambda g: pattern.draw_detector(BATCH, generator=g), pattern.apply_detector),
}
NO_GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
DEVICES = ["cpu", pytest.param("cuda", marks=[pytest.mark.gpu, NO_GPU])]

every_pair = pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS.keys())
every_device = pytest.mark.parametrize("device", DEVICES)


def counts(device: str = "cpu", dtype: torch.dtype = torch.float64) -> Tensor:
    peaks = 1e4 * torch.exp(-((GRID - 40) ** 2)) + 100
    return (torch.arange(1, BATCH + 1)[:, None] * peaks).to(device=device, dtype=dtype)


def tensors(drawn: Any) -> list[Tensor]:
    values = [getattr(drawn, f.name) for f in dataclasses.fields(drawn)]
    return [t for v in values for t in ([v] if isinstance(v, Tensor) else tensors(v))]


@every_pair
@every_device
def test_same_state_draws_the_same(pair: Pair, device: str) -> None:
    one, two, other = (pair.draw(torch.Generator(device).manual_seed(s)) for s in (3, 3, 4))
    assert all(torch.equal(a, b) for a, b in zip(tensors(one), tensors(two), strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(tensors(one), tensors(other), strict=True))
    assert all(len(t) == BATCH for t in tensors(one))


@every_pair
@every_device
def test_what_was_drawn_makes_the_pattern_again(pair: Pair, device: str) -> None:
    generator = torch.Generator(device).manual_seed(1)
    drawn, before = pair.draw(generator), counts(device)
    result = pair.apply(before, drawn)
    torch.rand(5, generator=generator, device=device)  # what comes after does not matter
    assert torch.equal(result, pair.apply(before, drawn))
    assert result.shape == before.shape
    assert not torch.equal(result, before)
    assert torch.equal(before, counts(device)), "its argument was changed"


@every_pair
@every_device
def test_single_pattern_is_made_again_from_its_row(pair: Pair, device: str) -> None:
    drawn, before = pair.draw(torch.Generator(device).manual_seed(2)), counts(device)
    result = pair.apply(before, drawn)
    row = pair.apply(before[4:5], pattern.take_rows(drawn, slice(4, 5)))
    torch.testing.assert_close(row, result[4:5], rtol=1e-12, atol=0)
    picked = pattern.take_rows(drawn, torch.tensor([5, 0]))
    torch.testing.assert_close(pair.apply(before[[5, 0]], picked), result[[5, 0]], rtol=1e-12, atol=0)


@every_pair
@every_device
def test_both_precisions_agree(pair: Pair, device: str) -> None:
    drawn = pair.draw(torch.Generator(device).manual_seed(5))
    double = pair.apply(counts(device), drawn)
    single = pair.apply(counts(device, torch.float32), drawn)
    assert (double.dtype, single.dtype) == (torch.float64, torch.float32)
    # A count of 1 may tip over to the next where the expected one was rounded.
    scale = 1.0 if pair is PAIRS["poisson"] else 3e-6 * float(double.max())
    assert float((single.double() - double).abs().max()) <= scale


@every_pair
def test_result_is_differentiable_in_the_pattern(pair: Pair) -> None:
    if pair is PAIRS["poisson"]:
        pytest.skip("whole counts have no derivative")
    before = counts().requires_grad_()
    pair.apply(before, pair.draw(torch.Generator().manual_seed(0))).sum().backward()
    assert before.grad is not None
    assert bool(before.grad.isfinite().all()) and float(before.grad.abs().sum()) > 0


@pytest.mark.parametrize("name", ["background_parts", "impurities"])
def test_large_batch_is_the_same_as_one_by_one(name: str) -> None:
    """300 patterns are worked on in several blocks, the last one shorter."""
    drawn = getattr(pattern, f"draw_{name}")(GRID, 300, generator=torch.Generator().manual_seed(0))
    before = counts().repeat(50, 1)
    together = PAIRS[name].apply(before, drawn)
    one_by_one = [
        PAIRS[name].apply(before[i : i + 1], pattern.take_rows(drawn, slice(i, i + 1))) for i in range(300)
    ]
    torch.testing.assert_close(together, torch.cat(one_by_one), rtol=1e-12, atol=0)


WRONG: list[tuple[Callable[..., object], dict[str, Any]]] = [
    (pattern.ChebyshevRanges, {"waviness": (0.0, 1.0)}),
    (pattern.ChebyshevRanges, {"degree": -1}),
    (pattern.ChebyshevRanges, {"level": (1.0, 0.5)}),
    (pattern.ExponentialRanges, {"decay": (0.0, 0.5)}),
    (pattern.ExponentialRanges, {"level": (-0.1, 0.5)}),
    (pattern.AirScatterRanges, {"level": (0.0, float("inf"))}),
    (pattern.FluorescenceRanges, {"level": (float("nan"), 1.0)}),
    (pattern.HumpRanges, {"share": 1.5}),
    (pattern.HumpRanges, {"count": (1, 2.5)}),
    (pattern.HumpRanges, {"fwhm": (0.0, 0.1)}),
    (pattern.HumpRanges, {"eta": (0.0, 1.1)}),
    (pattern.GaussianNoiseRanges, {"sigma": (0.03, 3.0)}),
    (pattern.SpikeRanges, {"height": (0.0, 1.0)}),
    (pattern.SpikeRanges, {"count": (-1, 1)}),
    (pattern.DetectorRanges, {"dead_time_us": (-1.0, 1.0)}),
    (pattern.DetectorRanges, {"seconds_per_point": (0.0, 1.0)}),
    (pattern.DetectorRanges, {"highest_rate_cps": (0.0, 1e5)}),
    (pattern.ImpurityRanges, {"relative_intensity": (0.0, 0.1)}),
    (pattern.ImpurityRanges, {"fwhm_deg": (0.1, float("inf"))}),
]


@pytest.mark.parametrize(("ranges", "wrong"), WRONG)
def test_limits_out_of_range_are_named(ranges: Callable[..., object], wrong: dict[str, Any]) -> None:
    (name,) = wrong
    with pytest.raises(RecipeError, match=rf"{name} = .*Allowed: "):
        ranges(**wrong)


@pytest.mark.parametrize("draw", ["exponential", "air_scatter", "humps", "impurities"])
@pytest.mark.parametrize("points", [0, 1])
def test_empty_range_is_an_error(draw: str, points: int) -> None:
    with pytest.raises(RecipeError, match="two_theta has shape"):
        getattr(pattern, f"draw_{draw}")(GRID[:points], 2, generator=torch.Generator())
