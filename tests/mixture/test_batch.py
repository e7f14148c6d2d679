from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mixrd.crystal import Crystal
from mixrd.errors import RecipeError
from mixrd.mixture import MixtureSampler, SampleRanges
from mixrd.mixture.batch import draw_conditions, draw_fractions
from mixrd.pattern import ForwardModel, Instrument, Parameters

#: No noise to speak of, no background, nothing but strain and size: the pattern is then known exactly.
BARE = SampleRanges(
    max_microstrain=0.0,
    width_factor=1.0,
    max_zero_deg=0.0,
    max_displacement_mm=0.0,
    max_graininess=0.0,
    background=(1e-9, 1e-9),
    peak_counts=(1e12, 1e12),
)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def grid_of(instrument: Instrument) -> np.ndarray:
    return np.arange(*instrument.two_theta_range, instrument.step)


def sampler_of(crystals: list[Crystal], instrument: Instrument, ranges: SampleRanges) -> MixtureSampler:
    return MixtureSampler(crystals, instrument, grid_of(instrument), ranges)


@given(st.integers(0, 2**31), st.integers(1, 8))
def test_fractions_lie_on_the_simplex(seed: int, phases: int) -> None:
    fractions = draw_fractions(64, phases, generator=seeded(seed), like=torch.zeros(1))
    assert fractions.shape == (64, phases)
    assert fractions.dtype == torch.float32
    assert torch.isfinite(fractions).all() and (fractions >= 0).all()
    assert torch.allclose(fractions.sum(1), torch.ones(64), atol=1e-5)


def test_fractions_hold_traces_absent_phases_and_everything_between() -> None:
    fractions = draw_fractions(4000, 3, generator=seeded(), like=torch.zeros(1))
    assert 0.05 < (fractions == 0).float().mean() < 0.3
    assert ((fractions > 0) & (fractions < 0.01)).float().mean() > 0.03
    assert (fractions > 0.9).float().mean() > 0.02
    assert torch.allclose(fractions.mean(0), torch.full((3,), 1 / 3), atol=0.02), "no phase is preferred"


def test_same_seed_same_batch(crystals: list[Crystal], instrument: Instrument) -> None:
    sampler = sampler_of(crystals, instrument, SampleRanges())
    one, two, other = (sampler.draw(16, generator=seeded(s)) for s in (3, 3, 4))
    for name in ("patterns", "fractions", "strain", "inverse_size"):
        assert torch.equal(getattr(one, name), getattr(two, name))
        assert not torch.equal(getattr(one, name), getattr(other, name))


@pytest.mark.parametrize("batch", [1, 4, 10, 33])
def test_batch_of_any_length(crystals: list[Crystal], instrument: Instrument, batch: int) -> None:
    drawn = sampler_of(crystals, instrument, SampleRanges()).draw(batch, generator=seeded())
    assert drawn.patterns.shape == (batch, len(grid_of(instrument)))
    assert drawn.fractions.shape == drawn.inverse_size.shape == (batch, 2)
    assert drawn.strain.shape == (batch, 2)


@pytest.mark.parametrize(
    "ranges",
    [
        SampleRanges(),
        SampleRanges(background=(1e-12, 1e-12), peak_counts=(1e9, 1e9), size_nm=(1e3, 1e5)),
        SampleRanges(peak_counts=(1.0, 2.0), background=(10.0, 10.0)),
        SampleRanges(max_strain=0.06, size_nm=(2.0, 2.0), max_graininess=1.0, width_factor=5.0),
        SampleRanges(max_strain=0.0, max_graininess=0.0, max_zero_deg=0.0),
    ],
)
def test_patterns_are_positive_numbers(
    crystals: list[Crystal], instrument: Instrument, ranges: SampleRanges
) -> None:
    patterns = sampler_of(crystals, instrument, ranges).draw(64, generator=seeded()).patterns
    assert torch.isfinite(patterns).all() and (patterns >= 0).all()
    assert (patterns.amax(1) > 0).all()


@pytest.mark.parametrize("counts", [100.0, 10_000.0])
def test_noise_is_that_of_counting(crystals: list[Crystal], instrument: Instrument, counts: float) -> None:
    """Between the lines, second differences scatter with six times the mean."""
    ranges = dataclasses.replace(BARE, max_strain=0.0, background=(1.0, 1.0), peak_counts=(counts, counts))
    patterns = sampler_of(crystals, instrument, ranges).draw(200, generator=seeded()).patterns
    grid = torch.tensor(grid_of(instrument))
    between = patterns[:, (grid > 36) & (grid < 39)]
    variance = between.diff(n=2).square().mean(1) / 6
    assert float((variance / between.mean(1)).mean()) == pytest.approx(1, rel=0.1)


