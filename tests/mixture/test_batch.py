from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mixrd.crystal import Crystal
from mixrd.errors import RecipeError
from mixrd.mixture import MixtureSampler, SampleRanges
from mixrd.mixture.batch import draw_conditions, draw_fractions
from mixrd.mixture.sample_ranges import widest_fwhm
from mixrd.pattern import (
    DetectorRanges,
    ForwardModel,
    ImpurityRanges,
    Instrument,
    Parameters,
    Profile,
    SpikeRanges,
    UniformRenderer,
)

#: A detector that counts whatever comes.
PERFECT = DetectorRanges(dead_time_us=(0.0, 0.0), seconds_per_point=(1.0, 1.0), highest_rate_cps=(1e12, 1e12))
#: No noise to speak of, no background, nothing but strain and size: the pattern is then known exactly.
BARE = SampleRanges(
    max_microstrain=0.0,
    width_factor=1.0,
    max_zero_deg=0.0,
    max_displacement_mm=0.0,
    max_graininess=0.0,
    background=(1e-9, 1e-9),
    peak_counts=(1e11, 1e11),
    max_roughness=0.0,
    max_overspill=0.0,
    max_penetration_mm=0.0,
    impurities=ImpurityRanges(count=(0, 0)),
    detector=PERFECT,
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
        SampleRanges(max_roughness=1.0, max_penetration_mm=10.0, max_thinness=100.0),
        SampleRanges(spikes=SpikeRanges(count=(0, 5)), impurities=ImpurityRanges(count=(0, 50))),
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
    ranges = SampleRanges(max_strain=0.02, size_nm=(5.0, 50.0), width_factor=2.0, max_thinness=2.0)
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
    for value, limit in (
        (drawn.roughness[:, 0], ranges.max_roughness),
        (drawn.penetration, ranges.max_penetration_mm),
        (drawn.thinness, ranges.max_thinness),
    ):
        assert 0 <= value.min() < 0.01 * limit < 0.99 * limit < value.max() <= limit
    assert 0.98 * ranges.max_overspill < drawn.overspill.max() <= ranges.max_overspill
    assert float((drawn.overspill == 0).double().mean()) == pytest.approx(0.5, abs=0.05)
    size = 1 / drawn.inverse_size
    assert 5 * 0.999 <= size.min() < 5.1
    assert 49 < size.max() <= 50 * 1.001
    assert float(size.log().mean()) == pytest.approx(np.log(np.sqrt(250)), abs=0.05)
    assert drawn.microstrain.min() >= 0 and drawn.microstrain.max() <= ranges.max_microstrain
    _check_widths(model, drawn, 2.0)


def test_a_seed_stands_for_the_sample_that_it_always_stood_for(
    crystals: list[Crystal], instrument: Instrument
) -> None:
    """Networks that were trained, and what was measured with them, are made again from their seed."""
    ranges = SampleRanges(max_thinness=2.0)
    drawn = draw_conditions(sampler_of(crystals, instrument, ranges).model, ranges, 1, generator=seeded(11))
    # As the code drew that named each quantity by hand.
    expected = {
        "strain": [-0.00461324, 0.00564914],
        "inverse_size": [0.0279095, 0.00745299],
        "microstrain": [7.39229e-05, 0.000214584],
        "profile": [0.00665904, -0.00665904, 0.0083238, 0.0110693, 0.0417824, 0.0],
        "zero": [0.0267131],
        "displacement": [0.000485194],
        "thinness": [0.205006],
        "penetration": [0.0379999],
        "roughness": [0.0572123, 0.46242],
        "overspill": [0.182125],
    }
    assert set(expected) == set(drawn.values) - {"texture", "aspect", "b_offset"}
    for name, values in expected.items():
        assert drawn.values[name][0].tolist() == pytest.approx(values, rel=1e-5), name


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
        {"max_roughness": 1.1},
        {"max_overspill": 1.1},
        {"max_penetration_mm": -0.1},
        {"max_thinness": float("nan")},
    ],
)
def test_ranges_that_cannot_be(wrong: dict[str, object]) -> None:
    with pytest.raises(RecipeError, match=next(iter(wrong))) as raised:
        SampleRanges(**wrong)  # type: ignore[arg-type]
    assert "Allowed" in raised.value.remedy


def test_as_plain_data() -> None:
    plain = json.loads(json.dumps(dataclasses.asdict(SampleRanges()), allow_nan=False))
    assert plain["impurities"]["count"] == [0, 3]
    assert plain["spikes"]["count"] == [0, 0]
    assert set(plain) == {f.name for f in dataclasses.fields(SampleRanges)}


def patterns_of(crystals: list[Crystal], instrument: Instrument, ranges: SampleRanges) -> torch.Tensor:
    """Float64, relative to the strongest peak."""
    drawn = sampler_of(crystals, instrument, ranges).draw(40, generator=seeded(5)).patterns.double()
    return drawn / ranges.peak_counts[0]