def test_a_mixture_is_the_weighted_sum_of_pure_phases(
    crystals: list[Crystal], instrument: Instrument
) -> None:
    """The float32 batch against the float64 model: mass balance, and truth that belongs to the pattern."""
    batch = sampler_of(crystals, instrument, BARE).draw(24, generator=seeded())
    model = ForwardModel(crystals, instrument, grid_of(instrument))
    reference = model.reference(24)
    columns = model.columns(
        dataclasses.replace(
            reference,
            strain=batch.strain.double(),
            inverse_size=batch.inverse_size.double(),
        )
    )
    expected = torch.einsum("bp,bpn->bn", batch.fractions.double(), columns)
    expected = expected / expected.amax(1, keepdim=True)
    seen = batch.patterns.double()
    seen = seen / seen.amax(1, keepdim=True)
    assert (seen - expected).abs().max() < 2e-3
    assert expected.std(0).max() > 0.05, "the patterns differ, so the comparison says something"


def test_conditions_fill_their_ranges(crystals: list[Crystal], instrument: Instrument) -> None:
    ranges = SampleRanges(max_strain=0.02, size_nm=(5.0, 50.0), width_factor=2.0)
    model = sampler_of(crystals, instrument, ranges).model
    drawn = draw_conditions(model, ranges, 2000, generator=seeded())
    for value, limit in (
        (drawn.strain, ranges.max_strain),
        (drawn.zero, ranges.max_zero_deg),
        (drawn.displacement, ranges.max_displacement_mm),
    ):
        assert -limit <= value.min() < -0.98 * limit
        assert 0.98 * limit < value.max() <= limit
        assert abs(value.mean()) < 0.1 * limit
    size = 1 / drawn.inverse_size
    assert 5 * 0.999 <= size.min() < 5.1
    assert 49 < size.max() <= 50 * 1.001
    assert float(size.log().mean()) == pytest.approx(np.log(np.sqrt(250)), abs=0.05)
    assert drawn.microstrain.min() >= 0 and drawn.microstrain.max() <= ranges.max_microstrain
    _check_widths(model, drawn, 2.0)


def _check_widths(model: ForwardModel, drawn: Parameters, factor: float) -> None:
    """Widths at every angle change by at most the factor, both ways, and Caglioti terms stay together."""
    u, v, w, x, y = (drawn.profile / model.reference(1).profile)[:, :5].unbind(1)
    assert torch.allclose(u, w) and torch.allclose(v, w)
    assert 1 / factor <= w.sqrt().min() < 1.05 / factor
    assert 0.95 * factor < w.sqrt().max() <= factor * 1.0001
    assert not torch.allclose(x, w)
    for lorentzian in (x, y):
        assert 0.999 / factor <= lorentzian.min() and lorentzian.max() <= factor * 1.001


def test_phases_are_strained_independently(crystals: list[Crystal], instrument: Instrument) -> None:
    ranges = SampleRanges()
    model = sampler_of(crystals, instrument, ranges).model
    drawn = draw_conditions(model, ranges, 2000, generator=seeded())
    assert abs(np.corrcoef(drawn.strain.numpy().T)[0, 1]) < 0.1
    assert abs(np.corrcoef(drawn.inverse_size.log().numpy().T)[0, 1]) < 0.1


def test_graininess_scatters_intensities_but_not_both_lines_of_a_doublet(
    crystals: list[Crystal], instrument: Instrument
) -> None:
    grainy = dataclasses.replace(BARE, max_graininess=0.5, max_strain=0.0, size_nm=(500.0, 500.0))
    smooth = dataclasses.replace(grainy, max_graininess=0.0)
    even, uneven = (
        sampler_of(crystals[:1], instrument, r).draw(200, generator=seeded()).patterns
        for r in (smooth, grainy)
    )
    grid = grid_of(instrument)
    first, second = ((grid > a) & (grid < b) for a, b in ((27.5, 29.0), (46.0, 48.0)))

    def scatter(patterns: torch.Tensor) -> float:
        ratio = patterns[:, torch.tensor(first)].sum(1) / patterns[:, torch.tensor(second)].sum(1)
        return float(ratio.log().std())

    assert scatter(even) < 1e-3
    assert scatter(uneven) > 0.2
    # Within one reflection, K alpha1 and K alpha2 keep their ratio: the shape of the peak is the same.
    peak = uneven[:, torch.tensor(second)]
    shape = peak / peak.sum(1, keepdim=True)
    assert (shape - shape.mean(0)).abs().max() < 0.02 * shape.max()


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_strain": -0.001},
        {"max_strain": 0.1},
        {"max_strain": float("nan")},
        {"size_nm": (0.0, 100.0)},
        {"size_nm": (200.0, 100.0)},
        {"size_nm": (10.0, float("inf"))},
        {"width_factor": 0.5},
        {"max_zero_deg": -1.0},
        {"background": (-0.1, 0.3)},
        {"peak_counts": (0.0, 1e4)},
        {"max_graininess": 2.0},
        {"max_microstrain": 1.0},
        {"max_displacement_mm": 3.0},
    ],
)
def test_ranges_that_cannot_be(wrong: dict[str, object]) -> None:
    with pytest.raises(RecipeError, match=next(iter(wrong))) as raised:
        SampleRanges(**wrong)  # type: ignore[arg-type]
    assert "Allowed" in raised.value.remedy