def test_impurities_are_lines_on_top(crystals: list[Crystal], instrument: Instrument) -> None:
    lines = ImpurityRanges(count=(2, 2), relative_intensity=(0.02, 0.02), fwhm_deg=(0.1, 0.1), eta=(0.0, 0.0))
    added = patterns_of(crystals, instrument, dataclasses.replace(BARE, impurities=lines))
    added = added - patterns_of(crystals, instrument, BARE)
    # Two Gaussians of height 0.02 and fwhm 0.1 deg; one at an end of the grid is seen in part.
    area = added.sum(1) * instrument.step
    one = 0.02 * 0.1 * np.sqrt(np.pi / np.log(2)) / 2
    assert added.min() > -1e-4
    assert float(area.median()) == pytest.approx(2 * one, rel=0.02)
    assert area.max() < 2.05 * one
    assert added.amax(1).min() > 0.015 and added.max() < 0.0405


def test_spikes_are_single_points(crystals: list[Crystal], instrument: Instrument) -> None:
    spiky = dataclasses.replace(BARE, spikes=SpikeRanges(count=(1, 1), height=(0.5, 0.5)))
    added = patterns_of(crystals, instrument, spiky) - patterns_of(crystals, instrument, BARE)
    assert torch.allclose(added.amax(1), torch.tensor(0.5, dtype=torch.float64), atol=1e-3)
    assert bool(((added > 1e-3).sum(1) == 1).all())


def test_dead_time_and_saturation(crystals: list[Crystal], instrument: Instrument) -> None:
    """n / (1 + n tau / t) of what a perfect detector counts, then cut off."""
    counts = dataclasses.replace(BARE, peak_counts=(1e6, 1e6))
    detector = DetectorRanges((1.0, 1.0), (2.0, 2.0), (3e5, 3e5))
    clean = 1e6 * patterns_of(crystals, instrument, counts)
    seen = 1e6 * patterns_of(crystals, instrument, dataclasses.replace(counts, detector=detector))
    expected = torch.minimum(clean / (1 + clean * 0.5e-6), torch.tensor(6e5, dtype=torch.float64))
    torch.testing.assert_close(seen, expected, rtol=1e-5, atol=1e-3)
    assert bool((seen.amax(1) == 6e5).all())


def test_by_default_a_detector_loses_a_tenth_at_most() -> None:
    ranges = SampleRanges()
    rate = ranges.peak_counts[1] / ranges.detector.seconds_per_point[0]
    assert rate * ranges.detector.dead_time_us[1] * 1e-6 <= 0.1
    assert rate < ranges.detector.highest_rate_cps[0]


def test_roughness_lowers_the_first_lines(crystals: list[Crystal], instrument: Instrument) -> None:
    still = dataclasses.replace(BARE, max_strain=0.0, size_nm=(500.0, 500.0))
    rough = dataclasses.replace(still, max_roughness=1.0)
    grid = grid_of(instrument)
    first, last = (torch.tensor((grid > a) & (grid < b)) for a, b in ((27.5, 29.0), (55.0, 57.5)))
    ratios = []
    for ranges in (still, rough):
        patterns = patterns_of(crystals[:1], instrument, ranges)
        ratios.append(patterns[:, first].sum(1) / patterns[:, last].sum(1))
    assert float(ratios[0].std()) < 1e-3
    assert (ratios[1] < ratios[0].mean() * 1.001).all()
    assert float((ratios[1] / ratios[0]).min()) < 0.8


def test_an_automatic_slit_keeps_the_beam_on_the_sample(
    crystals: list[Crystal], instrument: Instrument
) -> None:
    automatic = dataclasses.replace(instrument, divergence_slit="automatic")
    ranges = SampleRanges(max_overspill=0.5)
    model = sampler_of(crystals, automatic, ranges).model
    assert float(draw_conditions(model, ranges, 50, generator=seeded()).overspill.max()) == 0.0


@pytest.mark.parametrize("profile", [Profile(), Profile(u=0.01, v=-0.02, w=0.02, x=0.02, y=0.05)])
def test_no_peak_is_broader_than_expected(
    crystals: list[Crystal], instrument: Instrument, profile: Profile
) -> None:
    ranges = SampleRanges(size_nm=(10.0, 20.0), max_microstrain=0.003)
    instrument = dataclasses.replace(instrument, profile=profile)
    sampler = sampler_of(crystals, instrument, ranges)
    widest = widest_fwhm(ranges, instrument, grid_of(instrument))
    assert isinstance(sampler.model.renderer, UniformRenderer)
    assert sampler.model.renderer.widest_fwhm == widest
    drawn = draw_conditions(sampler.model, ranges, 4000, generator=seeded())
    peaks = sampler.model.peaks(drawn)
    low, high = instrument.two_theta_range
    inside = (peaks.position > low) & (peaks.position < high - 2)
    largest = float(peaks.fwhm[inside].max())
    assert 0.75 * widest < largest <= widest
